"""Deferred STDP of SpiNNaker: bit for bit against plain Python, and what it makes of the kit's rules."""

import math

import naive_spinnaker as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips import catalogue
from insectbot.chips import s1615_learn as sl
from insectbot.chips.spinnaker_learning import refusals, table
from insectbot.chips.spinnaker_replay import run_synapse
from insectbot.core.simulator import Simulator
from insectbot.errors import ShapeError, Unsupported
from insectbot.snn import (
    LIF,
    Input,
    Network,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    RewardSTDP,
)

ONE = 1 << 15
SHIFTS = {"c": 4, "d": 2}
NAMES = ("a_plus", "a_minus", "w_low", "w_high", "e_low", "e_high", "shift", "rewarded", "factor")


def both(weight, pre, post, rewards, rule, taus, back=0, delay=1):
    """Return (weight, eligibility) after every pre spike by kernel and by plain Python."""
    luts = {
        name: naive.table(tau, shift=SHIFTS.get(name, 0))
        for name, tau in zip(("plus", "minus", "c", "d"), taus, strict=True)
    }
    padded = np.zeros((4, max(map(len, luts.values())) + 1), int)
    for row, lut in enumerate(luts.values()):
        padded[row, : len(lut)] = lut
    registers = [rule[name] for name in NAMES] + [SHIFTS["c"], SHIFTS["d"], int(back > 0)]
    trace = run_synapse(
        weight=weight, pre=pre, post=post, rewards=rewards, delay=back or delay, rule=registers, tables=padded
    )
    synapse = naive.Synapse(weight, rule, luts, SHIFTS, back)
    expected, pulses = [], dict(rewards)
    for tick in range(max([*pre, *post, *pulses, 0]) + 1):
        if tick in pulses:
            synapse.reward(tick, pulses[tick])
        if tick in post:
            synapse.post(tick)
        if tick in pre:
            expected.append(synapse.pre(tick))
    return list(zip(trace.weight.tolist(), trace.eligibility.tolist(), strict=True)), expected


