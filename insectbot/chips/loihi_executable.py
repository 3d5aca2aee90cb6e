"""A network on the emulated Loihi: integer state, learning engine, one jitted call per window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_int as k
from insectbot.chips import engine as e
from insectbot.chips.cuba_window import window
from insectbot.chips.learning_executable import LearningExecutable
from insectbot.chips.loihi_integers import QuantNetwork
from insectbot.chips.loihi_learning import Plasticity, refusals, translated
from insectbot.chips.loihi_microcode import Microcode
from insectbot.chips.loihi_plastic import LearningEngine
from insectbot.chips.place import Placement
from insectbot.chips.program import Program
from insectbot.chips.quantise import lif_of
from insectbot.core.random import stream_key
from insectbot.errors import ShapeError
from insectbot.snn.network import Network, Projection

if TYPE_CHECKING:
    from insectbot.chips.loihi import Loihi

_NOISE_STREAM = 4999
_NEURON_STATE = ("u", "v", "ref", "bias")
_FIELDS = (k.U, k.V, k.REF, k.BIAS)
_REGISTERS = {
    "keep_u": k.KEEP_U,
    "keep_v": k.KEEP_V,
    "threshold": k.THRESHOLD,
    "v_min": k.V_MIN,
    "v_max": k.V_MAX,
    "refract": k.REFRACT,
}


class LoihiExecutable(LearningExecutable):
    """A network compiled for the chip.

    Parameters
    ----------
    chip : Loihi
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
        Neurons on cores.
    engine : LearningEngine
        The learning engine.
    """

    soft: ClassVar[Mapping[str, int]] = {
        "q_wraps": k.Q_WRAPS,
        "u_wraps": k.U_WRAPS,
        "v_low": k.V_LOW,
        "v_high": k.V_HIGH,
        "bias_clips": k.BIAS_CLIPS,
        "bias_wraps": k.BIAS_WRAPS,
        "tag_clips": k.TAG_CLIPS,
        "trace_clips": k.TRACE_CLIPS,
        "reward_clips": k.REWARD_CLIPS,
    }
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    engine: LearningEngine
    _chip: Loihi

    def __init__(self, chip: Loihi, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network, [r for p in network.plastic() for r in refusals(network, p)])
        self._noise = (np.array(chip.noise, np.int64), np.zeros(1, np.uint64), np.zeros(2 * k.LANES, np.int32))
        self.load(chip.quantised(network))
        self.reset(seed)

    @property
    def learns(self) -> bool:
        """Whether the network has a learning rule or explores."""
        return bool(self.engine.names or self.engine.explorers[5].size)

    def refusal(self, wishes: list[str]) -> str:
        """Return the words that say why the engine cannot learn."""
        return f"the learning engine cannot say {', '.join(wishes)}"

    def set_learning(self, value: bool) -> None:
        """Switch learning; the first time with room for it."""
        super().set_learning(value)
        self.engine.stand(value, self._program.cells, self._counts)

    def run(self, n_ticks: int) -> int:
        """Write analog inputs into bias registers, then run the window."""
        if self._analog:
            self._write_bias()
        learning = self._learning and self.learns
        self._learned |= learning and n_ticks > 0
        plastic, explorers = self.engine.plastic, self.engine.explorers
        return window(
            n_ticks, self.recording, learning, self._counts, self._sources, self._fabric, self._program.synapses,
            self._meter, self._out, plastic, explorers,
        )  # fmt: skip

    def modulate(self, modulators: npt.NDArray[np.float32]) -> None:
        """Take third factors: a learning pass at once, before the first tick of the window."""
        self.engine.reward(modulators, int(self._counts[e.TICK]), self._counts, self._elapsed, self._meter[5])
        self._learned = True

    def clear(self, seed: int) -> None:
        """Set all neurons, accumulators, traces and tags to 0."""
        self._set_neurons(np.zeros((len(_FIELDS), self.network.n_neurons), np.int32))
        self._ring[...] = 0
        self._noise[1][0] = stream_key(seed, _NOISE_STREAM)
        self.engine.clear(seed)

    def learned(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights of learned mantissas, by projection."""
        known = {q.name: q for q in self.quant.projections}
        return {n: known[n].effective_of(self.engine.mantissas(n)).astype(np.float32) for n in self.engine.names}

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return registers, synapses, placement, messages and host currents."""
        p, lanes = self._program, k.LANES
        registers = {name: p.cells[:, f * lanes : (f + 1) * lanes] for name, f in _REGISTERS.items()}
        synapses = dict(zip(("row", "target", "contribution", "delay"), p.synapses, strict=True))
        currents = dict(zip(("row", "lane", "weight"), p.currents, strict=True))
        return {
            **{f"register_{name}": a for name, a in registers.items()},
            **{f"synapse_{name}": a for name, a in synapses.items()},
            **{f"current_{name}": a for name, a in currents.items()},
            "lane_core": p.block_core,
            "lane_unit": p.unit_of,
            "lane_output": p.output_of,
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the quantised weights in the network's unit, by projection (host projections as deployed)."""
        found = {}
        for q in self.quant.projections:
            if q.host:
                found[q.name] = self._weights[q.name].astype(float)
            else:
                found[q.name] = q.effective_of(
                    self.engine.mantissas(q.name) if q.name in self.engine.names else q.weight
                )
        return found

    def reload(self, quant: QuantNetwork) -> None:
        """Program other weights; the state of neurons moves to the new scale, that of the engine stays."""
        before = np.repeat([p.scale for p in self.quant.populations], [p.n for p in self.quant.populations])
        after = np.repeat([p.scale for p in quant.populations], [p.n for p in quant.populations])
        neurons, ring = self._neurons(), self._ring[:, self._program.slot].copy()
        engine = self.engine.state
        self.load(quant)
        self.engine.restore({**engine, "learn_weight": self.engine.state["learn_weight"]})
        factor = after / before
        neurons[[0, 1, 3]] = np.rint(neurons[[0, 1, 3]] * factor)
        self._set_neurons(neurons)
        self._ring[:, self._program.slot] = np.rint(ring * factor)
        self.engine.stand(self._learning, self._program.cells, self._counts)

    def potentials(self, population: str) -> npt.NDArray[np.float64]:
        """Return the membrane potentials of a population in the network's unit, shape (n,)."""
        p = self.network.population(population)
        number = [q.name for q in self.quant.populations].index(population)
        units = self.network.unit_slices()[population]
        low = units.start - self.network.n_inputs
        return lif_of(p).v_rest + self._neurons()[1, low : low + p.n] / self.quant.populations[number].scale

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future, as named arrays."""
        arrays = dict(zip(_NEURON_STATE, self._neurons(), strict=True))
        arrays |= {"ring": self._ring[:, self._program.slot].copy()}
        if self._noise[0][0] != k.NOISE_OFF:
            arrays["noise_key"] = self._noise[1].copy()
        if self.learns:
            arrays |= {name: a.copy() for name, a in self.engine.state.items()}
            arrays["learn_room"] = np.array([self._roomy])
        return super().state() | arrays

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network; raises ConfigurationError for another's."""
        if "learn_room" in state and set(state) == set(self.state()):
            self._roomy = bool(state["learn_room"][0])
        super().load_state(state)
        if "learn_room" in state:
            self.engine.restore(state)
            self.engine.stand(self._learning, self._program.cells, self._counts)
        if "noise_key" in state:
            self._noise[1][:] = state["noise_key"]
        self._set_neurons(np.array([state[name] for name in _NEURON_STATE], np.int32))
        self._ring[...] = 0
        self._ring[:, self._program.slot] = state["ring"]

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return nothing: registers and accumulators live in lanes and are taken out by :meth:`state`."""
        return {}

    def host_bytes(self) -> int:
        """Return the bytes of bias writes."""
        return int(self._counts[k.BIAS_WRITES]) * self.sheet.int("host.bias_bytes")

    def load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its arrays to the kernel."""
        self.quant = replace(quant, network=self.network)
        self.placement = self._chip.place(quant)
        self._program = program = Program.of(quant, self.placement)
        n_slots = program.unit_of.size
        self._ring = np.zeros((k.DELAY_SLOTS, n_slots), np.int32)
        lanes = (program.cells, self._ring, program.block_core, program.unit_of, program.output_of)
        self._fabric = (*lanes, *self._noise)
        self._analog = program.currents[1].size > 0
        rules = [] if self._refused else [self._rule(p) for p in self.network.plastic()]
        core = self.placement.core_of(np.arange(self.network.n_neurons))
        self.engine = LearningEngine(self.quant, program, rules, core, self._largest_bias())
        self.bind_placement(program.n_idle)

    def _rule(self, projection: Projection) -> Plasticity:
        """Return the microcode of a rule; none while scales leave no room to learn."""
        options = self._chip.learn_options
        if not self._roomy:
            return Plasticity(Microcode((), t_epoch=options[0], rounding=options[1]))
        unit = next(q.unit for q in self.quant.projections if q.name == projection.name)
        return translated(self.network, projection, unit, *options)

    def _largest_bias(self) -> tuple[int, int]:
        mantissa = (1 << (self.sheet.int("neuron.bias_mantissa") - 1)) - 1
        return mantissa, self.sheet.int("neuron.bias_exponent_max")

    def _write_bias(self) -> None:
        if not np.isfinite(self._drive).all():
            raise ShapeError(f"drive {self._drive.tolist()} must be finite numbers")
        row, lane, weight = self._program.currents
        standing, analog, largest = self.engine.explorers[6:9]
        cells, counts = self._program.cells, self._counts
        k.write_bias(self._drive, self._sources[4], row, lane, weight, largest, cells, counts, analog, standing)

    def _lanes(self) -> tuple[npt.NDArray, npt.NDArray]:
        slot = self._program.slot
        return slot // k.LANES, slot % k.LANES

    def _neurons(self) -> npt.NDArray[np.int32]:
        block, lane = self._lanes()
        return np.array([self._program.cells[block, f * k.LANES + lane] for f in _FIELDS])

    def _set_neurons(self, values: npt.NDArray[np.int32]) -> None:
        block, lane = self._lanes()
        for field, row in zip(_FIELDS, values, strict=True):
            self._program.cells[block, field * k.LANES + lane] = row
