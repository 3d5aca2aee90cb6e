"""Codes in the phase of a cycle: when in it a spike comes, or which bits it stands for (models sheet B)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.snn.codes_latency import FirstSpikeInput
from insectbot.snn.functions import floor, where
from insectbot.snn.inputs import CodedInput
from insectbot.snn.model import Coefficients, Real, parameter

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OscillationPhaseInput(FirstSpikeInput):
    """Phase of a background oscillation: one spike per cycle at ``t = (1 - x) / f``; x = 0 is silent.

    Every cycle of a frame repeats the spike; the oscillation starts at the reset. Drives below half a step of the
    cycle are silent, the others are decoded to within ``dt f / 2``.

    Parameters
    ----------
    period : float
        Length of a frame [ms], a whole number of cycles.
    frequency : float
        Frequency ``f`` of the oscillation [Hz], > 0; a cycle is a whole number of steps.
    """

    frequency: float = parameter(40.0, "Hz", above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(isinstance(self.frequency, float), "frequency", "be one number for all channels")

    def latency(self, x: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``(1 - x) / f`` [ms]."""
        x = np.asarray(x, np.float64)
        return np.where(x > 0, (1.0 - x) * 1000.0 / self.frequency, np.inf)

    def value(self, latency: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``1 - t f`` for a time after the start of a cycle, clipped to [0, 1]."""
        return np.clip(1.0 - np.asarray(latency, np.float64) * self.frequency / 1000.0, 0.0, 1.0)

    def cycle_ticks(self, dt: float) -> int:
        """Return the length of a cycle in steps of ``dt`` [ms]; raises ConfigurationError if it is not whole."""
        ticks = round(1000.0 / self.frequency / dt)
        whole = ticks > 0 and abs(ticks * self.frequency * dt / 1000.0 - 1.0) < 1e-6
        self.require(whole, "frequency", f"have cycles of whole steps of dt = {dt} ms")
        self.require(self.frame_ticks(dt) % max(ticks, 1) == 0, "period", "be a whole number of cycles")
        return ticks

    def coefficients(self, dt: float) -> Coefficients:
        """Return the cycle in ticks."""
        return {"cycle": float(self.cycle_ticks(dt))}

    @staticmethod
    def frame(x: Real, cycle: Real) -> Real:
        """Fix the tick within a cycle; a spike at its very end would say 1 in the next one and does not come."""
        due = where(x > 0.0, floor(cycle * (1.0 - x) + 0.5), -1.0)
        return due

    @staticmethod
    def emit(k: Real, due: Real, cycle: Real) -> Real:
        """Spike when it is due in this cycle."""
        spike = k - cycle * floor(k / cycle) == due
        return spike


@dataclass(frozen=True)
class PhaseInput(CodedInput):
    """Weighted spikes: phase k of a frame carries bit k of ``floor(x 2^bits)``, worth ``2^-(k+1)`` (Kim et al. 2018).

    The spike of a bit comes at the start of its phase, the most significant bit first; x = 1 is sent as
    ``1 - 2^-bits``. The drive is decoded to within ``2^-bits``, from below.

    Parameters
    ----------
    period : float
        Length of a frame [ms]; a phase, ``period / bits``, is a whole number of steps.
    bits : int
        Number of phases, 1 to 30.
    """

    states: ClassVar[dict[str, float]] = {"rest": 0.0}
    period: float = parameter(40.0, "ms", above=0)
    bits: float = parameter(8.0, "", at_least=1, below=31)

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = isinstance(self.bits, float) and self.bits.is_integer()
        self.require(whole, "bits", "be one whole number for all channels")

    def value(self, bits: npt.ArrayLike) -> Reals:
        """Return the sum of ``bit 2^-(k+1)`` over the last axis, of length ``bits``."""
        return np.asarray(bits, np.float64) @ np.exp2(-np.arange(1.0, self.bits + 1))

    def slot_ticks(self, dt: float) -> int:
        """Return the length of a phase in steps of ``dt`` [ms]; raises ConfigurationError if it is not whole."""
        ticks, bits = self.frame_ticks(dt), int(self.bits)
        self.require(ticks % bits == 0, "period", f"give each of {bits} bits a whole number of steps of dt = {dt} ms")
        return ticks // bits

    def coefficients(self, dt: float) -> Coefficients:
        """Return the length of a phase in ticks."""
        return {"slot": float(self.slot_ticks(dt))}

    @staticmethod
    def frame(x: Real) -> Real:
        """Take the drive; the frame ends when all its bits are sent."""
        rest = x
        return rest

    @staticmethod
    def emit(k: Real, rest: Real, slot: Real) -> tuple[Real, Real]:
        """At the start of a phase: double the rest, and spike for what reaches 1."""
        begins = where(k == slot * floor(k / slot), 1.0, 0.0)
        rest = rest + begins * rest
        bit = where(rest >= 1.0, begins, 0.0)
        rest = rest - bit
        spike = bit > 0.0
        return spike, rest
