"""Placement: neurons onto cores, greedily, within compartments, axons, synapse memory and profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from insectbot.chips.anneal import annealed
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.fill import Unfit, fill
from insectbot.chips.quantise import QuantNetwork
from insectbot.chips.topology import Topology
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage

RESOURCES = ("compartments", "axons_in", "axons_out", "synapse_bits", "synapse_formats")
RESOURCES += ("compartment_profiles", "threshold_profiles")
Vector = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Wiring:
    """All on-chip synapses in one list, sorted by target neuron.

    Attributes
    ----------
    source, target, projection : ndarray of int64, shape (n_synapses,)
        Unit (inputs first), neuron (inputs not counted) and number of the projection of each synapse.
    bits : ndarray of int64, shape (n_projections,)
        Weight and delay bits per synapse.
    form : ndarray of int64, shape (n_projections,)
        Number of the synapse format (exponent, sign mode, delay bits) a projection uses.
    population : ndarray of int64, shape (n_neurons,)
        Population of each neuron.
    profiles : ndarray of int64, shape (2, n_populations)
        Numbers of the compartment and threshold profile of each population.
    n_inputs : int
        Number of input channels.
    """

    source: Vector
    target: Vector
    projection: Vector
    bits: Vector
    form: Vector
    population: Vector
    profiles: Vector
    n_inputs: int

    @classmethod
    def of(cls, quant: QuantNetwork, sheet: Datasheet) -> Wiring:
        """List the synapses of a quantised network."""
        network = quant.network
        slices = network.unit_slices()
        source, target, projection = [], [], []
        bits, forms = [], []
        for k, (p, q) in enumerate(zip(network.projections, quant.projections, strict=True)):
            # A delay register of 0 means one tick; a projection without more needs no delay field.
            delay_bits = sheet.int("delay.bits") if q.delay.size and q.delay.max() > 1 else 0
            bits.append(quant.report.projections[k].bits + delay_bits)
            forms.append((q.exponent, q.sign, delay_bits))
            if q.weight.size:
                source.append(p.pre.astype(np.int64) + slices[p.source].start)
                target.append(p.post.astype(np.int64) + slices[p.target].start - network.n_inputs)
                projection.append(np.full(q.weight.size, k))
        empty = [np.zeros(0, np.int64)]
        s, t, k = (np.concatenate(a or empty) for a in (source, target, projection))
        order = np.argsort(t, kind="stable")
        profile = [(p.decay_u, p.decay_v, p.refract) for p in quant.populations]
        threshold = [p.vth_mant for p in quant.populations]
        return cls(
            source=s[order],
            target=t[order],
            projection=k[order],
            bits=np.array(bits, np.int64),
            form=_number(forms),
            population=np.repeat(np.arange(len(quant.populations)), [p.n for p in quant.populations]),
            profiles=np.array([_number(profile), _number(threshold)]),
            n_inputs=network.n_inputs,
        )


@dataclass(frozen=True)
class Placement:
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

    @property
    def n_cores(self) -> int:
        """Number of cores in use."""
        return self.start.size - 1

    def core_of(self, neurons: npt.NDArray[np.integer]) -> Vector:
        """Return the core of neurons (numbers without inputs)."""
        return np.searchsorted(self.start, neurons, side="right").astype(np.int64) - 1


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
    a, z = np.searchsorted(wiring.target, [low, high])
    source, projection = wiring.source[a:z], wiring.projection[a:z]
    n_projections = max(wiring.bits.size, 1)
    rows, n = np.unique(source * n_projections + projection, return_counts=True)
    bits, forms = 0, 0
    if rows.size:
        index_bits = max(sheet.int("limits.synapse.index_bits_min"), int(high - low - 1).bit_length())
        per_synapse = wiring.bits[rows % n_projections] + index_bits
        bits = int(axon_bits(n, per_synapse, sheet).sum())
        forms = np.unique(wiring.form[projection]).size
    populations = np.unique(wiring.population[low:high])
    return {
        "compartments": high - low,
        "axons_in": int(np.unique(source).size),
        "synapse_bits": bits,
        "synapse_formats": int(forms),
        "compartment_profiles": int(np.unique(wiring.profiles[0, populations]).size),
        "threshold_profiles": int(np.unique(wiring.profiles[1, populations]).size),
    }


def axon_bits(n: npt.NDArray, per_synapse: npt.NDArray, sheet: Datasheet) -> Vector:
    """Return the memory of axon entries of ``n`` synapses [bit]: blocks with a header, each in whole memory units."""
    block, unit = sheet.int("limits.synapse.block_synapses"), sheet.int("limits.synapse.memory_unit")
    header = sheet.int("limits.synapse.header_bits")
    full, rest = np.divmod(n, block)
    whole = -(-(block * per_synapse + header) // unit) * unit
    part = -(-(rest * per_synapse + header) // unit) * unit
    return full * whole + np.where(rest > 0, part, 0)


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Fill cores in order of neurons; split where a resource runs out.

    If the output axons of a core run out, cores are filled less (512, 256, ... compartments) until they suffice.

    Raises
    ------
    DoesNotFit
        Naming the resource, the core and by how much.
    """
    wiring = Wiring.of(quant, sheet)
    limits = {name: sheet.int(f"limits.core.{name}") for name in RESOURCES}
    cap, first = limits["compartments"], ""
    while cap >= 1:
        start = _fill(wiring, limits, cap, sheet)
        edges = _edges(wiring, start)
        out = _axons_out(wiring, start, edges)
        crowded = np.flatnonzero(out > limits["axons_out"])
        if not crowded.size:
            return _finish(wiring, start, edges, out, limits, sheet)
        core = int(crowded[0])
        first = first or f"{sheet.name}: core {core}: axons_out {int(out[core])} > {limits['axons_out']}"
        cap //= 2
    raise DoesNotFit(f"{first}; give neurons fewer distant targets")


