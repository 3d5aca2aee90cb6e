"""Placement on SpiNNaker: slices of populations on cores, within caps, memories and router entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.fill import Filled
from insectbot.chips.spinnaker_quantise import QuantNetwork, QuantProjection
from insectbot.chips.topology import topology_of
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage
from insectbot.snn.network import Network
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP

Vector = npt.NDArray[np.int64]
MOST_COUNTED = 1 << 25
"""Rows that are counted in one array rather than sorted."""
_KINDS = {PairSTDP: "plastic", RewardSTDP: "rewarded", NodePerturbation: "perturbed"}


@dataclass(frozen=True)
class Layout:
    """Memory of a core, from the datasheet: how many neurons fit, and how far its ring buffer reaches.

    Attributes
    ----------
    cap, cap_plastic : int
        Most neurons on a core without and with learning.
    neuron, history, ring : int
        Bytes per neuron: state, history of spikes, ring buffer.
    slots : int
        Ticks that the ring buffer holds.
    row : int
        Longest synaptic row; 0 for no limit.
    """

    cap: int
    cap_plastic: int
    neuron: int
    history: int
    ring: int
    slots: int
    row: int

    @classmethod
    def of(cls, sheet: Datasheet, dense: bool) -> Layout:
        """Read the layout of today's tools off a datasheet, or the dense one of the published real-time limit."""
        if dense:
            cap, slots = sheet.int("limits.dense.neurons"), sheet.int("limits.dense.slots")
            state, history, ring = (sheet.int(f"limits.dense.{x}_bytes") for x in ("neuron", "history", "ring"))
            return cls(cap, cap, state, history, ring, slots, 0)
        cap, types = sheet.int("limits.core.neurons"), sheet.int("weight.types")
        bits = sheet.int("delay.ring_bits") - (cap - 1).bit_length() - (types - 1).bit_length()
        slots = min(1 << bits, sheet.int("delay.slots_max"))
        ring = slots * types * sheet.int("limits.memory.ring_entry_bytes")
        state, history = sheet.int("limits.memory.neuron_bytes"), sheet.int("limits.memory.history_bytes")
        plastic = sheet.int("limits.core.neurons_plastic")
        return cls(cap, plastic, state, history, ring, slots, sheet.int("limits.core.row_synapses"))

    def dtcm(self, n: int, tables: int, own: tuple[int, int] = (0, 0)) -> int:
        """Return the data memory of a core [byte].

        Parameters
        ----------
        n : int
            Neurons.
        tables : int
            Bytes of decay tables where it has STDP, and so histories; else 0.
        own : tuple of int
            Bytes per core and per neuron of exploration noise and its rules.
        """
        entries = n if self.row == 0 else 1 << (n - 1).bit_length()  # ring buffers are addressed by bits
        each = self.neuron + (self.history if tables else 0) + own[1]
        return n * each + entries * self.ring + tables + own[0]

    def most(self, tables: int, own: tuple[int, int]) -> int:
        """Return the most neurons of a core: fewer where it learns."""
        return self.cap_plastic if tables or own[0] else self.cap


@dataclass(frozen=True)
class Learned:
    """Data memory that learning takes, by population.

    Attributes
    ----------
    tables : mapping of str to int
        Bytes of the decay tables of STDP.
    own : mapping of str to tuple of int
        Bytes per core and per neuron of exploration noise and its rules.
    """

    tables: Mapping[str, int]
    own: Mapping[str, tuple[int, int]]

    def of(self, name: str) -> tuple[int, tuple[int, int]]:
        """Return both of a population."""
        return self.tables.get(name, 0), self.own.get(name, (0, 0))


@dataclass(frozen=True)
class Placement(Filled):
    """Neurons on cores; cores of delay extensions follow those of neurons.

    Attributes
    ----------
    start : ndarray of int64, shape (n_cores + 1,)
        Core c holds neurons ``start[c]`` to ``start[c + 1]``.
    usage : tuple of Usage
        Resources used.
    edges : ndarray of int64, shape (n, 3)
        (source unit, destination core, synapses), sorted by unit, then core.
    position : ndarray of int64, shape (n_cores,)
        Place of each core among the application cores of all chips.
    stages : ndarray of int64, shape (n_units,)
        Packets that delay extensions add to a spike of each unit.
    """

    start: Vector
    usage: tuple[Usage, ...]
    edges: Vector
    position: Vector
    stages: Vector