ticks = st.lists(st.integers(0, 250), max_size=60, unique=True).map(sorted)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 65535), ticks, ticks,
    st.lists(st.tuples(st.integers(0, 250), st.integers(-20000, 20000)), max_size=10, unique_by=lambda x: x[0]),
    st.tuples(*[st.floats(2, 60)] * 2, st.floats(5, 500), st.floats(5, 300)), st.booleans(), st.integers(0, 8),
    st.integers(0, 12), st.integers(-(2**17), 2**17), st.integers(-(2**17), 2**17), st.booleans(),
)  # fmt: skip
def test_bit_exact_for_any_spikes(weight, pre, post, rewards, taus, rewarded, back, shift, plus, minus, signed):
    high = 65535 << shift
    rule = {"a_plus": plus, "a_minus": minus, "w_low": high // 9, "w_high": high, "shift": shift}
    rule |= {"e_low": -(32767 << shift) if signed else 0, "e_high": (32767 if signed else 65535) << shift}
    rule |= {"rewarded": int(rewarded), "factor": -round(ONE / (1 / taus[2] + 1 / taus[3]))}
    found, expected = both(weight, pre, post, rewards if rewarded else [], rule, taus, back)
    assert found == expected


def pair(shift=0, a_plus=ONE, a_minus=ONE, **other):
    rule = {"a_plus": a_plus, "a_minus": a_minus, "w_low": 0, "w_high": 65535 << shift, "e_low": 0, "e_high": 0}
    return rule | {"shift": shift, "rewarded": 0, "factor": 0} | other


def test_one_pair_follows_the_table():
    """Post 7 ticks after pre, fetched by the next pre: w += a * floor(exp(-7/20) 2^11) / 2^11; down the other way."""
    taus = (20.0, 30.0, 100.0, 100.0)
    found, _ = both(30000, [10, 400], [17], [], pair(), taus)
    up = math.floor(math.exp(-7 / 20) * 2048) * 16
    assert found[1][0] == 30000 + up
    found, _ = both(30000, [17], [10], [], pair(), taus)
    assert found[0][0] == 30000 - math.floor(math.exp(-7 / 30) * 2048) * 16


def test_weights_change_only_when_the_source_spikes():
    found, _ = both(30000, [10], [12, 14, 16], [], pair(), (20.0,) * 4)
    assert found == [(30000, 0)]


def test_spikes_at_the_same_tick_do_not_pair():
    found, _ = both(30000, [10, 11], [10], [], pair(a_minus=0), (20.0,) * 4)
    assert found[1][0] == 30000


def test_changes_below_one_step_vanish():
    """A change of half a step of the 16-bit weight is lost on the way back, upwards; downwards it costs a whole one."""
    half = {"shift": 8, "a_plus": 128, "a_minus": 128}
    for off, kept in (("a_minus", 1000), ("a_plus", 999)):
        found, _ = both(1000, [10, 60], [11], [], pair(**half | {off: 0}), (1e4,) * 4)
        assert [w for w, _ in found] == [1000, kept]


def test_history_holds_fifteen_spikes():
    """Twenty post spikes between two pre spikes: the first five are gone when the row is fetched."""
    rule = pair(a_plus=16, a_minus=0)
    long = (1e5,) * 4
    few, _ = both(0, [1, 400], list(range(2, 17)), [], rule, long)
    many, _ = both(0, [1, 400], list(range(2, 22)), [], rule, long)
    assert few[1] == many[1] == (15 * 15, 0)  # 2047 * 256 >> 15 = 15 per pair


def test_dopamine_turns_eligibility_into_weight():
    """A pulse D meets an eligibility C: in the end w grows by C D tau, tau = 1 / (1/tau_c + 1/tau_d), within 1 %."""
    tau_c, tau_d = 1000.0, 200.0
    tau = 1 / (1 / tau_c + 1 / tau_d)
    rule = pair(shift=2, a_plus=ONE // 4, a_minus=0, rewarded=1, factor=-round(tau * ONE), e_high=65535 << 2)
    found, _ = both(1000, [10, 12, 4000], [11], [(13, 205)], rule, (20.0, 20.0, tau_c, tau_d))
    c = math.exp(-1 / 20) / 4
    assert (found[2][0] - 1000) * 4 / ONE == pytest.approx(c * (205 / 2048) * tau, rel=0.01)


def test_tables_end_where_they_reach_zero():
    assert table(20.0, 1.0).tolist() == naive.table(20.0)
    assert table(1000.0, 1.0, 4).tolist() == naive.table(1000.0, shift=4)
    assert table(20.0, 1.0)[0] == 2048
    assert table(20.0, 1.0)[-1] == 1


def learner(rule, weight=0.3, n=2, delay=1.0):
    return Network(
        inputs=(Input("in", 3, PoissonInput(60.0)), Input("push", 1, RegularInput(100.0))),
        populations=(Population("out", n, LIF(tau_m=20.0, v_th=1.0)),),
        projections=(
            Projection.dense("in", "out", np.full((n, 3), weight), plasticity=rule, delay=delay),
            Projection.dense("push", "out", np.full((n, 1), 0.55)),
        ),
        outputs=("out",),
    )


def run(executable, modulators=None, windows=40):
    executable.learning = True
    executable.reset(3)
    for _ in range(windows):
        executable.window(np.ones(4), 50, modulators)
    return executable.weights()["in->out"]


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-0.5, 0.6)])
def test_pair_stdp_follows_the_ideal_rule(bounds):
    """Seen as weights, the chip's additive STDP is the kit's but for ties, 11-bit decays and truncation."""
    rule = PairSTDP(a_plus=0.01, a_minus=0.008, w_min=bounds[0], w_max=bounds[1])
    network = learner(rule)
    chip, ideal = catalogue.chip("spinnaker").compile(network), Simulator().compile(network)
    here, there = run(chip), run(ideal)
    change = np.abs(there - 0.3).mean()
    assert change > 0.05
    assert np.abs(here - there).mean() < 0.25 * change
    assert chip.counters().weight_updates > 100
    assert chip.counters().soft_failures["ring_saturations"] == 0


