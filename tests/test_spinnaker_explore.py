"""Exploration noise and node perturbation on SpiNNaker: bit for bit against plain Python, and beside the float rule."""

import math

import naive_spinnaker as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_learning import learned, per_seed

from insectbot.chips import catalogue, datasheet
from insectbot.chips import s1615_explore as se
from insectbot.chips.spinnaker_explore import noise_factors, perturb_registers, signal_shift
from insectbot.chips.spinnaker_replay_explore import run_perturbation
from insectbot.controllers.circuits.rstdp_forager import rstdp_forager
from insectbot.core.random import stream_key
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, ShapeError, Unsupported
from insectbot.snn import (
    LIF,
    Input,
    Network,
    NodePerturbation,
    OrnsteinUhlenbeck,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)
from insectbot.training.evaluate import Entry, evaluate

ONE = 1 << 15
KEYS = (stream_key(5, 1000), stream_key(5, 5000))
RULE = {"memory": 27853, "sigma": 209715, "gain": 1310721, "fade": ONE // 2, "bits": 16, "low": 0, "high": 65535}


def replayed(fired, pre, post, weight, n, period, pulses, group, rounding, rule):
    """Return what the kernel and plain Python make of the same integers, tick by tick."""
    trace = run_perturbation(
        spikes=fired, pre=pre, post=post, weight=weight, n=n, period=period, keys=KEYS, pulses=pulses, group=group,
        rounding=rounding, **rule,
    )  # fmt: skip
    model = naive.Perturbation(n, period, KEYS, weight, pre, post, group, rounding == "stochastic", **rule)
    expected = []
    for tick, row in enumerate(fired):
        if tick in pulses:
            model.pay(tick, pulses[tick])
        model.begin(tick)
        for j in np.flatnonzero(row):
            model.spike(j)
        expected.append((list(model.noise), list(model.signal), list(model.tag), list(model.weight)))
    columns = (trace.noise, trace.signal, trace.eligibility, trace.weight)
    found = [tuple(c[t].tolist() for c in columns) for t in range(len(fired))]
    return found, expected, (trace.eligibility_clips, trace.wraps), (model.clips, model.wraps)


@st.composite
def cases(draw):
    n, n_pre, ticks = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 40))
    size = draw(st.integers(1, 8))
    several = {"min_size": size, "max_size": size}
    rule = {
        "memory": draw(st.integers(0, ONE - 1)),
        "sigma": draw(st.integers(0, 2**20) | st.integers(0, 2**31 - 1)),
        "gain": draw(st.integers(0, 2**24) | st.just(0)),
        "fade": draw(st.integers(0, ONE - 1)),
        "bits": draw(st.integers(0, 31)),
        "low": draw(st.integers(0, 40000)),
        "high": draw(st.integers(40000, 65535)),
    }
    return (
        draw(st.lists(st.lists(st.booleans(), min_size=n_pre, max_size=n_pre), min_size=ticks, max_size=ticks)),
        draw(st.lists(st.integers(0, n_pre - 1), **several)),
        draw(st.lists(st.integers(0, n - 1), **several)),
        draw(st.lists(st.integers(0, 65535), **several)),
        n,
        draw(st.integers(1, 15)),
        draw(
            st.dictionaries(
                st.integers(0, ticks), st.integers(-(2**31) + 1, 2**31 - 1) | st.integers(-(2**18), 2**18), max_size=8
            )
        ),
        draw(st.lists(st.integers(0, 3), **several)),
        draw(st.sampled_from(["stochastic", "nearest"])),
        rule,
    )


@settings(max_examples=80, deadline=None)
@given(cases())
def test_bit_exact_for_any_registers(case):
    found, expected, seen, counted = replayed(*case)
    assert found == expected
    assert seen == counted


def test_signals_and_eligibilities_saturate():
    fired = np.ones((30, 1), bool)
    rule = RULE | {"gain": 2**29, "fade": ONE - 1}
    found, expected, seen, counted = replayed(
        fired, [0, 0], [0, 1], [9, 9], 2, 10, {}, [0, 1], "nearest", rule
    )  # fmt: skip
    assert found == expected
    assert seen == counted
    assert seen[0] > 20
    assert {abs(e) for e in found[-1][2]} == {se.E_MAX}


