"""From episodes to a table row: means with honest intervals, failed seeds counted."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

FAILED_BELOW = 0.95
"""A seed failed if its success rate lies below this."""

Interval = tuple[float, float, float]
"""Mean and the bounds of its 95 % interval."""

_Z = 1.959963984540054
_RESAMPLES = 10_000


def wilson(successes: float, n: int) -> Interval:
    """Return the rate and the 95 % score interval of a binomial proportion (Wilson 1927).

    Parameters
    ----------
    successes : float
        Number of successes, 0 to n.
    n : int
        Number of trials; 0 gives NaN.
    """
    if n == 0:
        return math.nan, math.nan, math.nan
    rate, z2 = successes / n, _Z * _Z
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    # Rounding must not push a bound past the rate itself at 0 and n successes.
    return rate, max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def bootstrap(values: Iterable[float], statistic: Callable[..., npt.NDArray] = np.mean) -> Interval:
    """Return a statistic and its 95 % percentile bootstrap interval (Efron 1979), seeded, NaN left out.

    Parameters
    ----------
    values : iterable of float
        Independent values, such as one per training seed; none gives NaN.
    statistic : callable
        Function of an array and an ``axis``.
    """
    data = np.array([v for v in values if not math.isnan(v)], np.float64)
    if data.size == 0:
        return math.nan, math.nan, math.nan
    picks = np.random.default_rng(0).integers(data.size, size=(_RESAMPLES, data.size))
    low, high = np.percentile(statistic(data[picks], axis=1), [2.5, 97.5])
    return float(statistic(data, axis=0)), float(low), float(high)


def _statistic(metric: str) -> Callable[..., npt.NDArray]:
    # The time ratio has a long tail of detours, so the literature reports its median.
    return np.median if metric == "T_ratio" else np.mean


def summarise(episodes: Sequence[tuple[int, Mapping[str, float]]]) -> dict[str, Interval]:
    """Return mean and 95 % interval of every metric over (seed, metrics) pairs.

    ``success`` has the Wilson interval over all episodes. Every other metric is reduced per seed (mean; median
    for ratios, over the episodes where it is defined), then averaged over seeds with a bootstrap over seeds; with
    a single seed the bootstrap is over its episodes.
    """
    columns: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed, metrics in episodes:
        for name, value in metrics.items():
            columns[name][seed].append(value)
    found: dict[str, Interval] = {}
    for name, seeds in columns.items():
        statistic = _statistic(name)
        if name == "success":
            pooled = [v for values in seeds.values() for v in values]
            found[name] = wilson(sum(pooled), len(pooled))
        elif len(seeds) == 1:
            found[name] = bootstrap(next(iter(seeds.values())), statistic)
        else:
            defined = ([v for v in values if not math.isnan(v)] for values in seeds.values())
            found[name] = bootstrap(float(statistic(np.array(v))) for v in defined if v)
    return found


def per_seed(episodes: Sequence[tuple[int, Mapping[str, float]]], metric: str) -> list[float]:
    """Return the mean of a metric for each seed, in order of the seeds (NaN where it is never defined)."""
    seeds: dict[int, list[float]] = {}
    for seed, metrics in episodes:
        values = seeds.setdefault(seed, [])
        if not math.isnan(value := metrics.get(metric, math.nan)):
            values.append(value)
    return [float(np.mean(seeds[s])) if seeds[s] else math.nan for s in sorted(seeds)]
