"""Leaky integrators and integrate-and-fire neurons: linear between spikes, stepped by exact propagators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from insectbot.snn.functions import exp
from insectbot.snn.model import Coefficients, LinearNeuron, Real, Source, Value, parameter
from insectbot.snn.synapses import Delta, Exponential


@dataclass(frozen=True)
class LIF(LinearNeuron):
    """Leaky integrate-and-fire neuron; its receptors may be delta, exponential, alpha; current or conductance.

    ``tau_m dv/dt = -(v - v_rest) + i_ext + i_syn``;  ``v >= v_th`` emits a spike, then ``v = v_reset``
    and ``v`` is held for ``t_ref``. Without ``receptors`` of its population, ``tau_syn`` makes one: a delta synapse
    (``tau_syn = 0``) adds its weight to ``v``; an exponential one adds it to ``i_syn``, with
    ``tau_syn di_syn/dt = -i_syn``. With current receptors the subthreshold system is linear and is integrated
    exactly (Rotter & Diesmann 1999): per tick, v is propagated with the old ``i_syn``, ``i_syn`` decays, arriving
    spikes are added, then the threshold is tested. Conductance receptors (``g`` in units of the leak) take an
    exponential Euler step with the conductances of the tick before.

    Parameters
    ----------
    tau_m : float
        Membrane time constant [ms], > 0.
    v_rest, v_th, v_reset : float
        Resting, threshold and reset potential [mV, or any unit that weights share].
    t_ref : float
        Refractory time [ms], a whole number of steps, >= 0. ``v`` is clamped, ``i_syn`` evolves.
    tau_syn : float
        Synaptic time constant [ms]; 0 means delta synapses. Not used where the population names its receptors.
    v_min : float or None
        Lower bound of ``v``; None for none.
    precise : bool
        Whether spikes have exact times: see Notes. Keyword only.

    Notes
    -----
    With ``precise`` the network still advances in steps of dt, but spikes carry their offset in the step. v is
    integrated in float64 from event to event, the first crossing of the threshold is located to better than 1e-9 ms,
    also where v peaks between events, and v leaves refractoriness off the grid; a neuron may spike several times in a
    step. Receptors are delta or exponential currents (or analog current), projections are static, delays whole steps.
    Spikes from the grid, and to populations on it, count at the end of their step. Time 0 is the reset.
    """

    relative: ClassVar[dict[str, str]] = {"v": "v_rest", "v_th": "v_rest", "v_reset": "v_rest", "v_min": "v_rest"}

    tau_m: float = parameter(20.0, "ms", above=0)
    v_rest: float = parameter(0.0, "mV")
    v_th: float = parameter(1.0, "mV")
    v_reset: float = parameter(0.0, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)
    tau_syn: float = parameter(0.0, "ms", at_least=0)
    v_min: float | None = parameter(None, "mV")
    precise: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(isinstance(self.precise, bool), "precise", "be True or False")
        self.require(np.less(self.v_reset, self.v_th), "v_reset", f"lie below v_th = {self.v_th}")
        if self.v_min is not None:
            lowest = np.minimum(self.v_rest, self.v_reset)
            self.require(np.less_equal(self.v_min, lowest), "v_min", "not lie above v_rest or v_reset")

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the one receptor that ``tau_syn`` describes."""
        return (("", Exponential(self.tau_syn) if np.any(np.asarray(self.tau_syn) > 0) else Delta()),)

    def system(self) -> dict[tuple[str, str], Value]:
        """Return the leak, and the gain of current: a steady current ``i`` moves v by ``i``."""
        rate = 1.0 / np.asarray(self.tau_m)
        return {("v", "v"): -rate, ("v", "i"): rate}

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``rate = dt / tau_m`` of the conductance form."""
        return {"rate": dt / np.asarray(self.tau_m)}

    def functions(self) -> dict[str, Source]:
        """Return the functions; the lower bound only where there is one."""
        found: dict[str, Source] = super().functions()
        if self.v_min is not None:
            found["bound"] = self.floor_at
        return found

    @staticmethod
    def update(v: Real, i: Real, g_sum: Real, g_rev: Real, rate: Real) -> Real:
        """Take an exponential Euler step with conductances (used only where a receptor is no linear current)."""
        total = 1.0 + g_sum
        v_inf = (i + g_rev) / total
        v = v_inf + (v - v_inf) * exp(-rate * total)
        return v

    @staticmethod
    def floor_at(v: Real, v_min: Real) -> Real:
        """Keep v above its lower bound."""
        v = max(v, v_min)
        return v

    @staticmethod
    def threshold(v: Real, v_th: Real) -> Real:
        """Spike at or above v_th."""
        return v >= v_th

    @staticmethod
    def reset(v_reset: Real) -> Real:
        """Return to v_reset."""
        v = v_reset
        return v