def test_signed_weights_are_two_synapses():
    rule = PairSTDP(w_min=-0.5, w_max=0.6)
    chip = catalogue.chip("spinnaker").compile(learner(rule, weight=-0.2))
    frozen = chip.counters()
    chip.window(np.ones(4), 50)
    alone = chip.counters().synops
    chip.learning = True
    chip.reset(0)
    chip.window(np.ones(4), 50)
    pushes = 5 * 2
    assert chip.counters().synops - pushes == 2 * (alone - pushes)
    assert frozen.synops == 0
    np.testing.assert_allclose(chip.effective_weights()["in->out"], chip.weights()["in->out"], rtol=1e-6)


def test_signed_weights_act_as_one():
    """A rule that never changes anything: plastic and static synapse together make the spikes of ideal."""
    network = learner(PairSTDP(a_plus=0.0, a_minus=0.0, w_min=-0.5, w_max=0.6), weight=-0.1)
    seen = []
    for executable in (catalogue.chip("spinnaker").compile(network), Simulator().compile(network)):
        executable.learning = executable.recording = True
        executable.reset(5)
        executable.window(np.ones(4), 1000)
        seen.append(executable.spikes())
    assert (seen[0][1] >= 4).sum() > 20
    np.testing.assert_array_equal(seen[0], seen[1])


def test_reward_moves_weights_and_punishment_moves_them_back():
    rule = RewardSTDP(learning_rate=0.02, a_plus=1.0, a_minus=0.2, tau_e=200.0, w_min=0.0, w_max=1.0)
    network = learner(rule)
    up = run(catalogue.chip("spinnaker").compile(network), [0.5])
    down = run(catalogue.chip("spinnaker").compile(network), [-0.5])
    assert up.mean() > 0.32 > 0.28 > down.mean()
    still = run(catalogue.chip("spinnaker").compile(network), [0.0])
    np.testing.assert_allclose(still, 0.3, atol=1e-4)


def test_reward_follows_the_ideal_rule():
    """With short dopamine the change over two seconds is that of the kit's pulse within a quarter."""
    rule = RewardSTDP(learning_rate=0.005, a_plus=1.0, a_minus=0.5, tau_e=300.0, w_min=0.0, w_max=1.0)
    network = learner(rule)
    here = run(catalogue.chip("spinnaker", tau_d=20.0).compile(network), [0.4])
    there = run(Simulator().compile(network), [0.4])
    assert np.abs(there - 0.3).mean() > 0.05
    assert np.abs(here - there).mean() < 0.25 * np.abs(there - 0.3).mean()


