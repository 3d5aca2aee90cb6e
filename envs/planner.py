"""The privileged planner: the fastest way from start to target, with the whole world known.

Dijkstra's search with 16 neighbours, led by the time of the straight line at full speed (A*: the same result, fewer
nodes). Bumps and discs: a grid of 126 x 126 nodes, 8 mm apart, discs dilated by 3 mm. Map: its own points as nodes.
The path is then pulled straight where a straight line is cheaper, so it is not bound to 16 directions. The cost is
seconds (``dem``: hours of Tobler's rule, by direction). Turning costs nothing.
"""

from __future__ import annotations

import heapq
import math

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.ground import bumps
from insectbot.envs.numerics import exp_negative
from insectbot.envs.terrain import METRES_PER_MM, TOBLER_SPEED, Map, hours
from insectbot.jit import kernel

Path = npt.NDArray[np.float64]
Costs = npt.NDArray[np.float64]
Heap = list[tuple[float, int]]

NODES = 126
DILATION = 3.0
# Moves to the 16 neighbours: 4 straight, 4 diagonal, 8 of a knight.
MOVES = np.array(
    [
        *((1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)),
        *((2, 1), (1, 2), (-1, 2), (-2, 1), (-2, -1), (-1, -2), (1, -2), (2, -1)),
    ]
)


@kernel
def roughness_field(row: r.Row, ny: int, nx: int) -> npt.NDArray[np.float64]:
    """Return the bumps' roughness on ``ny`` x ``nx`` nodes from edge to edge of the arena (row 0 = south)."""
    field = np.zeros((ny, nx))
    along = np.empty(nx)
    for b in range(r.MAX_BUMPS):
        if row[r.BUMP_A + b] == 0.0:
            continue
        for i in range(nx):
            along[i] = exp_negative((i * row[r.WIDTH] / (nx - 1) - row[r.BUMP_X + b]) ** 2 * row[r.BUMP_K + b])
        for j in range(ny):
            across = (j * row[r.HEIGHT] / (ny - 1) - row[r.BUMP_Y + b]) ** 2 * row[r.BUMP_K + b]
            weight = row[r.BUMP_A + b] * exp_negative(across)
            for i in range(nx):
                field[j, i] += weight * along[i]
    for j in range(ny):
        for i in range(nx):
            field[j, i] = min(field[j, i], 1.0)
    return field


@kernel
def _blocked(row: r.Row, x: float, y: float) -> bool:
    """Return whether (x, y) lies in a dilated disc."""
    for k in range(int(row[r.N_OBSTACLES])):
        reach = math.sqrt(row[r.DISC_R2 + k]) + DILATION
        if (x - row[r.DISC_X + k]) ** 2 + (y - row[r.DISC_Y + k]) ** 2 < reach * reach:
            return True
    return False


@kernel
def _pace(row: r.Row) -> npt.NDArray[np.float64]:
    """Return the time per mm [s/mm] at every node, infinite in obstacles."""
    pace = roughness_field(row, NODES, NODES)
    for j in range(NODES):
        for i in range(NODES):
            pace[j, i] = 1.0 / (r.MAX_SPEED * (1.0 - r.DRAG * pace[j, i]))
    step_x, step_y = row[r.WIDTH] / (NODES - 1), row[r.HEIGHT] / (NODES - 1)
    for k in range(int(row[r.N_OBSTACLES])):
        x, y, reach = row[r.DISC_X + k], row[r.DISC_Y + k], math.sqrt(row[r.DISC_R2 + k]) + DILATION
        for j in range(max(0, int((y - reach) / step_y)), min(NODES, int((y + reach) / step_y) + 2)):
            for i in range(max(0, int((x - reach) / step_x)), min(NODES, int((x + reach) / step_x) + 2)):
                if (i * step_x - x) ** 2 + (j * step_y - y) ** 2 < reach * reach:
                    pace[j, i] = math.inf
    return pace


@kernel
def straight(row: r.Row, grid: Map, x0: float, y0: float, x1: float, y1: float) -> float:
    """Return the cost of the straight line between two points of the arena (infinite through a dilated disc)."""
    if grid.shape[0] > 2:
        return hours(grid, x0, y0, x1, y1)
    length = math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
    n = int(length / 2.0) + 1
    total = 0.0
    for k in range(n):
        f = (k + 0.5) / n
        x, y = x0 + f * (x1 - x0), y0 + f * (y1 - y0)
        if _blocked(row, x, y):
            return math.inf
        total += 1.0 / (1.0 - r.DRAG * bumps(row, x, y))
    return total * length / (n * r.MAX_SPEED)


@kernel
def path_cost(row: r.Row, grid: Map, path: Path) -> float:
    """Return the cost of walking the corners of ``path`` [n, 2] in order."""
    total = 0.0
    for k in range(path.shape[0] - 1):
        total += straight(row, grid, path[k, 0], path[k, 1], path[k + 1, 0], path[k + 1, 1])
    return total


@kernel
def _arrival(row: r.Row, grid: Map, x: float, y: float, radius: float) -> float:
    """Return the cost from (x, y) straight to the edge of the target disc."""
    dx, dy = row[r.TARGET] - x, row[r.TARGET + 1] - y
    d = math.sqrt(dx * dx + dy * dy)
    if d <= radius:
        return 0.0
    f = (d - radius) / d
    return straight(row, grid, x, y, x + f * dx, y + f * dy)


