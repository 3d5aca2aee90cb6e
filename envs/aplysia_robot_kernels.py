"""The AplysiaRobot world as kernels over one row: a disc with eight infrared sensors among walls and posts."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from insectbot.envs.many import many
from insectbot.envs.numerics import cos_sin, exp_negative, normal, uniform, wrap
from insectbot.envs.world import NOT_FINITE, RUNNING, TRUNCATED
from insectbot.jit import kernel

# Body: position [mm], heading [rad], its cosine and sine; infrared of the world (before any swap); contact.
X, Y, HEADING, COS, SIN = range(5)
IR, CONTACT = 5, 13
# Sums of the episode: steps, collisions, those of the first minute and of the last two, Phi, visited cells.
STEP, COLLISIONS, COLLISIONS_FIRST, COLLISIONS_LAST, PHI, VISITED = range(14, 20)
KEY_HIGH, KEY_LOW, DRAWS = 20, 21, 22
START = 23
# Settings: steps of an episode, posts, step of the swap, whether readings are raw, reward weights, wish for a start.
MAX_STEPS, N_POSTS, SWAP_STEP, RAW = 26, 27, 28, 29
WEIGHT_PHI, WEIGHT_APPROACH, WEIGHT_CONTACT = 30, 31, 32
WISH, BLOCKED = 33, 68
# The same bits for the last two minutes, and their number.
CELLS_LAST, VISITED_LAST = 69, 77
# Posts: x, y [mm], radius [mm]; bits of the visited cells, 50 to a number.
MAX_POSTS: Final = 8
POST_X, POST_Y, POST_R, CELLS = 36, 44, 52, 60
SIZE: Final = 78

CONTROL_PERIOD: Final = 0.05
ARENA: Final = 1000.0
RADIUS: Final = 27.5
AXLE: Final = 53.0
MAX_SPEED: Final = 80.0
RANGE: Final = 60.0
DECAY: Final = 18.0
KICK: Final = 1.0
GRID: Final = 20
MINUTE: Final = 1200
N_IR: Final = 8
ANGLES_DEG: Final = (160.0, 80.0, 45.0, 10.0, -10.0, -45.0, -80.0, -160.0)
# Cosine and sine of the sensors' angles, left first.
IR_COS = np.cos(np.deg2rad(np.array(ANGLES_DEG)))
IR_SIN = np.sin(np.deg2rad(np.array(ANGLES_DEG)))
RAW_MAX: Final = 1023.0
N_CELL_SLOTS: Final = 8


@kernel
def _key(row: Any) -> np.uint64:
    return (np.uint64(row[KEY_HIGH]) << np.uint64(32)) | np.uint64(row[KEY_LOW])


@kernel
def ray(row: Any, x: float, y: float, c: float, s: float) -> float:
    """Return the distance from (x, y) along (c, s) to the nearest wall or post [mm], at least 0."""
    d = 1e9
    if c > 0.0:
        d = (ARENA - x) / c
    elif c < 0.0:
        d = -x / c
    if s > 0.0:
        d = min(d, (ARENA - y) / s)
    elif s < 0.0:
        d = min(d, -y / s)
    for i in range(int(row[N_POSTS])):
        dx, dy = row[POST_X + i] - x, row[POST_Y + i] - y
        along = dx * c + dy * s
        if along > 0.0:
            inside = row[POST_R + i] ** 2 - (dx * dx + dy * dy - along * along)
            if inside > 0.0:
                d = min(d, along - math.sqrt(inside))
    return max(d, 0.0)


@kernel
def _near(row: Any) -> bool:
    """Return whether anything may be within reach of a sensor."""
    reach = RADIUS + RANGE
    x, y = row[X], row[Y]
    if x < reach or y < reach or x > ARENA - reach or y > ARENA - reach:
        return True
    for i in range(int(row[N_POSTS])):
        dx, dy, far = row[POST_X + i] - x, row[POST_Y + i] - y, reach + row[POST_R + i]
        if dx * dx + dy * dy < far * far:
            return True
    return False


@kernel
def sense(row: Any, obs: Any) -> None:
    """Write the readings, ``exp(-(d / 18 mm)^1.5)`` to 60 mm, and the contact; left and right swapped if it is time."""
    if _near(row):
        for i in range(N_IR):
            c = IR_COS[i] * row[COS] - IR_SIN[i] * row[SIN]
            s = IR_COS[i] * row[SIN] + IR_SIN[i] * row[COS]
            d = ray(row, row[X] + RADIUS * c, row[Y] + RADIUS * s, c, s)
            u = d / DECAY
            row[IR + i] = exp_negative(u * math.sqrt(u)) if d < RANGE else 0.0
    else:
        for i in range(N_IR):
            row[IR + i] = 0.0
    swapped = row[STEP] >= row[SWAP_STEP]
    for i in range(N_IR):
        value = row[IR + N_IR - 1 - i] if swapped else row[IR + i]
        obs[i] = math.floor(value * RAW_MAX + 0.5) if row[RAW] > 0.0 else value
    obs[N_IR] = row[CONTACT]


@kernel
def _place_posts(row: Any, key: Any, counter: int) -> int:
    """Draw the posts, clear of the start by a body's width; return the next free draw."""
    placed = 0
    while placed < row[N_POSTS]:
        radius = 25.0 + 25.0 * uniform(key, counter + 2)
        x = radius + (ARENA - 2.0 * radius) * uniform(key, counter)
        y = radius + (ARENA - 2.0 * radius) * uniform(key, counter + 1)
        counter += 3
        clear = radius + 3.0 * RADIUS
        if (x - row[START]) ** 2 + (y - row[START + 1]) ** 2 >= clear * clear:
            row[POST_X + placed], row[POST_Y + placed], row[POST_R + placed] = x, y, radius
            placed += 1
    return counter


