"""The PlumeTrack world as kernels over one row: wind, puffs of odor, a flying body.

No puff is stored. Which puffs were born in a control period, at which tick each, and which random walk each of them
takes across the wind, are functions of (key of the world, period), and the wind carries all of them alike. So the odor
at a point is a sum over the few broods that can be there now, and the plume needs neither memory nor a warm-up.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import numpy as np

from insectbot.envs.many import many
from insectbot.envs.numerics import cos_sin, normal, uniform, word53, wrap
from insectbot.envs.world import FAILED, NOT_FINITE, RUNNING, TERMINATED, TRUNCATED, Data
from insectbot.jit import kernel

# Body: position [m], heading [rad], its cosine and sine, speed through the air [m/s].
X, Y, HEADING, COS, SIN, SPEED = range(6)
# The senses of this moment: wind minus own velocity, ahead and to the left [m/s]; odor.
SENSES: Final = 6
# Where the wind has carried the air since the beginning [m].
AIR_X, AIR_Y = 9, 10
# Sums: steps; way over ground [m]; steps with odor; closest approach to the source [m]; start.
STEP, PATH, IN_PLUME, CLOSEST, START_X, START_Y, START_HEADING = range(11, 18)
KEY_HIGH, KEY_LOW = 18, 19
# Wind: segments in use, ticks of the next turn, how many turns were drawn.
SEGMENTS, NEXT, TURNS = 20, 21, 22
# Settings: kind of wind, growth of a puff [m per tick], turn rate [rad/s], steps; which side of the world is left: 1,
# or -1 in a mirror.
WIND, GROWTH, TURN_RATE, MAX_STEPS, SIDE = range(23, 28)
# Probabilities that at most 0, 1, ... puffs are born in a control period.
MAX_BIRTHS: Final = 20
CUMULATED: Final = 28
# Wind segments, oldest first: from which tick on, velocity [m per tick], where it had carried the air by then [m].
MAX_SEGMENTS: Final = 20
SEG_T, SEG_VX, SEG_VY, SEG_X, SEG_Y = range(48, 48 + 5 * MAX_SEGMENTS, MAX_SEGMENTS)
SIZE: Final = 48 + 5 * MAX_SEGMENTS
N_SENSES: Final = 3

CONSTANT, ONCE, MANY = 0, 1, 2
CONTROL_PERIOD: Final = 0.04
TICK: Final = 0.01
TICKS: Final = 4
"""Ticks of the plume in a control period."""
WIND_SPEED: Final = 0.5
RADIUS: Final = 0.01
"""Radius of a puff at its birth [m]."""
WALK_STEP: Final = 0.005
"""Standard deviation of a puff's random walk across the wind, per tick [m]."""
FAR: Final = 10.0
"""The puffs of a control period are gone when its air is beyond this x [m]."""
MAX_PUFFS: Final = 5000
MAX_SPEED: Final = 2.5
HOME: Final = 0.2
STRAY: Final = 2.0
THRESHOLD: Final = 1e-4
TURN_ONCE: Final = math.pi / 4.0
TURN_SD: Final = math.pi / 4.0
TURN_LIMIT: Final = math.pi / 3.0
TURN_EVERY: Final = 300
TURN_JITTER: Final = 30
FOREVER: Final = 1000
"""Control periods that the slowest puff needs to leave the world."""
PAST_TURNS: Final = 15
"""Turns before the start, more than FOREVER."""
FIRST_SHARE, LAST_SHARE = 0.3, 0.8
START_SPREAD: Final = 1.645
"""A start lies beside the centreline by a normal number of this many standard deviations of the puffs."""
REWARD_HOME: Final = 101.0
REWARD_TICK: Final = -10.0 / 300.0
N_WALKS: Final = 1024
WALK_PERIODS: Final = 1024
"""Control periods that a walk lasts: the slowest puff is out of the world after 1,000."""
_BITS: Final = 13  # of chance per puff: sign of its walk, which of N_WALKS it is, tick of its birth
_WORDS: Final = 8  # random numbers per brood, the puffs of one control period
_BIRTHS, _WIND_STREAM = 1 << 40, 1 << 30


