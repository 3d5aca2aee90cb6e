"""Random networks of one structure against the oracle: time constants, delays, silences, bounds, dt."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import Naive

from insectbot.core.simulator import Simulator
from insectbot.snn import LIF, Input, Network, PairSTDP, PoissonInput, Population, Projection, RewardSTDP

TAU = st.floats(2.0, 60.0)


@st.composite
def rules(draw, kind):
    shared = {
        "a_plus": draw(st.floats(-0.2, 0.4)),
        "a_minus": draw(st.floats(-0.2, 0.4)),
        "tau_plus": draw(TAU),
        "tau_minus": draw(TAU),
        "w_min": draw(st.floats(-1.0, 0.0)),
        "w_max": draw(st.floats(1.0, 3.0)),
    }
    return kind(**shared, **({"tau_e": draw(TAU)} if kind is RewardSTDP else {}))


@st.composite
def networks(draw, kind):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, dt = draw(st.integers(1, 9)), draw(st.sampled_from([0.5, 1.0]))
    post, pre = np.nonzero(rng.random((n, 5)) < 0.7)
    back_post, back_pre = np.nonzero(rng.random((n, n)) < 0.4)
    delays = dt * rng.integers(1, draw(st.integers(2, 40)), pre.size)
    rule = draw(rules(kind))
    lif = LIF(tau_m=draw(TAU), v_rest=-60.0, v_th=-59.0, v_reset=-60.5, t_ref=2 * dt)
    return Network(
        inputs=(Input("i", 5, PoissonInput(rate=draw(st.floats(5.0, 400.0)))),),
        populations=(Population("n", n, lif),),
        projections=(
            Projection.sparse("i", "n", pre=pre, post=post, weight=rng.random(pre.size), delay=delays, plasticity=rule),
            Projection.sparse(
                "n", "n", pre=back_pre, post=back_post, weight=rng.random(back_pre.size), delay=dt, plasticity=rule
            ),
        ),
        outputs=("n",),
        dt=dt,
    )


def agree(network, seed, drives):
    fast, slow = Simulator().compile(network, seed=seed), Naive(network, seed)
    fast.recording = True
    pulse = [0.05] if network.n_modulators else None
    for level in drives:
        fast.window(np.full(5, level), 60, pulse)
        expected = slow.run(np.full(5, level), 60, pulse)
        assert sorted(zip(*(a.tolist() for a in fast.spikes()), strict=True)) == sorted(expected)
    for projection in network.projections:
        found, wanted = fast.weights()[projection.name], slow.weights(projection.name)
        np.testing.assert_allclose(found, wanted, atol=3e-4)


# Zeros are silences, longer than the epochs in which the lazy rule keeps its sums.
LEVELS = st.lists(st.sampled_from([0.0, 0.0, 0.3, 1.0]), min_size=3, max_size=12)


@settings(max_examples=150)
@given(networks(PairSTDP), st.integers(0, 2**63), LEVELS)
def test_pair_stdp_of_any_network_equals_the_eager_rule(network, seed, levels):
    agree(network, seed, levels)


@settings(max_examples=100)
@given(networks(RewardSTDP), st.integers(0, 2**63), LEVELS)
def test_reward_stdp_of_any_network_equals_the_eager_rule(network, seed, levels):
    agree(network, seed, levels)
