"""A network in Loihi's integers: registers of populations, mantissas of projections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from insectbot.chips.quant_report import QuantReport
from insectbot.snn.network import Network
from insectbot.snn.projection import Projection

WEIGHT_SHIFT = 6
"""Contribution = weight << (6 + exponent): ``weight.shift`` of the datasheet."""


@dataclass(frozen=True)
class QuantPopulation:
    """Registers that all neurons of a population share, and the chip units per unit of v (``scale``)."""

    name: str
    n: int
    scale: float
    decay_u: int
    decay_v: int
    vth_mant: int
    vmin_exp: int
    floor: bool
    refract: int


@dataclass(frozen=True, eq=False)
class QuantProjection:
    """A projection in integers: how its weights and delays translate. They are listed when they are asked for.

    Attributes
    ----------
    name : str
        Projection.
    projection : Projection
        The float synapses.
    exponent : int
        Contribution = weight << (6 + exponent).
    gain : float
        Chip units of v (or of u) per unit of the float weight.
    sign : str
        ``"null"``, ``"excitatory"``, ``"inhibitory"`` or ``"mixed"``.
    shift, limit : int
        Low bits that mantissas do not have, and the largest mantissa.
    late : int
        Ticks added to every delay.
    longest : int
        Longest delay [ticks], with ``late``.
    ticks : tuple of (float, int)
        Step [ms] and longest delay register [ticks].
    host : bool
        Whether the projection carries analog current, which the host evaluates: it has no synapses on the chip.
    """

    name: str
    projection: Projection
    exponent: int
    gain: float
    sign: str
    shift: int
    limit: int
    late: int
    longest: int
    ticks: tuple[float, int]
    host: bool = False

    def mantissas(self, weight: npt.NDArray) -> npt.NDArray[np.float64]:
        """Return float weights as mantissas, not yet cut to the limit."""
        step = 2.0 ** (WEIGHT_SHIFT + self.exponent + self.shift)
        return np.rint(weight.astype(np.float64) * self.gain / step) * (1 << self.shift)

    def integers(self, weight: npt.NDArray) -> npt.NDArray[np.int32]:
        """Return float weights as mantissas, -256..255."""
        return np.clip(self.mantissas(weight), -self.limit, self.limit).astype(np.int32)

    @property
    def unit(self) -> float:
        """Float weight of one unit of the mantissa."""
        return 2.0 ** (WEIGHT_SHIFT + self.exponent) / self.gain

    @cached_property
    def weight(self) -> npt.NDArray[np.int32]:
        """Mantissas in projection order, -256..255; empty for a host projection."""
        return np.zeros(0, np.int32) if self.host else self.integers(self.projection.weight)

    @cached_property
    def delay(self) -> npt.NDArray[np.int32]:
        """Ticks from emission to accumulation, in projection order; empty for a host projection."""
        if self.host:
            return np.zeros(0, np.int32)
        dt, most = self.ticks
        return (np.minimum(np.rint(self.projection.delay / dt).astype(np.int64), most) + self.late).astype(np.int32)

    @property
    def effective(self) -> npt.NDArray[np.float64]:
        """Weights as the chip applies them, in the float network's unit."""
        return self.effective_of(self.weight)

    def effective_of(self, weight: npt.NDArray) -> npt.NDArray[np.float64]:
        """Return mantissas in the float network's unit."""
        return weight.astype(np.float64) * 2.0 ** (WEIGHT_SHIFT + self.exponent) / self.gain


@dataclass(frozen=True)
class QuantNetwork:
    """A network in the chip's integers."""

    network: Network
    populations: tuple[QuantPopulation, ...]
    projections: tuple[QuantProjection, ...]
    report: QuantReport
