"""Neuron models as data: parameters with units, and the equation in the docstring."""

from __future__ import annotations

from dataclasses import dataclass

from insectbot.errors import ConfigurationError
from insectbot.snn.validate import require_finite, require_not_negative, require_positive


@dataclass(frozen=True)
class LIF:
    """Leaky integrate-and-fire neuron with delta or exponential current synapses.

    ``tau_m dv/dt = -(v - v_rest) + i_ext + i_syn``;  ``v >= v_th`` emits a spike, then ``v = v_reset``
    and ``v`` is held for ``t_ref``. A delta synapse (``tau_syn = 0``) adds its weight to ``v``;
    an exponential one adds it to ``i_syn``, with ``tau_syn di_syn/dt = -i_syn``.
    The subthreshold system is linear and is integrated exactly (Rotter & Diesmann 1999):
    per tick, v is propagated with the old ``i_syn``, ``i_syn`` decays, arriving spikes are added,
    then the threshold is tested.

    Parameters
    ----------
    tau_m : float
        Membrane time constant [ms], > 0.
    v_rest, v_th, v_reset : float
        Resting, threshold and reset potential [mV, or any unit that weights share].
    t_ref : float
        Refractory time [ms], a whole number of steps, >= 0. ``v`` is clamped, ``i_syn`` evolves.
    tau_syn : float
        Synaptic time constant [ms]; 0 means delta synapses.
    v_min : float or None
        Lower bound of ``v``; None for none.
    """

    tau_m: float = 20.0
    v_rest: float = 0.0
    v_th: float = 1.0
    v_reset: float = 0.0
    t_ref: float = 0.0
    tau_syn: float = 0.0
    v_min: float | None = None

    def __post_init__(self) -> None:
        require_positive("LIF", tau_m=self.tau_m)
        require_not_negative("LIF", t_ref=self.t_ref, tau_syn=self.tau_syn)
        require_finite("LIF", v_rest=self.v_rest, v_th=self.v_th, v_reset=self.v_reset, v_min=self.v_min)
        if self.v_reset >= self.v_th:
            raise ConfigurationError(f"LIF.v_reset = {self.v_reset}: must lie below v_th = {self.v_th}")
        if self.v_min is not None and self.v_min > min(self.v_rest, self.v_reset):
            raise ConfigurationError(f"LIF.v_min = {self.v_min}: must not lie above v_rest or v_reset")


@dataclass(frozen=True)
class OrnsteinUhlenbeck:
    """Exploration noise: a current that wanders, one value per neuron, held for ``period``.

    Every ``period`` ms: ``x = decay * x + sigma * N(0, 1)``; every tick ``x`` is added to ``v``.
    It acts only while the executable learns; a frozen network does not explore.

    Parameters
    ----------
    sigma : float
        Standard deviation of one innovation [unit of v per tick], >= 0.
    decay : float
        Memory per period, in [0, 1).
    period : float
        Time between updates [ms], a whole number of steps.
    """

    sigma: float = 0.05
    decay: float = 0.85
    period: float = 50.0

    def __post_init__(self) -> None:
        require_not_negative("OrnsteinUhlenbeck", sigma=self.sigma)
        require_positive("OrnsteinUhlenbeck", period=self.period)
        if not 0 <= self.decay < 1:
            raise ConfigurationError(f"OrnsteinUhlenbeck.decay = {self.decay}: must lie in [0, 1)")
