"""Memory of a compiled network (or of one thread's part of it): flat arrays by name, and the table of addresses."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from insectbot.core.coefficients import coefficients, initial_states
from insectbot.core.layout_precise import fill_precise, fill_timed
from insectbot.core.layout_rules import fill_rule
from insectbot.core.plan_neurons import PopulationPlan
from insectbot.core.random import stream_key
from insectbot.core.structure import BLOCK, Structure, padded
from insectbot.snn.inputs import CodedInput, CurrentInput, InputSource, SpikeTimesInput
from insectbot.snn.network import Network, Population
from insectbot.snn.validate import whole_ticks
from insectbot.snn.wiring import Rows, rows

Arrays = dict[str, npt.NDArray]
Range = tuple[int, int]
MAX_TICKS = 1 << 40


@dataclass
class Content:
    """What a layout is made of: arrays, float parameters and integer parameters, by name."""

    values: dict[str, npt.ArrayLike] = field(default_factory=dict)
    real: dict[str, float] = field(default_factory=dict)
    size: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """All arrays of an executable (by name) and the int64 table of addresses in the structure's order."""

    arrays: Arrays
    table: npt.NDArray[np.int64]
    parts: tuple[Range, ...]
    """Of each population, the first neuron and the last + 1 that live here."""

    @classmethod
    def of(cls, network: Network, structure: Structure, thread: int = 0, n_threads: int = 1) -> Layout:
        """Allocate and fill the memory of a network, or of one of ``n_threads`` parts of it."""
        parts = tuple(_part(p.n, thread, n_threads) for p in network.populations)
        c = Content()
        c.size = {"n_drive": network.n_inputs, "n_outputs": network.n_outputs, "n_probes": 0}
        c.size |= {"thread": thread, "n_threads": n_threads}
        _fill_inputs(network, structure, c)
        wired = [_rows(network, structure, k, parts[p.target]) for k, p in enumerate(structure.projections)]
        longest = [1] * len(network.populations)
        for r, projection in zip(wired, structure.projections, strict=True):
            longest[projection.target] = max(longest[projection.target], int(r.delay.max(initial=1)))
        _fill_populations(network, structure, parts, longest, c)
        for k, (projection, r) in enumerate(zip(network.projections, wired, strict=True)):
            low, high = parts[structure.projections[k].target]
            c.values |= {f"s{k}_segment": r.segment, f"s{k}_start": r.start, f"s{k}_delay": np.append(r.delay, 1)}
            c.values |= {f"s{k}_target": r.target, f"s{k}_w": r.weight}
            c.size |= {f"s{k}_n": r.weight.size, f"s{k}_sources": r.segment.size - 1}
            _fill_ends(network, structure, k, high - low, c)
            fill_rule(k, projection, network, structure.projections[k], r, high - low, c)
        if structure.precise:
            fill_precise(network, structure, wired, c)
        c.values["clock"] = np.zeros(8, np.int64)
        c.values["real"] = [c.real[name] for name in structure.reals] or [0.0]
        c.size |= {f"{k.prefix}_members": len(k.members) for k in structure.classes}
        c.values["size"] = [c.size[name] for name in structure.sizes]
        c.values["drive"] = np.zeros(max(network.n_inputs, 1))
        c.values["modulators"] = np.zeros(max(network.n_modulators, 1))
        for name in ("counts", "first", "interval", "last"):
            c.values[name] = np.zeros(max(network.n_outputs, 1))
        for name in ("event_tick", "event_unit", "event_offset", "probe", "probed", "sync"):
            c.values[name] = np.zeros(1)
        c.values |= {"count": np.zeros(len(network.groups)), "total": np.zeros(len(network.groups))}
        codes = dict(structure.table)
        arrays = {name: _as(c.values.pop(name), structure.dtype(code)) for name, code in codes.items()}
        return cls(arrays, address_table(structure, arrays), parts)


def _rows(network: Network, structure: Structure, k: int, part: Range) -> Rows:
    """Return the synapses of a projection onto the neurons ``part`` of its target."""
    p, plan = network.projections[k], structure.projections[k]
    sizes = network.groups[plan.source].n, network.populations[plan.target].n
    low, high = part
    double = structure.real == "f8"
    return rows(p, *sizes, network.dt, low=low, high=high, wide=plan.wide, float64=double)


def _as(value: npt.ArrayLike, dtype: type) -> npt.NDArray:
    """Return a contiguous writable array without copying one that already is (memory counts at 10^8 synapses)."""
    array = np.ascontiguousarray(value, dtype)
    return array if array.flags.writeable and array.ndim else np.array(array, dtype, ndmin=1)


