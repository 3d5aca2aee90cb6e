"""Placement: neurons onto cores, greedily, within compartments, axons, synapse memory and profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from insectbot.chips.anneal import annealed
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.fill import Filled, Unfit, fill
from insectbot.chips.loihi_integers import QuantNetwork
from insectbot.chips.loihi_wiring import SPAN, block_of, sizes, span_of
from insectbot.chips.topology import Topology
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage

RESOURCES = ("compartments", "axons_in", "axons_out", "synapse_bits", "synapse_formats")
RESOURCES += ("compartment_profiles", "threshold_profiles")
Vector = npt.NDArray[np.int64]


class Wiring:
    """All synapses on the chip, by target neuron; generated ones are drawn for some cores at a time.

    Attributes
    ----------
    bits : ndarray of int64, shape (n_projections,)
        Weight and delay bits per synapse.
    form : ndarray of int64, shape (n_projections,)
        Number of the synapse format (exponent, sign mode, delay bits) a projection uses.
    population : ndarray of int32, shape (n_neurons,)
        Population of each neuron.
    profiles : ndarray of int64, shape (2, n_populations)
        Numbers of the compartment and threshold profile of each population.
    n_inputs : int
        Number of input channels.
    """

    def __init__(self, quant: QuantNetwork, sheet: Datasheet) -> None:
        network = quant.network
        self.n_inputs, self._dt = network.n_inputs, network.dt
        self._slices, self._sizes = network.unit_slices(), sizes(network)
        bits, forms = [], []
        for q, report in zip(quant.projections, quant.report.projections, strict=True):
            # A delay register of 0 means one tick; a projection without more needs no delay field.
            delay_bits = sheet.int("delay.bits") if q.longest > 1 else 0
            bits.append(report.bits + delay_bits)
            forms.append((q.exponent, q.sign, delay_bits))
        self.bits, self.form = np.array(bits, np.int64), _number(forms)
        counts = [p.n for p in quant.populations]
        self.population = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        profile = [(p.decay_u, p.decay_v, p.refract) for p in quant.populations]
        self.profiles = np.array([_number(profile), _number([p.vth_mant for p in quant.populations])])
        self._first = np.append(0, np.cumsum(counts))
        self._onto: list[list[int]] = [[] for _ in counts]
        names = {p.name: i for i, p in enumerate(quant.populations)}
        for k, q in enumerate(quant.projections):
            if not q.host:
                self._onto[names[q.projection.target]].append(k)
        self._projections = [q.projection for q in quant.projections]
        self._sorted: dict[int, tuple[Vector, Vector]] = {}
        none = np.zeros(0, np.int64)
        self._held: tuple[int, int, Vector, Vector, Vector] = (0, 0, none, none, none)

    def incoming(self, low: int, high: int) -> tuple[Vector, Vector]:
        """Return (source unit, number of the projection) of every synapse onto neurons ``low`` to ``high``."""
        begin, end, target, source, projection = self._held
        if low < begin or high > end:
            self._hold(low, high)
            begin, end, target, source, projection = self._held
        a, z = np.searchsorted(target, [low, high])
        return source[a:z], projection[a:z]

    def _hold(self, low: int, high: int) -> None:
        """Take synapses of as many whole populations and spans of generated synapses as :data:`SPAN` targets have."""
        high = max(high, min(low + SPAN, self.population.size))
        parts = []
        for i in range(int(self.population[low]), int(self.population[high - 1]) + 1 if high > low else 0):
            first = int(self._first[i])
            a, z = max(low - first, 0), min(high - first, int(self._first[i + 1]) - first)
            for k in self._onto[i]:
                pre, post = self._part(k, a, z)
                source = pre.astype(np.int64) + self._slices[self._projections[k].source].start
                parts.append((post.astype(np.int64) + first, source, np.full(pre.size, k, np.int32)))
        empty = (np.zeros(0, np.int64),) * 3
        target, source, projection = (np.concatenate(x) for x in zip(*(parts or [empty]), strict=True))
        order = np.argsort(target, kind="stable")
        self._held = (low, high, target[order], source[order], projection[order])

    def _part(self, k: int, low: int, high: int) -> tuple[npt.NDArray, npt.NDArray]:
        """Return (pre, post) of a projection onto some of its targets."""
        p = self._projections[k]
        n_source, n_target = self._sizes[p.source], self._sizes[p.target]
        if span_of(p, n_target) < n_target or (low == 0 and high == n_target):
            block = block_of(p, n_source, n_target, self._dt, low, high)
            return block.pre, block.post
        if k not in self._sorted:
            block = block_of(p, n_source, n_target, self._dt, 0, n_target)
            order = np.argsort(block.post, kind="stable")
            self._sorted[k] = (block.pre[order], block.post[order])
        pre, post = self._sorted[k]
        a, z = np.searchsorted(post, [low, high])
        return pre[a:z], post[a:z]


@dataclass(frozen=True)
class Placement(Filled):
    """Neurons on cores.

    Attributes
    ----------
    start : ndarray of int64, shape (n_cores + 1,)
        Core c holds neurons ``start[c]`` to ``start[c + 1]``.
    usage : tuple of Usage
        Every resource of every core, then the cores of the chip.
    edges : ndarray of int64, shape (n, 3)
        (source unit, destination core, synapses) of every unicast message route, sorted by unit.
    position : ndarray of int64, shape (n_cores,)
        Place of each core on the chip.
    """

    start: Vector
    usage: tuple[Usage, ...]
    edges: Vector
    position: Vector


def rearranged(placement: Placement, n_inputs: int, topology: Topology, seed: int = 0) -> Placement:
    """Return the placement with its cores moved on the chip so that messages go fewer hops; every unit counts alike."""
    edges = placement.edges[placement.edges[:, 0] >= n_inputs]
    source = placement.core_of(edges[:, 0] - n_inputs)
    pair, n = np.unique(source * placement.n_cores + edges[:, 1], return_counts=True)
    between = np.stack([pair // placement.n_cores, pair % placement.n_cores, n], axis=1)
    return replace(placement, position=annealed(between, placement.n_cores, topology, seed=seed))


def _number(items: list) -> Vector:
    known = {item: i for i, item in enumerate(dict.fromkeys(items))}
    return np.array([known[item] for item in items], np.int64)


def core_use(wiring: Wiring, low: int, high: int, sheet: Datasheet) -> dict[str, int]:
    """Return what neurons ``low`` to ``high`` need on one core (all but ``axons_out``)."""
    return _core(wiring, low, high, sheet)[0]


def _core(wiring: Wiring, low: int, high: int, sheet: Datasheet) -> tuple[dict[str, int], npt.NDArray, npt.NDArray]:
    """Return what a core needs, and (source units, synapses of each)."""
    source, projection = wiring.incoming(low, high)
    n_projections = max(wiring.bits.size, 1)
    rows, n = np.unique(source * n_projections + projection, return_counts=True)
    unit, kind = np.divmod(rows, n_projections)
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    bits, forms = 0, 0
    if rows.size:
        index_bits = max(sheet.int("limits.synapse.index_bits_min"), int(high - low - 1).bit_length())
        per_synapse = wiring.bits[kind] + index_bits
        bits = int(axon_bits(n, per_synapse, sheet).sum())
        forms = np.unique(wiring.form[np.unique(kind)]).size
    populations = np.unique(wiring.population[low:high])
    use = {
        "compartments": high - low,
        "axons_in": first.size,
        "synapse_bits": bits,
        "synapse_formats": int(forms),
        "compartment_profiles": int(np.unique(wiring.profiles[0, populations]).size),
        "threshold_profiles": int(np.unique(wiring.profiles[1, populations]).size),
    }
    return use, unit[first], np.add.reduceat(n, first) if rows.size else n


def axon_bits(n: npt.NDArray, per_synapse: npt.NDArray, sheet: Datasheet) -> Vector:
    """Return the memory of axon entries of ``n`` synapses [bit]: blocks with a header, each in whole memory units."""
    block, unit = sheet.int("limits.synapse.block_synapses"), sheet.int("limits.synapse.memory_unit")
    header = sheet.int("limits.synapse.header_bits")
    full, rest = np.divmod(n, block)
    whole = -(-(block * per_synapse + header) // unit) * unit
    part = -(-(rest * per_synapse + header) // unit) * unit
    return full * whole + np.where(rest > 0, part, 0)


class _Cores:
    """Cores as they fill: what each needs and who sends to it, kept from when it was tried."""

    def __init__(self, wiring: Wiring, sheet: Datasheet) -> None:
        self.wiring, self.sheet = wiring, sheet
        self.limits = {name: sheet.int(f"limits.core.{name}") for name in RESOURCES}
        self._kept: dict[int, tuple[int, dict[str, int], npt.NDArray, npt.NDArray]] = {}

    def excess(self, low: int, high: int) -> str:
        """Return what neurons ``low`` to ``high`` need too much of on one core."""
        use, unit, n = _core(self.wiring, low, high, self.sheet)
        over = [f"{name} {value} > {self.limits[name]}" for name, value in use.items() if value > self.limits[name]]
        if not over:
            self._kept[low] = (high, use, unit.astype(np.int32), n.astype(np.int32))
        return over[0] if over else ""

    def of(self, low: int, high: int) -> tuple[dict[str, int], npt.NDArray, npt.NDArray]:
        """Return (use, source units, synapses of each) of a core."""
        if low not in self._kept or self._kept[low][0] != high:
            return _core(self.wiring, low, high, self.sheet)
        return self._kept[low][1:]


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Fill cores in order of neurons; split where a resource runs out; fill a chip, then the next.

    If the output axons of a core run out, cores are filled less (512, 256, ... compartments) until they suffice.

    Raises
    ------
    DoesNotFit
        Naming the resource, the core and by how much.
    """
    cores = _Cores(Wiring(quant, sheet), sheet)
    cap, first = cores.limits["compartments"], ""
    while cap >= 1:
        start = _fill(cores, cap)
        edges = _edges(cores, start)
        out = _axons_out(cores.wiring, start, edges)
        crowded = np.flatnonzero(out > cores.limits["axons_out"])
        if not crowded.size:
            return _finish(cores, start, edges, out)
        core = int(crowded[0])
        first = first or f"{sheet.name}: core {core}: axons_out {int(out[core])} > {cores.limits['axons_out']}"
        cap //= 2
    raise DoesNotFit(f"{first}; give neurons fewer distant targets")


