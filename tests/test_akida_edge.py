"""Akida's learning of the last layer, against every presentation of BrainChip's package (committed vectors)."""

import json
from pathlib import Path

import numpy as np
import pytest

from insectbot.chips.akida_edge import DEFAULT_MIN, EdgeLayer, EdgeRule
from insectbot.errors import ConfigurationError, ShapeError

FILE = Path(__file__).parent / "data" / "akida_edge.npz"


def test_every_presentation_is_that_of_the_package():
    """Winner, number of weights moved, thresholds and plasticity; which weights move is the package's own chance."""
    presented = learned = 0
    with np.load(FILE) as data:
        for run, options in enumerate(json.loads(str(data["options"]))):
            x, labels = data[f"{run}/x"], data[f"{run}/labels"]
            weights, threshold, swap = (data[f"{run}/{name}"] for name in ("weights", "threshold", "swap"))
            for t in range(len(x)):
                layer = EdgeLayer(EdgeRule(**options), weights[t])
                if t == 0:
                    np.testing.assert_array_equal(layer.swap, swap[0])
                layer.threshold_learning[:], layer.swap[:] = threshold[t], swap[t]
                result = layer.learn(x[t], int(labels[t]))
                change = (weights[t + 1] != weights[t]).sum(axis=1)
                assert change.sum() == 2 * result.moved
                if result.moved:
                    assert np.flatnonzero(change) == [result.neuron]
                    gained = weights[t + 1][result.neuron] > weights[t][result.neuron]
                    assert x[t][gained].all()
                np.testing.assert_array_equal(layer.threshold_learning, threshold[t + 1])
                np.testing.assert_array_equal(layer.swap, swap[t + 1])
                presented += 1
                learned += result.moved > 0
    assert presented == 900
    assert learned > 250


def test_the_sheets_example():
    """24 inputs, 6 neurons, 4 weights, 8 active inputs: one presentation moves 3 weights (6 bits), then none."""
    weights = np.zeros((6, 24), int)
    for j in range(6):
        weights[j, [j, 8 + j, 14 + j % 4, 20]] = 1
    layer, x = EdgeLayer(EdgeRule(4, num_classes=6), weights), np.arange(24) < 8
    assert layer.potentials(x)[2] == 1
    first = layer.learn(x, 2)
    assert (first.neuron, first.moved) == (2, 3)
    changed = layer.weights != weights
    assert changed.sum() == changed[2].sum() == 6
    assert layer.potentials(x)[2] == 4
    assert [layer.learn(x, 2).moved for _ in range(4)] == [0, 0, 0, 0]
    assert layer.threshold_learning.tolist() == [0, 0, 1, 0, 0, 0]
    assert layer.swap.tolist() == [4, 4, 1, 4, 4, 4]


def test_plasticity_decays_as_in_the_package():
    """The default of min_plasticity is a float32 there: 3 of 20 weights stay able to move, 2 if 0.1 is given."""
    expected = {DEFAULT_MIN: [20, 15, 10, 5, 3, 3], 0.1: [20, 15, 10, 5, 2, 2], 0.0: [20, 15, 10, 5, 0, 0]}
    for least, sequence in expected.items():
        rng = np.random.default_rng(0)
        layer = EdgeLayer(EdgeRule(20, min_plasticity=least), [np.arange(200) < 20])
        seen = [int(layer.swap[0])]
        for _ in range(5):
            layer.threshold_learning[:] = 0
            layer.learn(rng.random(200) < 0.5)
            seen.append(int(layer.swap[0]))
        assert seen == sequence


def test_it_learns_to_tell_patterns_apart():
    """Three patterns of 12 inputs with noise: after 60 presentations each label's neurons answer most to their own."""
    rng = np.random.default_rng(5)
    patterns = [rng.permutation(60)[:12] for _ in range(3)]

    def shown(c):
        x = rng.random(60) < 0.05
        x[rng.permutation(patterns[c])[:10]] = True
        return x

    def accuracy():
        tests = [(c, layer.potentials(shown(c)).reshape(3, 2).max(axis=1)) for c in range(3) for _ in range(50)]
        return np.mean([p[c] > np.delete(p, c).max() for c, p in tests])

    layer = EdgeLayer(EdgeRule(8, num_classes=3), [rng.permutation(60) < 8 for _ in range(6)], seed=2)
    before = accuracy()
    for k in range(60):
        layer.learn(shown(k % 3), k % 3)
    assert (layer.weights.sum(axis=1) == 8).all()
    assert before < 0.5
    assert accuracy() > 0.9


def test_the_seed_decides_which_weights_move():
    x = np.arange(40) < 20
    weights = [np.arange(40) >= 30]
    weights[0][0] = True

    def after(seed):
        layer = EdgeLayer(EdgeRule(11), weights, seed=seed)
        layer.learn(x)
        return layer.weights

    np.testing.assert_array_equal(after(1), after(1))
    assert not np.array_equal(after(1), after(2))


def test_mistakes_are_one_sentence():
    with pytest.raises(ConfigurationError, match=r"plasticity_decay = 1.5: must lie in \[0, 1\]"):
        EdgeRule(4, plasticity_decay=1.5)
    with pytest.raises(ConfigurationError, match="num_weights = 0: must be at least 1"):
        EdgeRule(0)
    with pytest.raises(ShapeError, match="with 2 ones per neuron"):
        EdgeLayer(EdgeRule(2), [[1, 0, 0]])
    with pytest.raises(ConfigurationError, match="1 neurons must be a multiple of num_classes = 2"):
        EdgeLayer(EdgeRule(1, num_classes=2), [[1, 0]])
    layer = EdgeLayer(EdgeRule(1), [[1, 0]])
    with pytest.raises(ConfigurationError, match=r"label 3 must lie in 0..0"):
        layer.learn([1, 1], 3)
    with pytest.raises(ShapeError, match="0 or 1"):
        layer.learn([2, 1])
