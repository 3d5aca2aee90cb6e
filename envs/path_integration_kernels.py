"""The PathIntegration world as kernels over one row: a random walk away from the nest, then steering home."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from insectbot.envs.many import many
from insectbot.envs.numerics import cos_sin, normal, uniform, wrap
from insectbot.envs.world import NOT_FINITE, RUNNING, TRUNCATED
from insectbot.jit import kernel

# Body: position [steps], heading [rad], its cosine and sine, velocity [steps per step], turn of the walk [rad].
X, Y, HEADING, COS, SIN, VX, VY, TURN = range(8)
# The senses of this moment: compass (cosine, sine), optic flow left and right, phase.
SENSES: Final = 8
# Sums: steps; lengths of the two paths; distance at the turning point, closest approach since; path until the nest was
# reached (NaN before); share of the distance covered after a path of that length (NaN before).
STEP, OUT_PATH, HOME_PATH, DISTANCE, CLOSEST, REACHED, COVERED = range(13, 20)
KEY_HIGH, KEY_LOW, DRAWS = 20, 21, 22
# Settings: steps of the walk, of the episode; noise of the senses; whether the speed of the walk varies; first heading.
OUTBOUND, MAX_STEPS, NOISE, VARY, START = 23, 24, 25, 26, 27
SIZE: Final = 28

CONTROL_PERIOD: Final = 0.02
DRAG: Final = 0.15
THRUST_OUT: Final = 0.15
THRUST_HOME: Final = 0.1
KAPPA: Final = 100.0
TURN_SD: Final = 1.0 / math.sqrt(KAPPA - 0.5)
"""Standard deviation [rad] of a von Mises angle of concentration KAPPA, which at 100 is as good as normal."""
PERSISTENCE: Final = 0.4
KNOT_STEPS: Final = 50
NEST_RADIUS: Final = 20.0
MAX_TURN: Final = 1.0
N_SENSES: Final = 5
_HALF_ROOT: Final = 0.7071067811865476
_KNOTS: Final = 1 << 40  # counter of the first speed knot, far behind all other draws


@kernel
def _key(row: Any) -> np.uint64:
    return (np.uint64(row[KEY_HIGH]) << np.uint64(32)) | np.uint64(row[KEY_LOW])


@kernel
def _knot(row: Any, index: int) -> float:
    return THRUST_OUT * uniform(_key(row), _KNOTS + index)


@kernel
def thrust(row: Any, step: float) -> float:
    """Return the thrust of the walk at a step: a Catmull-Rom curve through random knots, at least 0."""
    if row[VARY] == 0.0:
        return THRUST_OUT
    place = step / KNOT_STEPS
    index = int(place)
    t = place - index
    a, b, c, d = _knot(row, index), _knot(row, index + 1), _knot(row, index + 2), _knot(row, index + 3)
    slope, bend, twist = c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * (b - c) + d - a
    return max(b + 0.5 * t * (slope + t * (bend + t * twist)), 0.0)


@kernel
def sense(row: Any, obs: Any) -> None:
    """Write compass, optic flow and phase into the row and into ``obs``."""
    forward = row[VX] * row[COS] + row[VY] * row[SIN]
    left = row[VY] * row[COS] - row[VX] * row[SIN]
    row[SENSES], row[SENSES + 1] = row[COS], row[SIN]
    row[SENSES + 2], row[SENSES + 3] = _HALF_ROOT * (forward + left), _HALF_ROOT * (forward - left)
    if row[NOISE] > 0.0:
        for i in range(4):
            row[SENSES + i] += row[NOISE] * normal(_key(row), int(row[DRAWS]))
            row[DRAWS] += 12.0
    row[SENSES + 4] = row[STEP] >= row[OUTBOUND]
    for i in range(N_SENSES):
        obs[i] = row[SENSES + i]


@kernel
def move(row: Any, turn: float, push: float) -> float:
    """Turn the body, push it and let drag act; return the length of the way it went [steps]."""
    c, s = cos_sin(turn)
    row[COS], row[SIN] = row[COS] * c - row[SIN] * s, row[SIN] * c + row[COS] * s
    row[HEADING] = wrap(row[HEADING] + turn)
    row[VX] = (row[VX] + push * row[COS]) * (1.0 - DRAG)
    row[VY] = (row[VY] + push * row[SIN]) * (1.0 - DRAG)
    row[X] += row[VX]
    row[Y] += row[VY]
    return math.sqrt(row[VX] ** 2 + row[VY] ** 2)


@kernel
def _walk(row: Any) -> None:
    """Go one step along the random walk; remember where it ends."""
    row[TURN] = PERSISTENCE * row[TURN] + TURN_SD * normal(_key(row), int(row[DRAWS]))
    row[DRAWS] += 12.0
    row[OUT_PATH] += move(row, row[TURN], thrust(row, row[STEP]))
    row[DISTANCE] = row[CLOSEST] = math.sqrt(row[X] ** 2 + row[Y] ** 2)


@kernel
def _steer(row: Any, turn: float) -> float:
    """Go one step home with the given turn [rad]; return how much nearer that was [steps]."""
    before = math.sqrt(row[X] ** 2 + row[Y] ** 2)
    row[HOME_PATH] += move(row, turn, THRUST_HOME)
    now = math.sqrt(row[X] ** 2 + row[Y] ** 2)
    row[CLOSEST] = min(row[CLOSEST], now)
    if now < NEST_RADIUS and math.isnan(row[REACHED]):
        row[REACHED] = row[HOME_PATH]
    if row[HOME_PATH] >= row[DISTANCE] and math.isnan(row[COVERED]):
        row[COVERED] = 1.0 - row[CLOSEST] / row[DISTANCE]
    return before - now


@kernel
def reset(row: Any, data: Any, obs: Any) -> None:
    """Put the body into the nest, at rest, with a random heading."""
    for i in range(KEY_HIGH):
        row[i] = 0.0
    row[REACHED] = row[COVERED] = math.nan
    angle = 2.0 * math.pi * uniform(_key(row), 0) - math.pi
    row[DRAWS] = 1.0
    row[HEADING] = row[START] = angle
    row[COS], row[SIN] = cos_sin(angle)
    sense(row, obs)


@kernel
def step(row: Any, data: Any, action: Any, obs: Any) -> tuple[float, int]:
    """Advance one control period; return the reward and RUNNING, TRUNCATED or NOT_FINITE (nothing changed)."""
    turn = float(action[0])
    if not math.isfinite(turn):
        return 0.0, NOT_FINITE
    reward = 0.0
    if row[STEP] < row[OUTBOUND]:
        _walk(row)
    else:
        reward = _steer(row, MAX_TURN * min(max(turn, -1.0), 1.0))
    row[STEP] += 1.0
    sense(row, obs)
    return reward, TRUNCATED if row[STEP] >= row[MAX_STEPS] else RUNNING


step_many = many(step)