@kernel
def _fill(table: Any) -> None:
    key = np.uint64(0x506C756D65)
    for i in range(N_WALKS):
        place = 0.0
        for n in range(1, WALK_PERIODS):
            place += 2.0 * WALK_STEP * normal(key, 12 * (i * WALK_PERIODS + n))
            table[n, i] = place
            table[n, N_WALKS] = max(table[n, N_WALKS], abs(place))


@cache
def walks() -> Data:
    """Return the random walks [m], float32 of shape (WALK_PERIODS, N_WALKS + 1); last in a row is the farthest.

    A row is a control period, so that the puffs of a brood lie in one page of memory.
    """
    table = np.zeros((WALK_PERIODS, N_WALKS + 1), np.float32)
    _fill(table)
    table.flags.writeable = False
    return table


@kernel
def _key(row: Any) -> np.uint64:
    return (np.uint64(row[KEY_HIGH]) << np.uint64(32)) | np.uint64(row[KEY_LOW])


@kernel
def segment(row: Any, tick: float) -> int:
    """Return the index of the wind segment in which the control period lies that ends with a tick."""
    g = int(row[SEGMENTS]) - 1
    while g > 0 and row[SEG_T + g] >= tick:
        g -= 1
    return g


@kernel
def born(row: Any, key: np.uint64, brood: int) -> int:
    """Return how many puffs were born in a control period: Poisson, by inversion."""
    n, share = 0, uniform(key, _BIRTHS + _WORDS * brood)
    while n < MAX_BIRTHS and share >= row[CUMULATED + n]:
        n += 1
    return n


@kernel
def chances(key: np.uint64, brood: int, j: int) -> np.uint64:
    """Return the bits that decide the fate of puffs j to j + 3 of a brood, 13 of each."""
    return word53(key, _BIRTHS + _WORDS * brood + 1 + (j >> 2))


@kernel
def offset(data: Any, bits: np.uint64, n: int) -> float:
    """Return how far the random walk that the lowest bits choose leads in ``n`` control periods [m]."""
    sign = 2.0 * np.float64(bits & np.uint64(1)) - 1.0
    return sign * data[min(n, WALK_PERIODS - 1), np.int64((bits >> np.uint64(1)) & np.uint64(N_WALKS - 1))]


@kernel
def late(bits: np.uint64) -> float:
    """Return how many ticks before the end of its control period a puff was born, 0 to 3."""
    return np.float64((bits >> np.uint64(_BITS - 2)) & np.uint64(3))


@kernel
def age_at(row: Any, x: float) -> int:
    """Return the age [ticks] of the puffs whose centre lies at ``x``, at least 0."""
    place = row[AIR_X] - max(x, 0.0)
    g = int(row[SEGMENTS]) - 1
    while g > 0 and row[SEG_X + g] > place:
        g -= 1
    born = row[SEG_T + g] + (place - row[SEG_X + g]) / row[SEG_VX + g]
    return max(int(TICKS * row[STEP] - born), 0)


@kernel
def centre_in(row: Any, age: int, g: int) -> tuple[float, float]:
    """Return where the wind has carried the air that was at the source ``age`` ticks ago, in segment ``g`` [m]."""
    past = TICKS * row[STEP] - age - row[SEG_T + g]
    x = row[AIR_X] - row[SEG_X + g] - past * row[SEG_VX + g]
    return x, row[AIR_Y] - row[SEG_Y + g] - past * row[SEG_VY + g]


@kernel
def centre(row: Any, age: int) -> tuple[float, float]:
    """Return where the wind has carried the air that was at the source ``age`` ticks ago [m]."""
    return centre_in(row, age, segment(row, TICKS * row[STEP] - age))


