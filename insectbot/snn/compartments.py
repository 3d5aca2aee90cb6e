"""Neurons with dendrites: coupled passive compartments, stepped exactly, and a spike at the soma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from insectbot.errors import ConfigurationError
from insectbot.snn.model import LinearNeuron, Real, Value, parameter
from insectbot.snn.synapses import Delta


@dataclass(frozen=True)
class TwoCompartment(LinearNeuron):
    """Soma and dendrite: ``c_s dv/dt = -g_s (v - v_rest) + g_c (v_d - v) + i``, and alike for the dendrite ``v_d``.

    Spikes are tested and reset at the soma. Receptors and analog currents go where their receptor's ``into`` says:
    ``"v"`` or ``"v_d"``; without receptors of the population there are the delta ports ``"soma"`` and ``"dendrite"``.

    Parameters
    ----------
    c_s, c_d : float
        Capacitances [pF], > 0.
    g_s, g_d : float
        Leak conductances [nS], > 0.
    g_c : float
        Coupling conductance [nS], >= 0. A steady voltage is attenuated by ``g_c / (g_s + g_c)`` from dendrite to soma.
    v_rest, v_th, v_reset : float
        Resting, threshold and reset potential [mV].
    t_ref : float
        Refractory time [ms], a whole number of steps. The soma is clamped, the dendrite evolves.
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "v_d": 0.0}
    relative: ClassVar[dict[str, str]] = dict.fromkeys(("v", "v_d", "v_th", "v_reset"), "v_rest")

    c_s: float = parameter(100.0, "pF", above=0)
    c_d: float = parameter(200.0, "pF", above=0)
    g_s: float = parameter(10.0, "nS", above=0)
    g_d: float = parameter(15.0, "nS", above=0)
    g_c: float = parameter(8.0, "nS", at_least=0)
    v_rest: float = parameter(-70.0, "mV")
    v_th: float = parameter(-50.0, "mV")
    v_reset: float = parameter(-65.0, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset, self.v_th), "v_reset", f"lie below v_th = {self.v_th}")

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return a delta port per compartment."""
        return (("soma", Delta()), ("dendrite", Delta(into="v_d")))

    def system(self) -> dict[tuple[str, str], Value]:
        """Return leaks, coupling, and the gains of current [1/ms]."""
        p = {name: np.asarray(getattr(self, name)) for name in ("c_s", "c_d", "g_s", "g_d", "g_c")}
        return {
            ("v", "v"): -(p["g_s"] + p["g_c"]) / p["c_s"],
            ("v", "v_d"): p["g_c"] / p["c_s"],
            ("v_d", "v"): p["g_c"] / p["c_d"],
            ("v_d", "v_d"): -(p["g_d"] + p["g_c"]) / p["c_d"],
            ("v", "i"): 1.0 / p["c_s"],
            ("v_d", "i"): 1.0 / p["c_d"],
        }

    @staticmethod
    def threshold(v: Real, v_th: Real) -> Real:
        """Spike at or above v_th at the soma."""
        return v >= v_th

    @staticmethod
    def reset(v_reset: Real) -> Real:
        """Return the soma to v_reset."""
        v = v_reset
        return v


@dataclass(frozen=True)
class Dendrite(LinearNeuron):
    """Cable or tree of passive compartments, the first of which is the soma (Rall 1959, in compartments).

    ``size_k tau_m dv_k/dt = -size_k (v_k - v_rest) + coupling sum_j (v_j - v_k) + i_k`` over the neighbours j of k.
    States are ``v`` (soma), ``v1``, ``v2``, ...; without receptors of the population there is a delta port for each:
    ``"soma"``, ``"d1"``, ``"d2"``, ... Spikes are tested and reset at the soma.

    Parameters
    ----------
    n : int
        Number of compartments, 2 to 32. Every state is a sum over all others, so the work of a tick and the time to
        compile grow with ``n^2``.
    parents : tuple of int or None
        Compartment towards the soma of compartments 1, 2, ...: each smaller than its own number. None for a chain.
    sizes : tuple of float or None
        Membrane area of the compartments in units in which a current of 1 moves v by 1; None for all 1.
    tau_m : float
        Membrane time constant [ms], > 0.
    coupling : float
        Axial conductance between neighbours in units of the leak of an area of 1, >= 0. A cable of ``length`` space
        constants has ``(segments / length)^2``; see :meth:`cable`.
    v_rest, v_th, v_reset : float
        Resting, threshold and reset potential [mV].
    t_ref : float
        Refractory time [ms], a whole number of steps. The soma is clamped, the rest evolves.
    """

    n: int = 10
    parents: tuple[int, ...] | None = None
    sizes: tuple[float, ...] | None = None
    tau_m: float = parameter(20.0, "ms", above=0)
    coupling: float = parameter(100.0, "", at_least=0)
    v_rest: float = parameter(0.0, "mV")
    v_th: float = parameter(1.0, "mV")
    v_reset: float = parameter(0.0, "mV")
    t_ref: float = parameter(0.0, "ms", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.less(self.v_reset, self.v_th), "v_reset", f"lie below v_th = {self.v_th}")
        self.require(type(self.n) is int and 2 <= self.n <= 32, "n", "be a whole number from 2 to 32")
        for name, length in (("parents", self.n - 1), ("sizes", self.n)):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(given))
                self.require(len(given) == length, name, f"have {length} entries for {self.n} compartments")
        if self.parents is not None and any(not 0 <= p <= k for k, p in enumerate(self.parents)):
            raise ConfigurationError(f"Dendrite.parents = {self.parents}: each must be a smaller number than its own")
        self.require(self.sizes is None or min(self.sizes) > 0, "sizes", "be above 0")
        names = ["v", *(f"v{k}" for k in range(1, self.n))]
        object.__setattr__(self, "states", dict.fromkeys(names, 0.0))
        object.__setattr__(self, "relative", dict.fromkeys([*names, "v_th", "v_reset"], "v_rest"))

    @classmethod
    def cable(cls, segments: int, length: float, **parameters: Any) -> Dendrite:
        """Return an unbranched cable with sealed ends, ``length`` space constants long.

        It has ``segments + 1`` compartments at equal distances, the outermost of half the area because they lie at the
        ends; a steady voltage at one end is attenuated at the other by ``1 / cosh(length)``, up to the square of the
        distance.
        """
        sizes = (0.5, *(1.0,) * (segments - 1), 0.5)
        return cls(n=segments + 1, sizes=sizes, coupling=(segments / length) ** 2, **parameters)

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return a delta port per compartment."""
        return (("soma", Delta()), *((f"d{k}", Delta(into=f"v{k}")) for k in range(1, self.n)))

    def system(self) -> dict[tuple[str, str], Value]:
        """Return leaks, couplings and gains of current [1/ms]."""
        names, rate = list(self.states), 1.0 / np.asarray(self.tau_m)
        axial = np.asarray(self.coupling) * rate
        sizes = self.sizes or (1.0,) * self.n
        parents = self.parents or tuple(range(self.n - 1))
        out: dict[tuple[str, str], Value] = {(name, name): -rate for name in names}
        for child, parent in enumerate(parents, start=1):
            for to, by in ((child, parent), (parent, child)):
                out[names[to], names[by]] = axial / sizes[to]
                out[names[to], names[to]] = out[names[to], names[to]] - axial / sizes[to]
        return out | {(name, "i"): rate / size for name, size in zip(names, sizes, strict=True)}

    @staticmethod
    def threshold(v: Real, v_th: Real) -> Real:
        """Spike at or above v_th at the soma."""
        return v >= v_th

    @staticmethod
    def reset(v_reset: Real) -> Real:
        """Return the soma to v_reset."""
        v = v_reset
        return v