def _part(n: int, thread: int, n_threads: int) -> Range:
    """Return the neurons of one thread: whole blocks, as even as they go."""
    blocks = padded(n) // BLOCK
    low, high = (min(n, blocks * t // n_threads * BLOCK) for t in (thread, thread + 1))
    return low, high


def address_table(structure: Structure, arrays: Arrays) -> npt.NDArray[np.int64]:
    """Return the addresses of arrays in the structure's order; their owner must keep them alive and in place."""
    return np.array([arrays[name].ctypes.data for name, _ in structure.table], np.int64)


def rate_per_tick(source: InputSource, dt: float) -> float:
    """Return the parameter of an input: expected spikes per tick at drive 1, or the gain of a current."""
    if isinstance(source, CurrentInput):
        return source.gain
    return getattr(source, "rate", 0.0) * dt / 1000.0


def seed_streams(network: Network, arrays: Arrays, seed: int) -> None:
    """Set the random keys: inputs have the streams 0.., noise 1000.., models 2000.., background 3000... by position."""
    for k in range(len(network.inputs)):
        if f"in{k}_key" in arrays:
            arrays[f"in{k}_key"][0] = stream_key(seed, k)
    for k in range(len(network.populations)):
        if f"p{k}_key" in arrays:
            arrays[f"p{k}_key"][0] = stream_key(seed, 1000 + k)
        if f"p{k}_rain" in arrays:
            arrays[f"p{k}_rain"][0] = stream_key(seed, 3000 + k)
        if f"p{k}_draws" in arrays:
            arrays[f"p{k}_draws"][0] = stream_key(seed, 2000 + k)


def _fill_inputs(network: Network, structure: Structure, c: Content) -> None:
    unit = 0
    for k, group in enumerate(network.inputs):
        source = group.source
        c.real[f"in{k}_rate"] = rate_per_tick(source, network.dt)
        c.size |= {f"in{k}_n": group.n, f"in{k}_unit": unit, f"in{k}_group": k}
        for name in ("spikes", "threshold", "phase", "rank"):
            c.values[f"in{k}_{name}"] = np.zeros(group.n)
        c.values[f"in{k}_key"] = np.zeros(1)
        if isinstance(source, SpikeTimesInput) and structure.precise:
            fill_timed(k, source, network.dt, MAX_TICKS, c)
        elif isinstance(source, SpikeTimesInput):
            ticks, channels = source.events(network.dt)
            c.values |= {f"in{k}_time": np.append(ticks, MAX_TICKS), f"in{k}_channel": np.append(channels, 0)}
            c.size[f"in{k}_events"] = ticks.size
        elif isinstance(source, CodedInput):
            frame = whole_ticks(f"Input {group.name!r}", "period", source.period, network.dt)
            c.size[f"in{k}_frame"] = frame
            for name, start in source.states.items():
                c.values[f"in{k}_state_{name}"] = np.full(group.n, start, np.float64)
        unit += group.n


def code_numbers(source: CodedInput, scalars: tuple[str, ...], n: int, dt: float) -> npt.NDArray[np.float64]:
    """Return ``dt`` and the numbers that a code's functions take, each for all channels, in the kernel's order."""
    numbers = {**source.values(), **source.coefficients(dt)}
    return np.concatenate([np.broadcast_to(np.asarray(x, float), (n,)) for x in (dt, *(numbers[s] for s in scalars))])


def _fill_populations(
    network: Network, structure: Structure, parts: tuple[Range, ...], longest: list[int], c: Content
) -> None:
    unit = network.n_inputs
    for k, plan in enumerate(structure.inputs):
        source = network.inputs[k].source
        if isinstance(source, CodedInput):
            c.values[f"in{k}_number"] = code_numbers(source, plan.scalars, network.inputs[k].n, network.dt)
    for k, (population, plan) in enumerate(zip(network.populations, structure.populations, strict=True)):
        low, high = parts[k]
        n, n_padded = high - low, max(padded(high - low), BLOCK)
        slots = 1 << math.ceil(math.log2(1 + longest[k]))
        c.size |= {f"p{k}_n": n, f"p{k}_base": low, f"p{k}_unit": unit + low, f"p{k}_blocks": n_padded // BLOCK}
        c.size[f"p{k}_group"] = len(network.inputs) + k
        c.size |= {f"p{k}_mask": slots - 1, f"p{k}_bytes": n_padded * (8 if structure.real == "f8" else 4)}
        c.values[f"p{k}_channel"] = _channels(network, population)
        for q in range(len(plan.ports)):
            c.values[f"p{k}_ring{q}"] = np.zeros(slots * n_padded)
        for name, _ in plan.arrays(structure.threads):
            if name.startswith("add") or name in ("push", "value"):
                c.values[f"p{k}_{name}"] = np.zeros(n_padded)
        c.values[f"p{k}_until"] = np.full(n_padded, -1)
        c.values |= {f"p{k}_spikes": np.zeros(n_padded), f"p{k}_flag": np.zeros(BLOCK), f"p{k}_xi": np.zeros(n_padded)}
        c.values |= {f"p{k}_key": np.zeros(1), f"p{k}_draws": np.zeros(1), f"p{k}_all": np.zeros(population.n)}
        c.values[f"p{k}_lists"] = np.zeros(2 * c.size["n_threads"])
        _fill_numbers(k, population, plan, network.dt, (low, n_padded), c)
        _fill_background(k, population, network.dt, c)
        if population.exploration is not None:
            noise = population.exploration
            c.real |= {f"p{k}_memory": noise.decay, f"p{k}_sigma": noise.sigma}
            c.size[f"p{k}_period"] = whole_ticks(population.name, "noise period", noise.period, network.dt)
        unit += population.n


def _fill_ends(network: Network, structure: Structure, k: int, n_post: int, c: Content) -> None:
    """Fill what a projection must know of its source and target."""
    plan, n_in = structure.projections[k], len(network.inputs)
    target = structure.populations[plan.target]
    c.size |= {f"s{k}_from": plan.source, f"s{k}_to": n_in + plan.target, f"s{k}_to_n": n_post}
    c.size |= {f"s{k}_{name}": c.size[f"p{plan.target}_{name}"] for name in ("mask", "bytes")}
    c.size[f"s{k}_modulator"] = plan.modulator
    if plan.rule == "current":
        c.size[f"s{k}_unit"] = c.size[f"in{plan.source}_unit"]
        c.real[f"s{k}_gain"] = rate_per_tick(network.inputs[plan.source].source, network.dt)
        name = target.inject[plan.injected][1][0][2] if target.premultiplied else ""
        c.real[f"s{k}_factor"] = c.real[f"p{plan.target}_{name}"] if name else 1.0


def _fill_background(k: int, population: Population, dt: float, c: Content) -> None:
    """Fill the cumulative distribution of the number of background spikes in a step, as 32-bit limits."""
    background = population.background
    if background is None:
        return
    mean = float(background.rate) * dt / 1000.0
    term = below = math.exp(-mean)
    limits = []
    while (limit := round(below * 2.0**32)) < 1 << 32:
        limits.append(limit - (1 << 31))
        term *= mean / len(limits)
        below += term
    c.values |= {f"p{k}_rain": np.zeros(1), f"p{k}_bits": np.zeros(BLOCK), f"p{k}_limit": limits or [0]}
    c.size[f"p{k}_limits"] = len(limits)
    c.real[f"p{k}_rain_weight"] = float(background.weight)


def _channels(network: Network, population: Population) -> npt.NDArray[np.int64]:
    """Return the channel of the readout on which each neuron counts; -1 for none."""
    channel, start = np.full(population.n, -1), 0
    for r in network.readouts:
        size = (r.stop or 0) - r.start
        if r.population == population.name:
            channel[r.start : r.stop] = start + (0 if r.pooled else np.arange(size))
        start += 1 if r.pooled else size
    return channel


def _fill_numbers(k: int, population: Population, plan: PopulationPlan, dt: float, place: Range, c: Content) -> None:
    """Fill coefficients (registers and rows) and the state after a reset."""
    low, n_padded = place
    numbers = coefficients(population, dt, tuple(into for into, _ in plan.inject))
    c.real |= {f"p{k}_{name}": float(np.asarray(numbers[name])) for name in plan.scalars}
    state = np.zeros((n_padded // BLOCK, len(plan.rows), BLOCK))
    starts = initial_states(population, numbers)
    for row, name in enumerate(plan.rows):
        value = numbers[name[1:]] if name.startswith("=") else starts.get(name, 0.0)
        if np.ndim(value):
            part = np.asarray(value)[low : low + n_padded]
            value = np.concatenate([part, np.full(n_padded - part.size, part[-1] if part.size else 0.0)])
            value = value.reshape(-1, BLOCK)
        state[:, row] = value
    c.values[f"p{k}_state"] = state.ravel()
