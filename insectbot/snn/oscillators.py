"""Reduced models of a spiking membrane whose spikes are smooth oscillations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from insectbot.snn.model import Coefficients, Real, parameter
from insectbot.snn.schemes import OdeNeuron


@dataclass(frozen=True)
class FitzHughNagumo(OdeNeuron):
    """FitzHugh-Nagumo oscillator (FitzHugh 1961; Nagumo et al. 1962), dimensionless: one unit of time is 1 ms.

    ``dv/dt = v - v^3 / 3 - w + i``, ``dw/dt = (v + a - b w) / tau``. A spike is an upward crossing of ``v_th``; nothing
    is reset. With the default constants the rest loses stability at i = 0.331281 and regains it at 1.418719.

    Parameters
    ----------
    a, b : float
        Offset and slope of the recovery line.
    tau : float
        Time constant of recovery [ms], > 0.
    v_th : float
        Level whose upward crossing is a spike.
    v_init, w_init : float
        State at the start; the defaults are the rest at i = 0.
    scheme, substeps
        See :class:`~insectbot.snn.schemes.OdeNeuron`.
    """

    states: ClassVar[dict[str, float | str]] = {"v": "v_init", "w": "w_init"}

    a: float = parameter(0.7, "")
    b: float = parameter(0.8, "")
    tau: float = parameter(12.5, "ms", above=0)
    v_th: float = parameter(0.0, "")
    v_init: float = parameter(-1.19940803, "")
    w_init: float = parameter(-0.62426004, "")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step`` and ``1 / tau``."""
        return {**super().coefficients(dt), "rate": 1.0 / np.asarray(self.tau)}

    @staticmethod
    def slopes(v: Real, w: Real, i: Real, a: Real, b: Real, rate: Real) -> tuple[Real, Real]:
        """Return dv/dt and dw/dt."""
        return v - v * v * v / 3.0 - w + i, rate * (v + a - b * w)

    @staticmethod
    def threshold(v: Real, old_v: Real, v_th: Real) -> Real:
        """Spike where v crosses v_th upwards."""
        return (v >= v_th) & (old_v < v_th)

    @staticmethod
    def reset(v: Real) -> Real:
        """Change nothing: the spike ends by itself."""
        return v


@dataclass(frozen=True)
class HindmarshRose(OdeNeuron):
    """Hindmarsh-Rose bursting neuron (Hindmarsh & Rose 1984), dimensionless: one unit of time is 1 ms.

    ``dx/dt = y - a x^3 + b x^2 - z + i``, ``dy/dt = c - d x^2 - y``, ``dz/dt = r (s (x - x_1) - z)``. A spike is an
    upward crossing of ``x_th``; nothing is reset. At r = 0.006 it is tonic (i = 1.5), bursts (2.5), is chaotic (3.25)
    and tonic again (4).

    Parameters
    ----------
    a, b, c, d : float
        Shape of the fast subsystem.
    r : float
        Rate of the slow current [1/ms], > 0.
    s, x_1 : float
        Gain and reference of the slow current.
    x_th : float
        Level whose upward crossing is a spike.
    scheme, substeps
        See :class:`~insectbot.snn.schemes.OdeNeuron`.
    """

    states: ClassVar[dict[str, float | str]] = {"x": "x_1", "y": "y_start", "z": 0.0}

    a: float = parameter(1.0, "")
    b: float = parameter(3.0, "")
    c: float = parameter(1.0, "")
    d: float = parameter(5.0, "")
    r: float = parameter(0.006, "1/ms", above=0)
    s: float = parameter(4.0, "")
    x_1: float = parameter(-1.6, "")
    x_th: float = parameter(0.0, "")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step`` and the initial y, at which dy/dt vanishes."""
        return {**super().coefficients(dt), "y_start": np.asarray(self.c) - np.asarray(self.d) * np.square(self.x_1)}

    @staticmethod
    def slopes(
        x: Real, y: Real, z: Real, i: Real, a: Real, b: Real, c: Real, d: Real, r: Real, s: Real, x_1: Real
    ) -> tuple[Real, Real, Real]:
        """Return dx/dt, dy/dt and dz/dt."""
        square = x * x
        return y - a * x * square + b * square - z + i, c - d * square - y, r * (s * (x - x_1) - z)

    @staticmethod
    def threshold(x: Real, old_x: Real, x_th: Real) -> Real:
        """Spike where x crosses x_th upwards."""
        return (x >= x_th) & (old_x < x_th)

    @staticmethod
    def reset(x: Real) -> Real:
        """Change nothing: the spike ends by itself."""
        return x
