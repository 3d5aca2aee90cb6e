"""Izhikevich's simple models of 2003/2004 and 2007."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from insectbot.errors import ConfigurationError
from insectbot.snn.functions import minimum
from insectbot.snn.model import Coefficients, Real, Source, parameter
from insectbot.snn.schemes import OdeNeuron

_CLASSES = {
    "RS": (0.02, 0.2, -65.0, 8.0),
    "IB": (0.02, 0.2, -55.0, 4.0),
    "CH": (0.02, 0.2, -50.0, 2.0),
    "FS": (0.1, 0.2, -65.0, 2.0),
    "LTS": (0.02, 0.25, -65.0, 2.0),
    "TC": (0.02, 0.25, -65.0, 0.05),
    "RZ": (0.1, 0.26, -65.0, 2.0),
}


@dataclass(frozen=True)
class Izhikevich(OdeNeuron):
    """Izhikevich neuron (Izhikevich 2003, 2004).

    ``dv/dt = p2 v^2 + p1 v + p0 - u + i``, ``du/dt = a (b (v - v_u) - leak u)``; at ``v_peak`` a spike, then ``v = c``
    and ``u`` grows by ``d``. Spike counts depend on the numerical scheme, so the published ones are offered.

    Parameters
    ----------
    a, b : float
        Rate [1/ms] and sensitivity of the recovery variable.
    c, d : float
        Potential after a spike [mV], and what a spike adds to u.
    p2, p1, p0 : float
        Coefficients of the parabola; the class 1 and integrator cells of 2004 use 0.04, 4.1, 108.
    v_u, leak : float
        Variant of the recovery equation; the accommodating cell of 2004 uses -65 and 0.
    v_peak : float
        Where a spike is emitted [mV].
    v_init : float
        Potential at the start [mV].
    u_init : float or None
        Recovery at the start; None for ``b v_init``.
    scheme : {"izhikevich2003", "network2003", "euler", "heun", "rk4"}
        ``"izhikevich2003"`` is that of the author's figures: an Euler step of v, then one of u with the new v;
        ``"network2003"`` that of the 2003 network: two half steps of v, then u with the new v. The others are
        consistent schemes of :class:`~insectbot.snn.schemes.OdeNeuron`.
    substeps : int
        Equal steps per tick.
    """

    schemes: ClassVar[tuple[str, ...]] = ("izhikevich2003", "network2003", "euler", "heun", "rk4")
    states: ClassVar[dict[str, float | str]] = {"v": "v_init", "u": "u_start"}
    ceiling: ClassVar[dict[str, str]] = {"v": "v_peak"}

    a: float = parameter(0.02, "1/ms")
    b: float = parameter(0.2, "")
    c: float = parameter(-65.0, "mV")
    d: float = parameter(8.0, "")
    p2: float = parameter(0.04, "1/(mV ms)")
    p1: float = parameter(5.0, "1/ms")
    p0: float = parameter(140.0, "mV/ms")
    v_u: float = parameter(0.0, "mV")
    leak: float = parameter(1.0, "")
    v_peak: float = parameter(30.0, "mV")
    v_init: float = parameter(-65.0, "mV")
    u_init: float | None = parameter(None, "")
    scheme: str = field(default="izhikevich2003", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.c, self.v_peak), "c", f"lie below v_peak = {self.v_peak}")

    @classmethod
    def of_class(cls, name: str, **options: Any) -> Izhikevich:
        """Return one of the paper's cells: RS, IB, CH, FS, LTS, TC or RZ.

        Raises
        ------
        ConfigurationError
            If there is no class of that name.
        """
        if name not in _CLASSES:
            raise ConfigurationError(f"Izhikevich: there is no class {name!r}, only {', '.join(_CLASSES)}")
        a, b, c, d = _CLASSES[name]
        return cls(a=a, b=b, c=c, d=d, **options)

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step`` and the initial recovery."""
        start = np.asarray(self.b) * np.asarray(self.v_init) if self.u_init is None else np.asarray(self.u_init)
        return {**super().coefficients(dt), "u_start": start}

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the update of the chosen scheme."""
        own: dict[str, Source] = {"izhikevich2003": self.v_then_u, "network2003": self.halves_then_u}
        found = super().functions()
        return {**found, "update": own.get(self.scheme) or found["update"]}

    @staticmethod
    def slopes(
        v: Real, u: Real, i: Real, a: Real, b: Real, p2: Real, p1: Real, p0: Real, v_u: Real, leak: Real
    ) -> tuple[Real, Real]:
        """Return dv/dt and du/dt."""
        return p2 * v * v + p1 * v + p0 - u + i, a * (b * (v - v_u) - leak * u)

    @staticmethod
    def v_then_u(
        v: Real,
        u: Real,
        i: Real,
        a: Real,
        b: Real,
        p2: Real,
        p1: Real,
        p0: Real,
        v_u: Real,
        leak: Real,
        step: Real,
        v_peak: Real,
        substeps: int,
    ) -> tuple[Real, Real]:
        """Take an Euler step of v, then one of u that already sees the new v, even beyond the peak."""
        for _ in range(substeps):
            v = minimum(v, v_peak)
            v = v + step * (p2 * v * v + p1 * v + p0 - u + i)
            u = u + step * a * (b * (v - v_u) - leak * u)
        return v, u

    @staticmethod
    def halves_then_u(
        v: Real,
        u: Real,
        i: Real,
        a: Real,
        b: Real,
        p2: Real,
        p1: Real,
        p0: Real,
        v_u: Real,
        leak: Real,
        step: Real,
        v_peak: Real,
        substeps: int,
    ) -> tuple[Real, Real]:
        """Take two half steps of v, then one of u that already sees the new v."""
        for _ in range(substeps):
            v = minimum(v, v_peak)
            v = v + 0.5 * step * (p2 * v * v + p1 * v + p0 - u + i)
            v = v + 0.5 * step * (p2 * v * v + p1 * v + p0 - u + i)
            u = u + step * a * (b * (v - v_u) - leak * u)
        return v, u

    @staticmethod
    def threshold(v: Real, v_peak: Real) -> Real:
        """Spike at v_peak."""
        return v >= v_peak

    @staticmethod
    def reset(u: Real, c: Real, d: Real) -> tuple[Real, Real]:
        """Return to c, and let u recover."""
        v = c
        u = u + d
        return v, u


@dataclass(frozen=True)
class Izhikevich2007(OdeNeuron):
    """Izhikevich neuron in physical units (Izhikevich 2007, chapter 8).

    ``c_m dv/dt = k (v - v_rest)(v - v_t) - u + i``, ``du/dt = a (b (v - v_rest) - u)``; at ``v_peak`` a spike, then
    ``v = c`` and ``u`` grows by ``d``. The defaults are the regular spiking cell of the book.

    Parameters
    ----------
    c_m : float
        Capacitance [pF], > 0.
    k : float
        Curvature [nS/mV], > 0.
    v_rest, v_t, v_peak : float
        Resting, instantaneous threshold and peak potential [mV].
    a, b : float
        Rate [1/ms] and sensitivity [nS] of the recovery current.
    c, d : float
        Potential after a spike [mV], and what a spike adds to u [pA].
    scheme, substeps
        See :class:`~insectbot.snn.schemes.OdeNeuron`.
    """

    states: ClassVar[dict[str, float | str]] = {"v": "v_rest", "u": 0.0}
    ceiling: ClassVar[dict[str, str]] = {"v": "v_peak"}

    c_m: float = parameter(100.0, "pF", above=0)
    k: float = parameter(0.7, "nS/mV", above=0)
    v_rest: float = parameter(-60.0, "mV")
    v_t: float = parameter(-40.0, "mV")
    v_peak: float = parameter(35.0, "mV")
    a: float = parameter(0.03, "1/ms")
    b: float = parameter(-2.0, "nS")
    c: float = parameter(-50.0, "mV")
    d: float = parameter(100.0, "pA")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.c, self.v_peak), "c", f"lie below v_peak = {self.v_peak}")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step`` and ``1 / c_m``."""
        return {**super().coefficients(dt), "per_c": 1.0 / np.asarray(self.c_m)}

    @staticmethod
    def slopes(
        v: Real, u: Real, i: Real, per_c: Real, k: Real, v_rest: Real, v_t: Real, a: Real, b: Real
    ) -> tuple[Real, Real]:
        """Return dv/dt and du/dt."""
        return per_c * (k * (v - v_rest) * (v - v_t) - u + i), a * (b * (v - v_rest) - u)

    @staticmethod
    def threshold(v: Real, v_peak: Real) -> Real:
        """Spike at v_peak."""
        return v >= v_peak

    @staticmethod
    def reset(u: Real, c: Real, d: Real) -> tuple[Real, Real]:
        """Return to c, and let u recover."""
        v = c
        u = u + d
        return v, u
