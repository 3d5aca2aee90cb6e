"""The real map of the ``dem`` preset: loading, checking, and walking it by Tobler's rule.

The map is the elevation model of the Jacksboro fault (Tennessee) that matplotlib ships as sample data; it is read from
there and never copied. 1 mm of the arena is ``METRES_PER_MM`` metres of land, and 40 mm/s, the speed on the best slope,
is Tobler's 6 km/h with one second of the episode standing for 12.7 minutes. An antenna is 12 mm long here: it feels the
next 382 m.

Over the 20 pairs of :func:`dem_pairs` the planner needs 3.71 h on average and the straight line 1.29 times as long
(1.06 to 1.68; over 200 other pairs 3.96 h and 1.29). Costs are integrated in pieces of a third of a cell for both; a
planner that takes the slope between the ends of its edges instead (3.82 h, 1.33 over the same 200) flatters itself.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from insectbot.envs.numerics import exp_negative
from insectbot.errors import RunFolderError
from insectbot.jit import kernel

Map = npt.NDArray[np.float32]

CELL_X: Final = 74.4
"""Distance between two columns of the map [m]."""
CELL_Y: Final = 92.7
"""Distance between two rows of the map [m]."""
ROWS: Final = 344
COLUMNS: Final = 403
MAP_HEIGHT: Final = 1000.0
"""North-south extent of the map in the arena [mm]."""
METRES_PER_MM: Final = CELL_Y * (ROWS - 1) / MAP_HEIGHT
"""Metres of land in one mm of the arena: 31.8."""
MAP_WIDTH: Final = CELL_X * (COLUMNS - 1) / METRES_PER_MM
"""East-west extent of the map in the arena [mm]: 941."""
TOBLER_SPEED: Final = 6.0
"""Walking speed on the best slope, -5 % [km/h] (Tobler 1993)."""
DEM_SHA256: Final = "0c7e9f894eb7c8d444ca4475e64249e060d96c90ab63fdf439a0381c590ed502"
MAP_ANTENNA_LENGTH: Final = 12.0
"""Length of an antenna on the map [mm]; longer ones average away the slopes that a walker can avoid."""
_PIECES: Final = 12
NO_MAP: Final = np.zeros((2, 2), np.float32)
NO_MAP.setflags(write=False)


@cache
def load_dem() -> Map:
    """Return the elevation map [m], float32 of shape (344, 403), row 0 in the south, read-only.

    The file names its latitudes wrongly (``ymin`` is the north edge), so its rows are flipped.

    Raises
    ------
    RunFolderError
        If the file does not hold the elevations with the known SHA-256.
    """
    from matplotlib import cbook

    with np.load(str(cbook.get_sample_data("jacksboro_fault_dem.npz", asfileobj=False))) as data:
        heights = data["elevation"]
    digest = hashlib.sha256(np.ascontiguousarray(heights, "<i2").tobytes()).hexdigest()
    if digest != DEM_SHA256:
        raise RunFolderError(
            f"elevation map jacksboro_fault_dem.npz: SHA-256 is {digest}, must be {DEM_SHA256}; reinstall matplotlib"
        )
    flipped = np.ascontiguousarray(heights[::-1], np.float32)
    flipped.setflags(write=False)
    return flipped


def dem_pairs(n: int = 20, seed: int = 20) -> npt.NDArray[np.float64]:
    """Return fixed start and goal positions on the map, 10 to 20 km apart.

    Parameters
    ----------
    n : int
        Number of pairs.
    seed : int
        Seed of the draw; the published figures use the default.

    Returns
    -------
    ndarray of float64, shape (n, 4)
        x and y of the start, x and y of the goal [mm], each 80 mm or more inside the map.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    low, high = np.full(2, 80.0), np.array([MAP_WIDTH, MAP_HEIGHT]) - 80.0
    pairs: list[npt.NDArray[np.float64]] = []
    while len(pairs) < n:
        start, goal = rng.uniform(low, high), rng.uniform(low, high)
        if 10_000.0 <= np.hypot(*(goal - start)) * METRES_PER_MM <= 20_000.0:
            pairs.append(np.concatenate((start, goal)))
    return np.array(pairs).reshape(n, 4)


@kernel
def tobler(slope: float) -> float:
    """Return the walking speed on a slope (rise over run, along the way) relative to the best, in (0, 1].

    Tobler (1993): ``6 exp(-3.5 |slope + 0.05|)`` km/h, here without the 6.
    """
    return exp_negative(3.5 * abs(slope + 0.05))


@kernel
def elevation(grid: Map, x: float, y: float) -> float:
    """Return the elevation [m] at (x, y) [mm], bilinear between the points of the map; the edge continues outside."""
    u = min(max(x * (METRES_PER_MM / CELL_X), 0.0), COLUMNS - 1.0)
    v = min(max(y * (METRES_PER_MM / CELL_Y), 0.0), ROWS - 1.0)
    i = min(int(u), COLUMNS - 2)
    j = min(int(v), ROWS - 2)
    u -= i
    v -= j
    low = grid[j, i] * (1.0 - u) + grid[j, i + 1] * u
    high = grid[j + 1, i] * (1.0 - u) + grid[j + 1, i + 1] * u
    return low * (1.0 - v) + high * v


@kernel
def slope_between(grid: Map, x0: float, y0: float, x1: float, y1: float, distance: float) -> float:
    """Return the mean slope from (x0, y0) to (x1, y1), which are ``distance`` mm apart (> 0)."""
    return (elevation(grid, x1, y1) - elevation(grid, x0, y0)) / (distance * METRES_PER_MM)


@kernel
def hardship(grid: Map, x: float, y: float, cos: float, sin: float) -> float:
    """Return what an antenna feels from (x, y) towards (cos, sin): 0 on the best slope, nearly 1 on steep ones.

    ``1 - (speed over the inner third + speed over the whole antenna) / 2``, with Tobler's mean speeds relative to the
    best one, in pieces of 1 mm (31.8 m, less than half a cell).
    """
    piece = MAP_ANTENNA_LENGTH / _PIECES
    pace = 0.0
    inner = 0.0
    before = elevation(grid, x, y)
    for k in range(_PIECES):
        reach = piece * (k + 1.0)
        here = elevation(grid, x + reach * cos, y + reach * sin)
        pace += 1.0 / tobler((here - before) / (piece * METRES_PER_MM))
        before = here
        if k == _PIECES // 3 - 1:
            inner = pace
    return 1.0 - 0.5 * (_PIECES // 3 / inner + _PIECES / pace)


@kernel
def hours(grid: Map, x0: float, y0: float, x1: float, y1: float) -> float:
    """Return Tobler's walking time [h] along a straight line, in pieces of at most a third of a cell."""
    distance = np.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
    if distance == 0.0:
        return 0.0
    n = int(distance * (3.0 * METRES_PER_MM / CELL_X)) + 1
    piece = distance / n
    total = 0.0
    before = elevation(grid, x0, y0)
    for k in range(n):
        f = (k + 1.0) / n
        here = elevation(grid, x0 + f * (x1 - x0), y0 + f * (y1 - y0))
        total += 1.0 / tobler((here - before) / (piece * METRES_PER_MM))
        before = here
    return total * piece * METRES_PER_MM / (1000.0 * TOBLER_SPEED)