def test_noise_beyond_32_bits_wraps_and_is_counted():
    rule = RULE | {"sigma": 2**30, "memory": ONE - 1}
    found, expected, seen, counted = replayed(
        np.zeros((20, 1), bool), [0], [0], [0], 3, 1, {}, [0], "nearest", rule
    )  # fmt: skip
    assert found == expected
    assert seen == counted
    assert seen[1] > 5


def test_one_credit_by_hand():
    """One spike at tick 0, a pulse at tick 1: w += pulse * e / 2^16, e = (xi_0 - xi_1) * gain / 2^32."""
    fired = np.array([[True], [False]])
    trace = run_perturbation(
        spikes=fired, pre=[0, 0], post=[0, 1], weight=[30000, 30000], n=2, period=50, keys=KEYS, pulses={1: 3 << 16},
        rounding="nearest", **RULE,
    )  # fmt: skip
    difference = trace.noise[0, 0] - trace.noise[0, 1]
    signal = math.floor(difference * RULE["gain"] / 2**32 + 0.5)
    assert signal != 0
    assert trace.eligibility[0].tolist() == [signal, -signal]
    assert trace.weight[1].tolist() == [30000 + 3 * signal, 30000 - 3 * signal]


def test_noise_is_nearly_normal():
    """Mean 0, variance 1, excess kurtosis -0.1 of twelve uniforms; innovations of periods do not correlate."""
    z = np.array([se.normal(np.uint64(KEYS[0]), t, 0) for t in range(20000)]) / ONE
    assert abs(z.mean()) < 3.5 / math.sqrt(z.size)
    assert z.var() == pytest.approx(1.0, abs=3.5 * math.sqrt(2 / z.size))
    assert (z**4).mean() / z.var() ** 2 - 3 == pytest.approx(-0.1, abs=3.5 * math.sqrt(24 / z.size))
    assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 3.5 / math.sqrt(z.size)


def test_stochastic_rounding_keeps_the_mean():
    """A change of 0.6 steps per pulse: 400 pulses move weights by 240 steps; to nearest by 400."""
    size, ticks = 200, 400
    fired = np.zeros((ticks, 1), bool)
    fired[0] = True
    steady = RULE | {"gain": 2**17, "memory": 0, "fade": ONE - 1}
    changes = {}
    for rounding in ("stochastic", "nearest"):
        args = {"pre": [0] * size, "post": [0] * size, "n": 2, "period": ticks, "keys": KEYS, "rounding": rounding}
        first = run_perturbation(spikes=fired, weight=[30000] * size, **args, **steady)
        e = int(first.eligibility[-1, 0])
        pulse = round(0.6 * 2**16 / e)
        last = run_perturbation(
            spikes=fired, weight=[30000] * size, pulses=dict.fromkeys(range(1, ticks), pulse), **args, **steady
        )
        changes[rounding] = (last.weight[-1] - 30000).mean() / (pulse * e / 2**16 * (ticks - 1))
    assert changes["stochastic"] == pytest.approx(1.0, abs=4 * math.sqrt(0.4 / 0.6 / (size * ticks)))
    assert changes["nearest"] == pytest.approx(1 / 0.6, rel=0.02)


def learner(n=2, n_in=3, noise=None, **rule):
    given = {"learning_rate": 0.002, "w_min": -0.6, "w_max": 0.6} | rule
    return Network(
        inputs=(Input("in", n_in, PoissonInput(100.0)), Input("push", 1, RegularInput(200.0))),
        populations=(
            Population("out", n, LIF(tau_m=20.0, v_th=1.0, v_min=-1.0), noise or OrnsteinUhlenbeck(sigma=0.1)),
        ),
        projections=(
            Projection.dense("in", "out", np.full((n, n_in), 0.1), plasticity=NodePerturbation(**given)),
            Projection.dense("push", "out", np.full((n, 1), 0.3)),
        ),
        outputs=("out",),
    )


def compiled(network, seed=0, **options):
    executable = catalogue.chip("spinnaker", **options).compile(network, seed=seed)
    executable.learning = True
    executable.reset(seed)
    return executable


