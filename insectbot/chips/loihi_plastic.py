"""The learning engine of a programmed chip: arrays of rules, traces and synapses for ``cuba_learn.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_learn as k
from insectbot.chips.cuba_explore import push_all
from insectbot.chips.cuba_int import BIAS_WRITES
from insectbot.chips.engine import T_LEARN
from insectbot.chips.loihi_integers import WEIGHT_SHIFT, QuantNetwork
from insectbot.chips.loihi_learning import REWARD_STEP, Plasticity
from insectbot.chips.program import Program
from insectbot.core.random import stream_key
from insectbot.errors import ShapeError
from insectbot.snn.plasticity import NodePerturbation

Array = npt.NDArray
STREAM = 5000
"""First random stream of the learning engine (see ``loihi_replay.py``)."""


class LearningEngine:
    """Everything the engine needs, in the order of the network's plastic projections.

    Parameters
    ----------
    quant : QuantNetwork
        The network in integers.
    program : Program
        Where its neurons and synapses are.
    rules : list of Plasticity
        Microcode of each plastic projection; empty where the network does not learn on the chip.
    core : ndarray of int64, shape (n_neurons,)
        Core of each neuron.
    largest_bias : tuple of int
        Largest mantissa and exponent of a bias register.

    Attributes
    ----------
    names : list of str
        The projections that learn.
    plastic, explorers : tuple
        Arguments of the window kernel.
    """

    def __init__(
        self, quant: QuantNetwork, program: Program, rules: list[Plasticity], core: Array, largest_bias: tuple[int, int]
    ) -> None:
        network = quant.network
        learning = list(network.plastic()) if rules else []
        self.names, self.rules = [p.name for p in learning], rules
        self._network, self._quant = network, {q.name: q for q in quant.projections}
        self._modulators = [getattr(p.plasticity, "modulator", -1) for p in learning]
        slices = network.unit_slices()
        units = network.n_inputs + network.n_neurons
        first = [np.cumsum([0, *(slices[g].stop - slices[g].start for g in names)])
                 for names in ([p.source for p in learning], [p.target for p in learning])]  # fmt: skip
        self._syn = np.cumsum([0, *(p.n_synapses for p in learning)])
        origin = _joined([p.pre + first[0][i] for i, p in enumerate(learning)])
        target = _joined([p.post + first[1][i] for i, p in enumerate(learning)])
        wires = wires_of(origin, target, int(first[0][-1]), int(first[1][-1]))
        n = origin.size
        deepest = max((r.code.t_epoch for r in rules), default=1)
        tables = [r.code.table for r in rules]
        parameters, group = self._parameters(learning)
        self._posts = _joined([np.arange(slices[p.target].start, slices[p.target].stop) for p in learning])
        kernel_rules = (
            parameters,
            np.concatenate([np.zeros((0, k.N_PRODUCT), np.int64), *tables]),
            np.cumsum([0, *(t.shape[0] for t in tables)]),
            first[0],
            first[1],
            np.zeros(k.N_KEYS, np.uint64),
            np.zeros(n, np.int32),
            np.zeros(8, np.int64),
            core[self._posts - network.n_inputs],
            *(np.repeat(np.arange(len(learning)), np.diff(f)) for f in first),
            np.zeros(len(learning), np.int64),
        )
        traces = traces_of(int(first[0][-1]), int(first[1][-1]), deepest)
        slot = _joined([program.plastic[p.name] for p in learning]).astype(np.int32)
        weight = _joined([self._quant[p.name].weight for p in learning]).astype(np.int32)
        synapse = (weight, np.zeros(n, np.int32), slot, program.synapses[2])
        entries = (
            *_entries([np.arange(slices[p.source].start, slices[p.source].stop) for p in learning], units),
            *_entries([np.arange(slices[p.target].start, slices[p.target].stop) for p in learning], units),
        )
        self.plastic = (kernel_rules, traces, wires, synapse, entries)
        groups = int(group.max(initial=-1)) + 1
        carry = np.zeros((len(learning), groups), np.int64)
        self._host = (group, np.zeros(n, np.int32), np.zeros((2, groups), np.int64), carry)
        self.explorers = self._explorers(quant, program, largest_bias)

    def _parameters(self, learning: list[Any]) -> tuple[Array, Array]:
        """Return the parameters of all rules, and the group of every synapse that shares its weight."""
        out, groups = np.zeros((len(learning), k.N_PARAMETERS), np.int64), [np.zeros(0, np.int64)]
        explorers = [p.name for p in self._network.populations if p.exploration]
        for i, p in enumerate(learning):
            q, rule, row = self._quant[p.name], p.plasticity, out[i]
            row[:] = self.rules[i].code.parameters
            row[k.P_STEP], row[k.P_SHIFT] = q.shift, WEIGHT_SHIFT + q.exponent
            row[k.P_LOW] = 0 if q.sign == "excitatory" else -q.limit
            row[k.P_HIGH] = 0 if q.sign == "inhibitory" else q.limit
            low, high = (float(q.mantissas(np.array([w]))[0]) for w in (rule.w_min, rule.w_max))
            row[k.P_HOST_LOW], row[k.P_HOST_HIGH] = max(low, row[k.P_LOW]), min(high, row[k.P_HIGH])
            row[k.P_MODULATOR] = self._modulators[i]
            tie = rule.tie if isinstance(rule, NodePerturbation) else None
            groups.append(np.zeros(p.n_synapses, np.int64) if tie is None else np.asarray(tie, np.int64))
            row[k.P_GROUPS] = 0 if tie is None else int(groups[-1].max(initial=0)) + 1
            if isinstance(rule, NodePerturbation):
                row[k.P_EXPLORER] = explorers.index(p.target)
        return out, np.concatenate(groups)

    def _explorers(self, quant: QuantNetwork, program: Program, largest: tuple[int, int]) -> tuple[Array, ...]:
        network = self._network
        scales = {p.name: p.scale for p in quant.populations}
        found = [p for p in network.populations if p.exploration] if self._may_explore else []
        slices = network.unit_slices()
        first = np.cumsum([0, *(p.n for p in found)])
        lane = _joined([program.slot[np.arange(p.n) + slices[p.name].start - network.n_inputs] for p in found])
        number, real = np.zeros((len(found), 3), np.int64), np.zeros((len(found), 2))
        for i, p in enumerate(found):
            noise = p.exploration
            if noise is not None:
                number[i] = first[i], p.n, round(noise.period / network.dt)
                real[i] = noise.decay, noise.sigma
        slots = program.unit_of.size
        return (
            number,
            real,
            np.zeros(len(found), np.uint64),
            lane,
            np.concatenate([np.zeros(0), *(np.full(p.n, scales[p.name]) for p in found)]),
            np.zeros(lane.size),
            np.zeros(slots),
            np.zeros(slots),
            np.array(largest, np.int64),
            np.array([r.noise_gain for r in self.rules], np.float64),
            self._host[1],
        )

    @property
    def _may_explore(self) -> bool:
        return bool(self.rules) or not any(True for _ in self._network.plastic())

    def clear(self, seed: int) -> None:
        """Forget traces, tags and noise; restart the random streams."""
        for array in self.dynamic().values():
            array[...] = 0
        self.plastic[0][5][:] = [stream_key(seed, STREAM + i) for i in range(k.N_KEYS)]
        positions = [i for i, p in enumerate(self._network.populations) if p.exploration]
        self.explorers[2][:] = [stream_key(seed, 1000 + i) for i in positions[: self.explorers[2].size]]

    def dynamic(self) -> dict[str, Array]:
        """Return the arrays of dynamic state, but for the weights, by name (the arrays themselves)."""
        names = ("x", "y", "noted_x", "noted_y", "hits_x", "hits_y", "time_x", "time_y", "spiked_x", "spiked_y")
        arrays = dict(zip(names, self.plastic[1], strict=True)) | {"tag": self.plastic[3][1], "xi": self.explorers[5]}
        arrays |= {"standing": self.explorers[6], "carry": self._host[3]}
        return {f"learn_{name}": array for name, array in arrays.items()}

    @property
    def state(self) -> dict[str, Array]:
        """Dynamic state and weights, independent of the placement (the standing noise follows from the rest)."""
        arrays = {name: a for name, a in self.dynamic().items() if name != "learn_standing"}
        return arrays | {"learn_weight": self.plastic[3][0], "learn_keys": self.plastic[0][5]} | {
            "learn_noise_keys": self.explorers[2]
        }  # fmt: skip

    def restore(self, state: Any) -> None:
        """Take over what :attr:`state` gave, and program the weights."""
        for name, array in self.state.items():
            array[...] = state[name]
        weight, _, slot, amount = self.plastic[3]
        shift = np.repeat(self.plastic[0][0][:, k.P_SHIFT], np.diff(self._syn))
        amount[slot] = np.where(shift >= 0, weight << np.maximum(shift, 0), weight >> np.maximum(-shift, 0))

    def mantissas(self, name: str) -> Array:
        """Return the mantissas of a projection that learns."""
        i = self.names.index(name)
        return self.plastic[3][0][self._syn[i] : self._syn[i + 1]]

    def stand(self, on: bool, cells: Array, counts: Array) -> None:
        """Add the noise of the moment to the bias registers, or take it away."""
        push_all(on, self.explorers, cells, counts)

    def reward(self, modulators: Array, tick: int, counts: Array, elapsed: Array, times: Array) -> None:
        """Deliver third factors: the host writes reward traces and starts a learning pass per rule.

        Parameters
        ----------
        modulators : ndarray of float32, shape (n_modulators,)
            Third factors.
        tick, counts, elapsed, times
            Of the executable; a pass takes its time on the busiest core.

        Raises
        ------
        ShapeError
            If their number is wrong or one is not finite.
        """
        n = self._network.n_modulators
        if modulators.shape != (n,) or not np.isfinite(modulators).all():
            raise ShapeError(f"modulators {modulators.tolist()} must be {n} finite numbers")
        rules, traces, wires, synapse, _ = self.plastic
        for p, index in enumerate(self._modulators):
            if index < 0 or modulators[index] == 0:
                continue
            gain = self.rules[p].reward_gain
            strength = k.reward_of(float(modulators[index]), gain, REWARD_STEP, tick, p, rules[5][k.KEY_PASS], counts)
            if strength:
                k.reward_pass(tick, p, strength, rules, traces, wires, synapse, self._host, counts)
                posts = slice(rules[4][p], rules[4][p + 1])
                counts[BIAS_WRITES] += 2 * (posts.stop - posts.start)
                if rules[0][p, k.P_GROUPS]:
                    counts[BIAS_WRITES] += self._syn[p + 1] - self._syn[p]
                updated = rules[8][wires[1][self._syn[p] : self._syn[p + 1]]]
                elapsed[:, 0] += times[:, T_LEARN] * np.bincount(updated).max(initial=0)


def _joined(parts: list[Array]) -> Array:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def traces_of(n_pre: int, n_post: int, t_epoch: int) -> tuple[Array, ...]:
    """Return the arrays of traces, spike times and lists of spiking neurons, all 0."""
    kind = np.int32
    values = (np.zeros((2, n_pre), kind), np.zeros((3, n_post), kind))
    noted = (np.zeros((t_epoch, 2, n_pre), kind), np.zeros((t_epoch, 3, n_post), kind))
    lists = tuple(np.zeros(n + extra, kind) for extra in (1, 0, 1) for n in (n_pre, n_post))
    return (*values, *noted, *lists)


def wires_of(origin: Array, target: Array, n_pre: int, n_post: int) -> tuple[Array, ...]:
    """Return (row, target, origin, column, synapse); synapses come by origin already."""
    order = np.argsort(target, kind="stable")
    row = np.searchsorted(origin, np.arange(n_pre + 1))
    column = np.searchsorted(target[order], np.arange(n_post + 1))
    return row, target.astype(np.int32), origin.astype(np.int32), column, order.astype(np.int32)


def _entries(units: list[Array], n_units: int) -> tuple[Array, Array]:
    """Return (row by unit, number of the neuron among all rules')."""
    unit = _joined(units)
    order = np.argsort(unit, kind="stable")
    return np.searchsorted(unit[order], np.arange(n_units + 1)), order
