"""The kit's learning rules as programs of the BrainScaleS-2 plasticity processor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import brainscales_ppu as ppu
from insectbot.chips.analog_wiring import values
from insectbot.chips.brainscales_quantise import QuantNetwork, reach, relays
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.die import Die
from insectbot.core.random import stream_key
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.plasticity import LearningRule, NodePerturbation, PairSTDP

_STREAM = 4997
_NOISE_STREAM = 4900


def refusals(network: Network) -> list[str]:
    """Return what of a network's learning the processor cannot say, one phrase each."""
    return [
        f"{q.plasticity.weighting} PairSTDP of {q.name!r}"
        for q in network.plastic()
        if isinstance(q.plasticity, PairSTDP) and q.plasticity.weighting
    ]


@dataclass(frozen=True, eq=False)
class Processor:
    """Plastic synapses as the kernels take them.

    Attributes
    ----------
    names : tuple of str
        Plastic projections.
    plastic : tuple of ndarray
        As in ``brainscales_ppu.py``.
    explorers : tuple of ndarray
        As in ``brainscales_explore.py``.
    """

    names: tuple[str, ...]
    plastic: tuple[npt.NDArray, ...]
    explorers: tuple[npt.NDArray, ...]

    @classmethod
    def of(cls, quant: QuantNetwork, sheet: Datasheet, die: Die, period: float) -> Processor:
        """Translate the rules of a network; those that are refused must not be asked to act."""
        network, wiring = quant.network, quant.wiring
        known, explorers = list(network.plastic()), _explorers(quant, sheet, die)
        columns = [_columns(q, quant, sheet, period) for q in known]
        position = np.concatenate([np.zeros(0, np.int64), *(wiring.index[q.name] for q in known)])
        order = np.argsort(position, kind="stable")
        position = position[order]
        parameters = np.concatenate([np.zeros((ppu.N_PARAMETERS, 0)), *(c[0] for c in columns)], axis=1)[:, order]
        kind, modulator = (
            np.concatenate([np.zeros(0, np.int64), *(np.full(c[0].shape[1], c[i]) for c in columns)])[order]
            for i in (1, 2)
        )
        group = _groups(known)[order]
        n = position.size
        for row, name in ((ppu.GAIN_PLUS, "sensor"), (ppu.GAIN_MINUS, "sensor_anti")):
            parameters[row] *= die.factors(name, n)
        unit, post = wiring.unit[position], wiring.target[position]
        by_neuron = np.argsort(post, kind="stable").astype(np.int64)
        n_units, n_neurons = network.n_inputs + network.n_neurons, network.n_neurons
        rows = (
            np.searchsorted(unit, np.arange(n_units + 1)).astype(np.int64),
            np.searchsorted(post[by_neuron], np.arange(n_neurons + 1)).astype(np.int64),
        )
        state = (np.zeros((2, n)), np.zeros(n, np.int64), np.zeros(n_units, np.int64), np.zeros(n_neurons, np.int64))
        setup = np.array([max(round(period / network.dt), 1), network.dt, (1 << sheet.int("ppu.counter_bits")) - 1])
        plastic = (
            np.ascontiguousarray(parameters), kind, modulator, position, unit, post, *rows, by_neuron, *state,
            np.zeros(1, np.uint64), setup, np.zeros(n_units, np.int64), np.zeros(n, np.int64), group,
            np.zeros(int(group.max(initial=-1)) + 1), explorers[5], relays(network),
        )  # fmt: skip
        found = cls(tuple(q.name for q in known), plastic, explorers)
        found.clear(0)
        return found

    def clear(self, seed: int) -> None:
        """Reset sensors, eligibilities and the times of last spikes."""
        for array in self.state.values():
            array[...] = 0
        self.plastic[11][...] = ppu.NEVER
        self.plastic[12][...] = ppu.NEVER
        self.plastic[13][0] = stream_key(seed, _STREAM)
        self.explorers[2][:] = [stream_key(seed, _NOISE_STREAM + i) for i in range(self.explorers[2].size)]

    @property
    def busy(self) -> bool:
        """Whether the processor has anything to do while the network learns."""
        return bool(self.names) or self.explorers[2].size > 0

    @property
    def state(self) -> dict[str, npt.NDArray]:
        """The arrays that change while the network runs."""
        names = ("sensors", "eligibility", "last_pre", "last_post", "ppu_key")
        names += ("counter", "counter_seen", "noise_keys", "noise", "noise_weight", "noise_signal")
        return dict(zip(names, self.plastic[9:14] + self.plastic[15:17] + self.explorers[2:6], strict=True))


