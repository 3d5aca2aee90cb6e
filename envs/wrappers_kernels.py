"""Kernels of the wrappers: what senses and actuators of many worlds do to numbers, and random draws by key."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs.numerics import exp_negative, normal, uniform
from insectbot.jit import kernel

Array = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

GAIN, OFFSET, SD, DROPOUT, LATENCY = 0, 1, 2, 3, 4
DEAD_ZONE, QUANTUM, SHARE, DEAD_TIME = 2, 3, 4, 5
"""Rows of the parameters of a world: senses have the first line's, actuators GAIN, OFFSET and the second line's."""

_DRAWS: Final = 13
"""Random numbers that a channel takes in a step: twelve for its noise, one for its dropout."""


def hashed(*parts: Any) -> np.uint64:
    """Return 64 bits that the parts decide: the first bytes of the BLAKE2b hash of their text."""
    return np.uint64(int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little"))


@kernel
def sense(
    raw: Array,
    live: Bool,
    parameters: Array,
    history: Array,
    steps: Ints,
    keys: Keys,
    bounds: Array,
    whole: bool,
    out: Array,
) -> None:
    """Write what the brain gets of the observations of every live world into ``out``, and count a step.

    ``raw`` and ``out`` are [world, channel], ``parameters`` [world, row, channel], ``history`` [world, slot, channel],
    ``bounds`` [2, channel]. A channel with neutral parameters is copied, even if it is out of bounds.
    """
    n, k = raw.shape
    depth = history.shape[1]
    for i in range(n):
        if not live[i]:
            continue
        t, p = steps[i], parameters[i]
        for j in range(k):
            history[i, t % depth, j] = raw[i, j]
            value = history[i, (t - min(t, int(p[LATENCY, j]))) % depth, j]
            if p[GAIN, j] != 1.0 or p[OFFSET, j] != 0.0 or p[SD, j] > 0.0 or p[DROPOUT, j] > 0.0:
                first = (t * k + j) * _DRAWS
                value = p[GAIN, j] * value + p[OFFSET, j]
                if p[SD, j] > 0.0:
                    value += p[SD, j] * normal(keys[i], first)
                if p[DROPOUT, j] > 0.0 and uniform(keys[i], first + _DRAWS - 1) < p[DROPOUT, j]:
                    value = 0.0
                if whole:
                    value = np.rint(value)
                if value < bounds[0, j]:
                    value = bounds[0, j]
                elif value > bounds[1, j]:
                    value = bounds[1, j]
            out[i, j] = value
        steps[i] = t + 1


@kernel
def clipped(value: float, low: float, high: float) -> float:
    """Return the number in [low, high] nearest to a finite value."""
    return low if value < low else high if value > high else value


@kernel
def move(
    raw: Array,
    parameters: Array,
    history: Array,
    state: Array,
    steps: Ints,
    bounds: Array,
    whole: bool,
    out: Array,
) -> int:
    """Write what the bodies get of the actions into ``out``, and count a step.

    Shapes as in :func:`sense`; ``state`` is [world, channel]. A channel with neutral parameters is copied. Returns
    the first world whose action is not finite, before anything has changed, or -1.
    """
    n, k = raw.shape
    depth = history.shape[1]
    for i in range(n):
        if not np.isfinite(raw[i]).all():
            return i
    for i in range(n):
        t, p = steps[i], parameters[i]
        for j in range(k):
            low, high = bounds[0, j], bounds[1, j]
            rest = clipped(0.0, low, high)
            history[i, t % depth, j] = clipped(raw[i, j], low, high)
            wait = int(p[DEAD_TIME, j])
            command = rest if wait > t else history[i, (t - wait) % depth, j]
            command = p[GAIN, j] * command + p[OFFSET, j]
            if abs(command) < p[DEAD_ZONE, j]:
                command = 0.0
            if p[QUANTUM, j] > 0.0:
                command = p[QUANTUM, j] * np.rint(command / p[QUANTUM, j])
            command = clipped(command, low, high)
            before = rest if t == 0 else state[i, j]
            state[i, j] = command if p[SHARE, j] == 1.0 else before + p[SHARE, j] * (command - before)
            neutral = p[GAIN, j] == 1.0 and p[OFFSET, j] == 0.0 and p[DEAD_ZONE, j] == 0.0
            if neutral and p[QUANTUM, j] == 0.0 and p[SHARE, j] == 1.0 and wait == 0:
                out[i, j] = raw[i, j]
            else:
                out[i, j] = np.rint(state[i, j]) if whole else state[i, j]
        steps[i] = t + 1
    return -1


@kernel
def approach(tau: Array, period: float, out: Array) -> None:
    """Write the share of the way to a new command that is gone in one period, for time constants >= 0, into ``out``."""
    for j in range(tau.shape[0]):
        out[j] = 1.0 - exp_negative(period / tau[j]) if tau[j] > 0.0 else 1.0


@kernel
def draw_uniform(key: np.uint64, out: Array) -> None:
    """Fill ``out`` with numbers of a stream, uniform in [0, 1)."""
    for j in range(out.shape[0]):
        out[j] = uniform(key, j)


@kernel
def draw_normal(key: np.uint64, out: Array) -> None:
    """Fill ``out`` with standard normal numbers of a stream."""
    for j in range(out.shape[0]):
        out[j] = normal(key, 12 * j)
