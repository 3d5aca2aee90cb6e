"""Memory of TrueNorth: registers, crossbars, targets and messages as flat arrays for the window kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import crossbar_int as k
from insectbot.chips.inputs import output_of
from insectbot.chips.truenorth_place import Placement
from insectbot.chips.truenorth_quantise import QuantNetwork
from insectbot.chips.truenorth_replay import packed

Array = npt.NDArray

REGISTERS = {
    "leak": k.PUSH,
    "reverse": k.REVERSE,
    "threshold": k.ALPHA,
    "floor": k.BETA,
    "reset": k.RESET,
    "gamma": k.GAMMA,
    "kappa": k.KAPPA,
    **{f"value_{g}": k.S + g for g in range(k.TYPES)},
}
"""Registers that a mapped network uses -> field of a cell."""


@dataclass(frozen=True, eq=False)
class Program:
    """What weights and placement decide; the executable owns the dynamic state.

    Attributes
    ----------
    cells : ndarray of int32, shape (blocks, FIELDS * LANES)
        Registers and V of all neurons, in order, clones not repeated (see ``crossbar_int.py``).
    crossbar : tuple of ndarray
        (type of axon, row, neuron, number of the axon on its core).
    axon_core : ndarray of int32, shape (n_axons,)
        Core of each axon.
    targets : tuple of ndarray
        (row, axon, delay) by source unit: one entry per clone, or per packet of the host.
    core_of : ndarray of int64, shape (n_neurons,)
        Core of each neuron.
    output_of : ndarray of int64, shape (n_neurons,)
        Output number of each neuron; -1 for none.
    """

    cells: npt.NDArray[np.int32]
    crossbar: tuple[Array, Array, Array, Array]
    axon_core: Array
    targets: tuple[Array, Array, Array]
    core_of: Array
    output_of: Array

    @classmethod
    def of(cls, quant: QuantNetwork, placement: Placement) -> Program:
        """Lay a placed network out in memory."""
        network = quant.network
        core = np.repeat(np.arange(placement.n_cores), np.diff(placement.axon_row))
        local = np.arange(core.size) - placement.axon_row[:-1][core]
        # In memory axons follow each other as the spikes of a unit reach them.
        order = np.lexsort((core, placement.delay, placement.unit))
        memory = np.empty(order.size, np.int32)
        memory[order] = np.arange(order.size, dtype=np.int32)
        entry = memory[placement.entry_axon]
        by_axon = np.argsort(entry, kind="stable")
        row = np.searchsorted(entry[by_axon], np.arange(order.size + 1)).astype(np.int64)
        n_units = network.n_inputs + network.n_neurons
        unit_row = np.searchsorted(placement.unit[order], np.arange(n_units + 1)).astype(np.int64)
        return cls(
            cells=_cells(quant),
            axon_core=core[order].astype(np.int32),
            crossbar=(
                placement.kind[order].astype(np.int32),
                row,
                placement.entry_neuron[by_axon],
                local[order].astype(np.int32),
            ),
            targets=(unit_row, np.arange(order.size, dtype=np.int32), placement.delay[order].astype(np.int32)),
            core_of=np.repeat(np.arange(placement.n_cores), np.diff(placement.start)),
            output_of=output_of(network),
        )


def _cells(quant: QuantNetwork) -> npt.NDArray[np.int32]:
    sizes = [p.n for p in quant.populations]
    n = sum(sizes)
    fields = np.zeros((k.FIELDS, max(-(-n // k.LANES), 1) * k.LANES), np.int32)
    fields[k.ALPHA] = 1
    registers = {
        k.PUSH: [-p.leak for p in quant.populations],
        k.REVERSE: [1 for _ in quant.populations],
        k.ALPHA: [p.threshold for p in quant.populations],
        k.BETA: [p.floor for p in quant.populations],
        k.RESET: [p.reset for p in quant.populations],
        k.GAMMA: [int(p.linear) for p in quant.populations],
        k.KAPPA: [1 for _ in quant.populations],
        # A floor that the network asks for is no saturation.
        k.COUNT_LOW: [int(not p.bounded) for p in quant.populations],
        **{k.S + g: [p.table.values[g] for p in quant.populations] for g in range(k.TYPES)},
    }
    for field, values in registers.items():
        fields[field, :n] = np.repeat(np.array(values, np.int32), sizes)
    return packed(fields)
