"""Units that do not spike but transmit a number at every tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from insectbot.snn.functions import maximum, minimum, where
from insectbot.snn.model import Coefficients, NeuronModel, Real, Source, parameter
from insectbot.snn.synapses import Delta


@dataclass(frozen=True)
class ThresholdLinear(NeuronModel):
    """Rate unit: ``tau dr/dt = -r + [bias + i + drive]_+``; its synapses transmit ``r``.

    ``drive`` is its receptor: the sum of weights times what the sources transmit (spikes count as 1). Held over a tick,
    the input is integrated exactly. It is the unit of ring attractors and of insect circuits with graded neurons.

    Parameters
    ----------
    tau : float
        Time constant [ms], > 0.
    bias : float
        Constant input.
    r_max : float or None
        Rate at which the nonlinearity saturates; None for none.
    """

    states: ClassVar[dict[str, float | str]] = {"r": 0.0}
    spiking: ClassVar[bool] = False

    tau: float = parameter(10.0, "ms", above=0)
    bias: float = parameter(0.0, "")
    r_max: float | None = parameter(None, "", above=0)

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the input."""
        return (("drive", Delta()),)

    def coefficients(self, dt: float) -> Coefficients:
        """Return the part of the way that r goes in a tick."""
        return {"part": -np.expm1(-dt / np.asarray(self.tau))}

    def functions(self) -> dict[str, Source]:
        """Return the functions; the upper bound only where there is one."""
        return {**super().functions(), "update": self.update if self.r_max is None else self.saturating}

    @staticmethod
    def update(r: Real, i: Real, drive: Real, bias: Real, part: Real) -> Real:
        """Relax towards the rectified input; a rate far below any other is silence, which costs nothing to transmit."""
        r = r + part * (maximum(bias + i + drive, 0.0) - r)
        r = where(r > 1e-30, r, 0.0)
        return r

    @staticmethod
    def saturating(r: Real, i: Real, drive: Real, bias: Real, part: Real, r_max: Real) -> Real:
        """Relax towards the rectified and bounded input."""
        r = r + part * (minimum(maximum(bias + i + drive, 0.0), r_max) - r)
        r = where(r > 1e-30, r, 0.0)
        return r

    @staticmethod
    def output(r: Real) -> Real:
        """Transmit the rate."""
        return r


@dataclass(frozen=True)
class LeakyReadout(NeuronModel):
    """Readout of discrete-time networks: ``y = keep y + bias + sum w z``, with ``keep = exp(-dt / tau)`` (Bellec 2020).

    The weights of this tick's spikes count at once and in full; the bias is per tick. (:class:`LI` is the same filter
    for continuous currents.)

    Parameters
    ----------
    tau : float
        Time constant [ms], > 0.
    bias : float
        What every tick adds [unit of y].
    """

    states: ClassVar[dict[str, float | str]] = {"y": 0.0}
    spiking: ClassVar[bool] = False

    tau: float = parameter(20.0, "ms", above=0)
    bias: float = parameter(0.0, "")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``keep``."""
        return {"keep": np.exp(-dt / np.asarray(self.tau))}

    @staticmethod
    def update(y: Real, i: Real, keep: Real, bias: Real) -> Real:
        """Decay and add the bias; what arrives now is added afterwards."""
        y = keep * y + bias + i
        return y

    @staticmethod
    def output(y: Real) -> Real:
        """Transmit the value."""
        return y