def by_hand(quant: QuantNetwork, start: Vector, sheet: Datasheet) -> Placement:
    """Return a placement with core c holding neurons ``start[c]`` to ``start[c + 1]``, within limits or not."""
    cores = _Cores(Wiring(quant, sheet), sheet)
    return Placement(start, (), _edges(cores, start), np.arange(start.size - 1))


def _fill(cores: _Cores, cap: int) -> Vector:
    population = cores.wiring.population
    try:
        return fill(population.size, cap, cores.excess)
    except Unfit as error:
        raise DoesNotFit(
            f"{cores.sheet.name}: core {error.core}: {error.cause} for one neuron of population "
            f"{int(population[error.item])}; give it fewer incoming synapses"
        ) from None


def _edges(cores: _Cores, start: Vector) -> Vector:
    """Return (source unit, core, synapses), sorted by unit, then core."""
    found = [cores.of(int(low), int(high))[1:] for low, high in pairwise(start)]
    core = np.repeat(np.arange(len(found)), [unit.size for unit, _ in found])
    unit = np.concatenate([unit for unit, _ in found] or [np.zeros(0, np.int64)])
    n = np.concatenate([n for _, n in found] or [np.zeros(0, np.int64)])
    order = np.argsort(unit, kind="stable")
    edges = np.empty((unit.size, 3), np.int64)
    for column, values in enumerate((unit, core, n)):
        edges[:, column] = values[order]
    return edges


