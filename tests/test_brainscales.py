"""BrainScaleS-2: the published step, limits, quantisation, dies, learning by the plasticity processor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_brainscales import adex, sensors

from insectbot.chips import adex_analog as k
from insectbot.chips import brainscales_ppu as ppu
from insectbot.chips.brainscales import BrainScaleS2
from insectbot.errors import ConfigurationError, DoesNotFit, ShapeError, Unsupported
from insectbot.scenario import make_backend
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Network,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RewardSTDP,
)

TERMS = {"leak": k.LEAK_TERM, "exp": k.EXPONENTIAL_TERM, "adapt": k.ADAPTATION_TERM}


def column(q, dt):
    p = np.zeros((k.N_PARAMETERS, 1))
    p[k.K_EXC], p[k.K_INH], p[k.K_M], p[k.K_W] = dt / q["tau_exc"], dt / q["tau_inh"], dt / q["c"], dt / q["tau_w"]
    names = {"g_l": k.G_L, "v_l": k.V_L, "d_t": k.D_T, "v_t": k.V_T, "threshold": k.THRESHOLD, "a": k.A, "b": k.B}
    for name, row in (names | {"reset": k.RESET, "hold": k.HOLD}).items():
        p[row] = q[name]
    p[k.FLOOR], p[k.CEILING] = -np.inf, np.inf
    return p


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(list(TERMS))),
    st.floats(3.0, 20.0),
    st.floats(0.5, 8.0),
    st.floats(-0.2, 0.6),
    st.floats(0.0, 20.0),
    st.integers(0, 6),
    st.integers(0, 2**31),
)
def test_replay_is_the_published_step(terms, tau, d_t, a, b, hold, seed):
    rng, dt, n = np.random.default_rng(seed), 0.25, 400
    q = {"tau_exc": tau, "tau_inh": 0.7 * tau, "c": 1.3 * tau, "g_l": 1.1, "v_l": 80.0, "d_t": d_t, "v_t": 140.0}
    q |= {"threshold": 150.0, "reset": 75.0, "tau_w": 30.0, "a": a, "b": b, "hold": hold}
    x = rng.uniform(0, 60, (n, 2, 1)) * (rng.random((n, 2, 1)) < (0.3, 0.1)[0])
    state, trace, spikes = np.zeros((k.N_STATE, 1)), np.zeros((n, 4, 1)), np.zeros((n, 1), bool)
    state[k.V] = 80.0
    k.replay(column(q, dt), state, x, sum(TERMS[t] for t in terms), trace, spikes)
    expected = adex(x[:, 0, 0].tolist(), x[:, 1, 0].tolist(), dt=dt, v0=80.0, terms=terms, **q)
    np.testing.assert_array_equal(spikes[:, 0], [row[4] for row in expected])
    np.testing.assert_allclose(trace[:, :, 0], [row[:4] for row in expected], rtol=1e-9, atol=1e-9)


def test_the_threshold_is_strict_and_a_pause_holds():
    q = {"tau_exc": 1.0, "tau_inh": 1.0, "c": 1.0, "g_l": 0.0, "v_l": 0.0, "d_t": 1.0, "v_t": 0.0, "threshold": 2.0}
    q |= {"reset": -1.0, "tau_w": 1.0, "a": 0.0, "b": 0.0, "hold": 2}
    state, trace, spikes = np.zeros((k.N_STATE, 1)), np.zeros((8, 4, 1)), np.zeros((8, 1), bool)
    k.replay(column(q, 1.0), state, np.tile([[[2.0], [0.0]]], (8, 1, 1)), 0, trace, spikes)
    assert trace[:, 0, 0].tolist() == [2.0, -1.0, -1.0, -1.0, 1.0, -1.0, -1.0, -1.0]
    assert np.flatnonzero(spikes).tolist() == [1, 5]


def test_the_fast_loop_is_the_step_bit_for_bit():
    rng = np.random.default_rng(4)
    p, n = np.zeros((k.N_PARAMETERS, 40)), 40
    p[k.K_EXC], p[k.K_INH], p[k.K_M], p[k.G_L], p[k.V_L] = 0.1, 0.2, rng.uniform(0.01, 0.1, n), 1.0, 80.0
    p[k.THRESHOLD], p[k.RESET], p[k.HOLD], p[k.CEILING], p[k.NOISE] = 110.0, 70.0, np.arange(n) % 5, 255.0, 1.0
    p[k.CEILING, ::7] = 105.0
    p[k.FLOOR], p[k.D_T], p[k.K_W] = 60.0, 1.0, 1.0
    one, two = np.zeros((2, k.N_STATE, n))
    one[k.V] = two[k.V] = 80.0
    fired, counts, key = np.zeros(n, np.int64), np.zeros((2, k.N_COUNTS), np.int64), np.uint64(12345)
    total = 0
    for tick in range(300):
        x = rng.uniform(0, 60, (2, n)) * (rng.random((2, n)) < 0.4)
        one[[k.X_EXC, k.X_INH]] = two[[k.X_EXC, k.X_INH]] = x
        a = k.advance(tick, 4, k.LEAK_TERM, key, p, one, fired, counts[0])
        first = fired[:a].copy()
        b = k.advance_lif(tick, 4, key, p, two, fired, counts[1])
        assert first.tolist() == fired[:b].tolist()
        np.testing.assert_array_equal(one, two)
        total += a
    assert total > 300
    assert counts[0, k.V_LOW] == counts[1, k.V_LOW] > 10
    assert two[k.V, ::7].max() <= 105.0


def test_noise_has_unit_variance():
    bits = np.random.default_rng(0).integers(0, 2**32, 20000, dtype=np.uint64)
    z = np.array([k.jitter(b) for b in bits])
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.02


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 60), max_size=20), st.sets(st.integers(0, 60), max_size=20), st.floats(2, 40))
def test_sensors_pair_nearest_spikes_and_saturate(pre, post, tau):
    network = one_synapse(RewardSTDP(tau_plus=tau, tau_minus=tau / 2))
    plastic = BrainScaleS2(mismatch=0.0).compile(network)._processor.plastic
    plastic[0][[ppu.GAIN_PLUS, ppu.GAIN_MINUS]] = 40.0
    for t in range(61):
        if t in pre:
            ppu.mark_pre(0, t, plastic)
        if t in post:
            ppu.mark_post(0, t, plastic)
    np.testing.assert_allclose(plastic[9][:, 0], sensors(pre, post, tau, tau / 2, 40.0), rtol=1e-12)


def one_synapse(rule=None, weight=0.5):
    return Network(
        inputs=(Input("in", 1, PoissonInput(100.0)),),
        populations=(Population("out", 1, LIF()),),
        projections=(Projection.dense("in", "out", [[weight]], plasticity=rule),),
        outputs=("out",),
    )


def test_the_program_rounds_stochastically_and_keeps_bounds():
    executable = BrainScaleS2(mismatch=0.0).compile(one_synapse(RewardSTDP(learning_rate=1.0, w_min=0.0, w_max=1.0)))
    plastic, weight, counts = executable._processor.plastic, np.zeros(1, np.int64), np.zeros(k.N_COUNTS, np.int64)
    seen = []
    for tick in range(4000):
        weight[0] = 20
        ppu.write(0, 0.3, tick, plastic, weight, counts, k.WEIGHT_CLIPS)
        seen.append(int(weight[0]) - 20)
    assert set(seen) == {0, 1}
    assert abs(np.mean(seen) - 0.3) < 0.03
    ppu.write(0, 90.0, 0, plastic, weight, counts, k.WEIGHT_CLIPS)
    assert weight[0] == 63
    ppu.write(0, -90.0, 0, plastic, weight, counts, k.WEIGHT_CLIPS)
    assert weight[0] == 0
    assert counts[k.WEIGHT_CLIPS] == 2


def test_sensors_are_read_every_ten_ticks():
    executable = BrainScaleS2(mismatch=0.0).compile(one_synapse(RewardSTDP(w_max=2.0), weight=2.0), seed=3)
    executable.learning = executable.recording = True
    sensors, e, seen = executable._processor.plastic[9], executable._processor.plastic[10], 0
    for tick in range(200):
        before, kept = sensors.copy(), int(e[0])
        executable.window([1.0], 1)
        if tick % 10 or not tick:
            assert (sensors >= before).all()
            assert e[0] == kept
        elif not executable.spikes()[0].size:
            assert not sensors.any()
            seen += before.any()
    assert seen > 3


def test_a_reward_moves_a_weight_by_rate_times_eligibility():
    """One causal pair at no time difference is one unit of e: dw = learning_rate m a_plus, in steps of 1/63."""
    for pulse, a_plus in ((1.0, 1.0), (-1.0, 1.0), (1.0, 0.25)):
        executable = BrainScaleS2(mismatch=0.0).compile(
            one_synapse(RewardSTDP(learning_rate=10 / 63 / a_plus, a_plus=a_plus, w_min=0.0, w_max=1.0))
        )
        executable.learning = True
        ppu.mark_pre(0, 0, executable._processor.plastic)
        ppu.mark_post(0, 0, executable._processor.plastic)
        before = executable.weights()["in->out"][0]
        executable.window([0.0], 0, np.array([pulse]))
        assert np.rint((executable.weights()["in->out"][0] * 63) - np.rint(before * 63)) == 10 * pulse
        executable.window([0.0], 20, np.array([0.0]))
        assert executable._processor.plastic[9].max() == 0.0


def rates(network, backend, ticks=3000):
    executable = backend.compile(network, seed=1)
    return executable.window(np.ones(network.n_inputs, np.float32), ticks).counts / ticks * 1000


@pytest.mark.parametrize("tau_syn", [0.0, 5.0])
def test_a_naive_neuron_has_the_rate_of_the_network(tau_syn):
    weight = np.full((30, 20), 0.03 if tau_syn == 0 else 0.12)
    network = Network(
        inputs=(Input("in", 20, PoissonInput(200.0)),),
        populations=(Population("out", 30, LIF(tau_m=20.0, t_ref=2.0, tau_syn=tau_syn)),),
        projections=(Projection.dense("in", "out", weight),),
        outputs=("out",),
    )
    wanted = rates(network, make_backend("ideal")).mean()
    found = rates(network, BrainScaleS2(mismatch=0.0, noise=0.0))
    assert np.ptp(found) == 0
    assert found.mean() == pytest.approx(wanted, rel=0.06)
    spread = rates(network, BrainScaleS2(die=3))
    assert spread.mean() == pytest.approx(wanted, rel=0.15)
    assert 0.03 < spread.std() / spread.mean() < 0.3
    assert not np.array_equal(spread, rates(network, BrainScaleS2(die=4)))


@pytest.mark.parametrize("mismatch", [0.0, 1.0])
@pytest.mark.parametrize("tau_syn", [0.0, 5.0])
def test_a_network_is_the_step_with_one_tick_of_delay(tau_syn, mismatch):
    """Recorded input spikes, sent through plain Python a tick later, give the recorded output spikes of a die."""
    weight, sub = np.array([0.63, 0.3, -0.2]), 4
    network = Network(
        inputs=(Input("in", 3, PoissonInput(400.0)),),
        populations=(Population("out", 1, LIF(tau_m=20.0, t_ref=2.0, tau_syn=tau_syn)),),
        projections=(Projection.dense("in", "out", weight[None, :]),),
        outputs=("out",),
    )
    chip = BrainScaleS2(mismatch=mismatch, noise=0.0).compile(network, seed=5)
    chip.recording = True
    chip.window(np.ones(3), 600)
    when, who = chip.spikes()
    # 70 LSB from rest to threshold; a delta synapse is one of 1 ms with the same charge.
    np.testing.assert_allclose(chip.effective_weights()["in->out"], weight, rtol=0.7 * mismatch + 1e-6)
    level = 70.0 * chip.effective_weights()["in->out"] * (1.0 if tau_syn else 20.0)
    real = chip.programmed()["parameters"][:, 0]
    tau_exc, tau_inh, tau_m = 0.25 / real[[k.K_EXC, k.K_INH, k.K_M]]
    assert mismatch or (tau_exc, tau_inh, tau_m) == pytest.approx((tau_syn or 1.0, tau_syn or 1.0, 20.0))
    x = np.zeros((2, 601 * sub))
    for tick, unit in zip(when, who, strict=True):
        if unit < 3:
            x[int(weight[unit] < 0), (tick + 1) * sub] += abs(level[unit])
    q = {"dt": 0.25, "tau_exc": tau_exc, "tau_inh": tau_inh, "c": tau_m, "g_l": 1.0, "v_l": 80.0}
    q |= {
        "d_t": 1.0,
        "v_t": 0.0,
        "threshold": real[k.THRESHOLD],
        "reset": 80.0,
        "tau_w": 1.0,
        "a": 0.0,
        "b": 0.0,
        "hold": 8,
    }
    trace = adex(x[0].tolist(), x[1].tolist(), v0=80.0, terms={"leak"}, **q)
    steps = [t for t, row in enumerate(trace) if row[4]]
    assert [t // sub for t in steps if t < 600 * sub] == when[who == 3].tolist()
    assert len(steps) > 4


def test_limits_and_refusals_are_named():
    chip = BrainScaleS2()
    wide = Network(
        inputs=(Input("in", 130, PoissonInput(10.0)),),
        populations=(Population("out", 1, LIF()),),
        projections=(
            Projection.dense("in", "out", np.full((1, 130), 0.1)),
            Projection.dense("in", "out", np.full((1, 130), -0.1), name="down"),
        ),
        outputs=("out",),
    )
    with pytest.raises(DoesNotFit, match=r"rows 260 \(130 excitatory \+ 130 inhibitory\) > 256"):
        chip.compile(wide)
    many = Network((Input("in", 1, PoissonInput(1.0)),), (Population("out", 513, LIF()),), (), ("out",))
    with pytest.raises(DoesNotFit, match="neurons 513 > 512"):
        chip.compile(many)
    current = Network((Input("in", 1, CurrentInput()),), (Population("out", 1, LIF(tau_m=500.0)),), (), ("out",))
    assert len(chip.check(current)) == 2
    delayed = Network(
        (Input("in", 1, PoissonInput(1.0)),),
        (Population("out", 1, LIF()),),
        (Projection.dense("in", "out", [[0.1]], delay=4.0),),
        ("out",),
    )
    assert chip.quantise(delayed).report.losses["clipped_delays"] == 1
    with pytest.raises(Unsupported, match="delay 4 ticks > 1"):
        BrainScaleS2(clip_delays=False).compile(delayed)
    for wrong in ({"weight_bits": 7}, {"substeps": 0}, {"mismatch": -1.0}, {"noise": float("nan")}, {"period": 0.0}):
        with pytest.raises(ConfigurationError):
            BrainScaleS2(**wrong)


def test_a_signed_learning_synapse_takes_two_rows():
    for low, rows in ((0.0, 1), (-1.0, 2)):
        executable = BrainScaleS2().compile(one_synapse(RewardSTDP(w_min=low, w_max=1.0)))
        assert next(u.used for u in executable.usage if u.resource == "rows") == rows


def test_weights_are_six_bits():
    executable = BrainScaleS2(mismatch=0.0).compile(one_synapse(weight=0.7))
    assert executable._program.weight.tolist() == [63]
    executable = BrainScaleS2(mismatch=0.0).compile(one_synapse(PairSTDP(w_max=1.0), weight=0.5))
    assert executable._program.weight.tolist() == [32]
    assert executable.effective_weights()["in->out"][0] == pytest.approx(32 / 63)


def test_modulators_must_fit():
    executable = BrainScaleS2().compile(one_synapse(RewardSTDP()))
    executable.learning = True
    with pytest.raises(ShapeError, match="modulators"):
        executable.window([1.0], 1, np.zeros(2))


def test_time_is_a_thousandth_and_energy_static():
    executable = BrainScaleS2().compile(one_synapse(weight=0.5))
    executable.window([1.0], 2000)
    c = executable.counters()
    assert c.chip_time == pytest.approx(2e-3)
    assert c.energy.static == pytest.approx(0.2 * 2e-3)
    assert c.energy.events == pytest.approx(c.synops * 1e-12)
    assert c.synops == c.input_spikes > 100


def test_the_adc_reads_eight_bits():
    executable = BrainScaleS2(mismatch=0.0, noise=0.0).compile(one_synapse())
    assert executable.potentials("out").tolist() == [80]
    noisy = BrainScaleS2(mismatch=0.0).compile(one_synapse())
    assert 70 < noisy.potentials("out")[0] < 90


def test_pair_stdp_learns_which_input_comes_first():
    """Input 0 drives the neuron and is potentiated; input 1 alone, too weak to drive it, follows no spike."""
    rule = PairSTDP(a_plus=0.02, a_minus=0.02, w_max=1.0)
    network = Network(
        inputs=(Input("in", 2, PoissonInput(40.0)),),
        populations=(Population("out", 1, LIF(tau_m=5.0)),),
        projections=(
            Projection.dense("in", "out", [[0.5, 0.5]], plasticity=rule),
            Projection.sparse("in", "out", pre=[0], post=[0], weight=2.0, name="teacher"),
        ),
        outputs=("out",),
    )
    executable = BrainScaleS2(mismatch=0.0).compile(network, seed=2)
    executable.learning = True
    executable.window(np.ones(2, np.float32), 4000)
    first, second = executable.weights()["in->out"]
    assert first > second + 0.2
    assert executable.counters().weight_updates > 20
