"""Exploration noise and node perturbation in the numbers of SpiNNaker's cores: types of this project, not stock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips import s1615 as k
from insectbot.chips import s1615_explore as se
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.spinnaker_place import Placement
from insectbot.chips.spinnaker_quantise import Frame, QuantNetwork, QuantPopulation
from insectbot.core.random import stream_key
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.neurons import OrnsteinUhlenbeck
from insectbot.snn.plasticity import NodePerturbation

Array = npt.NDArray
NOISE_STREAM, ROUNDING_STREAM = 1000, 5000
SPREADS = 4.0
"""Standard deviations of the signal that an eligibility must hold, at every spike of two memories of it."""
MOST_SHIFT = 12
MOST_PULSE = (1 << 31) - 1


@dataclass(frozen=True)
class Explorers:
    """Populations that explore, and the synapses that learn from it.

    Attributes
    ----------
    arrays : tuple of ndarray
        As in ``s1615_explore.py``.
    modulators : list of (int, float)
        Modulator, and pulse per unit of it, by rule.
    shared : list of int
        Groups of tied synapses by rule whose sums cores exchange through the host.
    populations : list of int
        Positions of the populations that explore.
    """

    arrays: Any
    modulators: list[tuple[int, float]]
    shared: list[int]
    populations: list[int]

    @classmethod
    def of(
        cls, quant: QuantNetwork, placement: Placement, plastic: dict[str, Array], sheet: Datasheet,
        rounding: str, reward_max: float,
    ) -> Explorers:  # fmt: skip
        """Translate the noise and the rules of a network.

        Parameters
        ----------
        quant, placement
            The network in the chip's numbers, and where it is.
        plastic : dict of str to ndarray of int64
            Projection that has room to learn -> where its synapses are in memory.
        sheet : Datasheet
            Costs.
        rounding : {"stochastic", "nearest"}
            Of weights.
        reward_max : float
            Modulator that a dopamine packet must hold.
        """
        network = quant.network
        found = [(i, p) for i, p in enumerate(network.populations) if p.exploration is not None]
        names = [p.name for _, p in found]
        known = {p.name: p for p in quant.populations}
        learning = [p for p in network.plastic() if isinstance(p.plasticity, NodePerturbation) and p.name in plastic]
        shifts = {p.name: signal_shift(network, p, sheet) for _, p in found}
        number, factor = np.zeros((len(found), 4), np.int64), np.zeros((len(found), 3), np.int64)
        where = network.unit_slices()
        for row, (_, p) in enumerate(found):
            noise = p.exploration or OrnsteinUhlenbeck()
            low, period = where[p.name].start - network.n_inputs, round(noise.period / network.dt)
            number[row] = low, p.n, period, sheet.int("learning.noise_updates")
            factor[row] = noise_factors(noise, p.n, known[p.name].scale, shifts[p.name])
        rules, modulators = np.zeros((len(learning), se.N_PERTURB), np.int64), []
        for row, p in enumerate(learning):
            values, per_unit = perturb_registers(
                p, known[p.target], shifts[p.target], stochastic=rounding == "stochastic", reward_max=reward_max
            )
            rules[row] = names.index(p.target), *values
            modulators.append((getattr(p.plasticity, "modulator", 0), per_unit))
        group, firsts = _groups(learning)
        slot = np.concatenate([np.zeros(0, np.int64), *(plastic[p.name] for p in learning)]).astype(np.int64)
        walks, shared = _walks(network, placement, learning, group, firsts)
        n = network.n_neurons if found else 0
        arrays = (
            number, factor, np.zeros(len(found) + 1, np.uint64), np.zeros(n, np.int64), np.zeros(n, np.int64), rules,
            firsts, slot, group, np.zeros((2, int(group.max(initial=0)) + 1), np.int64), walks,
        )  # fmt: skip
        return cls(arrays, modulators, shared, [i for i, _ in found])

    def clear(self, seed: int) -> None:
        """Forget the noise and restart the random streams."""
        _, _, key, xi, signal = self.arrays[:5]
        xi[:], signal[:] = 0, 0
        key[:] = [stream_key(seed, NOISE_STREAM + i) for i in self.populations] + [stream_key(seed, ROUNDING_STREAM)]

    def dynamic(self) -> dict[str, Array]:
        """Return noise, signals and keys by name (the arrays themselves); empty where nothing explores."""
        names = ("explore_key", "explore_noise", "explore_signal")
        return dict(zip(names, self.arrays[2:5], strict=True)) if self.populations else {}

    def programmed(self) -> dict[str, Array]:
        """Return what programming writes, by name; empty where nothing explores."""
        number, factor, _, _, _, rules, first, slot, group, _, _ = self.arrays
        found = {"number": number, "factor": factor, "rules": rules, "first": first, "synapse": slot, "group": group}
        return {f"explore_{name}": a for name, a in found.items()} if self.populations else {}


def memory(network: Network, plastic: set[str], sheet: Datasheet) -> dict[str, tuple[int, int]]:
    """Return the data memory that noise and rules take: population -> (bytes per core, bytes per neuron).

    Parameters
    ----------
    network : Network
        What to run.
    plastic : set of str
        Projections that have room to learn.
    sheet : Datasheet
        Sizes.
    """
    found = {}
    for p in network.populations:
        if p.exploration is not None:
            fixed = 0
            for q in network.plastic():
                if q.target == p.name and q.name in plastic and isinstance(q.plasticity, NodePerturbation):
                    tied = len(set(q.plasticity.tie or ()))
                    fixed += sheet.int("limits.memory.perturb_rule") + tied * sheet.int("limits.memory.tie_group")
            found[p.name] = fixed, sheet.int("limits.memory.noise_bytes")
    return found


def noise_factors(noise: OrnsteinUhlenbeck, n: int, scale: float, shift: int) -> tuple[int, int, int]:
    """Return (memory, sigma) as accums, and the factor of the signal as u0.32: 2^shift / (sigma (n - 1)).

    Parameters
    ----------
    noise : OrnsteinUhlenbeck
        Noise of a population.
    n : int
        Its neurons.
    scale : float
        Chip units per unit of v.
    shift : int
        Signal of 2^shift is a deviation by one sigma.
    """
    sigma = round(noise.sigma * scale * k.ONE)
    factor = round(2.0 ** (shift + 32) / (sigma * (n - 1))) if sigma and n > 1 else 0
    return round(noise.decay * k.ONE), sigma, factor


def signal_shift(network: Network, population: Population, sheet: Datasheet) -> int:
    """Return the fraction bits of signal and eligibility with which the largest eligibility to expect fits 16 bits."""
    noise, frame, top = population.exploration, Frame(network, sheet, True), 1.0
    for p in network.plastic():
        rule = p.plasticity
        if noise is not None and p.target == population.name and isinstance(rule, NodePerturbation):
            spread = math.sqrt(population.n / (population.n - 1) / (1 - noise.decay**2))
            spikes = frame.chance(p.source) * noise.period / network.dt
            top = max(top, SPREADS * spread * max(spikes, 1.0) / (1 - rule.decay))
    return min(max(math.floor(math.log2(se.E_MAX / top)), 0), MOST_SHIFT)


def perturb_registers(
    projection: Projection, quant: QuantPopulation, shift: int, *, stochastic: bool, reward_max: float
) -> tuple[tuple[int, int, int, int, int], float]:
    """Return (FADE, BITS, LOW, HIGH, STOCHASTIC) of a rule, and the pulse per unit of modulator.

    A weight changes by ``pulse * eligibility / 2^BITS`` steps; BITS is the largest with which a pulse for
    ``reward_max`` fits 32 bits.

    Parameters
    ----------
    projection : Projection
        With a NodePerturbation.
    quant : QuantPopulation
        Its target, of which all neurons are alike.
    shift : int
        Fraction bits of an eligibility.
    stochastic : bool
        Whether weights are rounded stochastically, else to nearest.
    reward_max : float
        Modulator that a pulse must hold.
    """
    rule = projection.plasticity
    if not isinstance(rule, NodePerturbation):
        raise TypeError(f"projection {projection.name!r} has no NodePerturbation")
    step, low = 2.0 ** (quant.shift[0] - k.FRACTION) / float(quant.gain[0]), min(rule.w_min, 0.0)
    factor = rule.learning_rate / (step * rule.spikes_per_unit * 2.0**shift)
    most = abs(factor) * reward_max
    bits = min(max(math.floor(math.log2(MOST_PULSE / most)), 0), 31) if most else 0
    bottom, top = (min(max(round((w - low) / step), 0), k.WEIGHT_MAX) for w in (rule.w_min, rule.w_max))
    return (round(rule.decay * k.ONE), bits, bottom, top, int(stochastic)), factor * 2.0**bits


def _groups(learning: list[Projection]) -> tuple[Array, Array]:
    """Return the group of every synapse (alone where it is not tied), and the first synapse of every rule."""
    parts, size = [np.zeros(0, np.int64)], 0
    for p in learning:
        tie = getattr(p.plasticity, "tie", None)
        own = np.arange(p.n_synapses) if tie is None else np.unique(np.asarray(tie), return_inverse=True)[1]
        parts.append(own + size)
        size += int(own.max(initial=-1)) + 1
    return np.concatenate(parts).astype(np.int64), np.cumsum([0, *(p.n_synapses for p in learning)]).astype(np.int64)


def _walks(
    network: Network, placement: Placement, learning: list[Projection], group: Array, firsts: Array
) -> tuple[Array, list[int]]:
    """Return (synapses, rows) by rule and core, and by rule how many groups lie on several cores."""
    where, shared = network.unit_slices(), []
    walks = np.zeros((len(learning), max(placement.n_cores, 1), 2), np.int64)
    for row, p in enumerate(learning):
        core = placement.core_of(p.post.astype(np.int64) + where[p.target].start - network.n_inputs)
        np.add.at(walks[row, :, 0], core, 1)
        np.add.at(walks[row, :, 1], np.unique(np.stack([core, p.pre.astype(np.int64)]), axis=1)[0], 1)
        pairs = np.unique(np.stack([group[firsts[row] : firsts[row + 1]], core]), axis=1)
        shared.append(int((np.unique(pairs[0], return_counts=True)[1] > 1).sum()))
    return walks, shared
