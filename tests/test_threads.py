"""Several threads share a network and give the same bits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_core import CASES, busy_network, drives

from insectbot.core.simulator import CoreExecutable, Simulator
from insectbot.core.threads import projection_order
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn import LIF, Network, PoissonBackground, Population, Projection


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("case", ["static", "delta", "pair", "reward"])
def test_any_number_of_threads_gives_the_same_bits(case, threads):
    network = busy_network(**CASES[case], n=150)
    one, many = CoreExecutable(network, seed=3), CoreExecutable(network, seed=3, threads=threads)
    one.recording = many.recording = True
    for k, drive in enumerate(drives(12)):
        pulse = [0.3 * math.sin(k)] if network.n_modulators else None
        a, b = one.window(drive, 30, pulse), many.window(drive, 30, pulse)
        for name in ("counts", "first", "interval"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        for x, y in zip(one.spikes(), many.spikes(), strict=True):
            np.testing.assert_array_equal(x, y)
    assert one.counters() == many.counters()
    assert one.counters().spikes > 1000
    for name, weights in one.weights().items():
        np.testing.assert_array_equal(weights, many.weights()[name], err_msg=name)


def test_weights_and_states_of_threads_round_trip():
    network = busy_network(**CASES["pair"], n=150)
    many, other = (CoreExecutable(network, seed=3, threads=2) for _ in range(2))
    rng = np.random.default_rng(0)
    given = {p.name: rng.random(p.n_synapses).astype(np.float32) for p in network.projections}
    many.set_weights(given)
    for name, weights in many.weights().items():
        np.testing.assert_array_equal(weights, given[name])
    assert any((np.diff(projection_order(many._parts, k)) < 0).any() for k in range(len(network.projections)))
    for drive in drives(4):
        many.window(drive, 20)
    other.load_state(many.state())
    for drive in drives(4, seed=2):
        np.testing.assert_array_equal(many.window(drive, 20).counts, other.window(drive, 20).counts)
    with pytest.raises(ConfigurationError, match="does not belong to network"):
        CoreExecutable(network).load_state(many.state())


def test_background_noise_does_not_depend_on_threads():
    population = Population("n", 300, LIF(t_ref=2.0), background=PoissonBackground(3000.0, 0.05))
    network = Network((), (population,), (), ("n",))
    a, b = CoreExecutable(network, seed=4), CoreExecutable(network, seed=4, threads=2)
    counts = a.window([], 500).counts.copy()
    assert counts.sum() > 1000
    np.testing.assert_array_equal(counts, b.window([], 500).counts)


def test_what_threads_cannot_share_is_refused():
    with pytest.raises(Unsupported, match="NodePerturbation of 'e->m' needs all its neurons; use threads = 1"):
        Simulator(threads=2).compile(busy_network(**CASES["perturb"]))
    with pytest.raises(ConfigurationError, match="threads = 0: must be at least 1"):
        Simulator(threads=0).compile(busy_network())


def test_more_threads_than_neurons_is_no_mistake():
    network = Network((), (Population("n", 2, LIF()),), (Projection.dense("n", "n", np.ones((2, 2))),), ("n",))
    assert CoreExecutable(network, threads=3).window([], 10).counts.tolist() == [0, 0]
