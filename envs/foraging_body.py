"""The insect of Foraging as kernels that its presets share: start, antennae, sight, motion."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.ground import in_disc, outside, roughness
from insectbot.envs.numerics import cos_sin, normal, wrap
from insectbot.envs.terrain import Map, hours, slope_between, tobler
from insectbot.jit import kernel

Float = npt.NDArray[np.float32]

AXLE = 10.0
ANGULAR_GAIN = 0.5
REVERSE = -0.2
ANTENNA_COS, ANTENNA_SIN = 0.8191520442889918, 0.573576436351046
HALF_ROOT = 0.7071067811865476

# Kernels of every step are written into their callers: a call would cost up to 5 % of the step.


@kernel
def stream_key(row: r.Row) -> np.uint64:
    """Return the 64-bit key of the world's random stream."""
    return (np.uint64(row[r.KEY_HIGH]) << np.uint64(32)) | np.uint64(row[r.KEY_LOW])


@kernel
def begin(row: r.Row) -> None:
    """Put the body at the start (the wished one, if any), with nothing walked yet, and forget the wishes."""
    if not math.isnan(row[r.WISH]):
        row[r.START], row[r.START + 1], row[r.START + 2] = row[r.WISH], row[r.WISH + 1], row[r.WISH + 2]
    for i in range(r.N_WISHES):
        row[r.WISH + i] = math.nan
    row[r.X], row[r.Y], row[r.HEADING] = row[r.START], row[r.START + 1], row[r.START + 2]
    row[r.COS], row[r.SIN] = cos_sin(row[r.HEADING])
    row[r.STEP] = row[r.PATH] = row[r.EXPOSURE] = row[r.COLLISIONS] = row[r.COST] = 0.0


@kernel(inline="always")
def directions(row: r.Row) -> tuple[float, float, float, float]:
    """Return where the antennae point: cosine and sine of the left one, of the right one."""
    c, s = row[r.COS], row[r.SIN]
    left_cos, left_sin = ANTENNA_COS * c - ANTENNA_SIN * s, ANTENNA_COS * s + ANTENNA_SIN * c
    return left_cos, left_sin, ANTENNA_COS * c + ANTENNA_SIN * s, ANTENNA_COS * s - ANTENNA_SIN * c


@kernel(inline="always")
def touch(row: r.Row) -> tuple[float, float, float, float]:
    """Write the roughness at the tips of the antennae into the row; return the tips: left x, y, right x, y [mm]."""
    left_cos, left_sin, right_cos, right_sin = directions(row)
    left_x, left_y = row[r.X] + r.ANTENNA_LENGTH * left_cos, row[r.Y] + r.ANTENNA_LENGTH * left_sin
    right_x, right_y = row[r.X] + r.ANTENNA_LENGTH * right_cos, row[r.Y] + r.ANTENNA_LENGTH * right_sin
    row[r.RHO_LEFT], row[r.RHO_RIGHT] = roughness(row, left_x, left_y), roughness(row, right_x, right_y)
    return left_x, left_y, right_x, right_y


@kernel(inline="always")
def sight(row: r.Row, x: float, y: float, valence: float) -> tuple[float, float]:
    """Write distance and bearing of (x, y) [mm] into the row; return the cue that the left, the right side has of it.

    ``(0.5 + 0.5 valence cos(bearing -/+ 45 deg))^2 / (1 + d / 1000)``.
    """
    dx, dy = x - row[r.X], y - row[r.Y]
    d = math.sqrt(dx * dx + dy * dy)
    ahead, side = 1.0, 0.0
    if d > 0.0:
        ahead, side = (dx * row[r.COS] + dy * row[r.SIN]) / d, (dy * row[r.COS] - dx * row[r.SIN]) / d
    row[r.DISTANCE], row[r.COS_BEARING] = d, ahead
    gain, cue = 1.0 / (1.0 + d * 0.001), 0.5 * HALF_ROOT * valence
    return (0.5 + cue * (ahead + side)) ** 2 * gain, (0.5 + cue * (ahead - side)) ** 2 * gain


@kernel(inline="always")
def move(row: r.Row, grid: Map, left: float, right: float) -> bool:
    """Turn and move the body for one control period by two wheel commands (clipped); count and return a collision."""
    left, right = min(max(left, REVERSE), 1.0), min(max(right, REVERSE), 1.0)
    factor = 1.0 - r.DRAG * row[r.RHO]
    if grid.shape[0] > 2:
        factor = 1.0 - row[r.RHO]
        if left + right < 0.0:
            factor = tobler(slope_between(grid, row[r.X], row[r.Y], row[r.X] - row[r.COS], row[r.Y] - row[r.SIN], 1.0))
    speed = r.MAX_SPEED * factor
    turn = speed * (right - left) * (ANGULAR_GAIN / AXLE * r.CONTROL_PERIOD)
    forward = speed * (left + right) * (0.5 * r.CONTROL_PERIOD)
    c, s = cos_sin(turn)
    cos, sin = row[r.COS] * c - row[r.SIN] * s, row[r.SIN] * c + row[r.COS] * s
    heading = row[r.HEADING] + turn
    x, y = row[r.X] + forward * cos, row[r.Y] + forward * sin
    if row[r.CLAMP] > 0.0:
        x, y = min(max(x, 0.0), row[r.WIDTH]), min(max(y, 0.0), row[r.HEIGHT])
    collided = outside(row, x, y) or in_disc(row, x, y)
    if collided:
        row[r.COLLISIONS] += 1.0
        kick = row[r.KICK] * normal(stream_key(row), int(row[r.DRAWS]))
        row[r.DRAWS] += 12.0
        c, s = cos_sin(kick)
        cos, sin = cos * c - sin * s, sin * c + cos * s
        heading += kick
    else:
        moved = math.sqrt((x - row[r.X]) ** 2 + (y - row[r.Y]) ** 2)
        row[r.PATH] += moved
        row[r.EXPOSURE] += 0.5 * moved * row[r.RHO]
        if grid.shape[0] > 2:
            row[r.COST] += hours(grid, row[r.X], row[r.Y], x, y)
        row[r.X], row[r.Y] = x, y
    row[r.COS], row[r.SIN], row[r.HEADING] = cos, sin, wrap(heading)
    return collided