@kernel
def _brood_odor(row: Any, data: Any, key: np.uint64, brood: int, n: int, x: float, y: float, v: Any) -> float:
    """Return the concentration at the body of the puffs born n control periods ago.

    The body lies at (x, y) from where the air is that was at the source at the end of that period; the wind blew at v.
    """
    total, bits, j = 0.0, np.uint64(0), 0
    vx, vy, growth, side = v
    oldest = RADIUS + growth * TICKS * n
    if abs(y) > data[min(n, WALK_PERIODS - 1), N_WALKS] + oldest + TICKS * (abs(vy) + growth):
        return 0.0
    share = uniform(key, _BIRTHS + _WORDS * brood)
    while j < MAX_BIRTHS and share >= row[CUMULATED + j]:
        bits = chances(key, brood, j) if j & 3 == 0 else bits >> np.uint64(_BITS)
        q = late(bits)
        dx, dy = x - q * vx, y - q * vy - side * offset(data, bits, n)
        radius = oldest + growth * q
        if dx * dx + dy * dy < radius * radius:
            part = RADIUS / radius
            total += part * part * part
        j += 1
    return total


@kernel
def odor(row: Any, data: Any) -> float:
    """Return the summed concentration of all puffs that cover the body; 1 is that of a new puff."""
    x, y, growth = row[X], row[Y], row[GROWTH]
    now, total, first, key, latest = TICKS * row[STEP], 0.0, 0, _key(row), int(row[STEP])
    for g in range(int(row[SEGMENTS]) - 1, -1, -1):
        # Puffs of one segment lie around base + age * v; their broods are numbers first to last, the latest being 0.
        past = now - row[SEG_T + g]
        last = (int(past) - 1) // TICKS if g > 0 else FOREVER
        vx, vy = row[SEG_VX + g], row[SEG_VY + g]
        base = row[AIR_X] - row[SEG_X + g] - past * vx
        if base + TICKS * (last + 1) * (vx + growth) + RADIUS > x:
            if base + TICKS * first * (vx - growth) - RADIUS > x:
                return total
            middle = row[AIR_Y] - row[SEG_Y + g] - past * vy
            v = (vx, vy, growth, row[SIDE])
            low = max(int((x - RADIUS - base) / (vx + growth)) // TICKS, first)
            high = min(int((x + RADIUS - base) / (vx - growth)) // TICKS, int((FAR - base) / vx) // TICKS, last)
            while base + TICKS * high * vx >= FAR:
                high -= 1
            for n in range(low, high + 1):
                age = TICKS * n
                total += _brood_odor(row, data, key, latest - n, n, x - base - age * vx, y - middle - age * vy, v)
        first = last + 1
    return total


@kernel
def _nearest(row: Any, data: Any, n: int, g: int) -> float:
    """Return the squared distance of the nearest puff born n control periods ago [m^2]; infinite for none."""
    key, best, bits, j, side = _key(row), math.inf, np.uint64(0), 0, row[SIDE]
    brood = int(row[STEP]) - n
    cx, cy = centre_in(row, TICKS * n, g)
    x, y, vx, vy = row[X] - cx, row[Y] - cy, row[SEG_VX + g], row[SEG_VY + g]
    share = uniform(key, _BIRTHS + _WORDS * brood)
    while j < MAX_BIRTHS and share >= row[CUMULATED + j]:
        bits = chances(key, brood, j) if j & 3 == 0 else bits >> np.uint64(_BITS)
        q = late(bits)
        dx, dy = x - q * vx, y - q * vy - side * offset(data, bits, n)
        best = min(best, dx * dx + dy * dy)
        j += 1
    return best


@kernel
def stray_distance(row: Any, data: Any, enough: float) -> float:
    """Return the distance of the nearest centre of a puff [m], that of the source where there is no puff.

    The search goes from the nearest x outwards and ends at the first one that is within ``enough``.
    """
    best, x, newest = math.inf, row[X], int(row[SEGMENTS]) - 1
    low = age_at(row, min(x, FAR)) // TICKS
    high = low + 1
    below = above = True
    g_low = g_high = segment(row, TICKS * (row[STEP] - low))
    while below or above:
        if below:
            while g_low < newest and row[SEG_T + g_low + 1] < TICKS * (row[STEP] - low):
                g_low += 1
            there = centre_in(row, TICKS * low, g_low)[0]
            away = x - there
            if there < FAR:
                best = min(best, _nearest(row, data, low, g_low))
            low -= 1
            below = low >= 0 and away * abs(away) < best
        if above:
            while g_high > 0 and row[SEG_T + g_high] >= TICKS * (row[STEP] - high):
                g_high -= 1
            there = centre_in(row, TICKS * high, g_high)[0]
            above = there < FAR and (there - x) * abs(there - x) < best
            if above:
                best = min(best, _nearest(row, data, high, g_high))
            high += 1
        if best <= enough * enough:
            return math.sqrt(best)
    return math.sqrt(best if best < math.inf else x * x + row[Y] ** 2)


@kernel
def puffs(row: Any, data: Any, out: Any) -> int:
    """Write x, y and radius of every puff into ``out`` [k, 3], as far as there is room; return their number."""
    key, n, i, bits = _key(row), 0, 0, np.uint64(0)
    while True:
        brood = int(row[STEP]) - n
        g = segment(row, TICKS * brood)
        cx, cy = centre_in(row, TICKS * n, g)
        if cx >= FAR:
            return i
        for j in range(born(row, key, brood)):
            bits = chances(key, brood, j) if j & 3 == 0 else bits >> np.uint64(_BITS)
            q = late(bits)
            if i < out.shape[0]:
                out[i, 0] = cx + q * row[SEG_VX + g]
                out[i, 1] = cy + q * row[SEG_VY + g] + row[SIDE] * offset(data, bits, n)
                out[i, 2] = RADIUS + row[GROWTH] * (TICKS * n + q)
                i += 1
        n += 1


@kernel
def _turn_tick(row: Any, k: int) -> float:
    """Return the tick of the k-th turn of a wind that turns many times."""
    key = _key(row)
    jitter = TURN_JITTER * (2.0 * uniform(key, _WIND_STREAM + 16 * k) - 1.0)
    tick = TURN_EVERY * (k - PAST_TURNS + uniform(key, 4)) + jitter
    return TICKS * math.floor(tick / TICKS)


@kernel
def _add_segment(row: Any, tick: float, angle: float) -> None:
    """Let the wind blow to ``angle`` from ``tick`` on; forget the oldest segment where there is no room."""
    n = int(row[SEGMENTS])
    x = y = 0.0
    if n > 0:
        past = tick - row[SEG_T + n - 1]
        x = row[SEG_X + n - 1] + past * row[SEG_VX + n - 1]
        y = row[SEG_Y + n - 1] + past * row[SEG_VY + n - 1]
    if n == MAX_SEGMENTS:
        n -= 1
        for first in (SEG_T, SEG_VX, SEG_VY, SEG_X, SEG_Y):
            for i in range(first, first + n):
                row[i] = row[i + 1]
    c, s = cos_sin(angle)
    row[SEG_T + n], row[SEG_X + n], row[SEG_Y + n] = tick, x, y
    row[SEG_VX + n], row[SEG_VY + n] = WIND_SPEED * TICK * c, row[SIDE] * WIND_SPEED * TICK * s
    row[SEGMENTS] = n + 1.0


@kernel
def _turn_wind(row: Any) -> None:
    """Let the wind turn as often as is due by now, and draw when it turns next."""
    while row[NEXT] <= TICKS * row[STEP]:
        k = int(row[TURNS])
        if row[WIND] == MANY:
            angle = TURN_SD * normal(_key(row), _WIND_STREAM + 16 * k + 1)
            _add_segment(row, row[NEXT], min(max(angle, -TURN_LIMIT), TURN_LIMIT))
            row[NEXT] = _turn_tick(row, k + 1)
        else:
            _add_segment(row, row[NEXT], TURN_ONCE)
            row[NEXT] = math.inf
        row[TURNS] = k + 1.0


@kernel
def _carry(row: Any) -> None:
    """Let the wind carry the air up to now, and the body with it."""
    _turn_wind(row)
    g = int(row[SEGMENTS]) - 1
    past = TICKS * row[STEP] - row[SEG_T + g]
    x, y = row[SEG_X + g] + past * row[SEG_VX + g], row[SEG_Y + g] + past * row[SEG_VY + g]
    row[X] += x - row[AIR_X]
    row[Y] += y - row[AIR_Y]
    row[AIR_X], row[AIR_Y] = x, y


@kernel
def sense(row: Any, data: Any, obs: Any) -> None:
    """Write wind and odor into the row and into ``obs``."""
    g = int(row[SEGMENTS]) - 1
    wx, wy = row[SEG_VX + g] / TICK, row[SEG_VY + g] / TICK
    row[SENSES] = wx * row[COS] + wy * row[SIN] - row[SPEED]
    row[SENSES + 1] = wy * row[COS] - wx * row[SIN]
    smell = odor(row, data)
    row[SENSES + 2] = 0.0 if smell < THRESHOLD else min(smell, 1.0)
    for i in range(N_SENSES):
        obs[i] = row[SENSES + i]


@kernel
def _blow(row: Any) -> None:
    """Draw the wind up to now: what blew before the start has shaped the plume."""
    row[SEGMENTS], row[TURNS], row[NEXT] = 0.0, 0.0, math.inf
    if row[WIND] == MANY:
        row[NEXT] = _turn_tick(row, 0)
    else:
        _add_segment(row, 0.0, 0.0)
        if row[WIND] == ONCE:
            row[NEXT] = TICKS * math.floor(TURN_EVERY * uniform(_key(row), 4) / TICKS)
    _carry(row)


@kernel
def reset(row: Any, data: Any, obs: Any) -> None:
    """Start in an old plume, somewhere near its middle, with a random heading."""
    for i in range(KEY_HIGH):
        row[i] = 0.0
    row[SIDE] = 1.0
    _blow(row)
    key = _key(row)
    age = int(age_at(row, FAR) * (FIRST_SHARE + (LAST_SHARE - FIRST_SHARE) * uniform(key, 0)))
    row[X], row[Y] = centre(row, age)
    row[Y] += START_SPREAD * WALK_STEP * math.sqrt(age) * normal(key, 5)
    row[HEADING] = 2.0 * math.pi * uniform(key, 1) - math.pi
    row[COS], row[SIN] = cos_sin(row[HEADING])
    row[START_X], row[START_Y], row[START_HEADING] = row[X], row[Y], row[HEADING]
    row[CLOSEST] = math.sqrt(row[X] ** 2 + row[Y] ** 2)
    sense(row, data, obs)


@kernel
def _fly(row: Any, forward: float, turn: float) -> None:
    """Turn, let the wind carry the body, and fly ahead; add up the way over ground."""
    x, y = row[X], row[Y]
    _carry(row)
    row[HEADING] = wrap(row[HEADING] + row[TURN_RATE] * CONTROL_PERIOD * min(max(turn, -1.0), 1.0))
    row[COS], row[SIN] = cos_sin(row[HEADING])
    row[SPEED] = MAX_SPEED * min(max(forward, 0.0), 1.0)
    row[X] += row[SPEED] * CONTROL_PERIOD * row[COS]
    row[Y] += row[SPEED] * CONTROL_PERIOD * row[SIN]
    row[PATH] += math.sqrt((row[X] - x) ** 2 + (row[Y] - y) ** 2)


@kernel
def step(row: Any, data: Any, action: Any, obs: Any) -> tuple[float, int]:
    """Advance one control period; return the reward and the code (NOT_FINITE: nothing changed)."""
    forward, turn = float(action[0]), float(action[1])
    if not (math.isfinite(forward) and math.isfinite(turn)):
        return 0.0, NOT_FINITE
    before = math.sqrt(row[X] ** 2 + row[Y] ** 2)
    row[STEP] += 1.0
    _fly(row, forward, turn)
    sense(row, data, obs)
    now = math.sqrt(row[X] ** 2 + row[Y] ** 2)
    row[CLOSEST] = min(row[CLOSEST], now)
    smells = row[SENSES + 2] > 0.0
    row[IN_PLUME] += smells
    home = now <= HOME
    reward = REWARD_HOME if home else REWARD_TICK
    nearer = 5.0 * (before - now)
    reward += nearer if smells else min(nearer, 0.0) + 5.0 * REWARD_TICK
    if home:
        return reward, TERMINATED
    stray = stray_distance(row, data, STRAY)
    if stray > STRAY:
        penalty = 5.0 * now + stray
        return reward - (2.0 * penalty if row[X] < 0.0 else penalty), FAILED
    return reward, TRUNCATED if row[STEP] >= row[MAX_STEPS] else RUNNING


step_many = many(step)
