"""A network on the emulated SpiNNaker: accums, rows and histories, one jitted call per window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import engine as e
from insectbot.chips import s1615 as k
from insectbot.chips import s1615_learn as sl
from insectbot.chips.inputs import output_units
from insectbot.chips.learning_executable import LearningExecutable
from insectbot.chips.meter import Events
from insectbot.chips.s1615_explore import pay
from insectbot.chips.s1615_window import reward, window
from insectbot.chips.spinnaker_explore import Explorers
from insectbot.chips.spinnaker_learning import refusals
from insectbot.chips.spinnaker_place import Placement
from insectbot.chips.spinnaker_program import Program, Rules
from insectbot.chips.spinnaker_quantise import QuantNetwork
from insectbot.errors import ShapeError
from insectbot.protocols import Counters
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.spinnaker import SpiNNaker

Array = npt.NDArray


class SpiNNakerExecutable(LearningExecutable):
    """A network compiled for the chip.

    Until ``learning`` is first set, plastic projections are static rows scaled by their weights.

    Parameters
    ----------
    chip : SpiNNaker
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams until the next ``reset``; the streams are those of ``ideal``.

    Attributes
    ----------
    quant : QuantNetwork
        The network in the chip's numbers, with its report.
    placement : Placement
        Neurons on cores.
    """

    soft: ClassVar[Mapping[str, int]] = {
        "ring_saturations": k.RING_SATURATIONS,
        "wraps": k.WRAPS,
        "spikes_lost": k.SPIKES_LOST,
        "offset_clips": k.OFFSET_CLIPS,
        "history_drops": k.HISTORY_DROPS,
        "trace_wraps": k.TRACE_WRAPS,
        "reward_clips": k.REWARD_CLIPS,
        "eligibility_clips": k.ELIGIBILITY_CLIPS,
    }
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    _chip: SpiNNaker

    def __init__(self, chip: SpiNNaker, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network, refusals(network))
        half = k.HALF if chip.multiply == "nearest" else 0
        self._options = np.array([half, chip.sheet.int("limits.core.spike_queue")], np.int64)
        self._state = np.zeros((k.N_STATE, network.n_neurons), np.int64)
        self._acc = np.zeros(network.n_neurons)
        self._ring = np.zeros((1, 2 * network.n_neurons), np.uint16)
        self.load(chip.quantised(network))
        self.reset(seed)

    @property
    def learns(self) -> bool:
        """Whether the network has a learning rule."""
        return any(True for _ in self.network.plastic())

    def refusal(self, wishes: list[str]) -> str:
        """Return the words that say why the chip cannot learn."""
        return f"its learning cannot say {', '.join(wishes)}"

    def run(self, n_ticks: int) -> int:
        """Write analog inputs into I_offset, then run the window."""
        if self._program.currents[1].size:
            if not np.isfinite(self._drive).all():
                return 1
            row, target, weight = self._program.currents
            gain, parameters = self._sources[4], self._program.parameters
            k.write_offsets(self._drive, gain, row, target, weight, self._acc, parameters, self._counts)
        learning = self._learning and bool(self._rules.any or self._explorers.populations)
        self._learned |= learning and n_ticks > 0
        return window(
            n_ticks, self.recording, learning, self._counts, self._sources, self._fabric, self._program.rows,
            self._plastic, self._meter, self._out,
        )  # fmt: skip

    def modulate(self, modulators: npt.NDArray[np.float32]) -> None:
        """Take third factors: an event in the history of every neuron whose rule listens, or a pulse for its rows."""
        n = self.network.n_modulators
        if modulators.shape != (n,) or not np.isfinite(modulators).all():
            raise ShapeError(f"modulators {modulators.tolist()} must be {n} finite numbers")
        tick = int(self._counts[e.TICK])
        for index, listeners in self._rules.dopamine.items():
            value = self._reward(modulators, index)
            for rule, per_unit in listeners:
                concentration = round(value * per_unit * sl.ONE_STDP)
                if concentration:
                    marked = self._program.rule_of_core == rule
                    self._counts[k.REWARD_WRITES] += int(marked.sum())
                    reward(marked, tick, concentration, self._program.place, self._plastic, self._counts)
        for rule, (index, per_unit) in enumerate(self._explorers.modulators):
            pulse = round(self._reward(modulators, index) * per_unit)
            if pulse:
                arrays, tags, work = self._explorers.arrays, self._plastic[3][2], self._meter[4]
                self._counts[k.REWARD_WRITES] += int((arrays[-1][rule, :, 0] > 0).sum())
                self._counts[k.SHARE_WRITES] += self._explorers.shared[rule]
                pay(tick, rule, pulse, arrays, self._program.rows[3], tags, work, self._counts)
                self._learned = True

    def _reward(self, modulators: npt.NDArray[np.float32], index: int) -> float:
        """Return a third factor, cut to what a packet holds."""
        value, most = float(modulators[index]), self._chip.reward_max
        self._counts[k.REWARD_CLIPS] += abs(value) > most
        return min(max(value, -most), most)

    def clear(self, seed: int) -> None:
        """Set neurons to their start, and forget ring buffers, histories and eligibilities."""
        for array in self.dynamic().values():
            array[...] = 0
        self._state[k.V] = self._program.start
        self._explorers.clear(seed)

    def learned(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights of learned rows, by projection."""
        known, weight = {q.name: q for q in self.quant.projections}, self._program.rows[3]
        rows = self._program.plastic.items()
        return {name: known[name].effective(weight[place]).astype(np.float32) for name, place in rows}

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the weights that the chip applies, in the network's unit, by projection."""
        found = {}
        for q in self.quant.projections:
            place = self._program.plastic.get(q.name)
            live = None if place is None else self._program.rows[3][place]
            found[q.name] = self._weights[q.name].astype(float) if q.host else q.effective(live)
        return found

    def potentials(self, population: str) -> npt.NDArray[np.float64]:
        """Return the membrane potentials of a population in the network's unit, shape (n,)."""
        units = self.network.unit_slices()[population]
        low = units.start - self.network.n_inputs
        quant = next(p for p in self.quant.populations if p.name == population)
        return quant.rest + self._state[k.V, low : low + quant.n] / (quant.scale * k.ONE)

    def dynamic(self) -> dict[str, Array]:
        """Return accums, ring buffers, and what learning remembers."""
        found: dict[str, Array] = {"neurons": self._state, "ring": self._ring}
        if self._rules.any:
            row_time, row_trace, tags, history = self._plastic[3]
            names = ("last", "times", "post", "dopamine", "reward")
            found |= {"row_time": row_time, "row_trace": row_trace, "eligibility": tags}
            found |= {f"history_{name}": a for name, a in zip(names, history, strict=True)}
        return found | self._explorers.dynamic()

    def state(self) -> dict[str, Array]:
        """Return a copy of everything that decides the future, as named arrays."""
        offsets = {"offsets": self._program.parameters[k.OFFSET].copy()} if self._program.currents[1].size else {}
        room = {"learn_room": np.array([self._roomy])} if self.learns and not self._refused else {}
        return super().state() | offsets | room

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Restore a state of the same network; raises ConfigurationError for another's."""
        if "learn_room" in state and bool(state["learn_room"][0]) != self._roomy and not self._refused:
            self._roomy = bool(state["learn_room"][0])
            self.reload(self._chip.quantised(self.network.with_weights(self._weights), learning=self._roomy))
        super().load_state(state)
        if "offsets" in state:
            self._program.parameters[k.OFFSET] = state["offsets"]

    def programmed(self) -> dict[str, Array]:
        """Return parameters, rows, rules, decay tables, currents, placement and messages."""
        p = self._program
        rows = dict(zip(("first", "first_plastic", "target", "weight", "delay"), p.rows, strict=True))
        currents = dict(zip(("row", "target", "weight"), p.currents, strict=True))
        return {
            **{name: p.parameters[number] for number, name in enumerate(k.PARAMETERS)},
            **{f"synapse_{name}": a for name, a in rows.items()},
            **{f"current_{name}": a for name, a in currents.items()},
            "rules": self._rules.registers,
            "decay_tables": self._rules.tables,
            "core_rule": p.rule_of_core,
            "neuron_place": p.place,
            "v_start": p.start,
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
            **self._explorers.programmed(),
        }

    @property
    def n_chips(self) -> int:
        """Number of chips powered: a board is powered whole."""
        return self.sheet.int("limits.board.columns") * self.sheet.int("limits.board.rows")

    def counters(self) -> Counters:
        """Return the counts since the last reset; ticks that outlast their timer are soft failures."""
        found = super().counters()
        late = {"timer_overruns": self.reading().late_ticks}
        return replace(found, soft_failures={**found.soft_failures, **late})

    def events(self) -> Events:
        """Return the counts of what costs energy; a packet of a delay extension passes one router more."""
        found = super().events()
        delayed = int(self.placement.stages @ self._unit_spikes)
        return replace(found, messages=found.messages + delayed, hops_chip=found.hops_chip + delayed)

    def host_bytes(self) -> int:
        """Return the bytes of offset writes and rewards, and of tied weights that lie on several cores."""
        offsets = int(self._counts[k.OFFSET_WRITES]) * self.sheet.int("host.offset_bytes")
        offsets += int(self._counts[k.SHARE_WRITES]) * self.sheet.int("host.share_bytes")
        return offsets + int(self._counts[k.REWARD_WRITES]) * self.sheet.int("host.reward_bytes")

    def load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its arrays to the kernel; state of neurons stays, that of rows starts."""
        network = self.network
        self.quant = replace(quant, network=network)
        self._rules: Rules = self._chip.rules(quant)
        self.placement = self._chip.place(quant)
        self._program = program = Program.of(quant, self.placement, self._rules, output_units(network))
        slots = max(1 << (program.longest - 1).bit_length(), self._chip.layout.slots)
        if self._ring.shape[0] != slots:
            self._ring = np.zeros((slots, 2 * network.n_neurons), np.uint16)
        queue = np.zeros(max(self.placement.n_cores, 1), np.int64)
        self._fabric: Any = (program.parameters, self._state, self._ring, queue, program.place, self._options)
        n = network.n_neurons if self._rules.any else 0
        messages, synapses = (program.rows[0].size - 1, program.rows[2].size) if n else (0, 0)
        history = (np.zeros(n, np.int64), *(np.zeros((n, sl.HISTORY), np.int32) for _ in range(4)))
        learned = (np.zeros(messages, np.int64), np.zeros(messages, np.int32), np.zeros(synapses, np.int32), history)
        self._explorers = Explorers.of(
            quant, self.placement, program.plastic, self.sheet, self._chip.rounding, self._chip.reward_max
        )
        rules = (self._rules.registers, self._rules.tables, program.rule_of_core)
        self._plastic: Any = (*rules, learned, self._explorers.arrays)
        self.bind_placement()

    def reload(self, quant: QuantNetwork) -> None:
        """Program other weights; accums and ring buffers move to the new scale, what learning remembers stays."""
        old, before, offsets = self.quant, self.dynamic(), self._program.parameters[k.OFFSET].copy()
        ring = self._ring.astype(np.float64)
        self.load(quant)
        low, n = 0, self.network.n_neurons
        for was, now in zip(old.populations, self.quant.populations, strict=True):
            where, factor = slice(low, low + was.n), now.scale / was.scale
            for field in (k.I_EXC, k.I_INH, k.V, k.NOISE):
                self._state[field, where] = np.rint(self._state[field, where] * factor)
            self._program.parameters[k.OFFSET, where] = np.rint(offsets[where] * factor)
            for kind in range(2):
                entries = slice(kind * n + low, kind * n + low + was.n)
                ring[:, entries] *= factor * 2.0 ** (was.shift[kind] - now.shift[kind])
            low += was.n
        self._ring[...] = 0
        rows = min(ring.shape[0], self._ring.shape[0])
        tick = int(self._counts[e.TICK])
        for ahead in range(rows):
            values = np.minimum(np.rint(ring[(tick + ahead) % ring.shape[0]]), k.WEIGHT_MAX)
            self._ring[(tick + ahead) % self._ring.shape[0]] = values.astype(np.uint16)
        for name, array in self.dynamic().items():
            if name not in ("neurons", "ring") and name in before and before[name].shape == array.shape:
                array[...] = before[name]
        self._rescale(old)

    def _rescale(self, old: QuantNetwork) -> None:
        """Move noise to the new scale."""
        noise, low = self._explorers.arrays[3], 0
        for was, now in zip(old.populations, self.quant.populations, strict=True):
            where = slice(low, low + was.n)
            noise[where] = np.rint(noise[where] * (now.scale / was.scale))
            low += was.n
