"""The Foraging world as pure kernels over one packed state row: reset, sense, step. See ``envs.foraging_row``."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.foraging_body import begin, directions, move, sight, stream_key, touch
from insectbot.envs.ground import bumps, outside
from insectbot.envs.many import many
from insectbot.envs.numerics import uniform
from insectbot.envs.terrain import MAP_ANTENNA_LENGTH, NO_MAP, Map, hardship, slope_between, tobler
from insectbot.envs.world import NOT_FINITE, RUNNING, TERMINATED, TRUNCATED
from insectbot.jit import kernel

Float = npt.NDArray[np.float32]

REACHED, TIME_OVER = TERMINATED, TRUNCATED

MARGIN = 80.0
CLEARANCE = 40.0


@kernel
def sense(row: r.Row, grid: Map, obs: Float) -> None:
    """Write distance, bearing and the five senses into the row, and the senses into ``obs``."""
    x, y, c, s = row[r.X], row[r.Y], row[r.COS], row[r.SIN]
    if grid.shape[0] > 2:
        left_cos, left_sin, right_cos, right_sin = directions(row)
        left_x, left_y = x + MAP_ANTENNA_LENGTH * left_cos, y + MAP_ANTENNA_LENGTH * left_sin
        right_x, right_y = x + MAP_ANTENNA_LENGTH * right_cos, y + MAP_ANTENNA_LENGTH * right_sin
        row[r.RHO_LEFT] = 1.0 if outside(row, left_x, left_y) else hardship(grid, x, y, left_cos, left_sin)
        row[r.RHO_RIGHT] = 1.0 if outside(row, right_x, right_y) else hardship(grid, x, y, right_cos, right_sin)
        row[r.RHO] = 1.0 - tobler(slope_between(grid, x, y, x + c, y + s, 1.0))
    else:
        touch(row)
        row[r.RHO] = bumps(row, x, y)
    left, right = sight(row, row[r.TARGET], row[r.TARGET + 1], row[r.VALENCE])
    seen = row[r.DISTANCE] < row[r.CUE_RANGE]
    row[r.LOBE_LEFT], row[r.LOBE_RIGHT] = left if seen else 0.0, right if seen else 0.0
    for i in range(5):
        obs[i] = row[r.RHO_LEFT + i]


@kernel
def _place_ends(row: r.Row, key: np.uint64, counter: int) -> int:
    """Draw start and target until their distance fits; return the next free draw."""
    width, height = row[r.WIDTH] - 2.0 * MARGIN, row[r.HEIGHT] - 2.0 * MARGIN
    while True:
        for i in range(4):
            span = width if i % 2 == 0 else height
            place = MARGIN + span * uniform(key, counter + i)
            slot = r.START + i if i < 2 else r.TARGET + i - 2
            wish = row[r.WISH + (i if i < 2 else i + 1)]
            row[slot] = place if math.isnan(wish) else wish
        counter += 4
        d2 = (row[r.TARGET] - row[r.START]) ** 2 + (row[r.TARGET + 1] - row[r.START + 1]) ** 2
        both = not math.isnan(row[r.WISH]) and not math.isnan(row[r.WISH + 3])
        if both or row[r.D_MIN] * row[r.D_MIN] < d2 < row[r.D_MAX] * row[r.D_MAX]:
            return counter


@kernel
def _place_discs(row: r.Row, key: np.uint64, counter: int) -> int:
    """Draw the obstacles clear of start and target; return the next free draw."""
    placed = 0
    while placed < row[r.N_OBSTACLES]:
        x = row[r.WIDTH] * uniform(key, counter)
        y = row[r.HEIGHT] * uniform(key, counter + 1)
        radius = 20.0 + 30.0 * uniform(key, counter + 2)
        counter += 3
        keep = (radius + CLEARANCE) ** 2
        start2 = (x - row[r.START]) ** 2 + (y - row[r.START + 1]) ** 2
        target2 = (x - row[r.TARGET]) ** 2 + (y - row[r.TARGET + 1]) ** 2
        if start2 >= keep and target2 >= keep:
            row[r.DISC_X + placed], row[r.DISC_Y + placed], row[r.DISC_R2 + placed] = x, y, radius * radius
            placed += 1
    for i in range(placed, r.MAX_DISCS):
        row[r.DISC_X + i] = row[r.DISC_Y + i] = 0.0
        row[r.DISC_R2 + i] = -1.0
    return counter


@kernel
def place_bumps(row: r.Row, key: np.uint64, counter: int) -> int:
    """Draw the bumps; return the next free draw."""
    n = int(row[r.N_BUMPS])
    for i in range(r.MAX_BUMPS):
        sigma = 50.0 + 60.0 * uniform(key, counter + 2)
        row[r.BUMP_X + i] = row[r.WIDTH] * uniform(key, counter)
        row[r.BUMP_Y + i] = row[r.HEIGHT] * uniform(key, counter + 1)
        row[r.BUMP_K + i] = 0.5 / (sigma * sigma)
        row[r.BUMP_A + i] = 0.5 + 0.5 * uniform(key, counter + 3) if i < n else 0.0
        counter += 4
    return counter


@kernel
def reset_on(row: r.Row, grid: Map, obs: Float) -> None:
    """Build the world of the row's key: ground, obstacles, start, target, heading; write the first observation."""
    key = stream_key(row)
    counter = place_bumps(row, key, 0)
    counter = _place_ends(row, key, counter)
    counter = _place_discs(row, key, counter)
    row[r.START + 2] = math.pi * (2.0 * uniform(key, counter) - 1.0)
    row[r.DRAWS] = counter + 1
    flipped = row[r.EPISODE] >= row[r.FLIP_AFTER]
    if not math.isnan(row[r.WISH + 5]):
        flipped = row[r.WISH + 5] > 0.0
    row[r.VALENCE] = -1.0 if flipped else 1.0
    row[r.EPISODE] += 1.0
    begin(row)
    sense(row, grid, obs)


