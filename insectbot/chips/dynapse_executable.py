"""A network on the emulated DYNAP-SE: currents of one die, one jitted call per window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from insectbot.chips import dpi_analog as k
from insectbot.chips.analog_executable import DieExecutable
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.dynapse_biases import figure
from insectbot.chips.dynapse_quantise import QuantNetwork, charge_per_current, tags_of, weights_of
from insectbot.chips.dynapse_weights import BITS
from insectbot.chips.inputs import output_of
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.dynapse import Dynapse


class DynapseExecutable(DieExecutable):
    """A network compiled for one die of the chip; frozen.

    Parameters
    ----------
    chip : Dynapse
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams until the next ``reset``, and of the die unless the chip has one.

    Attributes
    ----------
    quant : QuantNetwork
        The network in the chip's numbers, with its report.
    tags : ndarray of int64, shape (n_units,)
        Tag of every unit.
    """

    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    _chip: Dynapse
    tags: npt.NDArray[np.int64]

    def __init__(self, chip: Dynapse, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network, seed)
        self._state = np.zeros((k.N_STATE, network.n_neurons))
        self._fired = np.zeros(max(network.n_neurons, 1), np.int64)
        self._scratch = np.zeros(max(network.n_neurons, 1))
        self.load(chip.quantised(network))
        self.reset(seed)

    def run(self, n_ticks: int) -> int:
        """Run the window."""
        return k.window(
            n_ticks, self.recording, self._counts, self._sources, self._neurons, self._synapses, self._meter, self._out
        )

    def clear(self, seed: int) -> None:
        """Set all currents to the dark current or 0."""
        self._state[...] = 0.0
        self._state[k.I_MEM] = 1.0

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return all currents, in units of the dark current, and the number of the die."""
        return {"neurons": self._state, **super().dynamic()}

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return biases with the die's mismatch, CAM words, tags, placement and messages."""
        row, target, kind, code, words, pulse = self._synapses
        return {
            "parameters": self._neurons[0],
            "cam_row": row,
            "cam_target": target,
            "cam_type": kind,
            "cam_weight": code,
            "cam_words": words,
            "pulse": pulse,
            "tag": self.tags,
            "neuron_output": self._neurons[4],
            "neuron_core": self._neurons[3],
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the weights as coded, without the die's mismatch, in the network's unit, by projection."""
        many = self._chip.multiplicity
        return {q.name: weights_of(self.quant, q.name, q.target, many) for q in self.network.projections}

    def load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its circuits on this die to the kernel."""
        placement = self._chip.place(quant)
        self.quant, self.placement = quant, placement
        network, w = self.network, quant.wiring
        n, sub = network.n_neurons, self._chip.substeps_of(network.dt)
        parameters, tau_syn, pulse = self._circuits(n)
        step = network.dt * 1e-3 / sub
        for row, tau in ((k.KEEP_EXC, tau_syn[0]), (k.KEEP_INH, tau_syn[1])):
            parameters[row] = np.exp(-step / tau)
        setup = np.array([sub, step, 0.0])
        core = placement.core_of(np.arange(n))
        self.tags = tags_of(placement, network.n_inputs + n)
        self._neurons = (parameters, self._state, self._fired, core, output_of(network), setup, self._scratch)
        self._synapses = (w.row, w.target, quant.kind, quant.code, quant.words, pulse)
        self.bind_placement(per_ms=True)

    def _circuits(self, n: int) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
        """Return parameters, synaptic time constants (2, n) and pulses (2, n, codes) of this die."""
        quant, die, io = self.quant, self._die, figure(self.sheet, "silicon.io")
        codes = 65 if self._chip.multiplicity else 16
        parameters, tau_syn, pulse = np.zeros((k.N_PARAMETERS, n)), np.zeros((2, n)), np.zeros((2, n, codes))
        leak = np.stack([die.factors("i_tau_exc", n), die.factors("i_tau_inh", n)])
        bases = [np.stack([die.factors(f"i_w_{kind}{b}", n) for b in range(4)]) for kind in ("exc", "inh")]
        for p in self.network.populations:
            at = slice(self.network.unit_slices()[p.name].start - self.network.n_inputs, None)
            at = slice(at.start, at.start + p.n)
            biases = quant.biases[p.name]
            parameters[:, at] = biases.parameters[:, None]
            tau_syn[:, at] = biases.tau_syn / leak[:, at]
            gain = charge_per_current(biases, self.sheet)
            for kind in (0, 1):
                real = quant.base[p.name][kind][:, None] * bases[kind][:, at]
                current = real[0][:, None] * np.arange(65) if codes == 65 else real.T @ BITS.T
                pulse[kind, at] = np.where(np.arange(codes) > 0, np.maximum(current * gain / io, 0.0), 0.0)
        for row, name in ((k.I_TAU, "i_tau"), (k.I_GAIN, "i_gain"), (k.THRESHOLD, "i_threshold"), (k.I_DC, "i_dc")):
            parameters[row] *= die.factors(name, n)
        return parameters, tau_syn, pulse
