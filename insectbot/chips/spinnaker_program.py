"""Memory of a programmed SpiNNaker: parameters, synaptic rows, rules and decay tables as arrays for the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import s1615_learn as sl
from insectbot.chips.s1615_explore import PERTURBED
from insectbot.chips.spinnaker_place import Placement, ends
from insectbot.chips.spinnaker_quantise import QuantNetwork
from insectbot.snn.network import Network

Array = npt.NDArray


@dataclass(frozen=True)
class Rules:
    """The rules of all populations that learn.

    Attributes
    ----------
    registers : ndarray of int64, shape (n_rules, N_PARAMETERS)
        Parameters, as in ``s1615_learn.py``.
    tables : ndarray of int16, shape (n_rules, 4, longest)
        Decay tables; 0 beyond their ends.
    of_population : dict of str to int
        Number of the rule of a population.
    dopamine : dict of int to list of (int, float)
        Modulator -> (rule, dopamine per unit).
    bytes : dict of str to int
        Size of the tables of a population [byte].
    perturbed : frozenset of str
        Populations whose plastic synapses learn by node perturbation.
    """

    registers: Array
    tables: Array
    of_population: dict[str, int]
    dopamine: dict[int, list[tuple[int, float]]]
    bytes: dict[str, int]
    perturbed: frozenset[str]

    @property
    def any(self) -> bool:
        """Whether any synapse learns."""
        return bool(self.of_population or self.perturbed)

    @classmethod
    def of(
        cls, found: list[tuple[str, Array, list[Array], int, float]], lut_bytes: int, perturbed: frozenset[str]
    ) -> Rules:
        """Join rules given as (population, parameters, tables, modulator or -1, dopamine per unit)."""
        longest = max((t.size for _, _, tables, _, _ in found for t in tables), default=0) + 1
        tables = np.zeros((max(len(found), 1), 4, longest), np.int16)
        registers = np.zeros((max(len(found), 1), sl.N_PARAMETERS), np.int64)
        dopamine: dict[int, list[tuple[int, float]]] = {}
        sizes = {}
        for number, (name, values, parts, modulator, per_unit) in enumerate(found):
            registers[number] = values
            for row, part in enumerate(parts):
                tables[number, row, : part.size] = part
            used = parts if modulator >= 0 else parts[:2]
            sizes[name] = lut_bytes * sum(part.size for part in used)
            if modulator >= 0:
                dopamine.setdefault(modulator, []).append((number, per_unit))
        return cls(registers, tables, {name: i for i, (name, *_) in enumerate(found)}, dopamine, sizes, perturbed)


@dataclass(frozen=True)
class Program:
    """What weights and placement decide; the executable owns the dynamic state.

    Attributes
    ----------
    parameters : ndarray of int64, shape (14, n_neurons)
        As in ``s1615.py``.
    start : ndarray of int64, shape (n_neurons,)
        V at a reset.
    rows : tuple of ndarray
        (first synapse, first plastic synapse of each message and the end, target entry, weight, delay).
    place : ndarray of int64, shape (2, n_neurons)
        Core and output number (-1 for none) of each neuron.
    rule_of_core : ndarray of int64, shape (n_cores,)
        Number of the rule, -1 for none, PERTURBED for node perturbation.
    currents : tuple of ndarray
        (row, target neuron, weight in accum steps) by input channel.
    plastic : dict of str to ndarray of int64
        Projection -> where its plastic synapses are, in projection order.
    longest : int
        Longest delay [ticks].
    """

    parameters: Array
    start: Array
    rows: tuple[Array, Array, Array, Array, Array]
    place: Array
    rule_of_core: Array
    currents: tuple[Array, Array, Array]
    plastic: dict[str, Array]
    longest: int

    @classmethod
    def of(cls, quant: QuantNetwork, placement: Placement, rules: Rules, outputs: Array) -> Program:
        """Lay a placed network out in memory."""
        network = quant.network
        neurons = np.arange(network.n_neurons)
        place = np.stack([placement.core_of(neurons), np.full(neurons.size, -1, np.int64)])
        place[1, outputs - network.n_inputs] = np.arange(outputs.size)
        rule_of_core = np.full(max(placement.n_cores, 1), -1, np.int64)
        where = network.unit_slices()
        for name, number in (rules.of_population | dict.fromkeys(rules.perturbed, PERTURBED)).items():
            low = where[name].start - network.n_inputs
            rule_of_core[np.unique(place[0, low : low + network.population(name).n])] = number
        rows, plastic = _rows(quant, placement)
        return cls(
            parameters=np.ascontiguousarray(np.concatenate([p.parameters for p in quant.populations], axis=1)),
            start=np.concatenate([p.start for p in quant.populations]),
            rows=rows,
            place=place,
            rule_of_core=rule_of_core,
            currents=_currents(quant, network),
            plastic=plastic,
            longest=int(rows[4].max(initial=1)),
        )


def _rows(
    quant: QuantNetwork, placement: Placement
) -> tuple[tuple[Array, Array, Array, Array, Array], dict[str, Array]]:
    """Return the synapses by message (source, core), static ones before plastic ones, and where plastic ones are."""
    network, n_cores = quant.network, max(placement.n_cores, 1)
    parts: list[list[Array]] = [[np.zeros(0, np.int64)] for _ in range(6)]
    first, size = {}, 0
    for q in quant.projections:
        if q.host:
            continue
        source, target = ends(network, q)
        n, extra = q.weight.size, q.offset.size
        first[q.name] = size
        found = (
            source,
            target,
            np.concatenate([q.inhibitory, np.ones(extra, np.int32)]),
            np.concatenate([q.weight, q.offset]),
            np.tile(q.delay, 2) if extra else q.delay,
            np.repeat([int(q.plastic), 0], [n, extra]),
        )
        for column, values in zip(parts, found, strict=True):
            column.append(values)
        size += n + extra
    u, t, x, w, d, learns = (np.concatenate(column) for column in parts)
    core = placement.core_of(t)
    order = np.lexsort((t, d, learns, core, u))
    key = (u * n_cores + core)[order]
    message = placement.edges[:, 0] * n_cores + placement.edges[:, 1]
    begin = np.searchsorted(key, np.append(message, np.iinfo(np.int64).max)).astype(np.int64)
    static = np.concatenate([[0], np.cumsum(1 - learns[order])])
    split = begin.copy()
    split[:-1] += static[begin[1:]] - static[begin[:-1]]
    place = np.empty(size, np.int64)
    place[order] = np.arange(size)
    plastic = {q.name: place[first[q.name] : first[q.name] + q.weight.size] for q in quant.projections if q.plastic}
    target_entry = (x * network.n_neurons + t)[order].astype(np.int32)
    return (begin, split, target_entry, w[order].astype(np.int32), d[order].astype(np.int32)), plastic


def _currents(quant: QuantNetwork, network: Network) -> tuple[Array, Array, Array]:
    """Return analog synapses by input channel: a steady current i moves V by i, which takes an offset of i / R."""
    where = network.unit_slices()
    channel, target, weight = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    populations = {p.name: p for p in quant.populations}
    for p, q in zip(network.projections, quant.projections, strict=True):
        if q.host:
            to = populations[p.target]
            channel.append(p.pre.astype(np.int64) + where[p.source].start)
            target.append(p.post.astype(np.int64) + where[p.target].start - network.n_inputs)
            resistance = to.parameters[6, p.post] / (1 << 15)
            weight.append(p.weight.astype(np.float64) * to.scale * (1 << 15) / resistance)
    c, t, w = (np.concatenate(parts) for parts in (channel, target, weight))
    order = np.argsort(c, kind="stable")
    return np.searchsorted(c[order], np.arange(network.n_inputs + 1)).astype(np.int64), t[order], w[order]