@pytest.mark.parametrize("rewarded", [False, True])
@pytest.mark.parametrize("backprop", [False, True])
def test_a_running_network_learns_bit_for_bit(rewarded, backprop):
    """Plain Python, given the spikes and rewards of a run, ends with the chip's 16-bit weights of all synapses."""
    kinds = {False: PairSTDP(a_plus=0.01, a_minus=0.012, w_min=-0.2), True: RewardSTDP(learning_rate=0.01, w_min=-0.2)}
    network = learner(kinds[rewarded], delay=3.0)
    chip = catalogue.chip("spinnaker", backprop_delay=backprop).compile(network)
    chip.learning = chip.recording = True
    chip.reset(4)
    place = chip.programmed()["synapse_weight"], chip.programmed()["synapse_target"]
    q = next(q for q in chip.quant.projections if q.plastic)
    values, luts = chip.programmed()["rules"][0].tolist(), chip.programmed()["decay_tables"][0].tolist()
    rule = dict(zip(NAMES, values, strict=False))
    tables = dict(zip(("plus", "minus", "c", "d"), luts, strict=True))
    pairs = list(zip(network.projections[0].pre.tolist(), network.projections[0].post.tolist(), strict=True))
    model = [naive.Synapse(int(w), rule, tables, SHIFTS, 3 * backprop) for w in q.weight]
    for window in range(12):
        amount = 0.4 * (-1) ** (window // 3)
        concentration = round(float(np.float32(amount)) * chip._rules.dopamine[0][0][1] * 2048) if rewarded else 0
        chip.window(np.ones(4), 50, [amount] if rewarded else None)
        tick, unit = (a.tolist() for a in chip.spikes())
        fired = set(zip(tick, unit, strict=True))
        for t in range(50 * window, 50 * window + 50):
            for synapse, (pre, post) in zip(model, pairs, strict=True):
                if concentration and t == 50 * window:
                    synapse.reward(t, concentration)
                if (t, 4 + post) in fired:
                    synapse.post(t)
                if (t, pre) in fired:
                    synapse.pre(t)
    learned = [place[0][k] for k in chip._program.plastic["in->out"]]
    assert learned == [synapse.weight for synapse in model]
    assert learned != q.weight.tolist()


def test_weights_survive_a_round_trip_bit_for_bit():
    rule = PairSTDP(a_plus=0.013, a_minus=0.011, w_min=-0.4, w_max=0.9)
    chip = catalogue.chip("spinnaker").compile(learner(rule))
    run(chip)
    before = chip.programmed()["synapse_weight"].copy()
    chip.set_weights(chip.weights())
    np.testing.assert_array_equal(chip.programmed()["synapse_weight"], before)


def test_frozen_weights_stay():
    chip = catalogue.chip("spinnaker").compile(learner(PairSTDP()))
    before = chip.weights()["in->out"]
    chip.window(np.ones(4), 2000)
    np.testing.assert_array_equal(chip.weights()["in->out"], before)
    assert chip.counters().weight_updates == 0


def test_large_rewards_are_cut_and_counted():
    chip = catalogue.chip("spinnaker", reward_max=0.5).compile(learner(RewardSTDP()))
    chip.learning = True
    chip.window(np.ones(4), 50, [3.0])
    assert chip.counters().soft_failures["reward_clips"] == 1
    with pytest.raises(ShapeError):
        chip.window(np.ones(4), 50, [1.0, 2.0])


def test_history_drops_are_counted():
    chip = catalogue.chip("spinnaker").compile(learner(PairSTDP()))
    chip.learning = True
    chip.window([0, 0, 0, 1], 1000)
    spikes = chip.counters().spikes
    assert chip.counters().soft_failures["history_drops"] == spikes - 2 * (sl.HISTORY - 1)


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (PairSTDP(mu_plus=1.0, mu_minus=1.0), "multiplicative PairSTDP of 'in->out'"),
        (PairSTDP(nearest=True), "nearest PairSTDP"),
    ],
)
def test_rules_it_cannot_say_are_refused_by_name(rule, word):
    network = learner(rule)
    chip = catalogue.chip("spinnaker").compile(network)
    with pytest.raises(Unsupported, match=word):
        chip.learning = True
    chip.learning = False
    chip.window(np.ones(4), 100)
    assert chip.counters().spikes > 0


def test_a_core_has_one_rule():
    network = learner(PairSTDP())
    second = Projection.dense("push", "out", [[0.5], [0.5]], plasticity=PairSTDP(a_plus=0.1), name="second")
    other = Network(network.inputs, network.populations, (*network.projections, second), ("out",))
    assert refusals(other) == ["a second rule onto 'out' ('second': a core has one)"]


def test_plastic_delays_must_fit_the_ring_buffer():
    chip = catalogue.chip("spinnaker")
    assert not chip.check(learner(PairSTDP(), delay=32.0))
    assert "33 ticks > 32 of the ring buffer" in chip.check(learner(PairSTDP(), delay=33.0))[0]


def test_backpropagation_delay_shifts_pairs():
    """With a delay of 20 ms on the way back, spikes that follow at once pair as if they came 20 ms later."""
    rule = PairSTDP(a_plus=0.004, a_minus=0.003, w_max=1.0)
    network = learner(rule, delay=20.0)
    changes = [
        run(catalogue.chip("spinnaker", backprop_delay=x).compile(network), windows=20).mean() for x in (False, True)
    ]
    assert abs(changes[0] - changes[1]) > 0.005
