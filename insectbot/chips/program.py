"""Memory of a chip: registers, synapses, messages and counters as flat arrays for the window kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_int as k
from insectbot.chips.inputs import output_units
from insectbot.chips.loihi_integers import QuantNetwork
from insectbot.chips.place import Placement
from insectbot.chips.registers import Registers, contribution

Array = npt.NDArray


@dataclass(frozen=True)
class Program:
    """What weights and placement decide; the executable owns the dynamic state.

    Attributes
    ----------
    cells : ndarray of int32, shape (blocks, FIELDS * LANES)
        Registers and state of all neurons (see ``cuba_int.py``).
    slot : ndarray of int64, shape (n_neurons,)
        Lane of each neuron; every core starts a new block.
    block_core, unit_of, output_of : ndarray
        Core of a block; global unit and output number of a lane (-1 for none).
    synapses : tuple of ndarray
        (row, target lane, contribution, delay) by source unit.
    n_idle : ndarray of int64, shape (n_cores,)
        Neurons per core.
    currents : tuple of ndarray
        (row, lane, weight in chip units) by input channel; empty rows where there is no analog input.
    plastic : dict of str to ndarray of int64
        Of every projection with a learning rule: where its synapses are in ``synapses``, in projection order.
    """

    cells: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int64]
    block_core: npt.NDArray[np.int64]
    unit_of: npt.NDArray[np.int64]
    output_of: npt.NDArray[np.int64]
    synapses: tuple[Array, Array, Array, Array]
    n_idle: npt.NDArray[np.int64]
    currents: tuple[Array, Array, Array]
    plastic: dict[str, npt.NDArray[np.int64]]

    @classmethod
    def of(cls, quant: QuantNetwork, placement: Placement) -> Program:
        """Lay a placed network out in memory."""
        network = quant.network
        blocks = -(-np.diff(placement.start) // k.LANES)
        base = np.concatenate([[0], np.cumsum(blocks)]) * k.LANES
        neurons = np.arange(network.n_neurons)
        core = placement.core_of(neurons)
        slot = base[core] + neurons - placement.start[core]
        unit_of = np.full(int(base[-1]), -1, np.int64)
        unit_of[slot] = neurons + network.n_inputs
        output_of = np.full(int(base[-1]), -1, np.int64)
        units = output_units(network)
        synapses, plastic = _synapses(quant, slot)
        output_of[slot[units - network.n_inputs]] = np.arange(units.size)
        return cls(
            cells=_cells(quant, slot, int(base[-1])),
            slot=slot,
            block_core=np.repeat(np.arange(blocks.size), blocks),
            unit_of=unit_of,
            output_of=output_of,
            synapses=synapses,
            n_idle=np.diff(placement.start).astype(np.int64),
            currents=_currents(quant, slot),
            plastic=plastic,
        )


def _cells(quant: QuantNetwork, slot: Array, n_slots: int) -> npt.NDArray[np.int32]:
    sizes = [p.n for p in quant.populations]

    def spread(field: str) -> Array:
        return np.repeat(np.array([getattr(p, field) for p in quant.populations]), sizes)

    fields = ("decay_u", "decay_v", "vth_mant", "vmin_exp", "refract")
    registers = Registers.of(sum(sizes), bias_mant=0, bias_exp=0, vmax_exp=7, **{name: spread(name) for name in fields})
    cells = registers.cells(slot, n_slots)
    # A floor that the network asks for is no saturation.
    cells[slot // k.LANES, k.COUNT_LOW * k.LANES + slot % k.LANES] = ~spread("floor")
    return cells


def _synapses(
    quant: QuantNetwork, slot: Array
) -> tuple[tuple[Array, Array, Array, Array], dict[str, npt.NDArray[np.int64]]]:
    """Return (row, target lane, contribution, delay) by source unit, and where synapses that can learn ended up."""
    network = quant.network
    slices, n_units = network.unit_slices(), network.n_inputs + network.n_neurons
    unit, target, amount, delay = ([np.zeros(0, np.int64)] for _ in range(4))
    first, size = {}, 0
    for p, q in zip(network.projections, quant.projections, strict=True):
        if not q.host:
            first[p.name], size = size, size + q.weight.size
            unit.append(p.pre.astype(np.int64) + slices[p.source].start)
            target.append(slot[p.post + slices[p.target].start - network.n_inputs])
            amount.append(contribution(q.weight, q.exponent).astype(np.int64))
            delay.append(q.delay.astype(np.int64))
    u, t, a, d = (np.concatenate(x) for x in (unit, target, amount, delay))
    order = np.lexsort((t, d, u))
    row = np.searchsorted(u[order], np.arange(n_units + 1)).astype(np.int64)
    plastic = {}
    if any(True for _ in network.plastic()):
        place = np.empty(size, np.int64)
        place[order] = np.arange(size)
        plastic = {p.name: place[first[p.name] : first[p.name] + p.n_synapses] for p in network.plastic()}
    return (row, t[order].astype(np.int32), a[order].astype(np.int32), d[order].astype(np.int32)), plastic


def _currents(quant: QuantNetwork, slot: Array) -> tuple[Array, Array, Array]:
    network = quant.network
    slices = network.unit_slices()
    channel, lane, weight = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for p, q in zip(network.projections, quant.projections, strict=True):
        if q.host:
            channel.append(p.pre.astype(np.int64) + slices[p.source].start)
            lane.append(slot[p.post + slices[p.target].start - network.n_inputs])
            weight.append(p.weight.astype(np.float64) * q.gain)
    c, s, w = (np.concatenate(x) for x in (channel, lane, weight))
    order = np.argsort(c, kind="stable")
    return np.searchsorted(c[order], np.arange(network.n_inputs + 1)).astype(np.int64), s[order], w[order]
