"""Plain stepper of neuron models, independent of the core: calls the model functions by their argument names.

One population, float64, one array entry per unit. The order of a tick is the documented one: currents from what was
before the tick; update (or the exact propagator of all linear states); receptors; delta arrivals; bound; clamp of
refractory units; threshold; reset.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from insectbot.snn import functions as F
from insectbot.snn.model import LinearNeuron, NeuronModel
from insectbot.snn.synapses import Receptor

KNOWN: dict[str, Any] = {name: getattr(F, name) for name in F.NAMES if hasattr(F, name)}
KNOWN |= {"min": np.minimum, "max": np.maximum, "abs": np.abs, "range": range}


class Bound:
    """A model function with the stepper's elementary functions; ``takes`` and ``returns`` are the names it uses."""

    def __init__(self, source: Any, namespace: dict[str, Any]) -> None:
        if isinstance(source, str):
            scope = dict(namespace)
            exec(source, scope)
            self.f, text = next(v for k, v in scope.items() if k not in namespace and callable(v)), source
        else:
            self.f = types.FunctionType(source.__code__, {**source.__globals__, **namespace})
            text = inspect.getsource(source)
        self.takes = tuple(inspect.signature(self.f).parameters)
        self.returns = tuple(n.strip() for n in text[text.rindex("return ") + 7 :].split("\n")[0].split(","))

    def __call__(self, *sources: Mapping[str, Any]) -> Any:
        """Call with every argument from the first mapping that has it."""
        return self.f(*(next(m[a] for m in sources if a in m) for a in self.takes))

    def changes(self, *sources: Mapping[str, Any]) -> dict[str, Any]:
        """Return name -> new value."""
        result = self(*sources)
        return dict(zip(self.returns, result if isinstance(result, tuple) else (result,), strict=True))


