"""What the machine can do at best, measured with plain loops: the yardstick beside the core's figures."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from insectbot.jit import kernel


@kernel
def _scale(a: npt.NDArray[np.float32], n: int, repeats: int) -> None:
    """Read, change and write an array."""
    for _ in range(repeats):
        for i in range(n):
            a[i] = a[i] * np.float32(0.99) + np.float32(1.0)


@kernel
def _accumulate(
    out: npt.NDArray[np.float32],
    target: npt.NDArray[np.uint16],
    weight: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
    k: int,
) -> None:
    """Add rows of weights to their sorted targets."""
    for q in range(rows.size):
        for m in range(rows[q] * k, rows[q] * k + k):
            out[target[m]] += weight[m]


def _timed(call: Callable[..., object], *arguments: object) -> float:
    """Return the smallest processor time of three calls [s]."""
    best = np.inf
    for _ in range(3):
        began = time.thread_time()
        call(*arguments)
        best = min(best, time.thread_time() - began)
    return best


def memory_gb_s(size: int) -> float:
    """Return how fast an array of ``size`` bytes is read, changed and written back [GB/s, both ways counted]."""
    a = np.zeros(size // 4, np.float32)
    repeats = max(1, 400_000_000 // size)
    _scale(a, a.size, 1)
    return 2.0 * a.nbytes * repeats / _timed(_scale, a, a.size, repeats) / 1e9


def accumulate_ns(n: int, n_synapses: int, seed: int = 1) -> float:
    """Return the time to add one weight to a sorted 16-bit target [ns], rows taken in random order.

    Parameters
    ----------
    n : int
        Targets, at most 65 536.
    n_synapses : int
        Weights, which make ``n`` rows.
    seed : int
        Seed of the targets and of the order of the rows.
    """
    rng = np.random.default_rng(seed)
    k = max(n_synapses // n, 1)
    target = np.sort(rng.integers(0, n, (n, k), dtype=np.uint16), axis=1).ravel()
    weight, out = np.full(target.size, 0.1, np.float32), np.zeros(n, np.float32)
    rows = rng.integers(0, n, max(1, 20_000_000 // k))
    _accumulate(out, target, weight, rows[:2], k)
    return _timed(_accumulate, out, target, weight, rows, k) / (rows.size * k) * 1e9
