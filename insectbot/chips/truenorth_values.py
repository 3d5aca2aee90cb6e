"""Weights as sums of a neuron's four values: either its few distinct weights, or binary digits on several axons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError

TYPES = 4
MIN_BITS, MAX_BITS = 2, 8
GRID_SAMPLE = 4096
"""Most distinct weights that the choice of a step looks at."""


@dataclass(frozen=True)
class Table:
    """How the weights of a population become values by axon type.

    Attributes
    ----------
    step : float
        Float weight of one unit of the integers.
    distinct : tuple of int
        The integer weights, at most four, one per type; empty with ``bits``.
    bits : int
        Two's complement digits of a weight; 0 with ``distinct``.
    unit : int
        Value of the lowest digit.
    """

    step: float
    distinct: tuple[int, ...] = ()
    bits: int = 0
    unit: int = 1

    @property
    def values(self) -> tuple[int, ...]:
        """The four values by axon type."""
        if not self.bits:
            return (*self.distinct, *[0] * (TYPES - len(self.distinct)))
        return tuple(self.unit * place for place, _ in digits(self.bits))

    @property
    def low(self) -> int:
        """Lowest integer weight, in units."""
        return -(1 << (self.bits - 1)) if self.bits else min(self.distinct, default=0)

    @property
    def high(self) -> int:
        """Highest integer weight, in units."""
        return (1 << (self.bits - 1)) - 1 if self.bits else max(self.distinct, default=0)

    def raw(self, weight: npt.NDArray) -> npt.NDArray[np.int64]:
        """Return float weights as integers, not yet cut to the range."""
        return np.rint(weight.astype(np.float64) / self.step).astype(np.int64)

    def integers(self, weight: npt.NDArray) -> npt.NDArray[np.int64]:
        """Return float weights as integers that the values can make."""
        return np.clip(self.raw(weight), self.low, self.high)

    def counts(self, integers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return on how many axons of each type a synapse is, shape (n, 4)."""
        found = np.zeros((integers.size, TYPES), np.int64)
        if not self.bits:
            for g, value in enumerate(self.distinct):
                found[:, g] = (integers == value) & (value != 0)
            return found
        rest = integers & ((1 << self.bits) - 1)
        for g, (place, most) in enumerate(digits(self.bits)):
            found[:, g] = (rest // abs(place)) % (most + 1)
        return found


def digits(bits: int) -> list[tuple[int, int]]:
    """Return (place, most axons per synapse) of the four types: three positive ones share the low bits, the last signs.

    Four bits are (1, 2, 4, -8) with one axon each; eight are (1, 4, 16, -128) with 3, 3, 7 and 1.
    """
    lower = bits - 1
    widths = [lower // 3 + (g >= 3 - lower % 3) for g in range(3)]
    places = [1 << sum(widths[:g]) for g in range(3)]
    table = [(place, (1 << width) - 1) for place, width in zip(places, widths, strict=True)]
    return [*table, (-(1 << lower), 1)]


def require_bits(chip: str, bits: int | None) -> None:
    """Raise ConfigurationError unless ``bits`` is a number of digits, or None."""
    if bits is not None and bits not in range(MIN_BITS, MAX_BITS + 1):
        raise ConfigurationError(f"{chip}: weight_bits = {bits} must be one of {MIN_BITS}..{MAX_BITS}, or left out")


def table_for(weights: npt.NDArray, bits: int, largest: int, bound: float) -> Table:
    """Choose the values of a population.

    Parameters
    ----------
    weights : ndarray
        Its distinct incoming weights (a sample where there are many).
    bits : int
        Digits where there are more than four.
    largest : int
        Largest value of the chip.
    bound : float
        Most integer units per unit of weight that leak and thresholds allow.

    Notes
    -----
    The step is searched so that the largest weight becomes ``m`` units: the ``m`` of the upper half of the range with
    the smallest error, the largest of equal ones. Weights on a grid are exact if the grid fits into the range.
    """
    w = weights[weights != 0].astype(np.float64)
    if not w.size:
        return Table(1.0 / bound, (0,))
    few = w.size <= TYPES
    high, low = (largest, largest) if few else ((1 << (bits - 1)) - 1, 1 << (bits - 1))
    top, bottom = max(float(w.max()), 0.0), max(-float(w.min()), 0.0)
    unit = 1 if few else max(largest // low, 1)
    binding, limit = (top, high) if top / high >= bottom / low else (bottom, low)
    unit = max(min(unit, int(bound * binding / limit)), 1)
    most = max(min(limit, int(bound * binding / unit)), 1)
    trial = np.arange(most, max(most // 2, 0), -1)
    step = binding / trial
    sample = w if w.size <= GRID_SAMPLE else w[np.linspace(0, w.size - 1, GRID_SAMPLE).astype(np.int64)]
    error = [float(np.sum((np.rint(sample / s) * s - sample) ** 2)) for s in step]
    # Weights are float32: errors of their rounding do not count.
    floor = float(np.sum(sample**2)) * 1e-13
    best = int(np.argmin(np.maximum(error, floor)))
    chosen = float(step[best])
    if few:
        return Table(chosen, tuple(sorted({int(x) for x in np.rint(w / chosen)} - {0})) or (0,))
    return Table(chosen, (), bits, unit)