@kernel
def _enter(
    row: r.Row, grid: Map, cost: Costs, nx: int, ny: int, step_x: float, step_y: float
) -> list[tuple[float, int]]:
    """Reach the nodes around the start in straight lines; return the heap with them."""
    heap = [(math.inf, -1)]
    i0, j0 = int(row[r.START] / step_x), int(row[r.START + 1] / step_y)
    for j in range(max(0, j0 - 1), min(ny, j0 + 3)):
        for i in range(max(0, i0 - 1), min(nx, i0 + 3)):
            g = straight(row, grid, row[r.START], row[r.START + 1], i * step_x, j * step_y)
            if g < math.inf:
                cost[j * nx + i] = g
                heapq.heappush(heap, (g, j * nx + i))
    return heap


@kernel
def _search(
    row: r.Row, grid: Map, radius: float, nx: int, ny: int, cost: Costs, parent: npt.NDArray[np.int32]
) -> tuple[float, int]:
    """Fill ``cost`` and ``parent``; return the cost of arriving and the last node (-1: straight from the start)."""
    on_map = grid.shape[0] > 2
    step_x, step_y = row[r.WIDTH] / (nx - 1), row[r.HEIGHT] / (ny - 1)
    pace = np.empty((1, 1)) if on_map else _pace(row)
    # No mm costs less than this.
    least = METRES_PER_MM / (1000.0 * TOBLER_SPEED) if on_map else 1.0 / r.MAX_SPEED
    link = radius + 3.0 * max(step_x, step_y)
    closed = np.zeros(ny * nx, np.bool_)
    heap = _enter(row, grid, cost, nx, ny, step_x, step_y)
    best, last = _arrival(row, grid, row[r.START], row[r.START + 1], radius), -1
    while True:
        f, node = heapq.heappop(heap)
        if f >= best or node < 0:
            return best, last
        if closed[node]:
            continue
        closed[node] = True
        j, i = node // nx, node % nx
        x, y, g = i * step_x, j * step_y, cost[node]
        if math.sqrt((row[r.TARGET] - x) ** 2 + (row[r.TARGET + 1] - y) ** 2) <= link:
            total = g + _arrival(row, grid, x, y, radius)
            if total < best:
                best, last = total, node
        for m in range(16):
            i1, j1 = i + MOVES[m, 0], j + MOVES[m, 1]
            if i1 < 0 or j1 < 0 or i1 >= nx or j1 >= ny or closed[j1 * nx + i1]:
                continue
            x1, y1, there = i1 * step_x, j1 * step_y, j1 * nx + i1
            if on_map:
                g1 = g + hours(grid, x, y, x1, y1)
            else:
                g1 = g + math.sqrt((x1 - x) ** 2 + (y1 - y) ** 2) * 0.5 * (pace[j, i] + pace[j1, i1])
            if g1 < cost[there]:
                cost[there], parent[there] = g1, node
                ahead = math.sqrt((row[r.TARGET] - x1) ** 2 + (row[r.TARGET + 1] - y1) ** 2) - radius
                heapq.heappush(heap, (g1 + least * max(ahead, 0.0), there))


@kernel
def _pulled(row: r.Row, grid: Map, radius: float, path: Path, sums: Costs) -> tuple[float, Path]:
    """Replace runs of corners by straight lines where that is cheaper; return the cost and the corners left."""
    n = path.shape[0]
    kept = np.empty((n, 2))
    kept[0] = path[0]
    total, count, i = 0.0, 1, 0
    while i < n - 1:
        j, spent = i + 1, sums[i + 1] - sums[i]
        while j + 1 < n:
            k = j + 1
            if k == n - 1:
                direct = _arrival(row, grid, path[i, 0], path[i, 1], radius)
            else:
                direct = straight(row, grid, path[i, 0], path[i, 1], path[k, 0], path[k, 1])
            if direct > sums[k] - sums[i]:
                break
            j, spent = k, direct
        total += spent
        kept[count] = path[j]
        count += 1
        i = j
    return total, kept[:count].copy()


@kernel
def plan(row: r.Row, grid: Map, radius: float) -> tuple[float, Path]:
    """Find the cheapest way from the row's start to its target.

    Parameters
    ----------
    row : ndarray of float64, shape (SIZE,)
        A world.
    grid : ndarray of float32
        Elevation map [m], or ``NO_MAP``.
    radius : float
        The way ends at this distance from the target [mm].

    Returns
    -------
    cost : float
        Seconds (hours on a map) until the target disc is entered; infinite if there is no way.
    path : ndarray of float64, shape (n, 2)
        Corners from the start to the centre of the target [mm].
    """
    ny, nx = (grid.shape[0], grid.shape[1]) if grid.shape[0] > 2 else (NODES, NODES)
    step_x, step_y = row[r.WIDTH] / (nx - 1), row[r.HEIGHT] / (ny - 1)
    cost = np.full(ny * nx, math.inf)
    parent = np.full(ny * nx, -1, np.int32)
    best, last = _search(row, grid, radius, nx, ny, cost, parent)
    n, node = 2, last
    while node >= 0:
        n += 1
        node = parent[node]
    path, sums = np.empty((n, 2)), np.zeros(n)
    path[0, 0], path[0, 1] = row[r.START], row[r.START + 1]
    path[n - 1, 0], path[n - 1, 1], sums[n - 1] = row[r.TARGET], row[r.TARGET + 1], best
    node = last
    for k in range(n - 2, 0, -1):
        path[k, 0], path[k, 1], sums[k] = (node % nx) * step_x, (node // nx) * step_y, cost[node]
        node = parent[node]
    if best == math.inf:
        return best, path
    return _pulled(row, grid, radius, path, sums)
