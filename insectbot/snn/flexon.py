"""A digital neuron composed of features, in real or in fixed-point arithmetic."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from insectbot.errors import ConfigurationError
from insectbot.snn.model import Coefficients, NeuronModel, Source, parameter
from insectbot.snn.synapses import Delta

FEATURES = ("EXD", "LID", "CUB", "COBE", "COBA", "REV", "QDI", "EXI", "ADT", "SBT", "AR", "RR")
"""What a :class:`FlexonNeuron` can be composed of."""
_PORTS = ("exc", "inh")


@dataclass(frozen=True)
class FlexonNeuron(NeuronModel):
    """Digital neuron whose dynamics are a choice of features, after Flexon (Lee et al. 2018). One tick is one step.

    The feature list is the paper's; equations, order and rounding are ours, as its text was not at hand. In a tick
    every term of ``v`` sees the other states as they were before it, except for the input:

    ===== =====================================================================================================
    EXD   exponential decay: ``v -= e_m v``
    LID   linear decay: ``v -= leak``, not below 0
    QDI   quadratic initiation: ``v += e_m v (v - v_c)``
    EXI   exponential initiation: ``v += e_m delta_t exp((v - v_t) / delta_t)``
    CUB   current input: ``v += input``
    COBE  exponential synapses: ``g = (1 - e) g + input``, ``v += g``, for ports ``exc`` and ``inh``
    COBA  alpha synapses: ``y = (1 - e) y + input``, ``g = (1 - e) g + exp(1) e y``
    REV   reversal: synapses give ``g (v_rev - v)`` instead of ``g``
    ADT   spike-triggered current: ``v += w``, ``w = (1 - e_w) w``; a spike subtracts ``b`` from w
    SBT   as ADT, and ``w += a (v - v_w)`` at every tick
    AR    absolute refractory: v is kept for ``ar`` ticks after a spike
    RR    relative refractory: ``v += r``, ``r = (1 - e_r) r``; a spike adds ``q`` to r
    ===== =====================================================================================================

    Where ``v >= v_th`` it spikes and ``v = v_reset``. Analog current is added to v. Compositions: LIF = EXD CUB, LLIF =
    LID CUB, QIF = QDI CUB, EIF = EXD EXI CUB, AdEx = EXD EXI SBT COBE, Izhikevich = QDI SBT CUB, each with or without
    AR; IF with conductances, adaptation and relative refractoriness = EXD COBE REV ADT RR with ``v_ar`` and ``v_rr``.

    Parameters
    ----------
    features : tuple of str
        Names from the table: one of CUB, COBE and COBA, at most one of EXD, LID and QDI, at most one of ADT and SBT.
    fixed_point : int or None
        Number of fraction bits k, 1 to 24: inputs, constants and every product are rounded down to multiples of
        ``2^-k``. It needs a network of precision float64, in which this is exact, bit for bit, as long as all products
        stay below ``2^(53 - 2 k)`` (and weights, which networks keep as float32, below ``2^(24 - k)``); only EXI's
        exponential may, rarely, round otherwise on another machine. None for real numbers.
    e_m, e_exc, e_inh, e_w, e_r : float
        Decays per tick of v, of the synapses, of w and of r.
    leak : float
        Linear decay per tick.
    v_c, v_t, delta_t : float
        Critical potential of QDI; threshold and sharpness of EXI.
    v_exc, v_inh : float
        Reversal potentials of REV.
    a, v_w, b : float
        Coupling and its reference potential, and spike-triggered decrement of w.
    q : float
        What a spike adds to r.
    v_ar, v_rr : float or None
        Reversal potentials of w and r, which then act as conductances: ``v += w (v_ar - v)``. None for currents.
    ar : float
        Refractory ticks.
    v_th, v_reset : float
        Threshold and reset.
    """

    features: tuple[str, ...] = ("EXD", "CUB")
    fixed_point: int | None = None
    e_m: float = parameter(0.05, "1/step")
    leak: float = parameter(0.01, "1/step")
    v_c: float = parameter(0.5, "")
    v_t: float = parameter(0.5, "")
    delta_t: float = parameter(0.1, "", above=0)
    e_exc: float = parameter(0.2, "1/step")
    e_inh: float = parameter(0.1, "1/step")
    v_exc: float = parameter(4.0, "")
    v_inh: float = parameter(-1.0, "")
    e_w: float = parameter(0.01, "1/step")
    a: float = parameter(0.0, "1/step")
    v_w: float = parameter(0.0, "")
    b: float = parameter(0.02, "")
    v_ar: float | None = parameter(None, "")
    e_r: float = parameter(0.05, "1/step")
    q: float = parameter(-0.05, "")
    v_rr: float | None = parameter(None, "")
    ar: float = parameter(5.0, "step", at_least=0)
    v_th: float = parameter(1.0, "")
    v_reset: float = parameter(0.0, "")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "features", tuple(self.features))
        self._check()
        conductances = [f"g_{p}" for p in _PORTS if not self._has("CUB")]
        alphas = [f"y_{p}" for p in _PORTS if self._has("COBA")]
        flags = (("w", ("ADT", "SBT")), ("r", ("RR",)), ("rest", ("AR",)))
        memory = [name for name, needed in flags if self._has(*needed)]
        object.__setattr__(self, "states", dict.fromkeys(["v", *conductances, *alphas, *memory], 0.0))
        object.__setattr__(self, "double", self.fixed_point is not None)

    def _check(self) -> None:
        unknown = sorted(set(self.features) - set(FEATURES))
        if unknown:
            raise ConfigurationError(f"FlexonNeuron.features: {unknown[0]!r} is not one of {', '.join(FEATURES)}")
        if sum(f in self.features for f in ("CUB", "COBE", "COBA")) != 1:
            raise ConfigurationError(f"FlexonNeuron.features = {self.features}: must have one of CUB, COBE and COBA")
        for group in (("EXD", "LID", "QDI"), ("ADT", "SBT")):
            if sum(f in self.features for f in group) > 1:
                raise ConfigurationError(f"FlexonNeuron.features = {self.features}: at most one of {', '.join(group)}")
        if self._has("REV") and self._has("CUB"):
            raise ConfigurationError("FlexonNeuron.features: REV needs COBE or COBA")
        k = self.fixed_point
        self.require(k is None or (type(k) is int and 1 <= k <= 24), "fixed_point", "be a whole number from 1 to 24")

    def _has(self, *names: str) -> bool:
        return any(name in self.features for name in names)

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return ``input``, or ``exc`` and ``inh`` for synapses with a memory."""
        return tuple((name, Delta()) for name in (("input",) if self._has("CUB") else _PORTS))

    def coefficients(self, dt: float) -> Coefficients:
        """Return reciprocals and, in fixed point, every constant on the grid of ``2^-k``."""
        found: Coefficients = {
            "sharp": 1.0 / np.asarray(self.delta_t),
            **{f"rise_{p}": math.e * np.asarray(getattr(self, f"e_{p}")) for p in _PORTS},
        }
        if self.fixed_point is None:
            return found
        grid = 2.0**self.fixed_point
        found = {name: np.floor(np.asarray(value) * grid) / grid for name, value in {**self.values(), **found}.items()}
        return {**found, "grid": np.asarray(grid), "cell": np.asarray(1.0 / grid)}

    def functions(self) -> dict[str, Source]:
        """Return the functions, written for the chosen features."""
        lines = [*self._inputs(), f"new = {' '.join(self._terms())}"]
        if self._has("LID"):
            lines.append("new = maximum(new, 0.0)")
        if self._has("ADT", "SBT"):
            coupling = f" + {self._round('a * (v - v_w)')}" if self._has("SBT") else ""
            lines.append(f"w = w - {self._round('e_w * w')}{coupling}")
        if self._has("RR"):
            lines.append(f"r = r - {self._round('e_r * r')}")
        if self._has("AR"):
            lines += ["new = where(rest > 0.0, v, new)", "rest = maximum(rest - 1.0, 0.0)"]
        lines.append("v = new")
        update = _function("update", lines, tuple(self.states), self._arguments())
        return {**super().functions(), "update": update, "reset": self._reset()}

    def _round(self, product: str) -> str:
        """Round a product down to the grid, where there is one."""
        return product if self.fixed_point is None else f"floor(({product}) * grid) * cell"

    def _inputs(self) -> list[str]:
        if self._has("CUB"):
            return [f"x = {self._round('i + input')}"]
        lines = [f"x = {self._round('i')}"]
        for p in _PORTS:
            arrived, decay = self._round(p), self._round(f"e_{p} * g_{p}")
            if self._has("COBA"):
                lines.append(f"y_{p} = y_{p} - {self._round(f'e_{p} * y_{p}')} + {arrived}")
                arrived = self._round(f"rise_{p} * y_{p}")
            lines.append(f"g_{p} = g_{p} - {decay} + {arrived}")
        return lines

    def _terms(self) -> list[str]:
        """Return the terms of the new v, each with its sign."""
        near, terms = self._round, ["v", "+ x"]
        if not self._has("CUB"):
            terms += ["+ " + (near(f"g_{p} * (v_{p} - v)") if self._has("REV") else f"g_{p}") for p in _PORTS]
        if self._has("EXD"):
            terms.append("- " + near("e_m * v"))
        if self._has("LID"):
            terms.append("- leak")
        if self._has("QDI"):
            terms.append("+ " + near(f"e_m * ({near('v * (v - v_c)')})"))
        if self._has("EXI"):
            power = near(f"exp(minimum({near('(v - v_t) * sharp')}, 30.0))")
            scaled = near(f"delta_t * ({power})")
            terms.append("+ " + near(f"e_m * ({scaled})"))
        for name, reversal, needed in (("w", "v_ar", ("ADT", "SBT")), ("r", "v_rr", ("RR",))):
            if self._has(*needed):
                current = getattr(self, reversal) is None
                terms.append("+ " + (name if current else near(f"{name} * ({reversal} - v)")))
        return terms

    def _reset(self) -> str:
        changes = {"v": "v_reset", "w": "w - b", "r": "r + q", "rest": "ar"}
        lines = [f"{state} = {value}" for state, value in changes.items() if state in self.states]
        arguments = ["v_reset", *(a for s, a in (("w", "b"), ("r", "q"), ("rest", "ar")) if s in self.states)]
        return _function("reset", lines, tuple(s for s in changes if s in self.states), arguments)

    def _arguments(self) -> list[str]:
        return ["i", *(name for name, _ in self.default_receptors())]

    @staticmethod
    def threshold(v: Any, v_th: Any) -> Any:
        """Spike at or above v_th."""
        return v >= v_th


def _function(name: str, lines: list[str], states: tuple[str, ...], arguments: list[str]) -> str:
    """Return the source text of a function that takes the states and whatever else its lines name."""
    tree = ast.parse("\n".join(lines))
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - called - {"x", "new"}
    taken = dict.fromkeys([*states, *(a for a in arguments if a in read), *sorted(read - set(states))])
    body = "\n".join(f"    {line}" for line in [*lines, f"return {', '.join(states)}"])
    return f"def {name}({', '.join(taken)}):\n{body}\n"
