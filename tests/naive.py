"""Plain-Python oracle of the core: one loop per tick, one dictionary per trace, no cleverness.

Membranes use float32 in the documented order, so spikes must match exactly; weights and traces use
float64, so they match to rounding.
"""

from __future__ import annotations

import math

import numpy as np

from insectbot.core.propagator import couple
from insectbot.core.random import stream_key
from insectbot.core.structure import Structure
from insectbot.snn import (
    LIF,
    CurrentInput,
    Network,
    NodePerturbation,
    PairSTDP,
    PoissonInput,
    RewardSTDP,
    TsodyksMarkram,
)

F = np.float32
MASK = (1 << 64) - 1


def squares32(counter: int, key: int) -> int:
    """Squares (Widynski 2020) in Python integers."""
    x = y = counter * key & MASK
    z = (y + key) & MASK
    for add in (y, z, y):
        x = (x * x + add) & MASK
        x = (x >> 32) | (x << 32) & MASK
    return ((x * x + z) & MASK) >> 32


def draw(key: int, tick: int, unit: int) -> int:
    return squares32((tick << 24) | unit, key)


def normal(key: int, tick: int, unit: int) -> float:
    u = (draw(key, tick, 2 * unit) + 0.5) / 2**32
    v = (draw(key, tick, 2 * unit + 1) + 0.5) / 2**32
    return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)


class Release:
    """What the spikes of one source release by Tsodyks & Markram's jump ODE, ``model = None``: all of the weight.

    ``u' = -u / tau_fac``, ``x' = (1 - x) / tau_rec``; a spike moves ``u`` by ``U (1 - u)``, then releases ``u x``.
    """

    def __init__(self, model: TsodyksMarkram | None) -> None:
        self.model, self.u, self.x, self.last = model, 0.0, 1.0, -math.inf

    def spike(self, now: float) -> float:
        if self.model is None:
            return 1.0
        h, self.last = now - self.last, now
        self.u *= math.exp(-h / self.model.tau_fac) if self.model.tau_fac > 0 else 0.0
        self.x = 1 - (1 - self.x) * math.exp(-h / self.model.tau_rec)
        self.u += self.model.u * (1 - self.u)
        released = self.u * self.x
        self.x -= released
        return released


