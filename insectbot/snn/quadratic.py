"""Integrate-and-fire neurons that start their spike themselves: quadratic and exponential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from insectbot.snn.functions import exp, maximum, minimum, where
from insectbot.snn.model import Coefficients, NeuronModel, Real, parameter
from insectbot.snn.schemes import OdeNeuron


@dataclass(frozen=True)
class QIF(NeuronModel):
    """Quadratic integrate-and-fire neuron: ``tau_m dv/dt = a0 (v - v_rest)(v - v_c) + i`` (Latham et al. 2000).

    ``v`` runs to infinity in finite time once it passes ``v_c``; at ``v_peak`` a spike is emitted and ``v = v_reset``.
    The rheobase is ``a0 (v_c - v_rest)^2 / 4``. For a current that is constant over a tick the flow is a Möbius map,
    which the update applies exactly (its sine and cosine as series, to 1e-9 while
    ``a0 |i| (dt / tau_m)^2 < 0.3``; stable for any ``dt``).
    :meth:`normal` makes the normal form ``tau dv/dt = v^2 + i``.

    Parameters
    ----------
    tau_m : float
        Time constant [ms], > 0.
    a0 : float
        Curvature [1 / unit of v], > 0.
    v_rest, v_c : float
        Stable and critical potential without current [mV].
    v_peak, v_reset : float
        Where a spike is emitted, and what follows it [mV].
    t_ref : float
        Refractory time [ms], a whole number of steps.
    """

    states: ClassVar[dict[str, float | str]] = {"v": "v_rest"}

    tau_m: float = parameter(10.0, "ms", above=0)
    a0: float = parameter(0.1, "1/mV", above=0)
    v_rest: float = parameter(-70.0, "mV")
    v_c: float = parameter(-55.0, "mV")
    v_peak: float = parameter(30.0, "mV")
    v_reset: float = parameter(-70.0, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset, self.v_peak), "v_reset", f"lie below v_peak = {self.v_peak}")

    @classmethod
    def normal(cls, tau: float = 10.0, v_peak: float = 100.0, v_reset: float = -100.0) -> QIF:
        """Return ``tau dv/dt = v^2 + i``; with far limits it is the theta neuron, of period ``pi tau / sqrt(i)``."""
        return cls(tau_m=tau, a0=1.0, v_rest=0.0, v_c=0.0, v_peak=v_peak, v_reset=v_reset)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the centre of the parabola, its depth, and the step over ``tau_m``."""
        a0, low, high = np.asarray(self.a0), np.asarray(self.v_rest), np.asarray(self.v_c)
        return {"centre": (low + high) / 2, "depth": a0 * (high - low) ** 2 / 4, "ratio": dt / np.asarray(self.tau_m)}

    @staticmethod
    def update(v: Real, i: Real, a0: Real, centre: Real, depth: Real, ratio: Real, v_peak: Real) -> Real:
        """Apply the exact flow over a tick; where it passes infinity, stop at v_peak."""
        x = v - centre
        p = a0 * ratio
        q = (i - depth) * ratio
        z = minimum(p * q, 9.8)  # beyond pi^2 it spikes from anywhere
        cosine = 1.0 + z * (-0.5 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z / 40320.0)))
        sine = 1.0 + z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z / 362880.0)))
        below = cosine - p * x * sine
        v = where(below > 1e-6, minimum(centre + (x * cosine + q * sine) / maximum(below, 1e-6), v_peak), v_peak)
        return v

    @staticmethod
    def threshold(v: Real, v_peak: Real) -> Real:
        """Spike at v_peak."""
        return v >= v_peak

    @staticmethod
    def reset(v_reset: Real) -> Real:
        """Return to v_reset."""
        v = v_reset
        return v


