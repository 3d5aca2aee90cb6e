"""A network on the emulated Neurogrid: analog state of one die, one jitted call per window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import qif_analog as k
from insectbot.chips.analog_executable import DieExecutable
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.inputs import output_of
from insectbot.chips.neurogrid_arbor import arbor_of
from insectbot.chips.neurogrid_quantise import QuantNetwork, parameters_of
from insectbot.chips.qif_window import window
from insectbot.core.random import stream_key
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.neurogrid import Neurogrid

_STREAMS = (4995, 4994)
"""Random streams of delivery, and of the step within a tick at which an input spikes."""


class NeurogridExecutable(DieExecutable):
    """A network compiled for one die; frozen.

    Parameters
    ----------
    chip : Neurogrid
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams and of delivery until the next ``reset``, and of the die unless the chip has one.

    Attributes
    ----------
    quant : QuantNetwork
        The network in the chip's numbers, with its report.
    """

    soft: ClassVar[Mapping[str, int]] = {"merged_pulses": k.MERGED}
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    _chip: Neurogrid

    def __init__(self, chip: Neurogrid, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network, seed)
        n = network.n_neurons
        self._state = np.zeros((k.N_STATE, n))
        self._pending = np.zeros((chip.substeps_of(network.dt), k.CHANNELS, n), np.int16)
        self._when = np.zeros(n, np.int64)
        self._keys = np.zeros(2, np.uint64)
        self.load(chip.quantised(network))
        self.reset(seed)

    def run(self, n_ticks: int) -> int:
        """Run the window."""
        return window(
            n_ticks, self.recording, self._counts, self._sources, self._neurons, self._synapses, self._meter, self._out
        )

    def clear(self, seed: int) -> None:
        """Set all potentials, conductances and pulses to 0."""
        self._state[...] = 0.0
        self._pending[...] = 0
        self._keys[:] = [stream_key(seed, stream) for stream in _STREAMS]

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return potentials, conductances, spikes on their way, stream keys and the number of the die."""
        state = {"neurons": self._state, "pending": self._pending, "delivery_keys": self._keys}
        return {**state, **super().dynamic()}

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return neuron parameters with the die's mismatch, target lists, the shared dendrite, placement, messages."""
        row, target, channel, chance = self._synapses
        arbor = self._neurons[3]
        return {
            "parameters": self._neurons[0],
            "list_row": row,
            "list_target": target,
            "list_channel": channel,
            "list_chance": chance,
            "arbor_row": arbor[0],
            "arbor_source": arbor[1],
            "arbor_share": arbor[2],
            "neuron_output": self._neurons[6],
            "neuron_core": self._neurons[5],
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the mean weights as delivered, without the die's mismatch, in the network's unit, by projection."""
        return {q.name: self.quant.weights(q) for q in self.network.projections}

    def load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its circuits on this die to the kernel."""
        self.quant, self.placement = quant, self._chip.place(quant)
        network, w, die = self.network, quant.wiring, self._die
        n, start = network.n_neurons, self.placement.start
        parameters = parameters_of(quant, self.sheet, network.dt / self._pending.shape[0])
        # A time constant is a capacitance over a leak current.
        for row, name in ((k.K_S, "i_leak"), (k.K_D, "i_leak_dendrite")):
            parameters[row] *= die.factors(name, n)
        for c in range(k.CHANNELS):
            parameters[k.K_C + c] *= die.factors(f"i_leak_synapse_{c}", n)
            parameters[k.G_SAT + c] *= die.factors(f"g_sat_{c}", n)
        columns = math.ceil(math.sqrt(int(np.diff(start).max(initial=1))))
        arbor = arbor_of(start, columns, self._chip.spread)
        output, core = output_of(network), self.placement.core_of(np.arange(n))
        self._neurons = (parameters, self._state, self._pending, arbor, self._when, core, output, self._keys)
        self._synapses = (w.row, w.target, quant.channel, quant.chance)
        self.bind_placement(per_ms=True)