@pytest.mark.parametrize("tie", [None, (0, 1, 2, 1, 0, 2)])
def test_a_running_network_learns_bit_for_bit(tie):
    """Plain Python, given the input spikes and rewards of a run, ends with the chip's noise, tags and weights."""
    chip = compiled(learner(tie=tie), seed=4)
    chip.recording = True
    live = chip.programmed()
    memory, sigma, gain = live["explore_factor"][0].tolist()
    _, fade, bits, low, high, stochastic = live["explore_rules"][0].tolist()
    q, p = chip.quant.projections[0], chip.network.projections[0]
    keys = (stream_key(4, 1000), stream_key(4, 5000))
    model = naive.Perturbation(
        2, 50, keys, q.weight.tolist(), p.pre.tolist(), p.post.tolist(), list(range(6)) if tie is None else list(tie),
        bool(stochastic), memory=memory, sigma=sigma, gain=gain, fade=fade, bits=bits, low=low, high=high,
    )  # fmt: skip
    for window in range(30):
        amount = 0.5 * (-1) ** (window // 4)
        chip.window(np.ones(4), 30, [amount])
        if window:
            model.pay(30 * window, round(float(np.float32(amount)) * chip._explorers.modulators[0][1]))
        tick, unit = chip.spikes()
        for t in range(30 * window, 30 * window + 30):
            model.begin(t)
            for u in unit[tick == t].tolist():
                if u < 3:
                    model.spike(u)
    place = live["explore_synapse"]
    assert chip.dynamic()["explore_noise"].tolist() == model.noise
    assert chip.dynamic()["eligibility"][place].tolist() == model.tag
    assert live["synapse_weight"][place].tolist() == model.weight
    assert model.weight != q.weight.tolist()


def test_noise_is_a_current_of_the_neuron():
    """A silent neuron follows V' = V - (1 - exp_tc) (V - R xi), so it holds xi / (1 - exp(-dt / tau)) in the end."""
    network = learner(noise=OrnsteinUhlenbeck(sigma=0.01, decay=0.85, period=200.0))
    chip = compiled(network)
    chip.window(np.zeros(4), 200)
    xi = chip.dynamic()["explore_noise"] / ONE / chip.quant.populations[0].scale
    assert np.abs(xi).min() > 1e-4
    np.testing.assert_allclose(chip.potentials("out"), xi / -math.expm1(-1 / 20), rtol=2e-3)
    chip.learning = False
    chip.window(np.zeros(4), 300)
    np.testing.assert_allclose(chip.potentials("out"), 0.0, atol=1e-3)
    chip.learning = True
    chip.window(np.zeros(4), 1)
    assert (np.sign(chip.potentials("out")) == np.sign(chip.dynamic()["explore_noise"])).all()


def test_learning_follows_the_float_rule():
    """Rewarding the first neuron's rate tilts weights as on ideal: same sign, within a third, over 6 seeds."""
    network = learner(learning_rate=0.004)
    tilts = []
    for make in (catalogue.chip("spinnaker"), Simulator()):
        tilt = []
        for seed in range(6):
            executable = make.compile(network, seed=seed)
            executable.learning = True
            executable.reset(seed)
            reward = 0.0
            for _ in range(300):
                counts = executable.window(np.ones(4), 50, [reward]).counts
                reward = 0.05 * float(counts[0] - counts[1])
            w = executable.weights()["in->out"]
            post = network.projections[0].post
            tilt.append(w[post == 0].mean() - w[post == 1].mean())
        tilts.append(np.mean(tilt))
    assert min(tilts) > 0.1
    assert tilts[0] == pytest.approx(tilts[1], rel=0.33)


def test_tied_weights_stay_equal_and_bounds_hold():
    """Strong pulses push weights to both bounds, and never beyond by more than a step."""
    tie = (0, 1, 2, 1, 0, 2)
    chip = compiled(learner(tie=tie, learning_rate=2.0, w_min=-0.2, w_max=0.3))
    lowest, highest, step = 1.0, -1.0, chip.quant.projections[0].unit[0]
    for k in range(80):
        chip.window(np.ones(4), 50, [(-1) ** (k // 10)])
        w = chip.weights()["in->out"]
        for group in set(tie):
            assert len({float(x) for x, g in zip(w, tie, strict=True) if g == group}) == 1
        lowest, highest = min(lowest, w.min()), max(highest, w.max())
    assert lowest == pytest.approx(-0.2, abs=step)
    assert highest == pytest.approx(0.3, abs=step)


def test_state_and_weights_round_trip():
    network = learner()
    a = compiled(network, seed=1)
    b = catalogue.chip("spinnaker").compile(network, seed=2)
    for k in range(10):
        a.window(np.ones(4), 37, [0.3 - 0.1 * k])
    b.load_state(a.state())
    b.learning = True
    for chip in (a, b):
        for _ in range(10):
            chip.window(np.ones(4), 37, [0.4])
    for name, array in a.state().items():
        np.testing.assert_array_equal(array, b.state()[name])
    before = a.programmed()["synapse_weight"].copy()
    a.set_weights(a.weights())
    np.testing.assert_array_equal(a.programmed()["synapse_weight"], before)


def test_set_weights_keeps_what_is_remembered():
    network = learner()
    a, b = compiled(network, seed=1), compiled(network, seed=1)
    for chip in (a, b):
        chip.window(np.ones(4), 175)
    b.set_weights(b.weights())
    for name in ("explore_noise", "explore_signal", "eligibility"):
        assert np.abs(a.dynamic()[name]).max() > 0
        np.testing.assert_array_equal(a.dynamic()[name], b.dynamic()[name])


def test_registers_of_the_forager():
    """sigma 0.1 of 64 chip units, memory 0.85; eligibility 2^6 per sigma; pulses fill 31 bits; bounds as steps."""
    assert noise_factors(OrnsteinUhlenbeck(sigma=0.1, decay=0.85), 2, 64.0, 6) == (
        round(0.85 * ONE),
        round(6.4 * ONE),
        round(2**38 / round(6.4 * ONE)),
    )
    network = rstdp_forager(seed=1).network
    chip = catalogue.chip("spinnaker")
    population = network.populations[0]
    assert signal_shift(network, population, datasheet.load("spinnaker")) == 6
    quant = chip.quantised(network, learning=True)
    (fade, bits, low, high, stochastic), per_unit = perturb_registers(
        network.projections[0], quant.populations[0], 6, stochastic=True, reward_max=1.0
    )
    unit = quant.projections[0].unit[0]
    assert (fade, low, high, stochastic) == (ONE // 2, 0, round(0.72 / unit), 1)
    assert per_unit / 2**bits * 2**6 * 10 == pytest.approx(0.002 / unit)
    assert 2**30 <= per_unit < 2**31 or bits == 31


def test_memory_is_charged():
    """Noise: 8 bytes per neuron; a rule: 32, and 8 per group of tied synapses."""
    network = learner(tie=(0, 1, 2, 1, 0, 2))
    chip = catalogue.chip("spinnaker")
    static = tuple(Projection.dense(p.source, "out", p.weight.reshape(2, -1)) for p in network.projections)
    frozen = Network(network.inputs, (Population("out", 2, network.populations[0].model),), static, ("out",))
    plain, learning = (
        {u.resource: u.used for u in chip.place(chip.quantised(x, learning=True)).usage} for x in (frozen, network)
    )
    assert learning["dtcm"] - plain["dtcm"] == 2 * 8 + 32 + 3 * 8
    # A plastic synapse takes 6 bytes and has a static one of 4 beside it; three rows have plastic parts.
    assert learning["sdram"] - plain["sdram"] == 6 * 6 + 3 * 8


def test_a_walk_over_many_rows_overruns_the_timer():
    """100 neurons x 200 inputs: 20,000 synapses at 80 cycles, 200 rows at 250: 8 ms, once per period and pulse."""
    network = learner(n=100, n_in=200, noise=OrnsteinUhlenbeck(sigma=0.01, period=50.0))
    chip = compiled(network)
    chip.window(np.zeros(201), 50)
    reading = chip.reading()
    assert reading.late_ticks == 1
    draws = 100 * 6
    assert reading.worst_tick == pytest.approx(100 * 650e-9 + (20000 + draws) * 400e-9 + 200 * 1250e-9, rel=1e-6)
    assert chip.counters().soft_failures["timer_overruns"] == 1
    chip.window(np.zeros(201), 49, [0.5])
    assert chip.reading().late_ticks == 2


def test_tied_weights_on_several_cores_meet_at_the_host():
    n = 150
    tie = tuple(0 for _ in range(n))
    network = learner(n=n, n_in=1, tie=tie)
    chip = compiled(network)
    assert chip.placement.n_cores == 2
    chip.window(np.ones(2), 50)
    before = chip.host_bytes()
    chip.window(np.zeros(2), 50, [0.5])
    assert chip.host_bytes() - before == 16 + 2 * 9
    assert len(set(chip.weights()["in->out"].tolist())) == 1


def test_large_rewards_are_cut_and_counted():
    chip = compiled(learner(), reward_max=0.5)
    chip.window(np.ones(4), 50, [3.0])
    assert chip.counters().soft_failures["reward_clips"] == 1
    with pytest.raises(ShapeError):
        chip.window(np.ones(4), 50, [1.0, 2.0])


def test_scales_leave_room_for_the_largest_noise():
    chip = compiled(learner(noise=OrnsteinUhlenbeck(sigma=20.0, decay=0.9, period=5.0)))
    chip.window(np.ones(4), 3000)
    assert np.abs(chip.dynamic()["explore_noise"]).max() > ONE
    assert chip.counters().soft_failures["wraps"] == 0


def test_noise_without_a_rule():
    plain = learner()
    projections = (Projection.dense("in", "out", np.full((2, 3), 0.1)), plain.projections[1])
    network = Network(plain.inputs, plain.populations, projections, ("out",))
    a, b = compiled(network), catalogue.chip("spinnaker").compile(network)
    a.window(np.ones(4), 500)
    b.window(np.ones(4), 500)
    assert np.abs(a.dynamic()["explore_noise"]).min() > 0
    assert not b.dynamic()["explore_noise"].any()
    assert a.counters().spikes != b.counters().spikes


def test_noise_beside_pair_stdp():
    plain = learner()
    projections = (
        Projection.dense("in", "out", np.full((2, 3), 0.1), plasticity=PairSTDP(a_plus=0.01)), plain.projections[1],
    )  # fmt: skip
    chip = compiled(Network(plain.inputs, plain.populations, projections, ("out",)))
    chip.window(np.ones(4), 1000)
    assert np.abs(chip.dynamic()["explore_noise"]).min() > 0
    assert np.ptp(chip.weights()["in->out"]) > 0


def test_two_types_of_rows_on_a_core_are_refused():
    plain = learner()
    second = Projection.dense("push", "out", [[0.3], [0.3]], plasticity=PairSTDP(), name="second")
    network = Network(plain.inputs, plain.populations, (plain.projections[0], second), ("out",))
    with pytest.raises(Unsupported, match="a second rule onto 'out'"):
        catalogue.chip("spinnaker").compile(network).learning = True


def test_mistakes():
    with pytest.raises(ConfigurationError, match="rounding = 'up'"):
        catalogue.chip("spinnaker", rounding="up")
    good = {"spikes": np.ones((3, 1), bool), "pre": [0], "post": [0], "weight": [5], "n": 2, "period": 2, "keys": KEYS}
    for change, error, word in (
        ({"weight": [70000]}, ShapeError, "weight = 70000"),
        ({"post": [2]}, ShapeError, "post = 2"),
        ({"pre": [0, 0]}, ShapeError, "post of shape"),
        ({"spikes": [True]}, ShapeError, "ticks, n_pre"),
        ({"bits": 32}, ConfigurationError, "bits = 32"),
        ({"rounding": "up"}, ConfigurationError, "rounding = 'up'"),
        ({"speed": 1}, ConfigurationError, "'speed'"),
    ):
        with pytest.raises(error, match=word):
            run_perturbation(**(good | RULE | change))


@pytest.mark.slow
def test_foraging_is_learned_on_the_chip(tmp_path):
    """Ten seeds, fifteen episodes: at least nine reach 0.95 on worlds that no training has used; without, they fail."""
    scenario, brains = learned(tmp_path, "chip_learning", 10, chip="spinnaker")
    entries = [
        Entry("learned", "rstdp-forager", brains, chip="spinnaker"),
        Entry("untrained", "rstdp-forager", {1: {}, 2: {}}, chip="spinnaker"),
    ]
    rows = evaluate(scenario, entries, presets=["smooth"], episodes=[40, 10])
    success = per_seed(rows, "learned", "smooth", "success")
    assert success.size == 10
    assert (success >= 0.95).sum() >= 9
    assert per_seed(rows, "untrained", "smooth", "success").mean() <= 0.2