class NaiveModel:
    """``n`` units of a model with given receptors, and its states in absolute units."""

    def __init__(
        self,
        model: NeuronModel,
        dt: float,
        n: int = 1,
        receptors: Mapping[str, Receptor] | None = None,
        seed: int = 0,
    ) -> None:
        self.model, self.dt, self.n = model, dt, n
        self.ports = dict(receptors or model.default_receptors())
        self.values: dict[str, Any] = {**model.values(), **model.coefficients(dt), "dt": dt}
        self.values |= {f.name: v for f in fields(model) if type(v := getattr(model, f.name)) is int}
        for name, reference in model.relative.items():
            if name in self.values:
                self.values[name] = self.values[name] - model.values()[reference]
        self.y = {}
        for name, start in model.states.items():
            value = self.values[start] if isinstance(start, str) else start
            if isinstance(start, str) and name in model.relative and start not in model.relative:
                value = value - model.values()[model.relative[name]]
            self.y[name] = np.broadcast_to(np.asarray(value, float), n).copy()
        self.g = {p: {s: np.zeros(n) for s in r.states} for p, r in self.ports.items()}
        self.refractory = np.rint(np.broadcast_to(self.values.get("t_ref", 0.0) / dt, n)).astype(int)
        self.ref = np.zeros(n, int)
        rng = np.random.default_rng(seed)
        namespace = {**KNOWN, "uniform": lambda: rng.random(n), "normal": lambda: rng.standard_normal(n)}
        self.functions = {role: Bound(f, namespace) for role, f in model.functions().items()}
        self.own = {p: self._own(r) for p, r in self.ports.items()}
        self.synapses = {
            p: {role: Bound(f, namespace) for role, f in r.functions().items()} for p, r in self.ports.items()
        }
        self.linear = isinstance(model, LinearNeuron) and all(
            r.linear() is not None for r in self.ports.values() if r.states
        )

    def _own(self, r: Receptor) -> dict[str, Any]:
        """Parameters and coefficients of a receptor, reversals measured as its target state is."""
        own = {**r.values(), **r.coefficients(self.dt), "dt": self.dt}
        reference = self.model.relative.get(r.into or next(iter(self.model.states)))
        if reference and "e_rev" in own:
            own["e_rev"] = own["e_rev"] - self.model.values()[reference]
        return own

    def __getitem__(self, name: str) -> np.ndarray:
        """A state, from its own zero (not from its reference)."""
        reference = self.model.relative.get(name)
        return self.y[name] + (self.model.values()[reference] if reference else 0.0)

    def step(self, i: Any = 0.0, into: str | None = None, **arrivals: Any) -> np.ndarray:
        """Advance one tick; ``arrivals`` are summed weights by port ("main" for a port named ""). Return who spiked."""
        first = next(iter(self.model.states))
        arrived = {p: np.broadcast_to(np.asarray(arrivals.get(p or "main", 0.0), float), self.n) for p in self.ports}
        current = {into or first: np.broadcast_to(np.asarray(i, float), self.n)}
        old = dict(self.y)
        if self.linear:
            self._propagate(current, arrived)
        else:
            self._update(current.get(first, 0.0), arrived, old, first)
        taken = self._taken()
        for p, r in self.ports.items():
            if not r.states and p not in taken:
                self.y[r.into or first] = self.y[r.into or first] + arrived[p]
        if "bound" in self.functions:
            self._change("bound", self.y)
        for name in self.model.held:
            if name in self.y:
                self.y[name] = np.where(self.ref > 0, old[name], self.y[name])
        free, self.ref = self.ref == 0, np.maximum(self.ref - 1, 0)
        return self._spikes(old, free)

    def _taken(self) -> tuple[str, ...]:
        return () if self.linear else self.functions["update"].takes

    def _change(self, role: str, *given: Mapping[str, Any], where: Any = None) -> None:
        for name, value in self.functions[role].changes(*given, self.values).items():
            self.y[name] = value if where is None else np.where(where, value, self.y[name])

    def _spikes(self, old: Mapping[str, Any], free: np.ndarray) -> np.ndarray:
        if not self.model.spiking:
            return np.zeros(self.n, bool)
        before = {f"old_{k}": v for k, v in old.items()}
        spiked = np.broadcast_to(self.functions["threshold"](self.y, before, self.values), self.n) & free
        if spiked.any():
            self._change("reset", self.y, where=spiked)
            self.ref = np.where(spiked, self.refractory, self.ref)
        return spiked

    def _update(self, i: Any, arrived: Mapping[str, Any], old: Mapping[str, Any], first: str) -> None:
        taken, named, g_sum, g_rev = self._taken(), {}, np.zeros(self.n), np.zeros(self.n)
        for p, r in self.ports.items():
            if not r.states:
                named[p] = arrived[p]
                continue
            state = {**self.g[p], "v": old[r.into or first], "arrived": arrived[p]}
            if "g_sum" in taken and r.reversal is not None and p not in taken:
                g_sum, g_rev = g_sum + state["g"], g_rev + state["g"] * self.own[p]["e_rev"]
            else:
                named[p] = self.synapses[p]["current"](state, self.own[p])
                i = i + (0.0 if p in taken else named[p])
            self.g[p] |= self.synapses[p]["update"].changes(state, self.own[p])
        self._change("update", named, old, {"i": i, "g_sum": g_sum, "g_rev": g_rev})

    def _propagate(self, current: Mapping[str, Any], arrived: Mapping[str, Any]) -> None:
        """Apply the exponential of the joint system, one unit at a time, with held currents as constant states."""
        names = [*self.y, *((p, s) for p in self.g for s in self.g[p]), "one"]
        for u in range(self.n):
            start = [self.y[k][u] if isinstance(k, str) else self.g[k[0]][k[1]][u] for k in names[:-1]]
            end = expm(self._matrix(names, current, u) * self.dt) @ np.array([*start, 1.0])
            for k, value in zip(names[:-1], end, strict=False):
                store = self.y if isinstance(k, str) else self.g[k[0]]
                key = k if isinstance(k, str) else k[1]
                store[key] = store[key].copy()
                store[key][u] = value
        for p, r in self.ports.items():
            for s, weight in (r.linear() or ({}, {}, {}))[2].items() if r.states else ():
                self.g[p][s] = self.g[p][s] + weight * arrived[p]

    def _matrix(self, names: list[Any], current: Mapping[str, Any], u: int) -> np.ndarray:
        def one(value: Any) -> float:
            return float(np.broadcast_to(value, self.n)[u])

        first, a = next(iter(self.model.states)), np.zeros((len(names), len(names)))
        system = self.model.system()
        gain = {to: one(v) for (to, by), v in system.items() if by == "i"}
        for (to, by), value in system.items():
            if by != "i":
                a[names.index(to), names.index(by)] = one(value)
        for to, value in current.items():
            a[names.index(to), -1] += gain.get(to, 1.0) * one(value)
        for p, r in self.ports.items():
            if r.states:
                entries, makes, _ = r.linear()
                for (to, by), value in entries.items():
                    a[names.index((p, to)), names.index((p, by))] += one(value)
                for s, weight in makes.items():
                    to = r.into or first
                    a[names.index(to), names.index((p, s))] += gain.get(to, 1.0) * one(weight)
        return a


_CACHE: dict[bytes, np.ndarray] = {}


def expm(a: np.ndarray) -> np.ndarray:
    """The matrix exponential: Taylor series of a / 2^k, squared k times."""
    key = a.tobytes()
    if key not in _CACHE:
        k = max(0, int(np.ceil(np.log2(max(np.abs(a).sum(1).max(), 1e-300)))) + 3)
        x, out = a / 2.0**k, np.eye(len(a))
        term = out
        for n in range(1, 20):
            term = term @ x / n
            out = out + term
        for _ in range(k):
            out = out @ out
        _CACHE[key] = out
    return _CACHE[key]


def run(model: NaiveModel, n_ticks: int, i: Any = 0.0, **arrivals: Any) -> list[int]:
    """Ticks at which unit 0 spikes; ``i`` and arrivals may be functions of the tick."""

    def at(value: Any, k: int) -> Any:
        return value(k) if callable(value) else value

    return [k for k in range(n_ticks) if model.step(at(i, k), **{p: at(v, k) for p, v in arrivals.items()})[0]]
