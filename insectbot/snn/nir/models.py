"""Units that only files of other simulators need: Euler steps, resets by subtraction, bare integrators, relays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from insectbot.snn.lif import LIF
from insectbot.snn.model import Coefficients, LinearNeuron, NeuronModel, Real, Source, Value, parameter
from insectbot.snn.synapses import Delta


def _subtract(v: Real, drop: Real) -> Real:
    """Take something from v, so that what went beyond the threshold is kept."""
    v = v - drop
    return v


@dataclass(frozen=True)
class SubtractLIF(LIF):
    """LIF whose reset subtracts from ``v`` instead of setting it, as snnTorch and sinabs do by default.

    Parameters
    ----------
    drop : float
        What a spike takes from ``v`` [unit of v]; ``v_reset`` is not used.
    """

    drop: float = parameter(1.0, "mV")

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the other reset."""
        return {**super().functions(), "reset": _subtract}


@dataclass(frozen=True)
class EulerCubaLI(NeuronModel):
    """Leaky integrator with a synaptic current, in the Euler step of torch simulators; it transmits ``v``.

    Per tick: ``current = current (1 - dt / tau_syn) + events``, then ``v = v + (dt / tau_m) (v_rest - v + r current)``:
    the new current acts at once, which no exact propagator does.

    Parameters
    ----------
    tau_m, tau_syn : float
        Time constants of the Euler steps [ms], at least one step.
    v_rest : float
        Resting potential [mV, or any unit that weights share].
    r : float
        Gain of the current [unit of v per unit of current].
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "current": 0.0}
    spiking: ClassVar[bool] = False
    relative: ClassVar[dict[str, str]] = {"v": "v_rest"}

    tau_m: float = parameter(20.0, "ms", above=0)
    tau_syn: float = parameter(5.0, "ms", above=0)
    v_rest: float = parameter(0.0, "mV")
    r: float = parameter(1.0, "")

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the one port, which the update takes by name."""
        return (("events", Delta()),)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the factors of one step."""
        keep = np.maximum(1.0 - dt / np.asarray(self.tau_syn), 0.0)
        return {"keep": keep, "rate": np.minimum(dt / np.asarray(self.tau_m), 1.0)}

    @staticmethod
    def update(v: Real, current: Real, events: Real, i: Real, r: Real, keep: Real, rate: Real) -> tuple[Real, Real]:
        """Step the current, then v with it."""
        current = current * keep + events
        v = v + rate * (r * current + i - v)
        return v, current

    @staticmethod
    def output(v: Real, v_rest: Real) -> Real:
        """Transmit the potential."""
        return v + v_rest


@dataclass(frozen=True)
class EulerCubaLIF(EulerCubaLI):
    """The spiking form of :class:`EulerCubaLI`: ``v >= v_th`` emits a spike, then ``v = v_reset``.

    Parameters
    ----------
    v_th, v_reset : float
        Threshold and reset potential [unit of v].
    drop : float or None
        What a spike takes from ``v`` instead of the reset; None for the reset.
    """

    spiking: ClassVar[bool] = True
    relative: ClassVar[dict[str, str]] = {"v": "v_rest", "v_th": "v_rest", "v_reset": "v_rest"}

    v_th: float = parameter(1.0, "mV")
    v_reset: float = parameter(0.0, "mV")
    drop: float | None = parameter(None, "mV")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset, self.v_th), "v_reset", f"lie below v_th = {self.v_th}")

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the reset of the chosen form."""
        found: dict[str, Source] = {role: f for role, f in super().functions().items() if role != "output"}
        return found if self.drop is None else {**found, "reset": _subtract}

    @staticmethod
    def threshold(v: Real, v_th: Real) -> Real:
        """Spike at or above v_th."""
        return v >= v_th

    @staticmethod
    def reset(v_reset: Real) -> Real:
        """Return to v_reset."""
        v = v_reset
        return v


@dataclass(frozen=True)
class Integrator(LinearNeuron):
    """Integrator without leak that never spikes (NIR's ``I``): ``dv/dt = r i``; its synapses transmit ``v``.

    Parameters
    ----------
    r : float
        How fast a unit of current moves v [1/ms].
    """

    spiking: ClassVar[bool] = False
    r: float = parameter(1.0, "1/ms")

    def system(self) -> dict[tuple[str, str], Value]:
        """Return the gain of current; nothing leaks."""
        return {("v", "v"): 0.0, ("v", "i"): self.values()["r"]}

    @staticmethod
    def output(v: Real) -> Real:
        """Transmit the integral."""
        return v


@dataclass(frozen=True)
class Relay(NeuronModel):
    """Unit without memory that transmits, in every tick, the sum of its current and of what arrives in that tick."""

    spiking: ClassVar[bool] = False

    @staticmethod
    def update(i: Real) -> Real:
        """Forget the last tick; what arrives now is added afterwards."""
        v = i
        return v

    @staticmethod
    def output(v: Real) -> Real:
        """Transmit the sum."""
        return v