def _groups(known: list[Projection]) -> npt.NDArray[np.int64]:
    """Return the group of every synapse that learns by node perturbation, alone or with others; -1 for the rest."""
    found, first = [np.zeros(0, np.int64)], 0
    for q in known:
        rule, group = q.plasticity, np.full(q.n_synapses, -1, np.int64)
        if isinstance(rule, NodePerturbation):
            group = first + (np.arange(q.n_synapses) if rule.tie is None else np.asarray(rule.tie, np.int64))
            first = int(group.max(initial=first - 1)) + 1
        found.append(group)
    return np.concatenate(found)


def _spikes(p: Population, quant: QuantNetwork) -> int:
    """Return how many spikes per tick the generator of a population's noise must send."""
    return max(math.ceil(reach(p) / (quant.limit * quant.step[p.name]) - 1e-9), 1)


def _explorers(quant: QuantNetwork, sheet: Datasheet, die: Die) -> tuple[npt.NDArray, ...]:
    network = quant.network
    found = [p for p in network.populations if p.exploration]
    number, real = np.zeros((len(found), 4), np.int64), np.zeros((len(found), 2))
    n = network.n_neurons
    amplitude = np.zeros(n)
    for k, p in enumerate(found):
        noise, first = p.exploration, network.unit_slices()[p.name].start - network.n_inputs
        assert noise is not None
        spikes, step = _spikes(p, quant), quant.step[p.name]
        number[k] = first, p.n, max(round(noise.period / network.dt), 1), spikes
        real[k] = noise.decay, noise.sigma / (spikes * step)
        tau_syn = values(p, "tau_syn")
        tau_syn = np.where(tau_syn > 0, tau_syn, float(sheet["synapse.delta_tau"].value))
        amplitude[first : first + p.n] = quant.scale[p.name] * step * values(p, "tau_m") / tau_syn
    both = np.stack([amplitude * die.factors("noise_exc", n), amplitude * die.factors("noise_inh", n)])
    integers = (np.zeros(n, np.int64) for _ in range(3))
    return number, real, np.zeros(len(found), np.uint64), *integers, both, np.array([quant.limit])


def _columns(q: Projection, quant: QuantNetwork, sheet: Datasheet, period: float) -> tuple[npt.NDArray, int, int]:
    """Return parameters, kind and modulator of a projection's synapses.

    The sensors count ``gain`` LSB per pair; amplitudes are scaled to at most 1 so that the eligibility, in sixteenths
    of an LSB, stays within 16 bits, and the rate makes good for it: dw = learning_rate m e in steps of the weight.
    """
    rule, out = q.plasticity, np.zeros((ppu.N_PARAMETERS, q.n_synapses))
    if isinstance(rule, NodePerturbation):
        return _perturbation(out, q, rule, quant), ppu.PERTURB, rule.modulator
    assert rule is not None
    gain, step = float(sheet["ppu.sensor_gain"].value), quant.step[q.target]
    largest = max(abs(rule.a_plus), abs(rule.a_minus)) or 1.0
    out[ppu.GAIN_PLUS], out[ppu.GAIN_MINUS] = gain, gain
    out[ppu.TAU_PLUS], out[ppu.TAU_MINUS] = rule.tau_plus, rule.tau_minus
    out[ppu.A_PLUS], out[ppu.A_MINUS] = rule.a_plus / largest, rule.a_minus / largest
    _bounds(out, rule, step)
    out[ppu.RATE] = largest / (gain * step)
    if isinstance(rule, PairSTDP):
        return out, ppu.PAIR, 0
    out[ppu.RATE] *= rule.learning_rate / ppu.E_FRACTION
    out[ppu.FADE] = math.exp(-period / rule.tau_e)
    return out, ppu.REWARD, rule.modulator


def _bounds(out: npt.NDArray, rule: LearningRule, step: float) -> None:
    out[ppu.W_LOW], out[ppu.W_HIGH] = math.ceil(rule.w_min / step - 1e-9), math.floor(rule.w_max / step + 1e-9)


def _perturbation(out: npt.NDArray, q: Projection, rule: NodePerturbation, quant: QuantNetwork) -> npt.NDArray:
    """Fill the parameters of node perturbation; a unit of the eligibility is a spike times one LSB of noise weight."""
    population, step = quant.network.population(q.target), quant.step[q.target]
    noise = population.exploration
    out[ppu.TAU_PLUS], out[ppu.TAU_MINUS], out[ppu.FADE] = 1.0, 1.0, rule.decay
    _bounds(out, rule, step)
    if noise is not None and noise.sigma > 0:
        unit = _spikes(population, quant) * step / (noise.sigma * rule.spikes_per_unit)
        members = 1 if rule.tie is None else np.bincount(rule.tie)[list(rule.tie)]
        out[ppu.RATE] = rule.learning_rate * unit / step / members
    return out