@kernel
def reset(row: Any, data: Any, obs: Any) -> None:
    """Build the world of the row's key: start, heading, posts."""
    key = _key(row)
    margin = 4.0 * RADIUS
    for i in range(2):
        place = margin + (ARENA - 2.0 * margin) * uniform(key, i)
        row[START + i] = place if math.isnan(row[WISH + i]) else row[WISH + i]
    heading = math.pi * (2.0 * uniform(key, 2) - 1.0)
    row[START + 2] = heading if math.isnan(row[WISH + 2]) else row[WISH + 2]
    row[DRAWS] = _place_posts(row, key, 3)
    row[X], row[Y], row[HEADING] = row[START], row[START + 1], row[START + 2]
    row[COS], row[SIN] = cos_sin(row[HEADING])
    for slot in range(CONTACT, VISITED + 1):
        row[slot] = 0.0
    for i in range(N_CELL_SLOTS):
        row[CELLS + i] = row[CELLS_LAST + i] = 0.0
    row[BLOCKED] = row[VISITED_LAST] = 0.0
    for i in range(3):
        row[WISH + i] = math.nan
    visit(row)
    sense(row, obs)


@kernel
def visit(row: Any) -> None:
    """Mark the cell of the body in the 20 x 20 grid."""
    column = min(int(row[X] * (GRID / ARENA)), GRID - 1)
    cell = min(int(row[Y] * (GRID / ARENA)), GRID - 1) * GRID + column
    bits, bit = int(row[CELLS + cell // 50]), cell % 50
    if (bits >> bit) & 1 == 0:
        row[CELLS + cell // 50] = float(bits | (1 << bit))
        row[VISITED] += 1.0
    bits = int(row[CELLS_LAST + cell // 50])
    if row[STEP] > row[MAX_STEPS] - 2 * MINUTE and (bits >> bit) & 1 == 0:
        row[CELLS_LAST + cell // 50] = float(bits | (1 << bit))
        row[VISITED_LAST] += 1.0


@kernel
def _blocked(row: Any, x: float, y: float) -> bool:
    if x < RADIUS or y < RADIUS or x > ARENA - RADIUS or y > ARENA - RADIUS:
        return True
    for i in range(int(row[N_POSTS])):
        dx, dy, near = row[POST_X + i] - x, row[POST_Y + i] - y, RADIUS + row[POST_R + i]
        if dx * dx + dy * dy < near * near:
            return True
    return False


@kernel
def _move(row: Any, left: float, right: float) -> None:
    """Turn and drive for one period; a move into something does not happen, the heading is kicked instead."""
    turn = MAX_SPEED * (right - left) / AXLE * CONTROL_PERIOD
    forward = MAX_SPEED * 0.5 * (left + right) * CONTROL_PERIOD
    c, s = cos_sin(turn)
    row[COS], row[SIN] = row[COS] * c - row[SIN] * s, row[SIN] * c + row[COS] * s
    heading = row[HEADING] + turn
    x, y = row[X] + forward * row[COS], row[Y] + forward * row[SIN]
    row[CONTACT] = 0.0
    if _blocked(row, x, y):
        row[CONTACT] = 1.0
        kick = KICK * normal(_key(row), int(row[DRAWS]))
        row[DRAWS] += 12.0
        c, s = cos_sin(kick)
        row[COS], row[SIN] = row[COS] * c - row[SIN] * s, row[SIN] * c + row[COS] * s
        heading += kick
    else:
        row[X], row[Y] = x, y
    row[HEADING] = wrap(heading)


@kernel
def step(row: Any, data: Any, action: Any, obs: Any) -> Any:
    """Advance one control period; return the reward and the code."""
    left, right = float(action[0]), float(action[1])
    if not (math.isfinite(left) and math.isfinite(right)):
        return 0.0, NOT_FINITE
    left, right = min(max(left, -1.0), 1.0), min(max(right, -1.0), 1.0)
    before, touching = 0.0, row[CONTACT]
    for i in range(N_IR):
        before += row[IR + i]
    _move(row, left, right)
    row[STEP] += 1.0
    visit(row)
    sense(row, obs)
    near, total = 0.0, 0.0
    for i in range(N_IR):
        near = max(near, row[IR + i])
        total += row[IR + i]
    speed, difference = 0.5 * (abs(left) + abs(right)), 0.5 * abs(left - right)
    phi = speed * (1.0 - math.sqrt(difference)) * (1.0 - near)
    row[PHI] += phi
    row[BLOCKED] += row[CONTACT]
    if row[CONTACT] > touching:
        row[COLLISIONS] += 1.0
        row[COLLISIONS_FIRST] += row[STEP] <= MINUTE
        row[COLLISIONS_LAST] += row[STEP] > row[MAX_STEPS] - 2 * MINUTE
    reward = row[WEIGHT_PHI] * phi + row[WEIGHT_APPROACH] * (total - before) + row[WEIGHT_CONTACT] * row[CONTACT]
    return reward, TRUNCATED if row[STEP] >= row[MAX_STEPS] else RUNNING


step_many = many(step)
