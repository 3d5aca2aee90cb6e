"""Networks on a BrainScaleS-1 wafer: neurons of several circuits on HICANNs, buses on synapse drivers, lost synapses.

A HICANN hears its sources over buses of 64 addresses, of which 59 can be used. A synapse driver listens to one bus and
feeds four half rows; a half row decodes one pattern of two address bits, that is up to 16 sources, for one sign, and
holds one synapse on each circuit it reaches: a quarter of a neuron's circuits. A target that hears more of a pattern's
sources than that needs another half row, and a bus whose half rows need it takes a chain of drivers. Half rows go where
they hold most synapses, drivers where their half rows do, until the drivers are used up; what is left is lost. This is
the model of Vogginger & Mayr (arXiv 2610.07321), with the network's own synapses in the place of a random one's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from insectbot.chips.analog_wiring import Placement, Vector, Wiring, edges_of
from insectbot.chips.brainscales_quantise import QuantNetwork, quantise
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.fill import fill
from insectbot.chips.quant_report import QuantReport
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage
from insectbot.snn.network import Network

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Array:
    """The synapse array of a HICANN: sizes that decide what is lost.

    Attributes
    ----------
    drivers : int
        Synapse drivers.
    half_rows, reach : int
        Half rows of a driver, and circuits on which each has a synapse.
    chain : int
        Most drivers in the chain of one bus.
    addresses, pattern : int
        Sources of a bus, and those of one pattern of its address bits.
    """

    drivers: int
    half_rows: int
    reach: int
    chain: int
    addresses: int
    pattern: int

    @classmethod
    def of(cls, sheet: Datasheet) -> Array:
        """Read the array off a datasheet."""
        names = ("drivers", "half_rows", "reach", "chain", "addresses", "pattern")
        return cls(*(sheet.int(f"limits.core.{name}") for name in names))


@dataclass(frozen=True, eq=False)
class WaferNetwork:
    """A network in the wafer's numbers.

    Attributes
    ----------
    network : Network
        What was quantised.
    base : QuantNetwork
        Weights and operating points of the frozen network.
    circuits : ndarray of int64, shape (n_neurons,)
        Circuits of every neuron.
    start : ndarray of int64, shape (n_hicanns + 1,)
        First neuron of every HICANN.
    held : ndarray of bool, shape (n_synapses,)
        Synapses of weight other than 0 that the arrays hold.
    lost : ndarray of int64, shape (n_hicanns,)
        Synapses that every HICANN lost.
    drivers, buses : ndarray of int64, shape (n_hicanns,)
        Synapse drivers in use, and buses heard.
    """

    network: Network
    base: QuantNetwork
    circuits: Vector
    start: Vector
    held: Mask
    lost: Vector
    drivers: Vector
    buses: Vector

    @property
    def report(self) -> QuantReport:
        """What quantisation changed, lost synapses apart."""
        return self.base.report

    @property
    def loss(self) -> float:
        """Part of the synapses that is lost, 0 to 1."""
        return float(self.lost.sum()) / max(self.network.n_synapses, 1)


def frozen(network: Network) -> Network:
    """Return a network without plasticity and exploration, whose weights need no room to grow."""
    return replace(
        network,
        populations=tuple(replace(p, exploration=None) for p in network.populations),
        projections=tuple(replace(q, plasticity=None) for q in network.projections),
    )


def sizes_of(network: Network, sheet: Datasheet, wiring: Wiring, least: int) -> Vector:
    """Return the circuits of every neuron: a power of two, at least ``least``, with a synapse for every input.

    Raises
    ------
    DoesNotFit
        If a neuron has more inputs than the largest neuron has synapses.
    """
    per, most = sheet.int("limits.core.drivers"), sheet.int("limits.neuron.circuits")
    need = np.bincount(wiring.target[wiring.weight != 0], minlength=network.n_neurons)
    worst = int(need.argmax()) if need.size else 0
    if need.size and need[worst] > per * most:
        raise DoesNotFit(
            f"{sheet.name}: neuron {worst}: inputs {need[worst]} > {per * most} ({most} circuits of {per} synapses); "
            "use fewer inputs per neuron"
        )
    power = np.ceil(np.log2(np.maximum(need / per, 1.0))).astype(np.int64)
    return np.maximum(2**power, least)


def routed(number: Vector, target: Vector, down: Mask, share: Vector, array: Array) -> tuple[Mask, int, int]:
    """Return which synapses of one HICANN its array holds, its drivers in use and its buses.

    Parameters
    ----------
    number, target : ndarray of int64
        Of every synapse: the place of its source among all units of the network that send, and its target.
    down : ndarray of bool
        Whether it is inhibitory.
    share : ndarray of int64
        Synapses that one half row has for the target: a quarter of its circuits.
    array : Array
        Sizes.
    """
    n = number.size
    if not n:
        return np.zeros(0, bool), 0, 0
    far, slot = np.divmod(number, array.addresses)
    heard, bus = np.unique(far, return_inverse=True)
    patterns = math.ceil(array.addresses / array.pattern)
    key = ((bus * patterns + slot // array.pattern) * 2 + down).astype(np.int64)
    order = np.lexsort((number, target, key))
    new = np.ones(n, bool)
    new[1:] = (np.diff(key[order]) != 0) | (np.diff(target[order]) != 0)
    begin = np.maximum.accumulate(np.where(new, np.arange(n), 0))
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n) - begin
    # A half row: its key, and how many of the same key come before it. It holds no more than they do.
    row, of_row, gain = np.unique(np.stack([key, rank // share]), axis=1, return_inverse=True, return_counts=True)
    row_bus = row[0] // (2 * patterns)
    ranked = np.lexsort((row[1], row[0], -gain, row_bus))
    first = np.searchsorted(row_bus[ranked], np.arange(row_bus.max() + 1))
    place = np.empty(ranked.size, np.int64)
    place[ranked] = np.arange(ranked.size) - first[row_bus[ranked]]
    driver, of_driver = np.unique(np.stack([row_bus, place // array.half_rows]), axis=1, return_inverse=True)
    worth = np.bincount(of_driver.ravel(), gain)
    short = driver[1] < array.chain
    best = np.lexsort((driver[1], driver[0], -worth, ~short))[: array.drivers]
    taken = np.zeros(short.size, bool)
    taken[best] = short[best]
    held = taken[of_driver.ravel()][of_row.ravel()]
    return held, int(taken.sum()), heard.size


def quantise_wafer(network: Network, sheet: Datasheet, bits: int, least: int) -> WaferNetwork:
    """Return a network that passed the checks in the wafer's numbers, with what the arrays do not hold.

    Raises
    ------
    DoesNotFit
        If a neuron has too many inputs.
    """
    base = quantise(frozen(network), sheet, bits)
    w, array = base.wiring, Array.of(sheet)
    circuits = sizes_of(network, sheet, w, least)
    room, total = sheet.int("limits.core.circuits"), np.concatenate([[0], np.cumsum(circuits)])

    def excess(low: int, high: int) -> str:
        return "circuits" if total[high] - total[low] > room else ""

    start = fill(network.n_neurons, room // least, excess)
    held = np.zeros(w.weight.size, bool)
    real = np.flatnonzero(w.weight != 0)
    real = real[np.argsort(w.target[real], kind="stable")]
    bounds = np.searchsorted(w.target[real], start)
    # A bus carries 59 senders in order, whether a HICANN wants them all or not.
    number = np.searchsorted(np.unique(w.unit[real]), w.unit)
    lost, drivers, buses = np.zeros((3, start.size - 1), np.int64)
    for h in range(start.size - 1):
        at = real[bounds[h] : bounds[h + 1]]
        share = circuits[w.target[at]] * array.reach // room
        held[at], drivers[h], buses[h] = routed(number[at], w.target[at], w.weight[at] < 0, share, array)
        lost[h] = at.size - held[at].sum()
    return WaferNetwork(network, base, circuits, start, held, lost, drivers, buses)


def place_wafer(quant: WaferNetwork, sheet: Datasheet, allow_loss: float) -> Placement:
    """Return the placement of a quantised network.

    Raises
    ------
    DoesNotFit
        If the wafer has too few HICANNs, or more synapses are lost than is allowed.
    """
    name, most, n = sheet.name, sheet.int("limits.chip.cores"), quant.start.size - 1
    if n > most:
        raise DoesNotFit(f"{name}: wafer: HICANNs {n} > {most}; use fewer neurons or fewer circuits for each")
    lost, all_of_them = int(quant.lost.sum()), quant.network.n_synapses
    if quant.loss > allow_loss:
        worst = int(quant.lost.argmax())
        raise DoesNotFit(
            f"{name}: HICANN {worst}: synapse drivers for {quant.buses[worst]} buses > "
            f"{sheet.int('limits.core.drivers')}: {lost} of {all_of_them} synapses would be lost, {quant.loss:.2%} > "
            f"{allow_loss:.2%}; use fewer sources, more circuits per neuron, or allow_loss={quant.loss + 5e-5:.4f}"
        )
    room = (sheet.int("limits.core.circuits"), sheet.int("limits.core.drivers"))
    usage = []
    for h in range(n):
        used = int(quant.circuits[quant.start[h] : quant.start[h + 1]].sum())
        usage += [Usage("circuits", float(used), room[0], f"HICANN {h}")]
        usage += [Usage("synapse drivers", float(quant.drivers[h]), room[1], f"HICANN {h}")]
    usage += [Usage("HICANNs", float(n), most, "wafer")]
    usage += [Usage("lost synapses", float(lost), int(allow_loss * all_of_them), "wafer")]
    w = quant.base.wiring
    kept = replace(w, unit=w.unit[quant.held], target=w.target[quant.held])
    return Placement(quant.start, edges_of(kept, quant.start), np.arange(n), tuple(usage))