@kernel
def step_on(row: r.Row, grid: Map, action: Float, obs: Float) -> tuple[float, int]:
    """Advance one control period; return the reward and RUNNING, REACHED, TIME_OVER or NOT_FINITE (nothing changed)."""
    left, right = float(action[0]), float(action[1])
    if not (math.isfinite(left) and math.isfinite(right)):
        return 0.0, NOT_FINITE
    distance, bearing = row[r.DISTANCE], row[r.COS_BEARING]
    antennae, path = row[r.RHO_LEFT] + row[r.RHO_RIGHT], row[r.PATH]
    collided = move(row, grid, left, right)
    row[r.STEP] += 1.0
    sense(row, grid, obs)
    row[r.EXPOSURE] += 0.5 * (row[r.PATH] - path) * row[r.RHO]
    reached = row[r.DISTANCE] < r.GOAL_RADIUS
    reward = row[r.WEIGHT] * (distance - row[r.DISTANCE])
    reward += row[r.WEIGHT + 1] * (row[r.COS_BEARING] - bearing)
    reward += row[r.WEIGHT + 2] * row[r.RHO]
    reward += row[r.WEIGHT + 3] * (row[r.RHO_LEFT] + row[r.RHO_RIGHT] - antennae)
    if collided:
        reward += row[r.WEIGHT + 4]
    if reached:
        return reward + row[r.WEIGHT + 5], REACHED
    return reward, TIME_OVER if row[r.STEP] >= row[r.MAX_STEPS] else RUNNING


@kernel
def reset(row: r.Row, obs: Float) -> None:
    """Reset a world without a map (see :func:`reset_on`)."""
    reset_on(row, NO_MAP, obs)


@kernel
def step(row: r.Row, action: Float, obs: Float) -> tuple[float, int]:
    """Step a world without a map (see :func:`step_on`)."""
    return step_on(row, NO_MAP, action, obs)


step_many = many(step_on)
