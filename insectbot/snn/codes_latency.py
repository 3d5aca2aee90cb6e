"""Codes of one spike: the drive says when it comes (models sheet B; Thorpe 1990, Hopfield 1995)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.functions import floor, log, maximum, where
from insectbot.snn.inputs import CodedInput
from insectbot.snn.model import Coefficients, Real, parameter

Reals = npt.NDArray[np.float64]
_SILENT = np.inf


def spike_when_due(k: Real, due: Real) -> Real:
    """``emit`` of a code with one spike per frame: spike at its tick."""
    spike = k == due
    return spike


@dataclass(frozen=True)
class FirstSpikeInput(CodedInput):
    """Base of codes whose latency says the drive: :meth:`latency` and its inverse :meth:`value`, free of ticks.

    ``frame`` fixes the tick of the spike, ``due``: the nearest one, so a latency is wrong by at most ``dt / 2``; -1
    for silence. A spike that would come after the end of the frame does not come.
    """

    states: ClassVar[dict[str, float]] = {"due": -1.0}

    def latency(self, x: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return the time of the spike after the start of the frame [ms] for drives in [0, 1]; infinite for silence."""
        raise ConfigurationError(f"{type(self).__name__}: a first-spike code must give latency()")

    def value(self, latency: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return the drive in [0, 1] that a latency [ms] says; infinite latency says 0."""
        raise ConfigurationError(f"{type(self).__name__}: a first-spike code must give value()")

    def cycle_ticks(self, dt: float) -> int:
        """Return after how many steps of ``dt`` [ms] latencies start again: the frame, unless it holds cycles."""
        return self.frame_ticks(dt)


@dataclass(frozen=True)
class LatencyInput(FirstSpikeInput):
    """Time to first spike, linear: ``t = t_min + (t_max - t_min)(1 - x)``; x = 0 is silent.

    The drive is decoded to within ``dt / 2 / (t_max - t_min)``.

    Parameters
    ----------
    period : float
        Length of a frame [ms].
    t_min : float
        Latency of the strongest drive [ms], >= 0.
    t_max : float or None
        Latency towards the weakest drive [ms], at most one step before the end of the frame; None for that.
    """

    t_min: float = parameter(0.0, "ms", at_least=0)
    t_max: float | None = parameter(None, "ms", above=0)
    emit = staticmethod(spike_when_due)

    def latency(self, x: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``t_min + (t_max - t_min)(1 - x)`` [ms]."""
        x, (first, last) = np.asarray(x, np.float64), self._range(dt)
        return np.where(x > 0, first + (last - first) * (1.0 - x), _SILENT)

    def value(self, latency: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``1 - (t - t_min) / (t_max - t_min)``, clipped to [0, 1]."""
        first, last = self._range(dt)
        return np.clip(1.0 - (np.asarray(latency, np.float64) - first) / (last - first), 0.0, 1.0)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the first latency and the span of latencies in ticks."""
        first, last = self._range(dt)
        self.require(last <= self.period - dt * (1 - 1e-9), "t_max", "lie at least one step before the end of period")
        self.require(first < last, "t_min", "lie below t_max")
        return {"first": first / dt, "span": (last - first) / dt}

    def _range(self, dt: float) -> tuple[Reals, Reals]:
        return np.asarray(self.t_min), np.asarray(self.period - dt if self.t_max is None else self.t_max)

    @staticmethod
    def frame(x: Real, first: Real, span: Real) -> Real:
        """Fix the tick of the spike."""
        due = where(x > 0.0, floor(first + span * (1.0 - x) + 0.5), -1.0)
        return due


@dataclass(frozen=True)
class LogLatencyInput(FirstSpikeInput):
    """Time to first spike, logarithmic: ``t = t_min - tau ln x`` (Hopfield 1995).

    All drives times one factor only shift the pattern in time, so delays that match a pattern recognise it at any
    strength (:func:`insectbot.controllers.codes.matching_delays`). Drives below ``exp(-(period - t_min) / tau)`` are
    silent; the others are decoded to within a share of ``dt / (2 tau)`` of themselves.

    Parameters
    ----------
    period : float
        Length of a frame [ms].
    tau : float
        Time constant [ms], > 0.
    t_min : float
        Latency of drive 1 [ms], >= 0.
    """

    tau: float = parameter(10.0, "ms", above=0)
    t_min: float = parameter(0.0, "ms", at_least=0)
    emit = staticmethod(spike_when_due)

    def latency(self, x: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``t_min - tau ln x`` [ms]."""
        x = np.asarray(x, np.float64)
        return np.where(x > 0, self.t_min - self.tau * np.log(np.where(x > 0, x, 1.0)), _SILENT)

    def value(self, latency: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``exp(-(t - t_min) / tau)``, clipped to [0, 1]."""
        return np.minimum(np.exp((np.asarray(self.t_min) - np.asarray(latency, np.float64)) / self.tau), 1.0)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the first latency and tau in ticks."""
        self.require(np.less(self.t_min, self.period), "t_min", f"lie below period = {self.period}")
        return {"first": np.asarray(self.t_min) / dt, "tau_ticks": np.asarray(self.tau) / dt}

    @staticmethod
    def frame(x: Real, first: Real, tau_ticks: Real) -> Real:
        """Fix the tick of the spike; the lower bound only keeps the logarithm finite."""
        due = where(x > 0.0, floor(first - tau_ticks * log(maximum(x, 1e-30)) + 0.5), -1.0)
        return due


@dataclass(frozen=True)
class LIFLatencyInput(FirstSpikeInput):
    """Time to first spike of a leaky neuron that starts at rest: ``t = tau ln(I / (I - v_th))`` with I the drive.

    Drives up to ``v_th / (1 - exp(-period / tau))`` are silent.

    Parameters
    ----------
    period : float
        Length of a frame [ms].
    tau : float
        Membrane time constant [ms], > 0.
    v_th : float
        Threshold, in units of the drive, in (0, 1).
    """

    tau: float = parameter(20.0, "ms", above=0)
    v_th: float = parameter(0.2, "", above=0, below=1)
    emit = staticmethod(spike_when_due)

    def latency(self, x: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``tau ln(x / (x - v_th))`` [ms]."""
        x = np.asarray(x, np.float64)
        share = np.where(x > self.v_th, self.v_th / np.maximum(x, self.v_th), 0.0)
        return np.where(x > self.v_th, -np.asarray(self.tau) * np.log1p(-share), _SILENT)

    def value(self, latency: npt.ArrayLike, dt: float = 1.0) -> Reals:
        """Return ``v_th / (1 - exp(-t / tau))``, at most 1; 0 for silence."""
        latency = np.asarray(latency, np.float64)
        charged = -np.expm1(-np.minimum(latency, 1e300) / self.tau)
        return np.where(np.isinf(latency), 0.0, self.v_th / np.maximum(charged, self.v_th))

    def coefficients(self, dt: float) -> Coefficients:
        """Return tau in ticks."""
        return {"tau_ticks": np.asarray(self.tau) / dt}

    @staticmethod
    def frame(x: Real, tau_ticks: Real, v_th: Real) -> Real:
        """Fix the tick of the spike."""
        left = where(x > v_th, 1.0 - v_th / maximum(x, v_th), 1.0)
        due = where(x > v_th, floor(0.5 - tau_ticks * log(left)), -1.0)
        return due


@dataclass(frozen=True)
class RankOrderInput(CodedInput):
    """Rank order: the strongest channel spikes first, the next one ``interval`` later, and so on.

    After Thorpe & Gautrais (1998). Of equal drives the smaller index comes first. Only the order is told,
    ``log2(n!)`` bits from n channels; x = 0 and ranks that do not fit into the frame are silent.

    Parameters
    ----------
    period : float
        Length of a frame [ms].
    interval : float
        Time between one rank and the next [ms], > 0.
    """

    states: ClassVar[dict[str, float]] = {"due": -1.0}
    interval: float = parameter(1.0, "ms", above=0)
    emit = staticmethod(spike_when_due)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the interval in ticks."""
        return {"step": np.asarray(self.interval) / dt}

    @staticmethod
    def frame(x: Real, rank: Real, step: Real) -> Real:
        """Fix the tick of the spike."""
        due = where(x > 0.0, floor(step * rank + 0.5), -1.0)
        return due
