"""A network on the emulated TrueNorth: integer state, one jitted call per window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import crossbar_int as k
from insectbot.chips import engine as e
from insectbot.chips.executable import ChipExecutable
from insectbot.chips.truenorth_place import Placement
from insectbot.chips.truenorth_program import REGISTERS, Program
from insectbot.chips.truenorth_quantise import QuantNetwork
from insectbot.chips.truenorth_replay import randoms_of, scheduler_of
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.truenorth import TrueNorth


class TrueNorthExecutable(ChipExecutable):
    """A network compiled for the chip; frozen.

    Parameters
    ----------
    chip : TrueNorth
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams until the next ``reset``; the streams are those of ``ideal``.

    Attributes
    ----------
    quant : QuantNetwork
        The network in integers, with its report.
    placement : Placement
        Neurons and their clones on cores.
    """

    soft: ClassVar[Mapping[str, int]] = {"v_high": k.V_HIGH, "v_low": k.V_LOW, "merged": k.MERGED}
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    _chip: TrueNorth

    def __init__(self, chip: TrueNorth, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network)
        slots = chip.sheet.int("delay.slots")
        self._recent = np.zeros((slots, network.n_inputs + network.n_neurons), np.uint8)
        self.load(chip.quantised(network))
        self.reset(seed)

    def run(self, n_ticks: int) -> int:
        """Run the window."""
        p = self._program
        return k.window(
            n_ticks, self.recording, self._timed, self._counts, self._sources, self._scheduler, p.crossbar, p.targets,
            self._fabric, self._meter, self._out,
        )  # fmt: skip

    def clear(self, seed: int) -> None:
        """Set V of all neurons to 0 and empty the schedulers."""
        self._v[...] = 0
        self._recent[...] = 0
        self._empty()

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return V by lane, and which units spiked in the last ticks, from which the schedulers follow."""
        return {"v": self._v, "recent": self._recent}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network; raises ConfigurationError for another's."""
        super().load_state(state)
        self._reschedule()

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return registers, crossbars, targets, clones and the places of cores."""
        p = self._program
        fields = p.cells.reshape(-1, k.FIELDS, k.LANES)
        return {
            **{f"register_{name}": fields[:, field] for name, field in REGISTERS.items()},
            **dict(zip(("axon_type", "crossbar_row", "crossbar_neuron", "axon_number"), p.crossbar, strict=True)),
            "axon_core": p.axon_core,
            **dict(zip(("target_row", "target_axon", "target_delay"), p.targets, strict=True)),
            "neuron_core": p.core_of,
            "neuron_output": p.output_of,
            "neuron_copies": self.placement.copies,
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the quantised weights in the network's unit, by projection."""
        return {q.name: q.effective for q in self.quant.projections}

    def reprogram(self, network: Network, changed: list[str]) -> None:
        """Program a network whose weights have ``changed``; V moves to the new scale."""
        before, v = self._scale(), self._v.astype(np.float64)
        super().reprogram(network, changed)
        self._v[...] = np.rint(v * (self._scale() / before))
        self._reschedule()

    def potentials(self, population: str) -> npt.NDArray[np.float64]:
        """Return V of a population in the network's unit, shape (n,)."""
        p = next(q for q in self.quant.populations if q.name == population)
        low = self.network.unit_slices()[population].start - self.network.n_inputs
        return p.rest + self._v.ravel()[low : low + p.n] / p.scale

    def _scale(self) -> npt.NDArray[np.float64]:
        found = np.ones(self._v.size)
        scale = np.repeat([p.scale for p in self.quant.populations], [p.n for p in self.quant.populations])
        found[: scale.size] = scale
        return found.reshape(self._v.shape)

    def load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its arrays to the kernel."""
        self.quant, self.placement = quant, self._chip.place(quant)
        self._program = p = Program.of(quant, self.placement)
        self._v = p.cells.reshape(-1, k.FIELDS, k.LANES)[:, k.V]
        n_cores = self.placement.n_cores
        self._scheduler = scheduler_of(self.sheet, p.axon_core.size)
        ceiling = np.array([self.sheet.int("neuron.ceiling")], np.int32)
        # A mapped network draws nothing: clones of a neuron must stay alike.
        keys = np.zeros(max(n_cores, 1), np.uint64)
        start = self.placement.start[:-1].copy()
        self._fabric = (
            p.cells, randoms_of(p.cells), p.core_of, start, keys, ceiling, self._recent, p.output_of,
        )  # fmt: skip
        self.bind_placement()
        times = self.routes.times(self.sheet)
        times[:, [e.T_BARRIER, e.T_FLOOR]] = 0.0
        self._timed = bool(times.any())
        if not self._timed:
            # Nothing but the tick takes time: the kernel need not follow messages, nor the load of cores.
            row, dest, spikes, idle, work, *rest = self._meter
            self._meter = (row, dest, spikes, idle[:1].copy(), work[:1].copy(), *rest)

    def _reschedule(self) -> None:
        """Fill the schedulers with the spikes that are under way."""
        row, axon, delay = self._program.targets
        now, slots = int(self._counts[e.TICK]), self._recent.shape[0]
        self._empty()
        for age in range(1, min(slots, now + 1)):
            fired = np.repeat(self._recent[(now - age) % slots] != 0, np.diff(row))
            # The next tick is ``now``: what is due then or later is still to come.
            for d, a in zip(delay[fired].tolist(), axon[fired].tolist(), strict=True):
                if d >= age:
                    k.schedule(a, now - age + d, self._scheduler, self._counts)

    def _empty(self) -> None:
        for array in self._scheduler:
            array[...] = 0
