"""The core against a plain-Python oracle, closed forms and its own promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import Naive, squares32

from insectbot.core.propagator import couple
from insectbot.core.random import stream_key
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.randomness import draw
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Network,
    NodePerturbation,
    OrnsteinUhlenbeck,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    RewardSTDP,
)


def compiled(network, seed=0):
    return Simulator().compile(network, seed=seed)


def random_projection(rng, source, n_pre, target, n_post, *, scale, p=0.5, rule=None, delays=(1.0, 2.0, 5.0)):
    post, pre = np.nonzero(rng.random((n_post, n_pre)) < p)
    weight = rng.uniform(0.2, 1.0, pre.size) * scale
    return Projection.sparse(
        source, target, pre=pre, post=post, weight=weight, delay=rng.choice(delays, pre.size), plasticity=rule
    )


def busy_network(rule=None, *, seed=0, tau_syn=4.0, v_min=None, exploration=None, n=70):
    """Two populations, all kinds of input, recurrence, several delays; one rule on two projections."""
    rng = np.random.default_rng(seed)
    excitatory = LIF(tau_m=15.0, v_rest=-65.0, v_th=-50.0, v_reset=-62.0, t_ref=3.0, tau_syn=tau_syn)
    motor = LIF(tau_m=20.0, v_th=1.0, v_min=v_min)
    scale = 60.0 if tau_syn else 6.0
    return Network(
        inputs=(
            Input("noise", 6, PoissonInput(120.0)),
            Input("clock", 3, RegularInput(70.0)),
            Input("current", 2, CurrentInput(14.0)),
        ),
        populations=(Population("e", n, excitatory), Population("m", 3, motor, exploration)),
        projections=(
            random_projection(rng, "noise", 6, "e", n, scale=scale),
            random_projection(rng, "clock", 3, "e", n, scale=scale),
            random_projection(rng, "current", 2, "e", n, scale=1.0, delays=(1.0,)),
            random_projection(rng, "e", n, "e", n, scale=scale / 20, p=0.3, rule=None if v_min else rule),
            random_projection(rng, "e", n, "m", 3, scale=0.2, rule=rule),
        ),
        outputs=("m",),
    )


PAIR = PairSTDP(a_plus=0.4, a_minus=0.35, tau_plus=12.0, tau_minus=17.0, w_min=0.0, w_max=4.0)
REWARD = RewardSTDP(learning_rate=0.05, a_plus=0.5, a_minus=0.3, tau_e=80.0, w_min=-1.0, w_max=5.0)
PERTURB = NodePerturbation(learning_rate=0.02, w_min=-0.5, w_max=0.5)
CASES = {
    "static": {},
    "delta": {"tau_syn": 0.0},
    "pair": {"rule": PAIR},
    "reward": {"rule": REWARD},
    "perturb": {"rule": PERTURB, "v_min": -0.7, "exploration": OrnsteinUhlenbeck(sigma=0.05, period=20.0)},
}


def drives(n_windows, seed=1):
    rng = np.random.default_rng(seed)
    return [np.append(rng.random(9), rng.normal(0.5, 0.3, 2)).astype(np.float32) for _ in range(n_windows)]


@pytest.mark.parametrize("case", CASES)
def test_every_spike_and_weight_equals_the_oracle(case):
    network = busy_network(**CASES[case])
    fast, slow = compiled(network, 7), Naive(network, 7)
    fast.recording = True
    total = 0
    for k, drive in enumerate(drives(30)):
        modulators = [0.3 * math.sin(k)] if network.n_modulators else None
        fast.window(drive, 25, modulators)
        expected = slow.run(drive, 25, modulators)
        ticks, units = fast.spikes()
        assert sorted(zip(ticks.tolist(), units.tolist(), strict=True)) == sorted(expected)
        total += len(expected)
    assert total > 1500
    for projection in network.projections:
        np.testing.assert_allclose(fast.weights()[projection.name], slow.weights(projection.name), rtol=2e-5, atol=1e-4)
    if network.n_modulators or case == "pair":
        moved = [np.abs(fast.weights()[p.name] - p.weight).max() for p in network.plastic()]
        assert min(moved) > 0.01


@pytest.mark.parametrize("case", CASES)
def test_fifty_ticks_equal_fifty_windows_of_one(case):
    network = busy_network(**CASES[case])
    whole, split = compiled(network, 3), compiled(network, 3)
    for k, drive in enumerate(drives(6)):
        pulse = [0.2 * (k - 2)] if network.n_modulators else None
        counts = whole.window(drive, 50, pulse).counts.copy()
        parts = [split.window(drive, 1, pulse if t == 0 else None).counts.copy() for t in range(50)]
        np.testing.assert_array_equal(counts, np.sum(parts, axis=0))
    a, b = whole.state(), split.state()
    for name in set(a) - {"clock"}:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_reading_weights_and_recording_change_nothing(case):
    network = busy_network(**CASES[case])
    quiet, watched = compiled(network, 3), compiled(network, 3)
    watched.recording = True
    for drive in drives(12):
        quiet.window(drive, 40)
        watched.window(drive, 40)
        watched.weights(), watched.spikes(), watched.state()
    for name, array in quiet.weights().items():
        np.testing.assert_array_equal(array, watched.weights()[name])
    assert quiet.counters() == watched.counters()
    for name, array in quiet.state().items():
        np.testing.assert_array_equal(array, watched.state()[name], err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_state_round_trips_and_reset_really_resets(case):
    network = busy_network(**CASES[case])
    first = compiled(network, 5)
    pulses = [0.1] if network.n_modulators else None
    for drive in drives(4):
        first.window(drive, 30, pulses)
    second = compiled(network, 99)
    second.load_state(first.state())
    for drive in drives(4, seed=2):
        np.testing.assert_array_equal(first.window(drive, 30, pulses).counts, second.window(drive, 30, pulses).counts)
    for name, array in first.state().items():
        np.testing.assert_array_equal(array, second.state()[name], err_msg=name)
    first.reset(5)
    first.set_weights({p.name: p.weight for p in network.projections})
    fresh = compiled(network, 5)
    for name, array in fresh.state().items():
        np.testing.assert_array_equal(array, first.state()[name], err_msg=name)


def test_lif_under_constant_current_fires_at_the_closed_form_interval():
    # T = t_ref + tau ln((rest + RI - reset) / (rest + RI - th)); RI = th - rest exactly is silent
    for current, t_ref, expected in ((21.0, 0.0, 55.4518), (25.0, 2.0, 2 + 20 * math.log(4)), (20.0, 0.0, None)):
        lif = LIF(tau_m=20.0, v_rest=-70.0, v_th=-50.0, v_reset=-65.0, t_ref=t_ref)
        network = Network(
            inputs=(Input("i", 1, CurrentInput(1.0)),),
            populations=(Population("n", 1, lif),),
            projections=(Projection.dense("i", "n", [[1.0]], delay=0.1),),
            outputs=("n",),
            dt=0.1,
        )
        executable = compiled(network)
        executable.recording = True
        executable.window([current], 10_000)
        ticks, _ = executable.spikes()
        if expected is None:
            assert ticks.size == 0
        else:
            # the grid rounds every interval up
            assert expected <= np.diff(ticks).mean() * 0.1 <= expected + 0.1


def test_propagator_and_psp_peak_equal_the_published_numbers():
    # models sheet A1: tm 10, ts 2, C 250, h 0.1: P21 = 3.882040924845e-4 per pA; ours is in units of v with C = tau_m
    assert couple(10.0, 2.0, 0.1) * 10.0 / 250.0 == pytest.approx(3.882040924845e-4, rel=1e-9)
    assert couple(10.0, 10.0 + 1e-9, 0.1) == pytest.approx(couple(10.0, 10.0 * (1 + 2e-6), 0.1), rel=1e-4)
    lif = LIF(tau_m=10.0, v_th=1e6, tau_syn=2.0)
    network = Network(
        inputs=(Input("i", 1, RegularInput(1000.0)),),
        populations=(Population("n", 1, lif),),
        projections=(Projection.dense("i", "n", [[1.0]], delay=0.01),),
        outputs=("n",),
        dt=0.01,
    )
    executable = compiled(network)
    executable.window([1.0], 100)  # a spike at tick 99
    trace = []
    for _ in range(1000):
        executable.window([0.0], 1)
        trace.append(executable.variable("n", "v")[0])
    # exp PSP: tau_s/(tau_m-tau_s)(e^-t/tau_m - e^-t/tau_s) peaks 0.133748 at 4.02359 ms
    assert max(trace) == pytest.approx(0.133748, rel=1e-4)
    assert (np.argmax(trace) + 1) * 0.01 == pytest.approx(4.02359 + 0.01, abs=0.02)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), tick=st.integers(0, 2**38), unit=st.integers(0, 2**24 - 1))
def test_counter_based_draws_equal_python_integers(seed, tick, unit):
    key = stream_key(seed, 3)
    assert int(draw(np.uint64(key), tick, unit)) == squares32((tick << 24) | unit, key)


def test_poisson_rate_and_dispersion():
    network = Network(
        inputs=(Input("i", 200, PoissonInput(100.0)),),
        populations=(Population("n", 1),),
        projections=(),
        outputs=("n",),
    )
    executable = compiled(network, 11)
    executable.recording = True
    executable.window(np.ones(200), 10_000)
    _, units = executable.spikes()
    counts = np.bincount(units, minlength=200)
    # p = 1 - exp(-0.1) = 0.0951626 per tick; Bernoulli: variance n p (1 - p)
    assert counts.mean() == pytest.approx(951.626, abs=4 * math.sqrt(951.6 * 0.905 / 200))
    assert counts.var() / counts.mean() == pytest.approx(0.905, abs=0.3)


def test_pair_stdp_reproduces_sixty_pairings():
    # models sheet C2: 60 pairings, w0 .5, A+ .005, A- .00525: 1 Hz +10 ms .6820, -10 ms .3089; 50 Hz .4908 / .4809
    for lag, period, expected in ((10, 1000, 0.6820), (-10, 1000, 0.3089), (10, 20, 0.4908), (-10, 20, 0.4809)):
        network = Network(
            inputs=(Input("pre", 1, RegularInput(1000.0)), Input("kick", 1, RegularInput(1000.0))),
            populations=(Population("n", 1, LIF(tau_m=1.0, v_th=50.0)),),
            projections=(
                Projection.dense("pre", "n", [[0.5]], plasticity=PairSTDP()),
                Projection.dense("kick", "n", [[100.0]]),
            ),
            outputs=("n",),
        )
        executable = compiled(network)
        spikes = 0
        for t in range(60 * period + 60):
            due = t - 20
            pre = due >= 0 and due % period == 0 and due // period < 60
            kick = t + 1 - 20 - lag  # delivered one tick later
            post = kick >= 0 and kick % period == 0 and kick // period < 60
            spikes += executable.window([float(pre), float(post)], 1).counts[0]
        assert spikes == 60
        assert executable.weights()["pre->n"][0] == pytest.approx(expected, abs=6e-5)


def test_a_reward_credits_the_window_before_not_after():
    def final(order):
        network = Network(
            inputs=(Input("arm", 2, RegularInput(1000.0)),),
            populations=(Population("m", 2, LIF(v_th=10.0), OrnsteinUhlenbeck(sigma=0.1)),),
            projections=(Projection.dense("arm", "m", np.zeros((2, 2)), plasticity=NodePerturbation(decay=0.0)),),
            outputs=("m",),
        )
        executable = compiled(network, 4)
        executable.window(np.eye(2)[order[0]], 50)
        executable.window(np.eye(2)[order[1]], 50, [1.0])
        return executable.weights()["arm->m"].reshape(2, 2)  # [pre, post]

    for order in ((0, 1), (1, 0)):
        moved = np.abs(final(order)).max(axis=1)
        assert moved[order[0]] > 0
        assert moved[order[1]] == 0


def test_no_input_means_no_spike_and_no_weight_change():
    for rule in (PAIR, REWARD, PERTURB):
        network = busy_network(rule, v_min=-0.7, exploration=OrnsteinUhlenbeck(sigma=0.01))
        executable = compiled(network)
        for _ in range(20):
            assert executable.window(np.zeros(11), 50, [1.0] if network.n_modulators else None).counts.sum() == 0
        for projection in network.projections:
            np.testing.assert_array_equal(executable.weights()[projection.name], projection.weight)


def test_frozen_means_frozen():
    network = busy_network(PERTURB, v_min=-0.7, exploration=OrnsteinUhlenbeck())
    executable = compiled(network)
    executable.learning = False
    for drive in drives(10):
        executable.window(drive, 50, [1.0])
    for projection in network.projections:
        np.testing.assert_array_equal(executable.weights()[projection.name], projection.weight)


def test_readout_first_spike_and_interval():
    network = Network(
        inputs=(Input("i", 1, RegularInput(100.0)),),
        populations=(Population("n", 2, LIF(v_th=0.5)),),
        projections=(Projection.dense("i", "n", [[1.0], [0.0]], delay=3.0),),
        outputs=("n",),
    )
    readout = compiled(network).window([1.0], 50)
    # regular spikes at ticks 9, 19, ...; delivered 3 ticks later
    assert readout.counts.tolist() == [4, 0]
    assert readout.first.tolist() == [12, -1]
    assert readout.interval.tolist() == [10, -1]


def test_a_threshold_hit_exactly_is_a_spike():
    for weight, expected in ((1.0, 10), (np.nextafter(np.float32(1.0), np.float32(0.0)), 0)):
        network = Network(
            inputs=(Input("i", 1, RegularInput(20.0)),),
            populations=(Population("n", 1, LIF(tau_m=2.0, v_th=1.0)),),
            projections=(Projection.dense("i", "n", [[weight]]),),
            outputs=("n",),
        )
        assert compiled(network).window([1.0], 510).counts[0] == expected


def test_more_neurons_than_sixteen_bits_can_name():
    targets = np.array([0, 65_535, 65_536, 69_999])
    network = Network(
        inputs=(Input("i", 1, RegularInput(1000.0)),),
        populations=(Population("n", 70_000, LIF(v_th=1.0)),),
        projections=(Projection.sparse("i", "n", pre=np.zeros(4), post=targets, weight=2.0, plasticity=PAIR),),
        outputs=("n",),
    )
    assert np.flatnonzero(compiled(network).window([1.0], 3).counts).tolist() == targets.tolist()


def test_wrong_arrays_are_refused_in_one_sentence():
    executable = compiled(busy_network())
    for drive, words in (
        (np.zeros(3), "drive has shape"),
        ([0.5], "drive has shape"),
        ([float("nan")] * 11, "must be finite"),
    ):
        with pytest.raises(ShapeError, match=words) as caught:
            executable.window(drive, 10)
        assert "\n" not in str(caught.value)
    with pytest.raises(ShapeError, match="modulators have shape"):
        executable.window(np.zeros(11), 10, [1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match="drive has shape"):
        executable.window(0.5, 10)
    with pytest.raises(ShapeError, match="weights of shape"):
        executable.set_weights({"noise->e": [1.0]})
    with pytest.raises(ConfigurationError, match="does not belong"):
        executable.load_state({"x": np.zeros(1)})
