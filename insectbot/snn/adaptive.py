"""Integrate-and-fire neurons whose threshold moves with their own spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from insectbot.snn.functions import exp
from insectbot.snn.model import Coefficients, LinearNeuron, Real, Source, Value, parameter


@dataclass(frozen=True)
class ALIF(LinearNeuron):
    """Leaky integrate-and-fire neuron whose threshold rises with its own spikes (Bellec et al. 2018, 2020).

    ``tau_m dv/dt = -(v - v_rest) + i``; spike where ``v >= v_th + beta a``; ``a' = -a / tau_a`` and, in Bellec's
    discrete form, ``a_{t+1} = rho a_t + z_t`` with ``rho = exp(-dt / tau_a)``: the tick after a spike feels all of it.

    Parameters
    ----------
    tau_m, tau_a : float
        Time constants of membrane and threshold [ms], > 0.
    beta : float
        Rise of the threshold per spike [unit of v].
    v_rest, v_th : float
        Resting potential, and threshold without adaptation [mV, or any unit that weights share].
    v_reset : float or None
        Potential after a spike; None subtracts ``v_th - v_rest`` instead, as Bellec et al. do.
    t_ref : float
        Refractory time [ms], a whole number of steps. ``v`` is clamped, ``a`` evolves.
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "a": 0.0}
    relative: ClassVar[dict[str, str]] = {"v": "v_rest", "v_th": "v_rest", "v_reset": "v_rest"}

    tau_m: float = parameter(20.0, "ms", above=0)
    tau_a: float = parameter(200.0, "ms", above=0)
    beta: float = parameter(0.1, "mV", at_least=0)
    v_rest: float = parameter(0.0, "mV")
    v_th: float = parameter(1.0, "mV")
    v_reset: float | None = parameter(None, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        low = self.v_rest if self.v_reset is None else self.v_reset
        self.require(np.less(low, self.v_th), "v_th", "lie above v_reset (v_rest if that is None)")

    def system(self) -> dict[tuple[str, str], Value]:
        """Return both leaks and the gain of current."""
        rate = 1.0 / np.asarray(self.tau_m)
        return {("v", "v"): -rate, ("a", "a"): -1.0 / np.asarray(self.tau_a), ("v", "i"): rate}

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``jump = 1 / rho`` and the decays of the conductance form."""
        ratio = dt / np.asarray(self.tau_a)
        return {"jump": np.exp(ratio), "fade": np.exp(-ratio), "rate": dt / np.asarray(self.tau_m)}

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the reset of the chosen form."""
        return {**super().functions(), "reset": self.subtract if self.v_reset is None else self.reset}

    @staticmethod
    def update(v: Real, a: Real, i: Real, g_sum: Real, g_rev: Real, rate: Real, fade: Real) -> tuple[Real, Real]:
        """Take an exponential Euler step with conductances (used only where a receptor is no linear current)."""
        total = 1.0 + g_sum
        v_inf = (i + g_rev) / total
        v = v_inf + (v - v_inf) * exp(-rate * total)
        a = a * fade
        return v, a

    @staticmethod
    def threshold(v: Real, a: Real, v_th: Real, beta: Real) -> Real:
        """Spike at or above the risen threshold."""
        return v >= v_th + beta * a

    @staticmethod
    def reset(a: Real, v_reset: Real, jump: Real) -> tuple[Real, Real]:
        """Return to v_reset and raise the threshold."""
        v = v_reset
        a = a + jump
        return v, a

    @staticmethod
    def subtract(v: Real, a: Real, v_th: Real, jump: Real) -> tuple[Real, Real]:
        """Subtract the threshold and raise it."""
        v = v - v_th
        a = a + jump
        return v, a


@dataclass(frozen=True)
class MAT(LinearNeuron):
    """Multi-timescale adaptive threshold neuron (Kobayashi, Tsubo & Shinomoto 2009): the membrane is never reset.

    ``tau_m dv/dt = -(v - v_rest) + i``; spike where ``v >= v_th + h1 + h2``; ``h_k' = -h_k / tau_k``, and a spike adds
    ``alpha_k`` to ``h_k``. Set ``t_ref``: without a reset only the risen threshold ends a spike.

    Parameters
    ----------
    tau_m : float
        Membrane time constant [ms], > 0.
    tau_1, tau_2 : float
        Time constants of the threshold [ms], > 0.
    alpha_1, alpha_2 : float
        Rise of the threshold per spike [unit of v]; may be negative.
    v_rest, v_th : float
        Resting potential, and resting value of the threshold [mV, or any unit that weights share].
    t_ref : float
        Time after a spike without another one [ms], a whole number of steps; nothing is clamped.
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "h1": 0.0, "h2": 0.0}
    held: ClassVar[tuple[str, ...]] = ()
    relative: ClassVar[dict[str, str]] = {"v": "v_rest", "v_th": "v_rest"}

    tau_m: float = parameter(5.0, "ms", above=0)
    tau_1: float = parameter(10.0, "ms", above=0)
    tau_2: float = parameter(200.0, "ms", above=0)
    alpha_1: float = parameter(37.0, "mV")
    alpha_2: float = parameter(2.0, "mV")
    v_rest: float = parameter(-70.0, "mV")
    v_th: float = parameter(-51.0, "mV")
    t_ref: float = parameter(2.0, "ms", at_least=0)

    def system(self) -> dict[tuple[str, str], Value]:
        """Return the three leaks and the gain of current."""
        rate = 1.0 / np.asarray(self.tau_m)
        return {
            ("v", "v"): -rate,
            ("v", "i"): rate,
            ("h1", "h1"): -1.0 / np.asarray(self.tau_1),
            ("h2", "h2"): -1.0 / np.asarray(self.tau_2),
        }

    @staticmethod
    def threshold(v: Real, h1: Real, h2: Real, v_th: Real) -> Real:
        """Spike at or above the risen threshold."""
        return v >= v_th + h1 + h2

    @staticmethod
    def reset(h1: Real, h2: Real, alpha_1: Real, alpha_2: Real) -> tuple[Real, Real]:
        """Raise the threshold; the membrane stays as it is."""
        h1 = h1 + alpha_1
        h2 = h2 + alpha_2
        return h1, h2
