"""A LIF neuron whose calcium adds up the way flown since it was last cleared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from insectbot.snn import Delta, Exponential, NeuronModel
from insectbot.snn.functions import maximum, minimum
from insectbot.snn.model import Coefficients, Real, parameter


@dataclass(frozen=True)
class PathNeuron(NeuronModel):
    """LIF neuron that integrates its dendrite slowly, with sign, and forgets all of it where it is cleared.

    ``dc/dt = gain dendrite - c / tau_c`` within [-1, 1]; a spike at ``clear`` takes the share of its weight from c.
    ``tau_m dv/dt = -v + bias + drive c + i``; spike at ``v >= 1``, then ``v = 0``, held for ``t_ref``. As in
    :class:`~insectbot.controllers.circuits.central_complex_lif.MemoryNeuron`, c stands for calcium that drives the
    membrane (Egorov et al., Nature 420, 173-178, 2002); here it counts from a middle level, so that it can fall, too.

    Parameters
    ----------
    tau_m, tau_c : float
        Time constants of the membrane and of forgetting [ms], > 0.
    t_ref : float
        Refractory time [ms].
    bias, drive : float
        Current at c = 0, and what c = 1 adds [thresholds].
    gain : float
        Change of c per unit of dendritic current and time [1/ms], > 0.
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "c": 0.0}
    held: ClassVar[tuple[str, ...]] = ("v",)

    tau_m: float = parameter(10.0, "ms", above=0)
    tau_c: float = parameter(5000.0, "ms", above=0)
    t_ref: float = parameter(2.0, "ms", at_least=0)
    bias: float = parameter(0.0, "")
    drive: float = parameter(1.0, "")
    gain: float = parameter(0.001, "1/ms", above=0)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the part of the way that v goes in a tick, and the share of c that is forgotten in one."""
        return {"part": -np.expm1(-dt / np.asarray(self.tau_m)), "loss": -np.expm1(-dt / np.asarray(self.tau_c))}

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the dendrite, and what clears it."""
        return (("dendrite", Exponential(5.0)), ("clear", Delta()))

    @staticmethod
    def update(
        v: Real,
        c: Real,
        i: Real,
        dendrite: Real,
        clear: Real,
        dt: Real,
        part: Real,
        loss: Real,
        bias: Real,
        drive: Real,
        gain: Real,
    ) -> Real:
        """Move calcium by the dendritic current and out of the cell, and the potential towards what calcium drives."""
        c = c + dt * gain * dendrite - c * minimum(loss + clear, 1.0)
        c = minimum(maximum(c, -1.0), 1.0)
        v = v + part * (bias + drive * c + i - v)
        return v, c

    @staticmethod
    def threshold(v: Real) -> Real:
        """Spike at 1."""
        return v >= 1.0

    @staticmethod
    def reset(v: Real) -> Real:
        """Return to 0."""
        v = 0.0 * v
        return v
