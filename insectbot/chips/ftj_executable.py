"""A network on the emulated tunnel-junction array: junctions of one die, one jitted call per window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import engine as e
from insectbot.chips import ftj_window as k
from insectbot.chips.analog_executable import DieExecutable
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.die import Die
from insectbot.chips.ftj_host import currents, neurons
from insectbot.chips.ftj_learning import shapes
from insectbot.chips.ftj_program import Junctions, Written
from insectbot.chips.ftj_quantise import QuantNetwork
from insectbot.chips.inputs import output_of
from insectbot.chips.meter import Reading
from insectbot.core.random import stream_key
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.ftj import FTJArray

_NOISE_STREAM = 4995
_WRITE_STREAM = 4994


class FTJExecutable(DieExecutable):
    """A network compiled for one die of the array.

    Parameters
    ----------
    chip : FTJArray
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams and of read noise until the next ``reset``, of the errors of writing, and of the die
        unless the chip has one.

    Attributes
    ----------
    quant : QuantNetwork
        The network as word lines and conductances, with its report.
    written : Written
        What the last programming wrote, and its energy and time; ``counters()`` does not hold these.
    """

    soft: ClassVar[Mapping[str, int]] = {"disturbs": k.DISTURBS}
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    written: Written
    _chip: FTJArray

    def __init__(self, chip: FTJArray, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network, seed)
        self._seed = seed
        self._cost = np.zeros(3)
        self._state = np.zeros((k.N_STATE, network.n_neurons))
        self._noise_key = np.zeros(1, np.uint64)
        self.load(chip.quantised(network))
        self.take_die(self._die)
        self.reset(seed)

    def run(self, n_ticks: int) -> int:
        """Run the window."""
        learning = self._learning and bool(self._plastic[1].size)
        self._learned |= learning
        channel, neuron, weight = self._currents
        if channel.size and np.isfinite(self._drive).all():
            drive = self._drive[channel].astype(np.float64) * self._sources[4][channel]
            self._state[k.EXTERNAL] = np.bincount(neuron, weight * drive, self._state.shape[1])
        return k.window(
            n_ticks, self.recording, learning, self._counts, self._sources, self._neurons, self._lines, self._array,
            self._sums, self._plastic, (self._spiked, self._noise_key, self._charges), self._setup, self._cost,
            self._meter, self._out,
        )  # fmt: skip

    def wishes(self) -> list[str]:
        """Return what of the learning rules the junctions cannot do, as text."""
        return list(self.quant.learning.refused)

    def refusal(self, wishes: list[str]) -> str:
        """Return the words that say why junctions cannot learn."""
        return f"junctions cannot do {'; '.join(wishes)}"

    def modulate(self, modulators: npt.NDArray[np.float32]) -> None:
        """Ignore third factors: no rule that the junctions can do has one."""

    def clear(self, seed: int) -> None:
        """Set neurons to rest, empty the word lines, forget spikes and energies; junctions stay."""
        self._state[...] = 0.0
        self._lines[5][...] = 0
        self._spiked[...] = k.NEVER
        self._cost[...] = 0.0
        self._noise_key[0] = stream_key(seed, _NOISE_STREAM)

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return neurons, word lines that are due, last spikes, the noise key, energies, junctions and the die."""
        return {
            "neurons": self._state,
            "due": self._lines[4],
            "n_due": self._lines[5],
            "spiked": self._spiked,
            "noise_key": self._noise_key,
            "cost": self._cost,
            "conductance": self._junctions.g,
            "on": self._plastic[1],
            **super().dynamic(),
        }

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network, with its die; raises ConfigurationError for another's."""
        super().load_state(state)
        self._learned = False

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return conductances, plastic junctions with the die's mismatch, word lines, host neurons and messages."""
        first, block, of_unit, delay = self._lines[:4]
        names = ("parameters", "on", "synapse", "source", "target", "word_shape", "column_shape", "shape")
        return {
            "conductance": self._junctions.g,
            "scale": self._array[4],
            "line_first": first,
            "line_block": block,
            "line_of_unit": of_unit,
            "line_delay": delay,
            "synapse_column": self._array[0],
            "block_first": self._array[2],
            "block_pair": self._array[3],
            "block_target": self._array[5],
            **{f"plastic_{name}": array for name, array in zip(names, self._plastic, strict=True)},
            "host_parameters": self._neurons[0],
            "host_output": self._neurons[4],
            "host_lane": self._neurons[3],
            **{f"current_{n}": a for n, a in zip(("channel", "neuron", "weight"), self._currents, strict=True)},
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the weights that the junctions hold, in the network's unit, by projection; reads add noise to them."""
        found = {}
        for q in self.network.projections:
            if q.name in self.quant.targets:
                at = self.quant.lines.index[q.name]
                found[q.name] = self.quant.targets[q.name].scale * (self._junctions.g[0, at] - self._junctions.g[1, at])
            else:
                found[q.name] = self._weights[q.name].astype(np.float64)
        return found

    def reprogram(self, network: Network, changed: list[str]) -> None:
        """Write the junctions of projections that have ``changed``; neurons and word lines stay."""
        self.quant = self._chip.quantised(network)
        self._currents = currents(self.quant.network)
        self._learned = False
        self._write([name for name in changed if name in self.quant.targets])

    def array_energy(self) -> dict[str, float]:
        """Return what the arrays dissipated since the last reset [J]: ``read``, ``convert``, ``write``."""
        volts, time = float(self.sheet["read.voltage"].value), float(self.sheet["read.time"].value)
        return {
            "read": float(self._cost[k.READ]) * volts * volts * time * 1e-15,
            "convert": float(self._counts[k.CONVERSIONS]) * self.sheet["read.conversion"].si,
            "write": float(self._cost[k.WRITE] + self._cost[k.CHARGE]) * 1e-15,
        }

    def reading(self, prices: str | None = None) -> Reading:
        """Price the run since the last reset; the energy of the arrays is in the events.

        Parameters
        ----------
        prices : str, optional
            Price list; default that of the chip.
        """
        base, more = super().reading(prices), sum(self.array_energy().values())
        free, held = (replace(x, events=x.events + more) for x in (base.energy, base.energy_realtime))
        return replace(base, energy=free, energy_realtime=held)

    def learned(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights that learning junctions hold, by projection."""
        held = self.effective_weights()
        return {name: held[name].astype(np.float32) for name in self.quant.learning.drives}

    def load(self, quant: QuantNetwork) -> None:
        """Set up word lines, blocks, host neurons and messages; nothing of the die."""
        network, w = self.network, quant.lines
        self.quant, self.placement = quant, self._chip.place(quant)
        n, n_blocks, n_sums = network.n_neurons, w.target.size, int(w.start[-1])
        slots = int(w.delay.max(initial=1)) + 1
        due, n_due = np.zeros((slots, max(w.delay.size, 1)), np.int64), np.zeros(slots, np.int64)
        self._lines = (w.first, w.block, w.of_unit, w.delay, due, n_due)
        self._sums = (*np.zeros((3, n_sums)), np.zeros(n_blocks, np.int64), np.zeros(n_blocks, np.int64))
        self._pair, self._scale = np.ones(n_blocks), np.zeros(n_blocks)
        for name, target in quant.targets.items():
            self._pair[w.block_of[name]] = 0.0 if target.plastic else 1.0
        lane = self.placement.core_of(np.arange(n))
        self._neurons = (neurons(network), self._state, np.zeros(max(n, 1), np.int64), lane, output_of(network))
        self._currents = currents(network)
        self._spiked = np.full(network.n_inputs + n, k.NEVER, np.int64)
        on_device = network.dt * quant.learning.time_scale
        steps = max(math.ceil(on_device / float(self.sheet["device.step"].value) - 1e-9), 1)
        noise = (self._chip.noise * float(self.sheet[f"read.{name}"].value) for name in ("noise", "wire_noise"))
        self._setup = np.array([*noise, steps, on_device / steps])
        self.bind_placement()
        if quant.learning.drives:
            floor = self._meter[5][:, e.T_FLOOR]
            self._meter[5][:, e.T_FLOOR] = np.maximum(floor, on_device * 1e-9)

    def take_die(self, die: Die) -> None:
        """Take a die, and program all projections as they were deployed."""
        self._die, self._learned = die, False
        key = stream_key(self._seed, _WRITE_STREAM)
        chip, quant = self._chip, self.quant
        self._junctions = Junctions(self.sheet, die, quant.lines, key, chip.write_noise, chip.verify)
        w = quant.lines
        self._array = (w.column, self._junctions.g, w.start, self._pair, self._scale, w.target)
        self._make_plastic()
        self._write(list(quant.targets))

    def _make_plastic(self) -> None:
        network, w, drives = self.network, self.quant.lines, self.quant.learning.drives
        none = np.zeros(0, np.int64)
        at = np.concatenate([none, *(w.index[name] for name in drives)])
        shape = np.concatenate([none, *(np.full(w.index[name].size, i) for i, name in enumerate(drives))])
        first = [network.unit_slices()[network.projection(name).target].start - network.n_inputs for name in drives]
        target = w.column[at] + np.array(first, np.int64)[shape] if at.size else none
        pre, post = shapes(drives.values())
        parameters = self._junctions.parameters(at)
        self._plastic = (parameters, np.zeros(at.size), at, w.unit[at], target, pre, post, shape)
        units, farad = network.n_inputs + network.n_neurons, float(self.sheet["device.capacitance"].value)
        volts = [(s[:, 0] ** 2 + s[:, 1] ** 2)[shape] if at.size else np.zeros(0) for s in (pre, post)]
        self._charges = farad * np.stack(
            [
                np.bincount(w.unit[at], volts[0], units),
                np.bincount(target + network.n_inputs, volts[1], units),
            ]
        )

    def _write(self, names: list[str]) -> None:
        self.written = self._junctions.write(names, self.quant.targets)
        for name in names:
            self._scale[self.quant.lines.block_of[name]] = self.quant.targets[name].scale
        self._plastic[1][:] = self._junctions.on_fraction(self._plastic[2])
