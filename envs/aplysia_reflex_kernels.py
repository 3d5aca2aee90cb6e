"""The AplysiaReflex world as kernels over one row: events come, responses are written down, time jumps."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from insectbot.envs.many import many
from insectbot.envs.numerics import uniform
from insectbot.envs.world import NOT_FINITE, RUNNING, TRUNCATED
from insectbot.jit import kernel

STEP, TIME, TOTAL, KEY_HIGH, KEY_LOW, N_EVENTS = range(6)
SEEN: Final = 6
"""What the last observation said: siphon, mantle, shock, gap."""
SWAPPED, WISH = 10, 11
"""Whether siphon and mantle change roles; the caller's wish for it (NaN: draw)."""
RESPONSE: Final = 12
MAX_EVENTS: Final = 256
SCALE: Final = 10.0
"""Withdrawal of a full action, in naive withdrawals."""
SIZE: Final = RESPONSE + MAX_EVENTS
NO_GAP: Final = 1e6


@kernel
def show(row: Any, data: Any, obs: Any) -> None:
    """Write the stimuli of the present event, and the time since the one before; zeros after the last."""
    k = int(row[STEP])
    if k < row[N_EVENTS]:
        swapped = row[SWAPPED] > 0.0
        obs[0], obs[1], obs[2] = data[k, 1 if swapped else 0], data[k, 0 if swapped else 1], data[k, 2]
        obs[3] = min(data[k, 3], NO_GAP)
        row[TIME] += data[k, 3] if k > 0 else 0.0
    else:
        for i in range(4):
            obs[i] = 0.0
    for i in range(4):
        row[SEEN + i] = obs[i]


@kernel
def reset(row: Any, data: Any, obs: Any) -> None:
    """Begin the protocol; chance says which of the two sites plays which role, as in the experiments."""
    key = (np.uint64(row[KEY_HIGH]) << np.uint64(32)) | np.uint64(row[KEY_LOW])
    row[SWAPPED] = 1.0 if uniform(key, 0) < 0.5 else 0.0
    if not math.isnan(row[WISH]):
        row[SWAPPED] = row[WISH]
    row[WISH] = math.nan
    row[STEP] = row[TIME] = row[TOTAL] = 0.0
    for i in range(MAX_EVENTS):
        row[RESPONSE + i] = 0.0
    show(row, data, obs)


@kernel
def step(row: Any, data: Any, action: Any, obs: Any) -> Any:
    """Take the response to the present event and go on to the next; the reward is 0: nothing is to be won."""
    response = SCALE * float(action[0])
    if not math.isfinite(response):
        return 0.0, NOT_FINITE
    k = int(row[STEP])
    row[RESPONSE + min(k, MAX_EVENTS - 1)] = max(response, 0.0)
    row[TOTAL] += max(response, 0.0)
    row[STEP] += 1.0
    show(row, data, obs)
    return 0.0, TRUNCATED if row[STEP] >= row[N_EVENTS] else RUNNING


@kernel
def best_fit(shapes: Any, y: Any) -> float:
    """Return the largest squared product of a row of ``shapes`` with ``y``."""
    best = 0.0
    for row in range(shapes.shape[0]):
        total = 0.0
        for k in range(y.size):
            total += shapes[row, k] * y[k]
        best = max(best, total * total)
    return best


step_many = many(step)
