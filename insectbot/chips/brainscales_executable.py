"""A network on the emulated BrainScaleS-2: analog state of one die, one jitted call per window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import adex_analog as k
from insectbot.chips import brainscales_explore, brainscales_ppu
from insectbot.chips import engine as e
from insectbot.chips.analog_executable import DieExecutable
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.brainscales_learning import Processor, refusals
from insectbot.chips.brainscales_program import program_of
from insectbot.chips.brainscales_quantise import QuantNetwork
from insectbot.core.random import stream_key
from insectbot.errors import ShapeError
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.brainscales import BrainScaleS2

_NOISE_STREAM = 4998
_ADC_STREAM = 4996


class BrainScaleS2Executable(DieExecutable):
    """A network compiled for one die of the chip.

    Parameters
    ----------
    chip : BrainScaleS2
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams and of trial noise until the next ``reset``, and of the die unless the chip has one.

    Attributes
    ----------
    quant : QuantNetwork
        The network in the chip's numbers, with its report.
    """

    soft: ClassVar[Mapping[str, int]] = {
        "v_low": k.V_LOW,
        "weight_clips": k.WEIGHT_CLIPS,
        "sensor_clips": k.SENSOR_CLIPS,
    }
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    _chip: BrainScaleS2

    def __init__(self, chip: BrainScaleS2, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network, seed)
        self._state = np.zeros((k.N_STATE, network.n_neurons))
        self._fired = np.zeros(max(network.n_neurons, 1), np.int64)
        self._noise_key = np.zeros(1, np.uint64)
        self._seed = seed
        self.load(chip.quantised(network))
        self.reset(seed)

    def run(self, n_ticks: int) -> int:
        """Run the window."""
        learning = self._learning and self._processor.busy
        self._learned |= learning
        return k.window(
            n_ticks, self.recording, learning, self._counts, self._sources, self._neurons, self._synapses, self._meter,
            self._out, self._processor.plastic, self._processor.explorers,
        )  # fmt: skip

    def wishes(self) -> list[str]:
        """Return what of the learning rules the processor cannot say, as text."""
        return refusals(self.network)

    def refusal(self, wishes: list[str]) -> str:
        """Return the words that say why the processor cannot learn."""
        return f"the plasticity processor cannot say {', '.join(wishes)}"

    def modulate(self, modulators: npt.NDArray[np.float32]) -> None:
        """Take third factors: the program reads the sensors and changes weights, before the window's first tick."""
        if modulators.shape != (self.network.n_modulators,) or not np.isfinite(modulators).all():
            raise ShapeError(f"modulators {modulators.tolist()}: must be {self.network.n_modulators} finite numbers")
        if self._processor.names:
            self._learned = True
            tick, pulse = int(self._counts[e.TICK]), modulators.astype(np.float64)
            where = (self._processor.plastic, self._program.weight, self._counts, k.WEIGHT_CLIPS, k.SENSOR_CLIPS)
            brainscales_ppu.reward(tick, pulse, *where)
            brainscales_explore.reinforce(tick, pulse, *where)

    def clear(self, seed: int) -> None:
        """Set all membranes to rest, and currents, sensors and eligibilities to 0."""
        self._seed = seed
        self._state[...] = 0.0
        self._state[k.V] = self._program.parameters[k.V_L]
        self._noise_key[0] = stream_key(seed, _NOISE_STREAM)
        self._processor.clear(seed)

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return membranes, currents, the noise key, sensors and eligibilities."""
        return {"neurons": self._state, "noise_key": self._noise_key, **super().dynamic(), **self._processor.state}

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return neuron parameters with the die's mismatch, synapses, placement and messages."""
        p = self._program
        return {
            "parameters": p.parameters,
            "synapse_row": p.row,
            "synapse_target": p.target,
            "synapse_weight": p.weight,
            "synapse_amplitude": p.amplitude,
            "neuron_output": p.output,
            "neuron_core": self._core,
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the weights as the die applies them, with its mismatch, in the network's unit, by projection."""
        p, found = self._program, {}
        for q in self.network.projections:
            at = self.quant.wiring.index[q.name]
            gain = np.where(p.weight[at] > 0, p.amplitude[0, at], p.amplitude[1, at]) / p.ideal[at]
            found[q.name] = p.weight[at] * self.quant.step[q.target] * gain
        return found

    def reprogram(self, network: Network, changed: list[str]) -> None:
        """Program a network whose weights have ``changed``; neurons, sensors and eligibilities stay."""
        kept = {name: array.copy() for name, array in self._processor.state.items()}
        super().reprogram(network, changed)
        for name, array in self._processor.state.items():
            array[...] = kept[name]

    def potentials(self, population: str) -> npt.NDArray[np.int64]:
        """Return the membranes of a population as the 8-bit column ADC reads them [LSB], with its noise, shape (n,)."""
        first = self.network.unit_slices()[population]
        v = self._state[k.V, first.start - self.network.n_inputs : first.stop - self.network.n_inputs]
        rng = np.random.default_rng([self._seed & ((1 << 64) - 1), _ADC_STREAM, int(self._counts[e.TICK])])
        sigma = self._chip.noise * float(self.sheet["noise.adc"].value)
        top = (1 << self.sheet.int("adc.bits")) - 1
        return np.clip(np.rint(v + sigma * rng.standard_normal(v.size)), 0, top).astype(np.int64)

    def learned(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights that the processor has changed, by projection."""
        found = {}
        for name in self._processor.names:
            step = self.quant.step[self.network.projection(name).target]
            found[name] = np.asarray(self._program.weight[self.quant.wiring.index[name]] * step, np.float32)
        return found

    def load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its circuits on this die to the kernel."""
        chip = self._chip
        self.quant, self.placement = quant, chip.place(quant)
        substeps = chip.substeps_of(self.network.dt)
        self._program = p = program_of(quant, self.sheet, self._die, substeps, chip.noise)
        self._processor = Processor.of(quant, self.sheet, self._die, chip.period)
        self._core = self.placement.core_of(np.arange(self.network.n_neurons))
        setup = np.array([substeps, k.LEAK_TERM], np.int64)
        self._neurons = (p.parameters, self._state, self._fired, self._core, p.output, self._noise_key, setup)
        self._synapses = (p.row, p.target, p.weight, p.amplitude)
        self.bind_placement(per_ms=True)
