"""Memory of populations with exact spike times: rings of entries, float64 states and numbers, given spike times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from insectbot.core.plan_neurons import BLOCK
from insectbot.core.plan_precise import MOST, PrecisePlan, PreciseProjection, TimedInput
from insectbot.core.structure import Structure
from insectbot.snn.inputs import SpikeTimesInput
from insectbot.snn.network import Network, Population
from insectbot.snn.wiring import Rows

if TYPE_CHECKING:
    from insectbot.core.layout import Content


def fill_timed(k: int, source: SpikeTimesInput, dt: float, last: int, c: Content) -> None:
    """Fill an input whose spikes keep their offsets; ``last`` is a tick that never comes."""
    ticks, channels, offsets = source.exact_events(dt)
    per_tick = np.unique(ticks, return_counts=True)[1].max(initial=1)
    per_channel = np.unique(np.stack([ticks, channels]), axis=1, return_counts=True)[1].max(initial=1)
    c.values |= {f"in{k}_time": np.append(ticks, last), f"in{k}_channel": np.append(channels, 0)}
    c.values |= {f"in{k}_at": np.append(offsets, 0.0), f"in{k}_offset": np.zeros(per_tick)}
    c.values[f"in{k}_spikes"] = np.zeros(per_tick)
    c.size |= {f"in{k}_events": ticks.size, f"in{k}_burst": int(per_channel)}


def fill_precise(network: Network, structure: Structure, wired: list[Rows], c: Content) -> None:
    """Fill all precise populations and the projections onto them, once everything else is there."""
    for k, plan in enumerate(structure.populations):
        if isinstance(plan, PrecisePlan):
            into = [s for s, p in enumerate(structure.projections) if p.target == k and p.rule != "current"]
            _fill_population(k, plan, network, structure.real == "f8", c)
            c.values[f"p{k}_links"] = _links(structure, into)
            room = sum((wired[s].start.size - 1) * _burst(network, structure, s, c) for s in into)
            slots, room = c.size[f"p{k}_mask"] + 1, max(room, 1)
            c.values |= {f"p{k}_ring_when": np.zeros(slots * room), f"p{k}_ring_what": np.zeros(slots * room, np.int64)}
            c.values[f"p{k}_ring_due"] = np.zeros(slots + 1)
            c.size |= {f"p{k}_room": room, **{f"s{s}_room": room for s in into}}
            c.size |= {f"s{s}_link": number for number, s in enumerate(into)}
    for k, plan in enumerate(structure.projections):
        if isinstance(plan, PreciseProjection):
            gain = getattr(network.inputs[plan.source].source, "gain", 1.0) if plan.rule == "current" else network.dt
            c.values[f"s{k}_exact"] = [gain]


def _fill_population(k: int, plan: PrecisePlan, network: Network, double: bool, c: Content) -> None:
    population = network.populations[k]
    number = _numbers(population, network.dt)
    n, each = population.n, number.shape[0] > 1
    state = np.asarray(c.values[f"p{k}_state"]).reshape(-1, len(plan.rows), BLOCK)
    state[:, plan.rows.index("@tick")] = -1.0  # nobody is refractory, not even at time 0
    limit = n * _spikes_per_tick(population, network.dt)
    c.values |= {f"p{k}_state": state.ravel(), f"p{k}_number": number.ravel()}
    c.values[f"p{k}_local"] = np.zeros(state.shape[0] * BLOCK)
    c.values |= {f"p{k}_work": np.zeros(2 * BLOCK), f"p{k}_spikes": np.zeros(limit), f"p{k}_offset": np.zeros(limit)}
    c.size |= {f"p{k}_rows": len(plan.rows), f"p{k}_stride": 8 * BLOCK * number.shape[1] if each else 0}
    c.size |= {f"p{k}_ports": sum(bool(p.states) for p in plan.ports), f"p{k}_wide": int(n > 1 << 16)}
    c.size |= {f"p{k}_double": int(double), f"p{k}_limit": limit}


def _numbers(population: Population, dt: float) -> npt.NDArray[np.float64]:
    """Return what :mod:`insectbot.core.library_precise` calls numbers, shape (blocks, rows, 64); uniform ones once."""
    model = population.model.values()
    rate, rest = 1.0 / np.asarray(model["tau_m"]), np.asarray(model["v_rest"])
    rows = [rate, model["v_th"] - rest, model["v_reset"] - rest, np.rint(np.asarray(model["t_ref"]) / dt)]
    rows += [np.exp(-dt * rate), -np.expm1(-dt * rate), np.asarray(dt)]
    for _, receptor in population.ports:
        if receptor.states:
            slow = 1.0 / np.asarray(receptor.values()["tau"])
            x = -np.abs(dt * (rate - slow))
            ratio = np.where(x < 0.0, np.expm1(x) / np.where(x < 0.0, x, 1.0), 1.0)
            rows += [slow, np.exp(-dt * slow), dt * rate * np.exp(-dt * np.minimum(rate, slow)) * ratio]
    if all(np.ndim(row) == 0 for row in rows):
        return np.repeat(np.array(rows, np.float64)[None, :, None], BLOCK, axis=2)
    blocks = -(-population.n // BLOCK)
    table = np.stack([np.broadcast_to(np.asarray(row, np.float64), (population.n,)) for row in rows])
    table = np.pad(table, ((0, 0), (0, blocks * BLOCK - population.n)), mode="edge")
    return np.ascontiguousarray(table.reshape(len(rows), blocks, BLOCK).transpose(1, 0, 2))


def _links(structure: Structure, into: list[int]) -> npt.NDArray[np.int64]:
    """Return, per projection, where the table has its segments, targets and weights, and what row they add to."""
    names = [name for name, _ in structure.table]
    out = []
    for s in into:
        plan = structure.projections[s]
        ports = structure.populations[plan.target].ports
        row = BLOCK * sum(bool(p.states) for p in ports[: plan.port + 1]) if ports[plan.port].states else 0
        out += [*(names.index(f"s{s}_{name}") for name in ("start", "target", "w")), row]
    return np.array(out or [0], np.int64)


def _burst(network: Network, structure: Structure, s: int, c: Content) -> int:
    """Return how often a unit of a projection's source spikes in one tick, at most (or as far as there is room)."""
    source, n_in = structure.projections[s].source, len(network.inputs)
    if source < n_in:
        return c.size[f"in{source}_burst"] if isinstance(structure.inputs[source], TimedInput) else 1
    precise = isinstance(structure.populations[source - n_in], PrecisePlan)
    return _spikes_per_tick(network.populations[source - n_in], network.dt) if precise else 1


def _spikes_per_tick(population: Population, dt: float) -> int:
    """Return 1 if all neurons are refractory for a tick or more after a spike."""
    return 1 if np.all(np.asarray(population.model.values()["t_ref"]) > dt / 2) else MOST
