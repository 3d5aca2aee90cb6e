"""Memory of a compiled network: flat arrays by name, and the table of their addresses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.core.random import stream_key
from insectbot.core.structure import BLOCK, Structure, padded
from insectbot.snn.inputs import CurrentInput, InputSource
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP
from insectbot.snn.validate import whole_ticks

Arrays = dict[str, npt.NDArray]
NEVER = -1e30
"""Input of a padding lane: low enough that it never spikes."""


@dataclass(frozen=True)
class Layout:
    """All arrays of an executable (by name) and the int64 table of addresses in the structure's order."""

    arrays: Arrays
    table: npt.NDArray[np.int64]

    @classmethod
    def of(cls, network: Network, structure: Structure) -> Layout:
        """Allocate and fill the memory of a network."""
        values: dict[str, npt.ArrayLike] = {}
        real: dict[str, float] = {}
        size: dict[str, int] = {"n_drive": network.n_inputs, "n_outputs": network.n_outputs}
        _fill_inputs(network, values, real, size)
        _fill_populations(network, structure, values, real, size)
        for k, projection in enumerate(network.projections):
            values |= _synapses(k, projection, network)
            size[f"s{k}_n"] = projection.n_synapses
            _fill_rule(k, projection, network, values, real, size)
        values["clock"] = np.zeros(8, np.int64)
        values["real"] = [real[name] for name in structure.reals] or [0.0]
        values["size"] = [size[name] for name in structure.sizes]
        values["drive"] = np.zeros(max(network.n_inputs, 1))
        values["modulators"] = np.zeros(max(network.n_modulators, 1))
        for name in ("counts", "first", "interval", "last"):
            values[name] = np.zeros(max(network.n_outputs, 1))
        values["event_tick"] = values["event_unit"] = np.zeros(1)
        arrays = {name: np.array(values[name], structure.dtype(code)) for name, code in structure.arrays}
        return cls(arrays, address_table(arrays))


def address_table(arrays: Arrays) -> npt.NDArray[np.int64]:
    """Return the addresses of arrays; their owner must keep them alive and in place."""
    return np.array([a.ctypes.data for a in arrays.values()], np.int64)


def rate_per_tick(source: InputSource, dt: float) -> float:
    """Return the parameter of an input: expected spikes per tick at drive 1, or the gain of a current."""
    return source.gain if isinstance(source, CurrentInput) else source.rate * dt / 1000.0


def seed_streams(network: Network, arrays: Arrays, seed: int) -> None:
    """Set the random keys of inputs (stream = position) and populations (1000 + position)."""
    for k in range(len(network.inputs)):
        if f"in{k}_key" in arrays:
            arrays[f"in{k}_key"][0] = stream_key(seed, k)
    for k in range(len(network.populations)):
        if f"p{k}_key" in arrays:
            arrays[f"p{k}_key"][0] = stream_key(seed, 1000 + k)


def _fill_inputs(network: Network, values: dict, real: dict[str, float], size: dict[str, int]) -> None:
    unit = 0
    for k, group in enumerate(network.inputs):
        current = isinstance(group.source, CurrentInput)
        real[f"in{k}_{'gain' if current else 'rate'}"] = rate_per_tick(group.source, network.dt)
        size |= {f"in{k}_n": group.n, f"in{k}_unit": unit}
        for name in ("spikes", "threshold", "phase"):
            values[f"in{k}_{name}"] = np.zeros(group.n)
        values[f"in{k}_key"] = np.zeros(1)
        unit += group.n