def _fill(wiring: Wiring, limits: dict[str, int], cap: int, sheet: Datasheet) -> Vector:
    def excess(low: int, high: int) -> str:
        use = core_use(wiring, low, high, sheet)
        return next((f"{name} {value} > {limits[name]}" for name, value in use.items() if value > limits[name]), "")

    try:
        return fill(wiring.population.size, cap, excess)
    except Unfit as error:
        population = int(wiring.population[error.item])
        raise DoesNotFit(
            f"{sheet.name}: core {error.core}: {error.cause} for one neuron of population {population}; "
            "give it fewer incoming synapses"
        ) from None


def _edges(wiring: Wiring, start: Vector) -> Vector:
    core = np.searchsorted(start, wiring.target, side="right") - 1
    pair, n = np.unique(wiring.source * start.size + core, return_counts=True)
    return np.stack([pair // start.size, pair % start.size, n], axis=1).astype(np.int64)


def _axons_out(wiring: Wiring, start: Vector, edges: Vector) -> Vector:
    neurons = edges[edges[:, 0] >= wiring.n_inputs, 0] - wiring.n_inputs
    return np.bincount(np.searchsorted(start, neurons, side="right") - 1, minlength=start.size - 1)


def _finish(
    wiring: Wiring, start: Vector, edges: Vector, out: Vector, limits: dict[str, int], sheet: Datasheet
) -> Placement:
    cores, most = start.size - 1, sheet.int("limits.chip.cores")
    if cores > most:
        use = core_use(wiring, 0, int(start[1]), sheet)
        full = max(use, key=lambda name: use[name] / limits[name])
        raise DoesNotFit(
            f"{sheet.name}: chip: cores {cores} > {most} (core 0 is full by {full} {use[full]} of {limits[full]}); "
            "use fewer neurons or synapses"
        )
    usage = []
    for c in range(cores):
        use = core_use(wiring, int(start[c]), int(start[c + 1]), sheet) | {"axons_out": int(out[c])}
        usage += [Usage(name, use[name], limits[name], f"core {c}") for name in RESOURCES]
    return Placement(start, (*usage, Usage("cores", cores, most, "chip")), edges, np.arange(cores))
