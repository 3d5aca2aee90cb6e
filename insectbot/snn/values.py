"""Weights and delays of generated synapses: one number for all, or a distribution from which each is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from insectbot.errors import ConfigurationError
from insectbot.snn.validate import require_finite, require_positive

EXTREME = 6.34
"""No normal number is further from its mean, in standard deviations: draws have 32 bits."""


@dataclass(frozen=True)
class Constant:
    """The same value for every synapse.

    Parameters
    ----------
    value : float
        The value [ms for a delay, else the unit of the weight], finite.
    """

    value: float

    def __post_init__(self) -> None:
        floats(self, "value")

    def bounds(self) -> tuple[float, float]:
        """Return the smallest and largest value that can be drawn."""
        return self.value, self.value

    def cumulative(self, x: float) -> float:
        """Return the probability of a value of at most ``x``."""
        return float(x >= self.value)


@dataclass(frozen=True)
class Uniform:
    """Values uniform on (low, high).

    Parameters
    ----------
    low, high : float
        Ends of the interval [ms for a delay, else the unit of the weight], finite, low < high.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        floats(self, "low", "high")
        if self.low >= self.high:
            raise ConfigurationError(f"Uniform.low = {self.low}: must lie below high = {self.high}")

    def bounds(self) -> tuple[float, float]:
        """Return the smallest and largest value that can be drawn."""
        return self.low, self.high

    def cumulative(self, x: float) -> float:
        """Return the probability of a value of at most ``x``."""
        return min(max((x - self.low) / (self.high - self.low), 0.0), 1.0)


@dataclass(frozen=True)
class Normal:
    """Normally distributed values; those outside [low, high] are drawn again (a truncated normal distribution).

    Parameters
    ----------
    mean : float
        Mean before truncation [ms for a delay, else the unit of the weight], finite.
    sd : float
        Standard deviation before truncation [same unit], > 0.
    low, high : float or None
        Limits [same unit]; None for none. At least a millionth of the distribution must lie between them.
    """

    mean: float
    sd: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        floats(self, "mean", "sd")
        floats(self, *(name for name in ("low", "high") if getattr(self, name) is not None))
        require_positive("Normal", sd=self.sd)
        below, above = self.tails()
        if above - below < 1e-6:
            raise ConfigurationError(
                f"Normal.low, high = {self.low}, {self.high}: must hold at least a millionth of the distribution "
                f"with mean {self.mean} and sd {self.sd}"
            )

    def tails(self) -> tuple[float, float]:
        """Return the probabilities of a value below ``low`` and of one below ``high``, before truncation."""
        below = 0.0 if self.low is None else _phi((self.low - self.mean) / self.sd)
        above = 1.0 if self.high is None else _phi((self.high - self.mean) / self.sd)
        return below, above

    def bounds(self) -> tuple[float, float]:
        """Return the smallest and largest value that can be drawn."""
        low, high = self.mean - EXTREME * self.sd, self.mean + EXTREME * self.sd
        return (
            low if self.low is None else max(low, self.low),
            high if self.high is None else min(high, self.high),
        )

    def cumulative(self, x: float) -> float:
        """Return the probability of a value of at most ``x``."""
        below, above = self.tails()
        return min(max((_phi((x - self.mean) / self.sd) - below) / (above - below), 0.0), 1.0)


Value = Constant | Uniform | Normal


def value_of(where: str, what: str, given: Any) -> Value:
    """Return a value as given, or a number as :class:`Constant`; raise ConfigurationError for anything else."""
    if isinstance(given, Value):
        return given
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ConfigurationError(f"{where}: {what} = {given!r}, must be a finite number, Constant, Normal or Uniform")
    return Constant(number)


def _phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def floats(record: object, *names: str) -> None:
    """Make fields plain floats, so that equal records hash alike, or raise."""
    owner = type(record).__name__
    for name in names:
        value = getattr(record, name)
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise ConfigurationError(f"{owner}.{name} = {value!r}: must be a finite number") from None
        require_finite(owner, **{name: value})
        object.__setattr__(record, name, value)
