"""Distances between spike trains (van Rossum 2001; Victor & Purpura 1996; Schreiber et al. 2003).

Trains are spike times in ms, in any order. Filters act in continuous time: nothing is sampled, sums run over pairs of
spikes.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.errors import ShapeError
from insectbot.snn.validate import require_not_negative, require_positive

Reals = npt.NDArray[np.float64]


def van_rossum_distance(first: npt.ArrayLike, second: npt.ArrayLike, tau: float) -> float:
    """Return ``sqrt(1 / tau * integral (f - g)^2 dt)`` of two trains filtered by ``exp(-t / tau)``, t >= 0.

    One spike against none gives ``1 / sqrt(2)``. Small tau counts every spike that has no partner, large tau the
    difference of the counts.

    Parameters
    ----------
    first, second : array_like
        Spike times [ms].
    tau : float
        Time constant [ms], > 0.
    """
    require_positive("van_rossum_distance", tau=tau)
    f, g = _train(first), _train(second)

    def product(a: Reals, b: Reals) -> float:
        return float(np.exp(-np.abs(a[:, None] - b) / tau).sum()) / 2.0

    return math.sqrt(max(product(f, f) + product(g, g) - 2.0 * product(f, g), 0.0))


def victor_purpura_distance(first: npt.ArrayLike, second: npt.ArrayLike, cost: float) -> float:
    """Return the least cost of turning one train into the other: 1 per added or removed spike, ``cost`` per ms moved.

    With ``cost`` 0 it is the difference of the counts; spikes further apart than ``2 / cost`` are never moved.

    Parameters
    ----------
    first, second : array_like
        Spike times [ms].
    cost : float
        Cost of moving a spike [1/ms], >= 0.
    """
    require_not_negative("victor_purpura_distance", cost=cost)
    f, g = np.sort(_train(first)), np.sort(_train(second))
    # Row by row of the edit table: entry j is the cost of turning the spikes of f so far into the first j of g.
    before = np.arange(g.size + 1, dtype=np.float64)
    for number, t in enumerate(f, 1):
        moved = before[:-1] + cost * np.abs(g - t)
        row = [float(number)]
        for j in range(g.size):
            row.append(min(before[j + 1] + 1.0, row[j] + 1.0, float(moved[j])))
        before = np.array(row)
    return float(before[-1])


def schreiber_similarity(first: npt.ArrayLike, second: npt.ArrayLike, sigma: float) -> float:
    """Return the cosine of the angle between two trains filtered by a Gaussian of width ``sigma``: 1 for equal trains.

    One spike each, ``d`` apart, gives ``exp(-d^2 / (4 sigma^2))``. Two empty trains are equal; an empty and another
    one have similarity 0.

    Parameters
    ----------
    first, second : array_like
        Spike times [ms].
    sigma : float
        Standard deviation of the Gaussian [ms], > 0.
    """
    require_positive("schreiber_similarity", sigma=sigma)
    f, g = _train(first), _train(second)

    def product(a: Reals, b: Reals) -> float:
        return float(np.exp(-(((a[:, None] - b) / (2.0 * sigma)) ** 2)).sum())

    if f.size == 0 or g.size == 0:
        return float(f.size == g.size)
    return min(product(f, g) / math.sqrt(product(f, f) * product(g, g)), 1.0)


def spike_match(first: npt.ArrayLike, second: npt.ArrayLike, tolerance: float) -> float:
    """Return the share of spikes that have a partner in the other train: ``2 * pairs / (n + m)``, in [0, 1].

    Pairs are formed in order of time, each spike at most once; two silent trains match (1). Without tolerance, equal
    spikes count.

    Parameters
    ----------
    first, second : array_like
        Spike times [ms].
    tolerance : float
        Largest difference of a pair [ms], >= 0.
    """
    require_not_negative("spike_match", tolerance=tolerance)
    f, g = np.sort(_train(first)), np.sort(_train(second))
    if not f.size + g.size:
        return 1.0
    pairs = i = j = 0
    while i < f.size and j < g.size:
        if abs(f[i] - g[j]) <= tolerance:
            pairs, i, j = pairs + 1, i + 1, j + 1
        elif f[i] < g[j]:
            i += 1
        else:
            j += 1
    return 2.0 * pairs / (f.size + g.size)


def _train(times: npt.ArrayLike) -> Reals:
    train = np.asarray(times, np.float64)
    if train.ndim != 1 or not np.isfinite(train).all():
        raise ShapeError(f"a spike train of shape {train.shape} must be a vector of finite times")
    return train
