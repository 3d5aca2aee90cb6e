"""The kit's learning rules as programs of the BrainScaleS-2 plasticity processor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import brainscales_ppu as ppu
from insectbot.chips.brainscales_quantise import QuantNetwork
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.die import Die
from insectbot.core.random import stream_key
from insectbot.snn.network import Network, Projection
from insectbot.snn.plasticity import PairSTDP, RewardSTDP

_STREAM = 4997


def refusals(network: Network) -> list[str]:
    """Return what of a network's learning the processor cannot say, one phrase each."""
    found = [f"exploration noise of {p.name!r}" for p in network.populations if p.exploration]
    for q in network.plastic():
        rule = q.plasticity
        if isinstance(rule, PairSTDP) and rule.weighting:
            found.append(f"{rule.weighting} PairSTDP of {q.name!r}")
        elif not isinstance(rule, PairSTDP | RewardSTDP):
            found.append(f"{type(rule).__name__} of {q.name!r}")
    return found


@dataclass(frozen=True, eq=False)
class Processor:
    """Plastic synapses as the kernels take them.

    Attributes
    ----------
    names : tuple of str
        Plastic projections.
    plastic : tuple of ndarray
        As in ``brainscales_ppu.py``.
    """

    names: tuple[str, ...]
    plastic: tuple[npt.NDArray, ...]

    @classmethod
    def of(cls, quant: QuantNetwork, sheet: Datasheet, die: Die, period: float) -> Processor:
        """Translate the rules of a network; those that are refused must not be asked to act."""
        network, wiring = quant.network, quant.wiring
        known = [q for q in network.plastic() if isinstance(q.plasticity, PairSTDP | RewardSTDP)]
        columns = [_columns(q, quant, sheet, period) for q in known]
        position = np.concatenate([np.zeros(0, np.int64), *(wiring.index[q.name] for q in known)])
        order = np.argsort(position, kind="stable")
        position = position[order]
        parameters = np.concatenate([np.zeros((ppu.N_PARAMETERS, 0)), *(c[0] for c in columns)], axis=1)[:, order]
        kind, modulator = (
            np.concatenate([np.zeros(0, np.int64), *(np.full(c[0].shape[1], c[i]) for c in columns)])[order]
            for i in (1, 2)
        )
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
        setup = np.array([max(round(period / network.dt), 1), network.dt])
        plastic = (
            np.ascontiguousarray(parameters), kind, modulator, position, unit, post, *rows, by_neuron, *state,
            np.zeros(1, np.uint64), setup,
        )  # fmt: skip
        found = cls(tuple(q.name for q in known), plastic)
        found.clear(0)
        return found

    def clear(self, seed: int) -> None:
        """Reset sensors, eligibilities and the times of last spikes."""
        self.plastic[9][...] = 0.0
        self.plastic[10][...] = 0
        self.plastic[11][...] = ppu.NEVER
        self.plastic[12][...] = ppu.NEVER
        self.plastic[13][0] = stream_key(seed, _STREAM)

    @property
    def state(self) -> dict[str, npt.NDArray]:
        """The arrays that change while the network runs."""
        names = ("sensors", "eligibility", "last_pre", "last_post", "ppu_key")
        return dict(zip(names, self.plastic[9:14], strict=True))


def _columns(q: Projection, quant: QuantNetwork, sheet: Datasheet, period: float) -> tuple[npt.NDArray, int, int]:
    """Return parameters, kind and modulator of a projection's synapses.

    The sensors count ``gain`` LSB per pair; amplitudes are scaled to at most 1 so that the eligibility, in sixteenths
    of an LSB, stays within 16 bits, and the rate makes good for it: dw = learning_rate m e in steps of the weight.
    """
    rule, out = q.plasticity, np.zeros((ppu.N_PARAMETERS, q.n_synapses))
    assert isinstance(rule, PairSTDP | RewardSTDP)
    gain, step = float(sheet["ppu.sensor_gain"].value), quant.step[q.target]
    largest = max(abs(rule.a_plus), abs(rule.a_minus)) or 1.0
    out[ppu.GAIN_PLUS], out[ppu.GAIN_MINUS] = gain, gain
    out[ppu.TAU_PLUS], out[ppu.TAU_MINUS] = rule.tau_plus, rule.tau_minus
    out[ppu.A_PLUS], out[ppu.A_MINUS] = rule.a_plus / largest, rule.a_minus / largest
    out[ppu.W_LOW], out[ppu.W_HIGH] = math.ceil(rule.w_min / step - 1e-9), math.floor(rule.w_max / step + 1e-9)
    out[ppu.RATE] = largest / (gain * step)
    if isinstance(rule, PairSTDP):
        return out, ppu.PAIR, 0
    out[ppu.RATE] *= rule.learning_rate / ppu.E_FRACTION
    out[ppu.FADE] = math.exp(-period / rule.tau_e)
    return out, ppu.REWARD, rule.modulator
