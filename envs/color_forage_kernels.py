"""The ColorForage world as kernels over one row: coloured patches, an eye that looks ahead, a body that turns right."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from insectbot.envs.many import many
from insectbot.envs.numerics import cos_sin, uniform, wrap
from insectbot.envs.world import NOT_FINITE, RUNNING, TRUNCATED
from insectbot.jit import kernel

# Body [patches, rad]; distances seen (white, red, green); pain and reward of this tick.
X, Y, HEADING, COS, SIN, SEEN, PAIN, FOOD = 0, 1, 2, 3, 4, 5, 8, 9
# Sums: ticks, steps onto noxious patches (all, of the first and of the last block), onto good ones, forward moves.
STEP, NOXIOUS, NOXIOUS_FIRST, NOXIOUS_LAST, REWARDED, MOVES = range(10, 16)
KEY_HIGH, KEY_LOW = 16, 17
MAX_STEPS, COLUMNS, SWAP_STEP, PUSH, WISH = 18, 19, 20, 21, 22
SIZE: Final = 26

CONTROL_PERIOD: Final = 0.001
LEFT, RIGHT, BOTTOM, TOP = 80, 120, 1, 60
WIDTH, HEIGHT = RIGHT - LEFT + 1, TOP - BOTTOM + 1
START_X, START_Y = 102.0, 30.0
VIEW: Final = 4.0
RAY: Final = 0.34
NOTHING: Final = 5.0
FORWARD: Final = 0.4
TURN_COS, TURN_SIN = 0.9975640502598242, 0.0697564737441253
TURN: Final = 0.06981317007977318
SHOVE: Final = 0.5
BLOCK: Final = 5000
BLACK, WHITE, RED, GREEN = 0, 1, 2, 3


@kernel
def _key(row: Any) -> np.uint64:
    return (np.uint64(row[KEY_HIGH]) << np.uint64(32)) | np.uint64(row[KEY_LOW])


@kernel
def colour(row: Any, key: Any, x: int, y: int) -> int:
    """Return the colour of a patch: a function of the key, so that nothing is stored."""
    if x in (LEFT, RIGHT) or y in (BOTTOM, TOP):
        return WHITE
    u = uniform(key, y * 128 + x)
    if u < 0.1:
        return RED
    # Red with 0.1, then green with 0.1 of what is left.
    if u < 0.19:
        return GREEN
    if row[COLUMNS] > 0.0 and y >= 4 and x >= 88 and x <= 118 and (x - 88) % 6 == 0:
        return WHITE
    return BLACK


@kernel
def paint(row: Any, cells: Any) -> None:
    """Write the colours of all patches into ``cells`` [width, height]."""
    key = _key(row)
    for i in range(WIDTH):
        for j in range(HEIGHT):
            cells[i, j] = colour(row, key, LEFT + i, BOTTOM + j)


@kernel
def _here(row: Any, key: Any, x: float, y: float) -> int:
    """Return the colour under a place; a patch is centred on whole numbers, and the world is a torus."""
    px = LEFT + (math.floor(x + 0.5) - LEFT) % WIDTH
    py = BOTTOM + (math.floor(y + 0.5) - BOTTOM) % HEIGHT
    return colour(row, key, px, py)


@kernel
def sense(row: Any, obs: Any) -> None:
    """Write the distance of the nearest coloured patch ahead, in the channel of its colour; then pain and food."""
    key = _key(row)
    for c in range(3):
        row[SEEN + c] = NOTHING
    n = int(VIEW / RAY)
    own_x, own_y = math.floor(row[X] + 0.5), math.floor(row[Y] + 0.5)
    for i in range(1, n + 1):
        x, y = row[X] + RAY * i * row[COS], row[Y] + RAY * i * row[SIN]
        # It stands on its own patch and does not see it.
        own = math.floor(x + 0.5) == own_x and math.floor(y + 0.5) == own_y
        seen = BLACK if own else _here(row, key, x, y)
        if seen != BLACK:
            row[SEEN + seen - 1] = RAY * i
            break
    for c in range(3):
        obs[c] = row[SEEN + c]
    obs[3], obs[4] = row[PAIN], row[FOOD]


@kernel
def reset(row: Any, data: Any, obs: Any) -> None:
    """Start in the middle, heading as drawn or wished."""
    heading = math.pi * (2.0 * uniform(_key(row), 1 << 20) - 1.0)
    row[X], row[Y] = START_X, START_Y
    row[HEADING] = heading if math.isnan(row[WISH]) else row[WISH]
    row[WISH] = math.nan
    row[COS], row[SIN] = cos_sin(row[HEADING])
    for slot in range(PAIN, MOVES + 1):
        row[slot] = 0.0
    sense(row, obs)


@kernel
def step(row: Any, data: Any, action: Any, obs: Any) -> Any:
    """Advance one tick; return the reward and the code."""
    rotate, forward = float(action[0]), float(action[1])
    if not (math.isfinite(rotate) and math.isfinite(forward)):
        return 0.0, NOT_FINITE
    if rotate > 0.5:
        c, s = row[COS], row[SIN]
        row[COS], row[SIN] = c * TURN_COS + s * TURN_SIN, s * TURN_COS - c * TURN_SIN
        row[HEADING] = wrap(row[HEADING] - TURN)
    if forward > 0.5:
        row[X], row[Y] = row[X] + FORWARD * row[COS], row[Y] + FORWARD * row[SIN]
        row[MOVES] += 1.0
    row[STEP] += 1.0
    under = _here(row, _key(row), row[X], row[Y])
    swapped = row[STEP] > row[SWAP_STEP]
    good = RED if swapped else GREEN
    hurting, feeding = row[PAIN], row[FOOD]
    row[FOOD] = 1.0 if under == good else 0.0
    row[PAIN] = 1.0 if under != BLACK and under != good else 0.0
    if row[PAIN] > hurting:
        row[NOXIOUS] += 1.0
        row[NOXIOUS_FIRST] += row[STEP] <= BLOCK
        row[NOXIOUS_LAST] += row[STEP] > row[MAX_STEPS] - BLOCK
    if row[PAIN] > 0.0 and row[PUSH] > 0.0:
        row[X], row[Y] = row[X] + SHOVE * row[COS], row[Y] + SHOVE * row[SIN]
    row[REWARDED] += row[FOOD] > feeding
    row[X] = LEFT - 0.5 + (row[X] - LEFT + 0.5) % WIDTH
    row[Y] = BOTTOM - 0.5 + (row[Y] - BOTTOM + 0.5) % HEIGHT
    sense(row, obs)
    return row[FOOD] - row[PAIN], TRUNCATED if row[STEP] >= row[MAX_STEPS] else RUNNING


step_many = many(step)
