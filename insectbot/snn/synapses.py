"""Synapse models as data: what an arriving spike does to its target (receptors), and what a spike releases."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from insectbot.snn.functions import exp
from insectbot.snn.model import Coefficients, Model, Real, Source, Value, parameter

Linear = tuple[dict[tuple[str, str], Value], dict[str, Value], dict[str, Value]]
"""Entries of A in ``y' = A y``, the weights that make the current of ``y``, and what an arriving weight adds to
``y``."""


@dataclass(frozen=True)
class Receptor(Model):
    """Base of receptor models: one port of a population, on which arriving weights add up.

    Class attribute ``states`` names the state variables, which start at 0. The functions of a receptor are

    ``update(...)``
        One tick; takes states, ``arrived`` (the sum of the weights due now), parameters, coefficients, and returns the
        changed states.
    ``current(...)``
        The current into the neuron; takes the states before the tick, ``v`` (the neuron's first state), parameters
        and coefficients, and returns one expression.

    Parameters
    ----------
    into : str or None
        State of the neuron that takes the current of a linear model, such as a compartment; None for the first.
    """

    states: ClassVar[tuple[str, ...]] = ("g",)
    into: str | None = field(default=None, kw_only=True)

    def functions(self) -> dict[str, Source]:
        """Return role -> function: ``update`` and ``current``."""
        found: dict[str, Any] = {role: getattr(self, role, None) for role in ("update", "current")}
        return {role: f for role, f in found.items() if f is not None}

    def linear(self) -> Linear | None:
        """Return the linear system of a current receptor, or None if it is not one."""
        return None

    @property
    def reversal(self) -> Value | None:
        """Reversal potential of a conductance receptor [mV]; None for a current."""
        return self.values().get("e_rev")


@dataclass(frozen=True)
class Delta(Receptor):
    """Delta synapse: an arriving weight is added to the neuron's state at once [unit of that state]."""

    states: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Exponential(Receptor):
    """Exponential synapse: ``tau g' = -g``; an arriving weight adds ``w`` to ``g``.

    Without ``e_rev``, ``g`` is a current. With it, ``g`` is a conductance and the current is ``g (e_rev - v)``
    (LIF: ``g`` in units of the leak conductance).

    Parameters
    ----------
    tau : float
        Time constant [ms], > 0.
    e_rev : float or None
        Reversal potential [mV].
    """

    tau: float = parameter(5.0, "ms", above=0)
    e_rev: float | None = parameter(None, "mV")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``decay = exp(-dt / tau)``."""
        return {"decay": np.exp(-dt / np.asarray(self.tau))}

    def linear(self) -> Linear | None:
        """Return the system of the current form."""
        if self.e_rev is not None:
            return None
        return {("g", "g"): -1.0 / np.asarray(self.tau)}, {"g": 1.0}, {"g": 1.0}

    def functions(self) -> dict[str, Source]:
        """Return ``update`` and the current of the chosen form."""
        return {"update": self.update, "current": self.driven if self.e_rev is not None else self.direct}

    @staticmethod
    def update(g: Real, arrived: Real, decay: Real) -> Real:
        """Decay, then add what arrived."""
        g = g * decay + arrived
        return g

    @staticmethod
    def direct(g: Real) -> Real:
        """Return the current of a current synapse."""
        return g

    @staticmethod
    def driven(g: Real, v: Real, e_rev: Real) -> Real:
        """Return the current of a conductance synapse."""
        return g * (e_rev - v)


@dataclass(frozen=True)
class Alpha(Receptor):
    """Alpha synapse: ``g(t) = w (e t / tau) exp(-t / tau)``, so that a weight is the peak, reached at ``tau``.

    ``h' = -h / tau``, ``g' = h - g / tau``; an arriving weight adds ``w e / tau`` to ``h``. The peak-normalised
    convention is that of NEST's ``alpha`` models (models sheet A1).

    Parameters
    ----------
    tau : float
        Time to peak [ms], > 0.
    e_rev : float or None
        Reversal potential [mV]; None for a current.
    """

    states: ClassVar[tuple[str, ...]] = ("h", "g")
    tau: float = parameter(2.0, "ms", above=0)
    e_rev: float | None = parameter(None, "mV")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``decay = exp(-dt / tau)``, ``rise = dt exp(-dt / tau)`` and ``scale = e / tau``."""
        tau = np.asarray(self.tau)
        return {"decay": np.exp(-dt / tau), "rise": dt * np.exp(-dt / tau), "scale": math.e / tau}

    def linear(self) -> Linear | None:
        """Return the system of the current form."""
        if self.e_rev is not None:
            return None
        rate = 1.0 / np.asarray(self.tau)
        return {("h", "h"): -rate, ("g", "h"): 1.0, ("g", "g"): -rate}, {"g": 1.0}, {"h": math.e * rate}

    def functions(self) -> dict[str, Source]:
        """Return ``update`` and the current of the chosen form."""
        return {"update": self.update, "current": self.driven if self.e_rev is not None else self.direct}

    @staticmethod
    def update(h: Real, g: Real, arrived: Real, decay: Real, rise: Real, scale: Real) -> tuple[Real, Real]:
        """Propagate exactly, then add what arrived."""
        g = g * decay + h * rise
        h = h * decay + arrived * scale
        return h, g

    @staticmethod
    def direct(g: Real) -> Real:
        """Return the current of a current synapse."""
        return g

    @staticmethod
    def driven(g: Real, v: Real, e_rev: Real) -> Real:
        """Return the current of a conductance synapse."""
        return g * (e_rev - v)


@dataclass(frozen=True)
class ReleaseModel(Model):
    """Base of presynaptic (short-term) models: what part of the weight a spike releases.

    Class attribute ``states`` maps the state variables, one set per source unit, to their values before the first
    spike (a number or the name of a parameter). The one function, ``release``, runs at each spike of the source; it
    takes states, parameters, ``interval`` [ms] since the source's last spike (1e9 before the first), and returns the
    factor on the weight followed by the changed states.
    """

    states: ClassVar[dict[str, float | str]] = {}


@dataclass(frozen=True)
class TsodyksMarkram(ReleaseModel):
    """Short-term depression and facilitation (Tsodyks, Pawelzik & Markram 1998; models sheet C15).

    ``u_{n+1} = U + u_n (1 - U) exp(-h / tau_fac)``, ``x_{n+1} = 1 + (x_n - x_n u_n - 1) exp(-h / tau_rec)`` over an
    interval ``h``; a spike is delivered with ``u x`` times its weight. The first spike has ``u = U``, ``x = 1``.

    Parameters
    ----------
    u : float
        Utilisation U of a rested synapse, in (0, 1].
    tau_rec : float
        Time constant of recovery from depression [ms], > 0.
    tau_fac : float
        Time constant of facilitation [ms]; 0 for none.
    """

    states: ClassVar[dict[str, float | str]] = {"used": 0.0, "left": 1.0}
    u: float = parameter(0.5, "", above=0)
    tau_rec: float = parameter(800.0, "ms", above=0)
    tau_fac: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.asarray(self.u) <= 1, "u", "lie in (0, 1]")

    def coefficients(self, dt: float) -> Coefficients:
        """Return the rates ``1 / tau_rec`` and ``1 / tau_fac`` (a large number for no facilitation)."""
        tau_fac = np.asarray(self.tau_fac)
        return {"recovery": 1.0 / np.asarray(self.tau_rec), "decay": 1.0 / np.maximum(tau_fac, 1e-3)}

    @staticmethod
    def release(
        used: Real, left: Real, interval: Real, u: Real, recovery: Real, decay: Real
    ) -> tuple[Real, Real, Real]:
        """Recover over the interval, then release; ``left`` is kept after the release."""
        used = u + used * (1.0 - u) * exp(-interval * decay)
        left = 1.0 + (left - 1.0) * exp(-interval * recovery)
        factor = used * left
        left = left - factor
        return factor, used, left
