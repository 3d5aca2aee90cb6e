"""Akida's learning on the chip: the last dense layer, binary weights, binary inputs, labels. At the level of rules.

One presentation of an input x with a label c, as measured on BrainChip's package ``akida`` 2.19.3
(``AkidaUnsupervised``):

1. The neurons of label c are block c of equal blocks. P = number of weights of a neuron that meet an active input.
2. Among those with ``P > threshold_learning`` the one with the largest P wins, on a tie the first. Without any, nothing
   changes.
3. The winner moves ``n = min(swap, its weights on silent inputs, active inputs without weight)`` weights from silent
   inputs to active ones: the number of its weights stays.
4. Where n > 0, ``threshold_learning = min(P, floor(num_weights (1 - learning_competition) + 1/2))``, with P of before.
5. ``swap = max(ceil(min_plasticity num_weights), swap - ceil(plasticity_decay first))``, also where n = 0; it starts at
   ``first = floor(initial_plasticity num_weights + 1/2)``.

Which weights move is a choice of the package's own random generator, which is not known; here numbers are
counter-based. All else is exact: 900 presentations of the package, with options of all kinds, are reproduced. The
weights of a spiking network do not learn this way: they are not binary, and a reward is no label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.core.random import stream_key
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.randomness import draw
from insectbot.snn.validate import require_finite

DEFAULT_MIN = float(np.float32(0.1))
"""The package's default of ``min_plasticity`` is a float32: 20 weights keep 3 to move, not 2."""


@dataclass(frozen=True)
class EdgeRule:
    """Options of the learning rule, as in the package.

    Parameters
    ----------
    num_weights : int
        Weights per neuron, >= 1.
    num_classes : int
        Labels, >= 1; the number of neurons is a multiple.
    initial_plasticity, min_plasticity, plasticity_decay : float
        Share of the weights that may move at first, and at the least; decay per presentation that is learned, as a
        share of the first. All in [0, 1].
    learning_competition : float
        How much a neuron's learning threshold is lowered, so that it goes on learning, in [0, 1].

    Raises
    ------
    ConfigurationError
        If an option is out of range.
    """

    num_weights: int
    num_classes: int = 1
    initial_plasticity: float = 1.0
    learning_competition: float = 0.0
    min_plasticity: float = DEFAULT_MIN
    plasticity_decay: float = 0.25

    def __post_init__(self) -> None:
        for name in ("num_weights", "num_classes"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"EdgeRule.{name} = {getattr(self, name)}: must be at least 1")
        for name in ("initial_plasticity", "learning_competition", "min_plasticity", "plasticity_decay"):
            value = getattr(self, name)
            require_finite("EdgeRule", **{name: value})
            if not 0 <= value <= 1:
                raise ConfigurationError(f"EdgeRule.{name} = {value}: must lie in [0, 1]")

    @property
    def first(self) -> int:
        """Weights that may move at the first presentation."""
        return math.floor(self.initial_plasticity * self.num_weights + 0.5)

    @property
    def decay(self) -> int:
        """Weights fewer after each presentation that was learned."""
        return math.ceil(self.plasticity_decay * self.first)

    @property
    def least(self) -> int:
        """Weights that may always move."""
        return math.ceil(self.min_plasticity * self.num_weights)

    @property
    def ceiling(self) -> int:
        """Highest learning threshold."""
        return math.floor(self.num_weights * (1 - self.learning_competition) + 0.5)


@dataclass(frozen=True)
class Learned:
    """What one presentation did.

    Attributes
    ----------
    neuron : int
        The winner; -1 for none.
    moved : int
        Number of weights that moved.
    """

    neuron: int
    moved: int


class EdgeLayer:
    """A last layer that learns.

    Parameters
    ----------
    rule : EdgeRule
        Options.
    weights : array_like of 0 and 1, shape (neurons, inputs)
        Initial weights, ``rule.num_weights`` ones each; an empty list of inputs is not possible.
    seed : int
        Seed of which weights move.

    Attributes
    ----------
    weights : ndarray of uint8, shape (neurons, inputs)
        Weights.
    threshold_learning, swap : ndarray of int64, shape (neurons,)
        Potential that must be exceeded to learn; weights that may move.

    Raises
    ------
    ShapeError
        If the weights are not binary, or not as many as the rule says.
    ConfigurationError
        If the neurons cannot be shared out among the labels.
    """

    def __init__(self, rule: EdgeRule, weights: npt.ArrayLike, seed: int = 0) -> None:
        given = np.array(weights, np.int64)
        if given.ndim != 2 or not np.isin(given, (0, 1)).all() or (given.sum(axis=1) != rule.num_weights).any():
            raise ShapeError(f"EdgeLayer: weights must be 0 or 1, with {rule.num_weights} ones per neuron")
        if given.shape[0] % rule.num_classes:
            raise ConfigurationError(
                f"EdgeLayer: {given.shape[0]} neurons must be a multiple of num_classes = {rule.num_classes}"
            )
        self.rule, self.weights = rule, given.astype(np.uint8)
        self.threshold_learning = np.zeros(given.shape[0], np.int64)
        self.swap = np.full(given.shape[0], rule.first, np.int64)
        self._key, self._presentations = stream_key(seed, 0), 0

    def potentials(self, x: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return P of all neurons for a binary input, shape (inputs,); raises ShapeError for another one."""
        active = np.asarray(x)
        if active.shape != self.weights.shape[1:] or not np.isin(active, (0, 1)).all():
            raise ShapeError(f"EdgeLayer: input of shape {active.shape} must be {self.weights.shape[1:]}, 0 or 1")
        return self.weights.astype(np.int64) @ active.astype(np.int64)

    def learn(self, x: npt.ArrayLike, label: int = 0) -> Learned:
        """Present one binary input with its label.

        Raises
        ------
        ShapeError
            If the input has another shape or other values.
        ConfigurationError
            If there is no such label.
        """
        rule, potential = self.rule, self.potentials(x)
        if not 0 <= label < rule.num_classes:
            raise ConfigurationError(f"EdgeLayer: label {label} must lie in 0..{rule.num_classes - 1}")
        self._presentations += 1
        block = len(potential) // rule.num_classes
        group = np.arange(label * block, (label + 1) * block)
        able = group[potential[group] > self.threshold_learning[group]]
        if not able.size:
            return Learned(-1, 0)
        winner = int(able[np.argmax(potential[able])])
        row, active = self.weights[winner], np.asarray(x) != 0
        idle, free = np.flatnonzero(~active & (row == 1)), np.flatnonzero(active & (row == 0))
        n = min(int(self.swap[winner]), idle.size, free.size)
        if n > 0:
            row[self._chosen(idle, n)] = 0
            row[self._chosen(free, n)] = 1
            self.threshold_learning[winner] = min(int(potential[winner]), rule.ceiling)
        self.swap[winner] = max(rule.least, int(self.swap[winner]) - rule.decay)
        return Learned(winner, n)

    def _chosen(self, inputs: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
        """Return n of some inputs, by the smallest of their random numbers; idle and free inputs never share one."""
        numbers = [int(draw(self._key, self._presentations, i)) for i in inputs]
        return inputs[np.argsort(numbers, kind="stable")[:n]]
