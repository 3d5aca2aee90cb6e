"""Event-driven oracle of LIF neurons with exact spike times: absolute time, no grid, textbook formulas, bisection.

Membranes are propagated by ``v(s) = i + (v - i) e^(-s/tau_m) + sum g tau/(tau - tau_m) (e^(-s/tau) - e^(-s/tau_m))``.
A crossing is found by looking at pieces of ``PIECE`` ms for a change of sign of v - v_th, or of v' with a peak above
the threshold, and by bisection.
"""

from __future__ import annotations

import math

import numpy as np

from insectbot.snn import CurrentInput, Network

PIECE = 0.02


def bisect(f, a, b):
    """Return a root of f between a (f <= 0) and b (f >= 0)."""
    for _ in range(80):
        middle = 0.5 * (a + b)
        a, b = (middle, b) if f(middle) < 0 else (a, middle)
    return b


class Cell:
    """One neuron; ``value`` reads a parameter of it."""

    def __init__(self, population, i, current):
        model = population.model

        def value(x):
            return float(x[i] if isinstance(x, tuple) else x)

        self.tau_m, self.rest, self.th = value(model.tau_m), value(model.v_rest), value(model.v_th)
        self.reset, self.t_ref, self.i0 = value(model.v_reset), value(model.t_ref), current
        self.tau = [value(r.tau) if r.states else 0.0 for _, r in population.ports]
        self.g = [0.0] * len(self.tau)
        self.v = value(dict(population.initial)["v"]) if population.initial else self.rest
        self.now, self.until, self.spikes = 0.0, -1.0, []

    def v_after(self, s):
        e = math.exp(-s / self.tau_m)
        v = self.rest + self.i0 + (self.v - self.rest - self.i0) * e
        for g, tau in zip(self.g, self.tau, strict=True):
            if tau:
                v += g * tau / (tau - self.tau_m) * (math.exp(-s / tau) - e)
        return v

    def slope_after(self, s):
        drive = sum(g * math.exp(-s / tau) for g, tau in zip(self.g, self.tau, strict=True) if tau)
        return self.rest + self.i0 + drive - self.v_after(s)

    def first_crossing(self, h):
        """Return when v first reaches the threshold within h, or None."""
        if self.v >= self.th:
            return 0.0
        n = max(1, math.ceil(h / PIECE))
        for k in range(n):
            a, b = h * k / n, h * (k + 1) / n
            peak = None
            if self.slope_after(a) > 0 > self.slope_after(b):
                peak = bisect(lambda s: -self.slope_after(s), a, b)
            for end in (peak, b):
                if end is not None and self.v_after(end) >= self.th:
                    return bisect(lambda s: self.v_after(s) - self.th, a, end)
        return None

    def run(self, to):
        """Move to a time and return the new spikes."""
        fired = []
        while self.now < to:
            if self.now < self.until:
                self._fade(min(self.until, to) - self.now)
                self.now = min(self.until, to)
                continue
            s = self.first_crossing(to - self.now)
            if s is None:
                self.v = self.v_after(to - self.now)
                self._fade(to - self.now)
                self.now = to
                break
            self._fade(s)
            self.now, self.v = self.now + s, self.reset
            self.until = self.now + self.t_ref if self.t_ref else -1.0
            fired.append(self.now)
        return fired

    def _fade(self, h):
        self.g = [g * math.exp(-h / tau) if tau else 0.0 for g, tau in zip(self.g, self.tau, strict=True)]

    def take(self, port, weight):
        if self.tau[port]:
            self.g[port] += weight
        elif self.now > self.until:
            self.v += weight


def solve(network: Network, given: dict[str, list[list[float]]], until: float, drive=()) -> list[tuple[float, int]]:
    """Return (time, unit) of the spikes of all populations up to a time; ``given`` are the spikes of the inputs."""
    first = {name: s.start for name, s in network.unit_slices().items()}
    cells, current = {}, {}
    for p in network.projections:
        source = next(g for g in network.groups if g.name == p.source)
        if isinstance(getattr(source, "source", None), CurrentInput):
            for j, i, w in zip(p.pre, p.post, p.weight, strict=True):
                value = float(w) * source.source.gain * float(drive[first[p.source] + j])
                current[p.target, i] = current.get((p.target, i), 0.0) + value
    for p in network.populations:
        cells[p.name] = [Cell(p, i, current.get((p.name, i), 0.0)) for i in range(p.n)]
    links: dict[tuple[str, int], list] = {}
    for p in network.projections:
        port = network.population(p.target).port(p.receptor)
        for j, i, w, d in zip(p.pre, p.post, p.weight, p.delay, strict=True):
            links.setdefault((p.source, int(j)), []).append((float(d), p.target, int(i), port, float(w)))
    due: dict[tuple[str, int], list] = {}

    def send(name, unit, time):
        for delay, target, i, port, weight in links.get((name, unit), ()):
            due.setdefault((target, i), []).append((time + delay, port, weight))

    for name, trains in given.items():
        for unit, train in enumerate(trains):
            for time in train:
                send(name, unit, time)
    # Whatever is sent arrives a shortest delay later: up to then all neurons are on their own.
    step = min((float(np.min(p.delay)) for p in network.projections if p.n_synapses), default=until)
    out, now = [], 0.0
    while now < until:
        now = min(now + 0.999 * step, until)
        fired = []
        for name, group in cells.items():
            for i, cell in enumerate(group):
                events = sorted(due.get((name, i), []))
                due[name, i] = [e for e in events if e[0] > now]
                for k, (time, port, weight) in enumerate(e for e in events if e[0] <= now):
                    fired += [(t, name, i) for t in cell.run(time)]
                    cell.take(port, weight)
                    last = k + 1 == len(events) or events[k + 1][0] > time
                    if last and cell.v >= cell.th:  # all that arrives at once acts together
                        cell.v, cell.until = cell.reset, time + cell.t_ref if cell.t_ref else -1.0
                        fired.append((time, name, i))
                fired += [(t, name, i) for t in cell.run(now)]
        for time, name, i in fired:
            send(name, i, time)
            out.append((time, first[name] + i))
    return sorted(out)
