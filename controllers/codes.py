"""Codes outside the loop: spike times of rates, ranks and their match, delays that match a pattern.

Any code of the core runs on a whole signal through :func:`insectbot.snn.encode.encode`; here is what needs no frames.
Codes of whole signals are in :mod:`insectbot.controllers.signal_codes`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.encode import ranks
from insectbot.snn.validate import require_not_negative, require_positive

Reals = npt.NDArray[np.float64]


def regular_times(rate: float, duration: float) -> Reals:
    """Return the spike times [ms] of a regular train: spike k at ``k / rate``, k = 1 .. floor(rate * duration).

    Counting them tells the rate to within ``1 / duration``.

    Parameters
    ----------
    rate : float
        Rate [Hz], >= 0.
    duration : float
        Length of the train [ms], >= 0.
    """
    require_not_negative("regular_times", rate=rate, duration=duration)
    # A spike that rounding puts just behind the end still counts.
    count = math.floor(rate * duration / 1000.0 * (1 + 1e-12))
    return np.minimum(np.arange(1, count + 1) * 1000.0 / max(rate, 1e-300), duration)


def poisson_times(rate: float, duration: float, *, seed: int, dead_time: float = 0.0) -> Reals:
    """Return the spike times [ms] of a Poisson train that is silent for ``dead_time`` after each spike.

    Intervals are ``dead_time`` plus an exponential of mean ``1 / rate``: the train's own rate is
    ``1 / (1 / rate + dead_time)`` and its coefficient of variation ``1 / (1 + rate dead_time)``.

    Parameters
    ----------
    rate : float
        Rate between dead times [Hz], > 0.
    duration : float
        Length of the train [ms], >= 0.
    seed : int
        Seed of the draws.
    dead_time : float
        Refractory time [ms], >= 0.
    """
    require_positive("poisson_times", rate=rate)
    require_not_negative("poisson_times", duration=duration, dead_time=dead_time)
    rng = np.random.default_rng(seed)
    mean, parts, last = 1000.0 / rate, [np.zeros(0)], -dead_time
    while last < duration:
        expected = (duration - last) / (mean + dead_time)
        times = last + np.cumsum(dead_time + rng.exponential(mean, int(expected + 4 * math.sqrt(expected)) + 4))
        parts.append(times)
        last = float(times[-1])
    train = np.concatenate(parts)
    return train[train < duration]


def rank_match(x: npt.ArrayLike, weights: npt.ArrayLike, factor: float = 0.9) -> float:
    """Return how well the order of drives fits a template: ``sum(weight * factor^rank)`` (Thorpe & Gautrais 1998).

    It is greatest if the strongest drive meets the largest weight, and so on.

    Parameters
    ----------
    x : array_like, shape (n,)
        Drives; equal ones rank by index.
    weights : array_like, shape (n,)
        Template.
    factor : float
        How much less each later rank counts, in (0, 1).
    """
    if not 0.0 < factor < 1.0:
        raise ConfigurationError(f"rank_match: factor = {factor}, must lie in (0, 1)")
    return float(factor ** ranks(x) @ np.asarray(weights, np.float64))


def rank_bits(n: int) -> float:
    """Return what an order of ``n`` channels tells: ``log2(n!)`` bits."""
    require_not_negative("rank_bits", n=n)
    return math.lgamma(n + 1) / math.log(2.0)


def matching_delays(pattern: npt.ArrayLike, tau: float, shortest: float = 1.0) -> Reals:
    """Return the delays [ms] after which the log latencies of a pattern coincide: ``tau ln x + constant``.

    Drives ``k x`` in :class:`~insectbot.snn.codes.LogLatencyInput` spike at ``-tau ln(k x)``, so through these delays
    they arrive together for every strength k, and another pattern does not: recognition at any scale (Hopfield 1995).

    Parameters
    ----------
    pattern : array_like, shape (n,)
        Drives, > 0.
    tau : float
        Time constant of the code [ms], > 0.
    shortest : float
        Delay of the weakest drive [ms], >= 0.
    """
    require_positive("matching_delays", tau=tau)
    require_not_negative("matching_delays", shortest=shortest)
    x = np.asarray(pattern, np.float64)
    if x.size == 0 or not (np.isfinite(x) & (x > 0)).all():
        raise ConfigurationError(f"matching_delays: the pattern {x.tolist()} must be numbers above 0")
    return shortest + tau * np.log(x / x.min())