def slices(network: Network, layout: Layout, sheet: Datasheet, learned: Learned) -> Vector:
    """Return the first neuron of every core, and the number of neurons: a core holds one population, or part of one.

    Raises
    ------
    DoesNotFit
        If the tables of a rule leave no room for a neuron.
    """
    start, first, most = [0], 0, sheet.int("limits.core.dtcm")
    for p in network.populations:
        size = learned.of(p.name)
        n = min(layout.most(*size), p.n)
        while layout.dtcm(n, *size) > most:
            if n == 1:
                raise DoesNotFit(
                    f"{sheet.name}: core {len(start) - 1}: dtcm {layout.dtcm(1, *size)} > {most} bytes for one neuron "
                    f"of {p.name!r} and its decay tables; shorten the time constants or raise dt"
                )
            n -= 1
        start += [*range(first + n, first + p.n, n), first + p.n]
        first += p.n
    return np.array(start, np.int64)


def ends(network: Network, q: QuantProjection) -> tuple[npt.NDArray, npt.NDArray]:
    """Return (source unit, target neuron) of the synapses of a projection, those beside plastic ones after them."""
    p, where = network.projection(q.name), network.unit_slices()
    pre = p.pre.astype(np.int64) + where[p.source].start
    post = p.post.astype(np.int64) + where[p.target].start - network.n_inputs
    return (np.tile(pre, 2), np.tile(post, 2)) if q.offset.size else (pre, post)