class Naive:
    """Runs a network of LIF neurons tick by tick."""

    def __init__(self, network: Network, seed: int) -> None:
        self.network, self.dt, self.tick, self.learning = network, network.dt, 0, True
        self.keys = {g.name: stream_key(seed, k) for k, g in enumerate(network.inputs)}
        self.keys |= {g.name: stream_key(seed, 1000 + k) for k, g in enumerate(network.populations)}
        self.phase = {g.name: [0.0] * g.n for g in network.inputs}
        # Membranes are relative to v_rest.
        self.v = {p.name: np.zeros(p.n, F) for p in network.populations}
        self.syn = {p.name: np.zeros(p.n, F) for p in network.populations}
        self.ref = {p.name: np.zeros(p.n, int) for p in network.populations}
        self.xi = {p.name: np.zeros(p.n, F) for p in network.populations}
        self.due: dict[tuple[str, int], np.ndarray] = {}
        self.w = {p.name: p.weight.astype(float) for p in network.projections}
        self.owed = {p.name: np.zeros(p.n_synapses) for p in network.projections}
        self.release = {p.name: [Release(p.short_term) for _ in range(self._n(p.source))] for p in network.projections}
        self.e = {p.name: np.zeros(p.n_synapses) for p in network.projections}
        self.q = {p.name: np.zeros(p.n_synapses) for p in network.projections}
        self.x = {p.name: np.zeros(self._n(p.source)) for p in network.projections}
        self.y = {p.name: np.zeros(self._n(p.target)) for p in network.projections}

    def _n(self, name: str) -> int:
        return next(g.n for g in self.network.groups if g.name == name)

    def run(self, drive, n_ticks, modulators=None):
        """Return the spikes (tick, unit) of a window."""
        drive = np.asarray(drive, F)
        if modulators is not None and self.learning:
            self._pulse(modulators)
        spikes = []
        for _ in range(n_ticks):
            spikes += self._tick(drive)
            self.tick += 1
        return spikes

    def _pulse(self, modulators) -> None:
        for p in self.network.plastic():
            rule = p.plasticity
            if isinstance(rule, PairSTDP):
                continue
            change = rule.learning_rate * modulators[rule.modulator] * self.e[p.name]
            tie = getattr(rule, "tie", None)
            if tie is not None:
                tie = np.array(tie)
                change = np.array([change[tie == g].mean() for g in tie])
            self.w[p.name] = np.clip(self.w[p.name] + change, rule.w_min, rule.w_max)

    def _tick(self, drive):
        fired, unit, out = {}, 0, []
        for g in self.network.inputs:
            fired[g.name] = self._emit(g, drive[unit : unit + g.n])
            out += [(self.tick, unit + i) for i in fired[g.name]]
            unit += g.n
        if self.learning:
            self._decay()
        for p in self.network.populations:
            fired[p.name] = self._integrate(p, drive)
            out += [(self.tick, unit + i) for i in fired[p.name]]
            unit += p.n
        for k in Structure.of(self.network).walk_order:
            self._deliver(self.network.projections[k], fired)
        for p in self.network.plastic():
            self._post(p, fired)
        return out

    def _emit(self, g, drive):
        if isinstance(g.source, CurrentInput):
            return []
        x = np.clip(drive, F(0), F(1)).astype(float)
        rate = float(F(g.source.rate * self.dt / 1000))
        if isinstance(g.source, PoissonInput):
            limit = [int(-math.expm1(-d * rate) * 2**32) for d in x]
            return [i for i in range(g.n) if draw(self.keys[g.name], self.tick, i) < limit[i]]
        fired = []
        for i in range(g.n):
            self.phase[g.name][i] += min(x[i] * rate, 1.0)
            if self.phase[g.name][i] >= 1 - 1e-6:
                self.phase[g.name][i] -= 1
                fired.append(i)
        return fired

    def _decay(self) -> None:
        for p in self.network.plastic():
            rule = p.plasticity
            if isinstance(rule, NodePerturbation):
                continue
            self.x[p.name] *= math.exp(-self.dt / rule.tau_plus)
            self.y[p.name] *= math.exp(-self.dt / rule.tau_minus)
            if isinstance(rule, RewardSTDP):
                self.e[p.name] *= math.exp(-self.dt / rule.tau_e)

    def _add(self, p, drive):
        m = p.model
        add = np.zeros(p.n, F)
        unit = {}
        for g in self.network.inputs:
            unit[g.name] = sum(i.n for i in self.network.inputs[: self.network.inputs.index(g)])
        for s in self.network.projections:
            source = next(g for g in self.network.groups if g.name == s.source)
            if s.target == p.name and isinstance(getattr(source, "source", None), CurrentInput):
                for j, i, w in zip(s.pre, s.post, s.weight, strict=True):
                    x = drive[unit[s.source] + j] * F(source.source.gain) * F(-math.expm1(-self.dt / m.tau_m))
                    add[i] += w * x
        return add + self.xi[p.name] if self.learning and p.exploration else add

    def _explore(self, p) -> None:
        noise = p.exploration
        if noise is None or not self.learning or self.tick % round(noise.period / self.dt):
            return
        for i in range(p.n):
            innovation = float(F(noise.sigma)) * normal(self.keys[p.name], self.tick, i)
            self.xi[p.name][i] = F(float(F(noise.decay) * self.xi[p.name][i]) + innovation)
        for s in self.network.plastic():
            if s.target == p.name and isinstance(s.plasticity, NodePerturbation):
                others = (self.xi[p.name].sum(dtype=float) - self.xi[p.name]) / (p.n - 1)
                q = (self.xi[p.name] - others) / (noise.sigma * s.plasticity.spikes_per_unit)
                self.q[s.name] = q[s.post]
                self.e[s.name] *= s.plasticity.decay

    def _integrate(self, p, drive):
        self._explore(p)
        m: LIF = p.model
        arrived = self.due.pop((p.name, self.tick), np.zeros(p.n, F))
        v = self.v[p.name] * F(math.exp(-self.dt / m.tau_m)) + self._add(p, drive)
        if m.tau_syn > 0:
            v = v + self.syn[p.name] * F(couple(m.tau_m, m.tau_syn, self.dt))
            self.syn[p.name] = self.syn[p.name] * F(math.exp(-self.dt / m.tau_syn)) + arrived
        else:
            v = v + arrived
        v = v if m.v_min is None else np.maximum(v, F(m.v_min - m.v_rest))
        held = self.ref[p.name] > 0
        v[held] = F(m.v_reset - m.v_rest)
        self.ref[p.name] = np.maximum(self.ref[p.name] - 1, 0)
        fired = np.flatnonzero(v >= F(m.v_th - m.v_rest))
        v[fired] = F(m.v_reset - m.v_rest)
        self.ref[p.name][fired] = round(m.t_ref / self.dt)
        self.v[p.name] = v
        return fired.tolist()

    def _deliver(self, p, fired) -> None:
        rule, n = p.plasticity, self._n(p.target)
        for j in fired[p.source]:
            released = self.release[p.name][j].spike(self.tick * self.dt)
            for k in np.flatnonzero(p.pre == j):
                i = p.post[k]
                if self.learning and isinstance(rule, PairSTDP):
                    w = min(self.w[p.name][k] + self.owed[p.name][k], rule.w_max)
                    self.owed[p.name][k] = 0
                    room = ((w - rule.w_min) / (rule.w_max - rule.w_min)) ** rule.mu_minus
                    self.w[p.name][k] = max(w - rule.a_minus * room * self.y[p.name][i], rule.w_min)
                elif self.learning and isinstance(rule, RewardSTDP):
                    self.e[p.name][k] -= rule.a_minus * self.y[p.name][i]
                elif self.learning and isinstance(rule, NodePerturbation):
                    self.e[p.name][k] += self.q[p.name][k]
                slot = self.due.setdefault((p.target, self.tick + round(p.delay[k] / self.dt)), np.zeros(n, F))
                slot[i] += F(self.w[p.name][k]) * F(released)
            if self.learning:
                self.x[p.name][j] = 1 if _nearest(rule) else self.x[p.name][j] + 1

    def _post(self, p, fired) -> None:
        rule = p.plasticity
        if not self.learning or isinstance(rule, NodePerturbation):
            return
        for i in fired[p.target]:
            k = p.post == i
            change = rule.a_plus * self.x[p.name][p.pre[k]]
            if isinstance(rule, PairSTDP) and not (rule.weighting or rule.nearest):
                self.owed[p.name][k] += change
            elif isinstance(rule, PairSTDP):
                w = self.w[p.name][k]
                room = ((rule.w_max - w) / (rule.w_max - rule.w_min)) ** rule.mu_plus
                self.w[p.name][k] = np.minimum(w + room * change, rule.w_max)
            else:
                self.e[p.name][k] += change
        y = self.y[p.name]
        y[fired[p.target]] = 1 if _nearest(rule) else y[fired[p.target]] + 1

    def weights(self, name: str):
        """Weights with owed potentiation applied."""
        rule = self.network.projection(name).plasticity
        return np.minimum(self.w[name] + self.owed[name], rule.w_max if rule else np.inf)


def _nearest(rule) -> bool:
    return isinstance(rule, PairSTDP) and rule.nearest