@dataclass(frozen=True)
class EIF(OdeNeuron):
    """Exponential integrate-and-fire neuron (Fourcaud-Trocmé et al. 2003).

    ``tau_m dv/dt = -(v - v_rest) + delta_t exp((v - v_t) / delta_t) + i``; at ``v_peak`` a spike, then
    ``v = v_reset``.

    Parameters
    ----------
    tau_m : float
        Membrane time constant [ms], > 0.
    delta_t : float
        Sharpness of the spike's onset [mV], > 0.
    v_rest, v_t : float
        Resting potential, and where the exponential term has unit slope [mV].
    v_peak, v_reset : float
        Where a spike is emitted, and what follows it [mV].
    t_ref : float
        Refractory time [ms], a whole number of steps.
    scheme, substeps
        See :class:`~insectbot.snn.schemes.OdeNeuron`.
    """

    states: ClassVar[dict[str, float | str]] = {"v": "v_rest"}
    ceiling: ClassVar[dict[str, str]] = {"v": "v_peak"}

    tau_m: float = parameter(10.0, "ms", above=0)
    delta_t: float = parameter(2.0, "mV", above=0)
    v_rest: float = parameter(-65.0, "mV")
    v_t: float = parameter(-50.0, "mV")
    v_peak: float = parameter(0.0, "mV")
    v_reset: float = parameter(-68.0, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset, self.v_peak), "v_reset", f"lie below v_peak = {self.v_peak}")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step`` and the rates ``1 / tau_m`` and ``1 / delta_t``."""
        rates = {"rate": 1.0 / np.asarray(self.tau_m), "sharp": 1.0 / np.asarray(self.delta_t)}
        return {**super().coefficients(dt), **rates}

    @staticmethod
    def slopes(v: Real, i: Real, v_rest: Real, v_t: Real, delta_t: Real, rate: Real, sharp: Real) -> Real:
        """Return dv/dt."""
        onset = delta_t * exp(minimum((v - v_t) * sharp, 30.0))
        return rate * (v_rest - v + onset + i)

    @staticmethod
    def threshold(v: Real, v_peak: Real) -> Real:
        """Spike at v_peak."""
        return v >= v_peak

    @staticmethod
    def reset(v_reset: Real) -> Real:
        """Return to v_reset."""
        v = v_reset
        return v


@dataclass(frozen=True)
class AdEx(OdeNeuron):
    """Adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005; patterns of Naud et al. 2008).

    ``c_m dv/dt = -g_l (v - v_rest) + g_l delta_t exp((v - v_t) / delta_t) - w + i``,
    ``tau_w dw/dt = a (v - v_rest) - w``; at ``v_peak`` a spike, then ``v = v_reset`` and ``w`` grows by ``b``.

    Parameters
    ----------
    c_m : float
        Capacitance [pF], > 0.
    g_l : float
        Leak conductance [nS], > 0.
    v_rest, v_t : float
        Leak reversal potential, and threshold slope point [mV].
    delta_t : float
        Sharpness of the spike's onset [mV], > 0.
    a : float
        Coupling of adaptation to the potential [nS].
    tau_w : float
        Time constant of adaptation [ms], > 0.
    b : float
        Adaptation current per spike [pA].
    v_peak, v_reset : float
        Where a spike is emitted, and what follows it [mV].
    t_ref : float
        Refractory time [ms], a whole number of steps. ``v`` is clamped, ``w`` evolves.
    scheme, substeps
        See :class:`~insectbot.snn.schemes.OdeNeuron`.
    """

    states: ClassVar[dict[str, float | str]] = {"v": "v_rest", "w": 0.0}
    ceiling: ClassVar[dict[str, str]] = {"v": "v_peak"}

    c_m: float = parameter(281.0, "pF", above=0)
    g_l: float = parameter(30.0, "nS", above=0)
    v_rest: float = parameter(-70.6, "mV")
    v_t: float = parameter(-50.4, "mV")
    delta_t: float = parameter(2.0, "mV", above=0)
    a: float = parameter(4.0, "nS")
    tau_w: float = parameter(144.0, "ms", above=0)
    b: float = parameter(80.5, "pA")
    v_peak: float = parameter(0.0, "mV")
    v_reset: float = parameter(-70.6, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset, self.v_peak), "v_reset", f"lie below v_peak = {self.v_peak}")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step`` and the reciprocals of ``c_m``, ``tau_w`` and ``delta_t``."""
        found = {"per_c": self.c_m, "rate_w": self.tau_w, "sharp": self.delta_t}
        return {**super().coefficients(dt), **{k: 1.0 / np.asarray(v) for k, v in found.items()}}

    @staticmethod
    def slopes(
        v: Real, w: Real, i: Real, g_l: Real, v_rest: Real, v_t: Real, delta_t: Real, a: Real, per_c: Real,
        rate_w: Real, sharp: Real,
    ) -> tuple[Real, Real]:  # fmt: skip
        """Return dv/dt and dw/dt."""
        onset = delta_t * exp(minimum((v - v_t) * sharp, 30.0))
        return per_c * (g_l * (v_rest - v + onset) - w + i), rate_w * (a * (v - v_rest) - w)

    @staticmethod
    def threshold(v: Real, v_peak: Real) -> Real:
        """Spike at v_peak."""
        return v >= v_peak

    @staticmethod
    def reset(w: Real, v_reset: Real, b: Real) -> tuple[Real, Real]:
        """Return to v_reset and adapt."""
        v = v_reset
        w = w + b
        return v, w