def place(quant: QuantNetwork, sheet: Datasheet, layout: Layout, learned: Learned) -> Placement:
    """Slice populations, fill the cores of a chip, then the next; a chip whose SDRAM is full is left.

    Parameters
    ----------
    quant : QuantNetwork
        The network in the chip's numbers.
    sheet : Datasheet
        Limits.
    layout : Layout
        Memory of a core.
    learned : Learned
        What learning takes.

    Raises
    ------
    DoesNotFit
        Naming the resource, the place and by how much.
    """
    network = quant.network
    start = slices(network, layout, sheet, learned)
    n_cores, units = start.size - 1, network.n_inputs + network.n_neurons
    keys: list[list[Vector]] = [[], []]
    rows_bytes = np.zeros(n_cores, np.int64)
    stages = np.zeros(units, np.int64)
    for q in quant.projections:
        if q.host or not q.weight.size:
            continue
        unit, post = ends(network, q)
        core = np.searchsorted(start, post, side="right") - 1
        key, n = unit * n_cores + core, q.weight.size
        keys[int(q.plastic)].append(key[:n])
        keys[0].append(key[n:])
        kind = _KINDS[type(network.projection(q.name).plasticity)] if q.plastic else "static"
        rows_bytes += np.bincount(core[:n], minlength=n_cores) * sheet.int(f"limits.memory.{kind}_synapse")
        rows_bytes += np.bincount(core[n:], minlength=n_cores) * sheet.int("limits.memory.static_synapse")
        np.maximum.at(stages, unit[:n], (q.delay - 1) // layout.slots)
    (static, n_static), (taught, n_taught) = (_tally(parts, units * n_cores) for parts in keys)
    rows, back = np.unique(np.concatenate([static, taught]), return_inverse=True)
    total = np.bincount(back, np.concatenate([n_static, n_taught]), rows.size).astype(np.int64)
    edges = np.stack([rows // n_cores, rows % n_cores, total], axis=1).reshape(-1, 3)
    rows_bytes += np.bincount(edges[:, 1], minlength=n_cores) * sheet.int("limits.memory.row_header")
    rows_bytes += np.bincount(taught % n_cores, minlength=n_cores) * sheet.int("limits.memory.plastic_header")
    _require_rows(edges, layout, sheet)
    position = _positions(rows_bytes, sheet)
    extensions = _extensions(network, stages, layout)
    used = _core_usage(start, layout, sheet, learned, network)
    usage = used + _chip_usage(sheet, position, rows_bytes, edges, start, network.n_inputs, extensions)
    return Placement(start, usage, edges, position, stages)


def _tally(keys: list[Vector], size: int) -> tuple[Vector, Vector]:
    """Return the different keys, sorted, and how often each occurs."""
    joined = np.concatenate([np.zeros(0, np.int64), *keys])
    if size > MOST_COUNTED:
        return np.unique(joined, return_counts=True)
    count = np.bincount(joined, minlength=1)
    found = np.flatnonzero(count)
    return found, count[found]


def _require_rows(edges: Vector, layout: Layout, sheet: Datasheet) -> None:
    if layout.row and edges.size and edges[:, 2].max() > layout.row:
        unit, core, n = edges[int(edges[:, 2].argmax())].tolist()
        raise DoesNotFit(
            f"{sheet.name}: core {core}: row_synapses {n} > {layout.row} from unit {unit}; use fewer parallel synapses"
        )


def _positions(rows_bytes: Vector, sheet: Datasheet) -> Vector:
    """Return the place of every core: in order, but a chip with too little SDRAM for one is left."""
    most, per_chip = sheet.int("limits.chip.sdram"), sheet.int("limits.chip.cores")
    chips = sheet.int("limits.board.columns") * sheet.int("limits.board.rows")
    position, place, held = np.zeros(rows_bytes.size, np.int64), 0, 0
    for core, need in enumerate(rows_bytes.tolist()):
        if place % per_chip == 0:
            held = 0
        if held + need > most:
            chip = place // per_chip
            if need > most or chip + 1 >= chips:
                raise DoesNotFit(
                    f"{sheet.name}: chip {chip}: sdram {held + need} > {most} bytes of synaptic rows by core {core}; "
                    "use fewer synapses or more chips"
                )
            place, held = (chip + 1) * per_chip, 0
        position[core], place, held = place, place + 1, held + need
    return position


def _extensions(network: Network, stages: Vector, layout: Layout) -> int:
    """Return the cores that delay extensions take: one per slice of a source whose delays outlast the ring buffer."""
    return sum(-(-g.n // layout.cap) for g in network.groups if stages[network.unit_slices()[g.name]].any())


def _core_usage(
    start: Vector, layout: Layout, sheet: Datasheet, learned: Learned, network: Network
) -> tuple[Usage, ...]:
    first, owner = 0, np.zeros(start.size - 1, np.int64)
    sizes = [learned.of(p.name) for p in network.populations]
    for number, p in enumerate(network.populations):
        first += p.n
        owner[start[:-1] >= first] = number + 1
    usage = []
    for core, (low, high) in enumerate(pairwise(start.tolist())):
        size = sizes[int(owner[core])]
        usage.append(Usage("neurons", high - low, layout.most(*size), f"core {core}"))
        dtcm = layout.dtcm(high - low, *size)
        usage.append(Usage("dtcm", dtcm, sheet.int("limits.core.dtcm"), f"core {core}"))
    return tuple(usage)


def _chip_usage(
    sheet: Datasheet, position: Vector, rows_bytes: Vector, edges: Vector, start: Vector, n_inputs: int, extensions: int
) -> tuple[Usage, ...]:
    per_chip, most = sheet.int("limits.chip.cores"), sheet.int("limits.board.cores")
    cores = int(position.max(initial=-1)) + 1 + extensions
    if cores > most:
        raise DoesNotFit(
            f"{sheet.name}: board: cores {cores} > {most} ({extensions} of them for long delays); use fewer neurons, a "
            "larger board, or shorter delays"
        )
    usage = [Usage("cores", cores, most, "board")]
    memory = np.bincount(position // per_chip, rows_bytes)
    routes = router_entries(sheet, position, edges, start, n_inputs)
    for chip, used in enumerate(memory):
        usage.append(Usage("sdram", int(used), sheet.int("limits.chip.sdram"), f"chip {chip}"))
    for chip, used in sorted(routes.items()):
        limit = sheet.int("limits.chip.routes")
        if used > limit:
            raise DoesNotFit(
                f"{sheet.name}: chip {chip}: router entries {used} > {limit}; use fewer, larger populations"
            )
        usage.append(Usage("routes", used, limit, f"chip {chip}"))
    return tuple(usage)


def router_entries(
    sheet: Datasheet, position: Vector, edges: Vector, start: Vector, n_inputs: int
) -> dict[tuple[int, int], int]:
    """Return the multicast entries of each chip that has some, by (x, y).

    One entry per core that sends, on every chip where its packets start, arrive, or do not go straight on; a core's
    packets share a masked key. An input channel group counts like a core on each chip where it arrives.
    """
    topology, per_chip = topology_of(sheet), sheet.int("limits.chip.cores")
    unit, core = edges[:, 0], edges[:, 1]
    source = np.searchsorted(start, unit - n_inputs, side="right") - 1
    source[unit < n_inputs] = -1
    chip = position // per_chip if position.size else position
    pairs = np.unique(np.stack([source, chip[core]], axis=1), axis=0) if edges.size else np.zeros((0, 2), np.int64)
    marked: set[tuple[int, tuple[int, int]]] = set()
    for sender, target in pairs.tolist():
        x, y = topology.tile(target * per_chip)
        marked.add((sender, (int(x), int(y))))
        if sender < 0:
            continue
        links = topology.route(int(position[sender]), target * per_chip)
        before = None
        for here, there in links:
            way = ((there[0] - here[0]) % topology.width, (there[1] - here[1]) % topology.height)
            if way != before:
                marked.add((sender, here))
            before = way
    found: dict[tuple[int, int], int] = {}
    for _, node in marked:
        found[node] = found.get(node, 0) + 1
    return found
