"""Spike response model: potentials as sums of kernels, spikes by threshold or by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from insectbot.snn.functions import exp, expm1, minimum, uniform
from insectbot.snn.model import Coefficients, LinearNeuron, Real, Source, Value, parameter
from insectbot.snn.synapses import Delta


@dataclass(frozen=True)
class SRM0(LinearNeuron):
    """Simplified spike response model with optional escape noise (Gerstner & Kistler 2002, chapter 4).

    ``u(t) = v_rest + eta(t - t_hat) + sum_k w_k eps(t - t_k) + int kappa(s) i(t - s) ds``, with
    ``eps(s) = tau_m / (tau_m - tau_syn) (exp(-s / tau_m) - exp(-s / tau_syn))`` for arriving weights (of area
    ``tau_m``, whatever ``tau_syn`` is), ``kappa(s) = exp(-s / tau_m) / tau_m`` for analog current at port
    ``"membrane"``, and ``eta(s) = eta_0 exp(-s / tau_eta)`` after the unit's own spikes. Nothing else is reset.

    The kernels are states that decay: ``v`` (input potential), ``trace`` (synapses), ``eta``. With ``delta_u`` the unit
    spikes in a tick with probability ``1 - exp(-rho dt)``, ``rho = rho_0 exp((u - v_th) / delta_u)``; without it,
    where ``u >= v_th``.

    Parameters
    ----------
    tau_m, tau_syn : float
        Time constants of membrane and synapse [ms], > 0; they may be equal.
    v_rest, v_th : float
        Resting potential and threshold [mV, or any unit that weights share].
    eta_0 : float
        Own-spike kernel just after a spike [unit of v], usually negative.
    tau_eta : float or None
        Its time constant [ms]; None for ``tau_m``.
    delta_u : float or None
        Width of the noisy threshold [unit of v], > 0; None for a sharp one.
    rho_0 : float
        Rate of escape at threshold [1/ms].
    t_ref : float
        Time after a spike without another one [ms], a whole number of steps; nothing is clamped.
    cumulative : bool
        Whether the kernels of all own spikes add up; False: only that of the last one counts (SRM0 proper).
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "trace": 0.0, "eta": 0.0}
    held: ClassVar[tuple[str, ...]] = ()
    relative: ClassVar[dict[str, str]] = {"v": "v_rest", "v_th": "v_rest"}

    tau_m: float = parameter(10.0, "ms", above=0)
    tau_syn: float = parameter(2.0, "ms", above=0)
    v_rest: float = parameter(0.0, "mV")
    v_th: float = parameter(1.0, "mV")
    eta_0: float = parameter(-1.0, "mV")
    tau_eta: float | None = parameter(None, "ms", above=0)
    delta_u: float | None = parameter(None, "mV", above=0)
    rho_0: float = parameter(1.0, "1/ms", at_least=0)
    t_ref: float = parameter(0.0, "ms", at_least=0)
    cumulative: bool = False

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the port of the kernel eps, and the port to the membrane itself."""
        return (("", Delta(into="trace")), ("membrane", Delta()))

    def system(self) -> dict[tuple[str, str], Value]:
        """Return the decays of the kernels, and how the synapses drive the input potential."""
        rate, decay = 1.0 / np.asarray(self.tau_m), 1.0 / np.asarray(self.tau_syn)
        own = rate if self.tau_eta is None else 1.0 / np.asarray(self.tau_eta)
        return {
            ("v", "v"): -rate,
            ("v", "trace"): decay,
            ("trace", "trace"): -decay,
            ("eta", "eta"): -own,
            ("v", "i"): rate,
        }

    def coefficients(self, dt: float) -> Coefficients:
        """Return the expected number of escapes per tick at threshold, and ``1 / delta_u``."""
        if self.delta_u is None:
            return {}
        return {"escapes": np.asarray(self.rho_0) * dt, "sharp": 1.0 / np.asarray(self.delta_u)}

    def functions(self) -> dict[str, Source]:
        """Return the functions of the chosen threshold and memory."""
        found: dict[str, Source] = super().functions()
        if self.cumulative:
            found["reset"] = self.accumulate
        if self.delta_u is not None:
            found["threshold"] = self.escape
        return found

    @staticmethod
    def threshold(v: Real, eta: Real, v_th: Real) -> Real:
        """Spike at or above v_th."""
        return v + eta >= v_th

    @staticmethod
    def escape(v: Real, eta: Real, v_th: Real, sharp: Real, escapes: Real) -> Real:
        """Spike with the probability of at least one escape in this tick."""
        return uniform() < -expm1(-escapes * exp(minimum((v + eta - v_th) * sharp, 50.0)))

    @staticmethod
    def reset(eta_0: Real) -> Real:
        """Start the own-spike kernel anew: earlier spikes are forgotten."""
        eta = eta_0
        return eta

    @staticmethod
    def accumulate(eta: Real, eta_0: Real) -> Real:
        """Add the own-spike kernel to those of earlier spikes."""
        eta = eta + eta_0
        return eta
