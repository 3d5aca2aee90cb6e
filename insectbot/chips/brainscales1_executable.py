"""A network on the emulated BrainScaleS-1 wafer: analog state of one die, one jitted call per window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import adex_analog as a
from insectbot.chips import hicann_analog as k
from insectbot.chips.analog_executable import DieExecutable
from insectbot.chips.analog_wiring import Placement, values
from insectbot.chips.brainscales1_place import WaferNetwork
from insectbot.chips.brainscales_program import Program, program_of
from insectbot.core.random import stream_key
from insectbot.protocols import Counters
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.brainscales1 import BrainScaleS1

_NOISE_STREAM = 4993
WORKING_POINT = 2.0 / 3.0
"""Where between rest and threshold a conductance gives the current of the network's synapse.

There a neuron has the network's rate at twice its rheobase, for the reversal potentials of the datasheet.
"""


class BrainScaleS1Executable(DieExecutable):
    """A network compiled for one die of the wafer; frozen.

    Parameters
    ----------
    chip : BrainScaleS1
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams and of trial noise until the next ``reset``, and of the die unless the chip has one.

    Attributes
    ----------
    quant : WaferNetwork
        The network in the chip's numbers, with its report and what is lost.
    """

    soft: ClassVar[Mapping[str, int]] = {"v_low": k.V_LOW}
    n_counts = k.N_COUNTS
    quant: WaferNetwork
    placement: Placement
    _chip: BrainScaleS1

    def __init__(self, chip: BrainScaleS1, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network, seed)
        n = network.n_neurons
        self._state = np.zeros((a.N_STATE, n))
        self._fired = np.zeros(max(n, 1), np.int64)
        self._noise_key = np.zeros(1, np.uint64)
        self.load(chip.quantised(network))
        self.reset(seed)

    def run(self, n_ticks: int) -> int:
        """Run the window."""
        return k.window(
            n_ticks, self.recording, self._counts, self._sources, self._neurons, self._synapses, self._meter, self._out
        )

    def clear(self, seed: int) -> None:
        """Set all membranes to rest, and conductances to 0."""
        self._state[...] = 0.0
        self._state[a.V] = self._program.parameters[a.V_L]
        self._noise_key[0] = stream_key(seed, _NOISE_STREAM)

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return membranes, conductances, the noise key and the number of the die."""
        return {"neurons": self._state, "noise_key": self._noise_key, **super().dynamic()}

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return neuron parameters with the die's mismatch, the synapses that are held, placement and messages."""
        p = self._program
        return {
            "parameters": p.parameters,
            "synapse_row": p.row,
            "synapse_target": p.target,
            "synapse_weight": p.weight,
            "synapse_amplitude": p.amplitude,
            "neuron_output": p.output,
            "neuron_core": self._neurons[3],
            "neuron_circuits": self.quant.circuits,
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the weights as the die applies them, with its mismatch, in the network's unit; 0 for lost synapses."""
        base, p, found = self.quant.base, self._program, {}
        applied = np.zeros(base.weight.size)
        gain = np.where(p.weight > 0, p.amplitude[0] / self._ideal[0], p.amplitude[1] / self._ideal[1])
        applied[self.quant.held] = p.weight * gain
        for q in self.network.projections:
            found[q.name] = applied[base.wiring.index[q.name]] * base.step[q.target]
        return found

    def counters(self) -> Counters:
        """Return the counts since the last reset; synapses that the wafer lost are soft failures."""
        found = super().counters()
        lost = {"lost_synapses": int(self.quant.lost.sum())}
        return replace(found, soft_failures={**found.soft_failures, **lost})

    def load(self, quant: WaferNetwork) -> None:
        """Place a quantised network and bind its circuits on this die to the kernel."""
        chip, network = self._chip, self.network
        self.placement, self.quant = chip.place(quant), quant
        substeps = chip.substeps_of(network.dt)
        whole = program_of(quant.base, self.sheet, self._die, substeps, chip.noise)
        self._program = p = self._wafer(whole)
        core = self.placement.core_of(np.arange(network.n_neurons))
        size = np.array([substeps], np.int64)
        self._neurons = (p.parameters, self._state, self._fired, core, p.output, self._noise_key, size)
        self._synapses = (p.row, p.target, p.weight, p.amplitude)
        self.bind_placement(per_ms=True)

    def _wafer(self, p: Program) -> Program:
        """Return a program with conductances in the place of currents, without the synapses that are lost."""
        held, base, n = self.quant.held, self.quant.base, self.network.n_neurons
        wiring, scale = base.wiring, base.scale
        parameters = np.zeros((k.N_PARAMETERS, n))
        parameters[: a.N_PARAMETERS] = p.parameters
        parameters[k.E_EXC] = float(self.sheet["neuron.e_exc"].value)
        parameters[k.E_INH] = float(self.sheet["neuron.e_inh"].value)
        # The threshold is the one that the network asked for: mismatch is what nobody accounts for.
        spans = (scale[q.name] * (values(q, "v_th") - values(q, "v_rest")) for q in self.network.populations)
        span = np.concatenate([np.zeros(0), *spans])
        usual = p.parameters[a.V_L] + WORKING_POINT * span
        force = np.stack([parameters[k.E_EXC] - usual, usual - parameters[k.E_INH]])[:, p.target[held]]
        self._ideal = p.ideal[held] / force
        row = np.searchsorted(wiring.unit[held], np.arange(p.row.size)).astype(np.int64)
        amplitude = np.ascontiguousarray(p.amplitude[:, held] / force)
        return replace(
            p, parameters=parameters, row=row, target=p.target[held], weight=p.weight[held], amplitude=amplitude
        )
