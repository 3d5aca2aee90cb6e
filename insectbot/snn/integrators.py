"""More integrators: without leak, without spikes, with their own synaptic filter, without memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from insectbot.snn.model import Coefficients, LinearNeuron, NeuronModel, Real, Source, Value, parameter
from insectbot.snn.synapses import Delta


def _subtract(v: Real, v_th: Real) -> Real:
    """Subtract the threshold, so that what went beyond it is kept."""
    v = v - v_th
    return v


@dataclass(frozen=True)
class IF(LinearNeuron):
    """Integrate-and-fire neuron without leak: ``dv/dt = r i``; ``v >= v_th`` emits a spike.

    With reset by subtraction its rate is exactly proportional to a positive input, which makes it the unit of
    converted networks and of spiking LASSO solvers. NIR's ``IF`` has the same parameters.

    Parameters
    ----------
    r : float
        Gain: how fast a unit of current moves v [1/ms, times the unit of v per unit of current].
    v_th : float
        Threshold [unit of v].
    v_reset : float or None
        Potential after a spike, and at the start; None subtracts ``v_th`` instead (and starts at 0).
    t_ref : float
        Refractory time [ms], a whole number of steps.
    """

    states: ClassVar[dict[str, float | str]] = {"v": "v_start"}

    r: float = parameter(1.0, "1/ms")
    v_th: float = parameter(1.0, "mV")
    v_reset: float | None = parameter(0.0, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset or 0.0, self.v_th), "v_th", "lie above v_reset (above 0 if that is None)")

    def system(self) -> dict[tuple[str, str], Value]:
        """Return the gain of current; nothing leaks."""
        return {("v", "v"): 0.0, ("v", "i"): self.values()["r"]}

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``v_start``."""
        return {"v_start": self.values().get("v_reset", 0.0)}

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the reset of the chosen form."""
        return {**super().functions(), "reset": _subtract if self.v_reset is None else self.reset}

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
class LI(LinearNeuron):
    """Leaky integrator that never spikes: ``tau_m dv/dt = -(v - v_rest) + r i``; its synapses transmit ``v``.

    Parameters
    ----------
    tau_m : float
        Time constant [ms], > 0.
    r : float
        Gain of current [unit of v per unit of current].
    v_rest : float
        Value at rest, and at the start [unit of v].
    """

    spiking: ClassVar[bool] = False
    relative: ClassVar[dict[str, str]] = {"v": "v_rest"}

    tau_m: float = parameter(20.0, "ms", above=0)
    r: float = parameter(1.0, "")
    v_rest: float = parameter(0.0, "mV")

    def system(self) -> dict[tuple[str, str], Value]:
        """Return the leak and the gain of current."""
        rate = 1.0 / np.asarray(self.tau_m)
        return {("v", "v"): -rate, ("v", "i"): rate * np.asarray(self.r)}

    @staticmethod
    def output(v: Real, v_rest: Real) -> Real:
        """Transmit the potential."""
        return v + v_rest


@dataclass(frozen=True)
class CubaLIF(LinearNeuron):
    """Leaky integrate-and-fire neuron with one exponential synaptic current of unit area (NIR's ``CubaLIF``).

    ``tau_syn di/dt = -i + w_in s``, ``tau_m dv/dt = -(v - v_rest) + r i``; a spike where ``v > v_th``.
    An arriving weight adds to ``trace``, of which ``i = w_in trace / tau_syn``: the current that a weight causes has
    the time integral ``w_in`` times the weight, whatever ``tau_syn`` is. (LIF with ``Exponential`` adds the weight to
    the current itself.) Analog currents into the first port are filtered too; those into ``"membrane"`` are not.

    Parameters
    ----------
    tau_m, tau_syn : float
        Time constants of membrane and synapse [ms], > 0.
    v_rest, v_th, v_reset : float
        Resting, threshold and reset potential [mV, or any unit that weights share].
    r : float
        Gain of current [unit of v per unit of current].
    w_in : float
        Area of the current of a unit weight [ms].
    t_ref : float
        Refractory time [ms], a whole number of steps. ``v`` is clamped, the synapse evolves.
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "trace": 0.0}
    relative: ClassVar[dict[str, str]] = {"v": "v_rest", "v_th": "v_rest", "v_reset": "v_rest"}

    tau_m: float = parameter(20.0, "ms", above=0)
    tau_syn: float = parameter(5.0, "ms", above=0)
    v_rest: float = parameter(0.0, "mV")
    v_th: float = parameter(1.0, "mV")
    v_reset: float = parameter(0.0, "mV")
    r: float = parameter(1.0, "")
    w_in: float = parameter(1.0, "ms")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset, self.v_th), "v_reset", f"lie below v_th = {self.v_th}")

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the filtered port, and the port to the membrane itself."""
        return (("", Delta(into="trace")), ("membrane", Delta()))

    def system(self) -> dict[tuple[str, str], Value]:
        """Return both leaks and what the trace drives."""
        rate, decay = 1.0 / np.asarray(self.tau_m), 1.0 / np.asarray(self.tau_syn)
        gain = rate * np.asarray(self.r)
        return {
            ("v", "v"): -rate,
            ("v", "trace"): gain * np.asarray(self.w_in) * decay,
            ("trace", "trace"): -decay,
            ("v", "i"): gain,
        }

    @staticmethod
    def threshold(v: Real, v_th: Real) -> Real:
        """Spike above v_th."""
        return v > v_th

    @staticmethod
    def reset(v_reset: Real) -> Real:
        """Return to v_reset."""
        v = v_reset
        return v


@dataclass(frozen=True)
class McCullochPitts(NeuronModel):
    """Binary threshold unit without memory (McCulloch & Pitts 1943): it spikes in every tick whose input reaches v_th.

    Parameters
    ----------
    v_th : float
        Threshold on the sum of current and of the weights that arrive in one tick.
    """

    v_th: float = parameter(1.0, "")

    @staticmethod
    def update(i: Real) -> Real:
        """Forget the last tick; what arrives now is added afterwards."""
        v = i
        return v

    @staticmethod
    def threshold(v: Real, v_th: Real) -> Real:
        """Spike at or above v_th."""
        return v >= v_th

    @staticmethod
    def reset() -> Real:
        """Return to 0."""
        v = 0.0
        return v