def _axons_out(wiring: Wiring, start: Vector, edges: Vector) -> Vector:
    neurons = edges[edges[:, 0] >= wiring.n_inputs, 0] - wiring.n_inputs
    return np.bincount(np.searchsorted(start, neurons, side="right") - 1, minlength=start.size - 1)


def _finish(cores: _Cores, start: Vector, edges: Vector, out: Vector) -> Placement:
    sheet, limits, n = cores.sheet, cores.limits, start.size - 1
    boards = int(sheet.value("limits.board.columns", 1)) * int(sheet.value("limits.board.rows", 1))
    most, where = sheet.int("limits.chip.cores") * boards, "chip" if boards == 1 else f"{boards} chips"
    if n > most:
        use = cores.of(0, int(start[1]))[0]
        full = max(use, key=lambda name: use[name] / limits[name])
        raise DoesNotFit(
            f"{sheet.name}: {where}: cores {n} > {most} (core 0 is full by {full} {use[full]} of {limits[full]}); "
            "use fewer neurons or synapses"
        )
    usage = []
    for c in range(n):
        use = cores.of(int(start[c]), int(start[c + 1]))[0] | {"axons_out": int(out[c])}
        usage += [Usage(name, use[name], limits[name], f"core {c}") for name in RESOURCES]
    return Placement(start, (*usage, Usage("cores", n, most, where)), edges, np.arange(n))
