"""Codes in the intervals between spikes: a running train, or a burst per frame (models sheet B)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.snn.functions import floor, where
from insectbot.snn.inputs import CodedInput
from insectbot.snn.model import Coefficients, Real, parameter

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ISIInput(CodedInput):
    """Interval between spikes: ``isi = t_max - (t_max - t_min) x``, to the nearest tick.

    The train runs on through the frames; the drive of a frame sets the intervals that begin in it. The drive is
    decoded to within ``dt / 2 / (t_max - t_min)``.

    Parameters
    ----------
    period : float
        Length of a frame [ms].
    t_min, t_max : float
        Interval at drive 1, at least one step, and at drive 0 [ms].
    """

    states: ClassVar[dict[str, float]] = {"isi": 1.0, "wait": 0.0}
    t_min: float = parameter(2.0, "ms", above=0)
    t_max: float = parameter(20.0, "ms", above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.t_min, self.t_max), "t_min", f"lie below t_max = {self.t_max}")

    def value(self, interval: npt.ArrayLike) -> Reals:
        """Return the drive that an interval [ms] says, clipped to [0, 1]."""
        low, high = np.asarray(self.t_min), np.asarray(self.t_max)
        return np.clip((high - np.asarray(interval, np.float64)) / (high - low), 0.0, 1.0)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the shortest and longest interval in ticks."""
        self.require(np.greater_equal(self.t_min, dt * (1 - 1e-9)), "t_min", f"be at least one step of dt = {dt} ms")
        return {"shortest": np.asarray(self.t_min) / dt, "longest": np.asarray(self.t_max) / dt}

    @staticmethod
    def frame(x: Real, shortest: Real, longest: Real) -> Real:
        """Turn the drive into an interval."""
        isi = floor(longest - (longest - shortest) * x + 0.5)
        return isi

    @staticmethod
    def emit(isi: Real, wait: Real) -> tuple[Real, Real]:
        """Wait, spike, wait again."""
        spike = wait <= 0.0
        wait = where(wait <= 0.0, isi, wait) - 1.0
        return spike, wait


@dataclass(frozen=True)
class BurstInput(CodedInput):
    """Burst at the start of a frame: ``n = ceil(x n_max)`` spikes, the stronger the denser (Guo et al. 2021).

    Their interval is ``ceil(t_min + (t_max - t_min)(1 - x))`` in ticks; x = 0 is silent. Drives that are a float32
    rounding above a step count as the step. From count and interval together the drive is decoded to within half the
    smaller of ``1 / n_max`` and ``dt / (t_max - t_min)``; of a single spike only the count speaks.

    Parameters
    ----------
    period : float
        Length of a frame [ms]; every burst must end in it.
    n_max : int
        Spikes at drive 1, 1 to 1000.
    t_min, t_max : float
        Interval at drive 1, at least one step, and towards drive 0 [ms].
    """

    states: ClassVar[dict[str, float]] = {"n": 0.0, "isi": 1.0}
    n_max: float = parameter(5.0, "", at_least=1, below=1001)
    t_min: float = parameter(2.0, "ms", above=0)
    t_max: float = parameter(10.0, "ms", above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.equal(np.floor(self.n_max), self.n_max), "n_max", "be a whole number")
        self.require(np.less(self.t_min, self.t_max), "t_min", f"lie below t_max = {self.t_max}")

    def value(self, count: npt.ArrayLike, interval: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return the middle of the drives that a burst of ``count`` spikes, ``interval`` [ms] apart, can mean.

        The interval of a single spike is not looked at.
        """
        count, interval = np.asarray(count, np.float64), np.asarray(interval, np.float64)
        low, span = np.asarray(self.t_min), np.subtract(self.t_max, self.t_min)
        above, upto = (count - 1.0) / self.n_max, np.minimum(count / self.n_max, 1.0)
        longer = np.where(count > 1, 1.0 - (interval - low) / span, above)
        shorter = np.where(count > 1, 1.0 - (interval - dt - low) / span, upto)
        above, upto = np.maximum(above, np.minimum(longer, upto)), np.minimum(upto, np.maximum(shorter, above))
        return np.where(count > 0, (above + upto) / 2.0, 0.0)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the shortest interval and the span of intervals in ticks."""
        shortest, span = np.asarray(self.t_min) / dt, np.subtract(self.t_max, self.t_min) / dt
        self.require(shortest >= 1 - 1e-9, "t_min", f"be at least one step of dt = {dt} ms")
        for n in range(1, int(np.max(self.n_max)) + 1):
            rest = np.maximum(1.0 - (n - 1) / np.asarray(self.n_max), 0.0)
            last = np.where(np.less_equal(n, self.n_max), (n - 1) * np.ceil(shortest + span * rest - 1e-6), 0.0)
            self.require(last < self.frame_ticks(dt), "period", f"hold a burst of {n} spikes")
        return {"shortest": shortest, "span": span}

    @staticmethod
    def frame(x: Real, n_max: Real, shortest: Real, span: Real) -> tuple[Real, Real]:
        """Turn the drive into a count and an interval; the millionth undoes the rounding of float32 drives."""
        n = -floor(1e-6 - x * n_max)
        isi = -floor(1e-6 - shortest - span * (1.0 - x))
        return n, isi

    @staticmethod
    def emit(k: Real, n: Real, isi: Real) -> Real:
        """Spike at every interval while the burst lasts."""
        spike = where(k == isi * floor(k / isi), k, n * isi) < n * isi
        return spike