def _fill_populations(
    network: Network, structure: Structure, values: dict, real: dict[str, float], size: dict[str, int]
) -> None:
    unit, outputs = network.n_inputs, {}
    for name in network.outputs:
        outputs[name] = sum(network.population(n).n for n in outputs)
    for k, (population, plan) in enumerate(zip(network.populations, structure.populations, strict=True)):
        n, model = population.n, population.model
        n_padded = padded(n)
        delays = [p.delay.max() for p in network.projections if p.target == population.name and p.n_synapses]
        slots = 1 << math.ceil(math.log2(1 + max((round(d / network.dt) for d in delays), default=1)))
        # Membranes are stored relative to v_rest: the float32 grid is finest where they live.
        real |= {
            f"p{k}_decay": math.exp(-network.dt / model.tau_m),
            f"p{k}_input": -math.expm1(-network.dt / model.tau_m),
            f"p{k}_v_th": model.v_th - model.v_rest,
            f"p{k}_v_reset": model.v_reset - model.v_rest,
            f"p{k}_t_ref": whole_ticks(population.name, "t_ref", model.t_ref, network.dt),
        }
        if model.v_min is not None:
            real[f"p{k}_v_min"] = model.v_min - model.v_rest
        if plan.exponential:
            real[f"p{k}_syn_decay"] = math.exp(-network.dt / model.tau_syn)
            real[f"p{k}_couple"] = couple(model.tau_m, model.tau_syn, network.dt)
        size |= {f"p{k}_n": n, f"p{k}_unit": unit, f"p{k}_blocks": n_padded // BLOCK, f"p{k}_mask": slots - 1}
        size |= {f"p{k}_bytes": 4 * n_padded, f"p{k}_out": outputs.get(population.name, 0)}
        values[f"p{k}_state"] = np.zeros(n_padded * len(plan.state_vars))
        values[f"p{k}_ring"] = np.zeros(slots * n_padded)
        values[f"p{k}_add"] = np.full(n_padded, NEVER)
        values[f"p{k}_spikes"] = np.zeros(n)
        _fill_noise(k, population, network.dt, values, real, size)
        unit += n


def _fill_noise(
    k: int, population: Population, dt: float, values: dict, real: dict[str, float], size: dict[str, int]
) -> None:
    noise = population.exploration
    if noise is not None:
        real |= {f"p{k}_memory": noise.decay, f"p{k}_sigma": noise.sigma}
        size[f"p{k}_period"] = whole_ticks(population.name, "noise period", noise.period, dt)
        values |= {f"p{k}_xi": np.zeros(population.n), f"p{k}_key": np.zeros(1)}


def couple(tau_m: float, tau_syn: float, dt: float) -> float:
    """Return P21 of the exact propagator: what a unit of ``i_syn`` adds to v in one step (R = 1, C = tau_m).

    ``tau_syn / (tau_syn - tau_m) * (exp(-dt/tau_syn) - exp(-dt/tau_m))``; its limit where they coincide
    (models sheet A1, Rotter & Diesmann 1999).
    """
    if abs(tau_m - tau_syn) < 1e-6 * tau_m:
        return dt / tau_m * math.exp(-dt / tau_m)
    return tau_syn / (tau_syn - tau_m) * (math.exp(-dt / tau_syn) - math.exp(-dt / tau_m))


def _synapses(k: int, p: Projection, network: Network) -> dict[str, npt.ArrayLike]:
    """Rows by source, cut into segments of equal delay."""
    n_source = next(g.n for g in network.groups if g.name == p.source)
    ticks = np.rint(p.delay / network.dt).astype(np.int64)
    new = np.ones(p.n_synapses, bool)
    new[1:] = (np.diff(p.pre) != 0) | (np.diff(ticks) != 0)
    start = np.flatnonzero(new)
    segment = np.searchsorted(p.pre[start], np.arange(n_source + 1))
    return {
        f"s{k}_segment": segment,
        f"s{k}_start": np.append(start, p.n_synapses),
        f"s{k}_delay": np.append(ticks[start], 1),
        f"s{k}_target": p.post,
        f"s{k}_w": p.weight,
    }


def _fill_rule(
    k: int, p: Projection, network: Network, values: dict, real: dict[str, float], size: dict[str, int]
) -> None:
    rule, dt = p.plasticity, network.dt
    if rule is None:
        return
    n_pre = next(g.n for g in network.groups if g.name == p.source)
    n_post = network.population(p.target).n
    real |= {f"s{k}_w_min": rule.w_min, f"s{k}_w_max": rule.w_max}
    out: dict[str, npt.ArrayLike] = {"e": np.zeros(p.n_synapses)}
    if isinstance(rule, PairSTDP):
        # Sums restart every 6.4 time constants: growth factors stay below 600, so float32 keeps 4 digits of a pair.
        plus, minus = dt / rule.tau_plus, dt / rule.tau_minus
        epoch, cycle = math.ceil(6.4 / plus), math.ceil(6.4 / minus)
        turn = np.arange(cycle + 1) * minus
        out |= {"snap": np.zeros(p.n_synapses), "x": np.zeros(n_pre), "seen": np.full(n_pre, -1)}
        out |= {"post": np.zeros(4 * n_post), "grow": np.exp(np.append(np.arange(epoch + 1) * plus, turn))}
        out["fade"] = np.exp(-np.append(np.arange(3 * epoch + 1) * plus, turn))
        real |= {f"s{k}_a_plus": rule.a_plus, f"s{k}_a_minus": rule.a_minus, f"s{k}_rebase": math.exp(-cycle * minus)}
        size |= {f"s{k}_epoch": epoch, f"s{k}_cycle": cycle}
    elif isinstance(rule, RewardSTDP):
        order = np.argsort(p.post, kind="stable")
        out |= {"x": np.zeros(n_pre), "y": np.zeros(n_post), "scale": [1.0, math.exp(-dt / rule.tau_e)]}
        out |= {"column": np.searchsorted(p.post[order], np.arange(n_post + 1)), "row": order, "origin": p.pre[order]}
        real |= {f"s{k}_a_plus": rule.a_plus, f"s{k}_a_minus": rule.a_minus, f"s{k}_rate": rule.learning_rate}
        real |= {f"s{k}_x_decay": math.exp(-dt / rule.tau_plus), f"s{k}_y_decay": math.exp(-dt / rule.tau_minus)}
    elif isinstance(rule, NodePerturbation):
        noise = network.population(p.target).exploration
        sigma = noise.sigma if noise else 0.0
        tie = np.zeros(1) if rule.tie is None else np.asarray(rule.tie)
        members = np.bincount(tie.astype(np.int64))
        out |= {"q": np.zeros(n_post), "group": tie, "change": np.zeros(members.size)}
        out["share"] = 1.0 / np.maximum(members, 1)
        real |= {f"s{k}_rate": rule.learning_rate, f"s{k}_memory": rule.decay}
        real[f"s{k}_gain"] = 1.0 / (sigma * rule.spikes_per_unit) if sigma > 0 else 0.0
        size[f"s{k}_groups"] = members.size
    values |= {f"s{k}_{name}": value for name, value in out.items()}
