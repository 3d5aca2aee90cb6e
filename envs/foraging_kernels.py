"""The Foraging world as pure kernels over one packed state row: reset, sense, step. See ``envs.foraging_row``."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.ground import bumps, in_disc, outside, roughness
from insectbot.envs.numerics import cos_sin, normal, uniform, wrap
from insectbot.envs.terrain import MAP_ANTENNA_LENGTH, NO_MAP, Map, hardship, hours, slope_between, tobler
from insectbot.envs.world import NOT_FINITE, RUNNING, TERMINATED, TRUNCATED
from insectbot.jit import kernel

Float = npt.NDArray[np.float32]

REACHED, TIME_OVER = TERMINATED, TRUNCATED

MARGIN = 80.0
CLEARANCE = 40.0
AXLE = 10.0
ANGULAR_GAIN = 0.5
REVERSE = -0.2
ANTENNA_COS, ANTENNA_SIN = 0.8191520442889918, 0.573576436351046
HALF_ROOT = 0.7071067811865476


@kernel
def stream_key(row: r.Row) -> np.uint64:
    """Return the 64-bit key of the world's random stream."""
    return (np.uint64(row[r.KEY_HIGH]) << np.uint64(32)) | np.uint64(row[r.KEY_LOW])


@kernel
def sense(row: r.Row, grid: Map, obs: Float) -> None:
    """Write distance, bearing and the five senses into the row, and the senses into ``obs``."""
    x, y, c, s = row[r.X], row[r.Y], row[r.COS], row[r.SIN]
    left_cos, left_sin = ANTENNA_COS * c - ANTENNA_SIN * s, ANTENNA_COS * s + ANTENNA_SIN * c
    right_cos, right_sin = ANTENNA_COS * c + ANTENNA_SIN * s, ANTENNA_COS * s - ANTENNA_SIN * c
    on_map = grid.shape[0] > 2
    length = MAP_ANTENNA_LENGTH if on_map else r.ANTENNA_LENGTH
    left_x, left_y = x + length * left_cos, y + length * left_sin
    right_x, right_y = x + length * right_cos, y + length * right_sin
    if on_map:
        row[r.RHO_LEFT] = 1.0 if outside(row, left_x, left_y) else hardship(grid, x, y, left_cos, left_sin)
        row[r.RHO_RIGHT] = 1.0 if outside(row, right_x, right_y) else hardship(grid, x, y, right_cos, right_sin)
        row[r.RHO] = 1.0 - tobler(slope_between(grid, x, y, x + c, y + s, 1.0))
    else:
        row[r.RHO_LEFT] = roughness(row, left_x, left_y)
        row[r.RHO_RIGHT] = roughness(row, right_x, right_y)
        row[r.RHO] = bumps(row, x, y)

    dx, dy = row[r.TARGET] - x, row[r.TARGET + 1] - y
    d = math.sqrt(dx * dx + dy * dy)
    ahead, side = 1.0, 0.0
    if d > 0.0:
        ahead, side = (dx * c + dy * s) / d, (dy * c - dx * s) / d
    row[r.DISTANCE], row[r.COS_BEARING] = d, ahead
    if d < row[r.CUE_RANGE]:
        gain = 1.0 / (1.0 + d * 0.001)
        cue = 0.5 * HALF_ROOT * row[r.VALENCE]
        row[r.LOBE_LEFT] = (0.5 + cue * (ahead + side)) ** 2 * gain
        row[r.LOBE_RIGHT] = (0.5 + cue * (ahead - side)) ** 2 * gain
    else:
        row[r.LOBE_LEFT] = row[r.LOBE_RIGHT] = 0.0
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
    heading = math.pi * (2.0 * uniform(key, counter) - 1.0)
    if not math.isnan(row[r.WISH + 2]):
        heading = row[r.WISH + 2]
    row[r.DRAWS] = counter + 1
    row[r.START + 2] = heading
    row[r.X], row[r.Y], row[r.HEADING] = row[r.START], row[r.START + 1], heading
    row[r.COS], row[r.SIN] = cos_sin(heading)
    row[r.STEP] = row[r.PATH] = row[r.EXPOSURE] = row[r.COLLISIONS] = row[r.COST] = 0.0
    flipped = row[r.EPISODE] >= row[r.FLIP_AFTER]
    if not math.isnan(row[r.WISH + 5]):
        flipped = row[r.WISH + 5] > 0.0
    row[r.VALENCE] = -1.0 if flipped else 1.0
    row[r.EPISODE] += 1.0
    for i in range(r.N_WISHES):
        row[r.WISH + i] = math.nan
    sense(row, grid, obs)


@kernel
def move(row: r.Row, grid: Map, left: float, right: float) -> bool:
    """Turn and move the body for one control period; return whether it ran into something."""
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


@kernel
def step_on(row: r.Row, grid: Map, action: Float, obs: Float) -> tuple[float, int]:
    """Advance one control period; return the reward and RUNNING, REACHED, TIME_OVER or NOT_FINITE (nothing changed)."""
    left, right = float(action[0]), float(action[1])
    if not (math.isfinite(left) and math.isfinite(right)):
        return 0.0, NOT_FINITE
    distance, bearing = row[r.DISTANCE], row[r.COS_BEARING]
    antennae, path = row[r.RHO_LEFT] + row[r.RHO_RIGHT], row[r.PATH]
    collided = move(row, grid, min(max(left, REVERSE), 1.0), min(max(right, REVERSE), 1.0))
    row[r.STEP] += 1.0
    sense(row, grid, obs)
    row[r.EXPOSURE] += 0.5 * (row[r.PATH] - path) * row[r.RHO]
    reached = row[r.DISTANCE] < r.GOAL_RADIUS
    reward = row[r.WEIGHT] * (distance - row[r.DISTANCE])
    reward += row[r.WEIGHT + 1] * (row[r.COS_BEARING] - bearing)
    reward += row[r.WEIGHT + 2] * row[r.RHO]
    reward += row[r.WEIGHT + 3] * (row[r.RHO_LEFT] + row[r.RHO_RIGHT] - antennae)
    if collided:
        row[r.COLLISIONS] += 1.0
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


@kernel
def step_many(
    rows: r.Row,
    grid: Map,
    actions: Float,
    skip: npt.NDArray[np.bool_],
    obs: Float,
    rewards: npt.NDArray[np.float64],
    codes: npt.NDArray[np.int8],
) -> int:
    """Step every world that is not skipped; return how many codes are not RUNNING."""
    events = 0
    for i in range(rows.shape[0]):
        rewards[i], codes[i] = 0.0, RUNNING
        if not skip[i]:
            reward, code = step_on(rows[i], grid, actions[i], obs[i])
            rewards[i], codes[i] = reward, code
            events += code != RUNNING
    return events
