"""Learning on the array: the device's window, the translation of rules, promises while it learns, three patterns."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_ftj import junction

from insectbot import check_backend
from insectbot.chips import datasheet
from insectbot.chips import ftj_window as k
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.ftj import FTJArray
from insectbot.chips.ftj_learning import ranges, translate, window_of
from insectbot.chips.ftj_patterns import PATTERNS, learn_patterns
from insectbot.chips.ftj_replay import Junction, Shape, replay_spikes, stdp_window
from insectbot.errors import Unsupported
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
    RewardSTDP,
)

EXACT = {"mismatch": 0.0, "noise": 0.0, "write_noise": 0.0}
STRONG = PairSTDP(a_plus=0.3, a_minus=0.25, tau_plus=15.0, tau_minus=15.0)


def one_synapse(rule, weight=0.5, n_out=1, noise=None):
    """Return one plastic synapse per neuron, and a teacher that makes the neurons spike."""
    return Network(
        inputs=(Input("in", 1, RegularInput(1000.0)), Input("teach", n_out, RegularInput(1000.0))),
        populations=(Population("out", n_out, LIF(v_th=5.0), noise),),
        projections=(
            Projection.dense("in", "out", np.full((n_out, 1), weight), plasticity=rule),
            Projection.sparse("teach", "out", pre=np.arange(n_out), post=np.arange(n_out), weight=9.0),
        ),
        outputs=("out",),
    )


def play(executable, pre, post, until):
    """Let the input spike at ticks ``pre`` and the neuron at ticks ``post`` (the teacher a tick before)."""
    for t in range(until):
        executable.window([float(t in pre), float(t + 1 in post)], 1)


@settings(max_examples=12, deadline=None)
@given(
    st.sets(st.integers(1, 100), max_size=6),
    st.sets(st.integers(1, 100), max_size=6),
    st.floats(0.1, 0.9),
)
def test_a_synapse_of_a_network_is_a_junction_between_two_lines(pre, post, weight):
    executable = FTJArray(**EXACT).compile(one_synapse(STRONG, weight))
    executable.learning = True
    play(executable, pre, post, 240)
    drive, scale = executable.quant.learning.drives["in->out"], executable.quant.learning.time_scale
    dt = executable._setup[3]
    q = {"shape_pre": (drive.pre.front, drive.pre.back), "shape_post": (drive.post.front, drive.post.back)}
    times = ([t * scale * 1e-9 for t in sorted(pre)], [t * scale * 1e-9 for t in sorted(post)])
    s, energy = junction(*times, weight, until=240 * scale * 1e-9, dt=dt * 1e-9, **q)
    assert executable.programmed()["plastic_on"][0] == pytest.approx(s, rel=1e-6)
    assert executable.weights()["in->out"][0] == pytest.approx(s, rel=1e-5)
    charge = 5.5e-15 * (len(pre) + len(post)) * (drive.pre.front**2 + drive.pre.back**2)
    assert executable.array_energy()["write"] == pytest.approx(energy + charge, rel=1e-6, abs=1e-25)
    again = replay_spikes(
        *([t * 1e9 for t in x] for x in times), weight, until=240 * scale, dt=dt, shape=drive.pre, post_shape=drive.post
    )
    assert again.s[0] == pytest.approx(s, rel=1e-6)


def test_pairs_follow_the_window_of_the_device():
    """A pair per network, post from 30 ticks before to 30 after pre: Hebbian, 0 at no delay, as the replay says."""
    network = one_synapse(STRONG)
    for delay in (-30, -10, -3, 0, 3, 10, 30):
        executable = FTJArray(**EXACT).compile(network)
        executable.learning = True
        play(executable, {40}, {40 + delay}, 200)
        drive, scale = executable.quant.learning.drives["in->out"], executable.quant.learning.time_scale
        wanted = stdp_window([delay * scale], dt=executable._setup[3], shape=drive.pre, post_shape=drive.post)[0]
        assert 9.9 * (executable.weights()["in->out"][0] - 0.5) == pytest.approx(wanted, abs=2e-3)
        assert np.sign(np.round(wanted, 9)) == np.sign(delay)
        assert executable.counters().soft_failures == {"disturbs": 0}
        assert (executable.counters().weight_updates > 0) == (delay != 0)


@settings(max_examples=8, deadline=None)
@given(st.floats(0.01, 0.6), st.floats(0.8, 1.1), st.floats(8.0, 40.0), st.sampled_from([(0.0, 1.0), (-2.0, 1.0)]))
def test_translation_keeps_areas_and_the_time_constant(a_plus, ratio, tau, bounds):
    low, high = bounds
    rule = PairSTDP(a_plus * (high - low), a_plus * ratio * (high - low), tau, 0.8 * tau, low, high)
    found = translate(one_synapse(rule), datasheet.load("ftj"), None)
    assert found.refused == ()
    drive = found.drives["in->out"]
    delays = np.arange(0.25, 600.0, 0.5)
    for sign, a, t in ((1, a_plus, tau), (-1, a_plus * ratio, 0.8 * tau)):
        window = np.abs(stdp_window(sign * delays, shape=drive.pre, post_shape=drive.post)) / 9.9
        assert window.sum() * 0.5 / found.time_scale == pytest.approx(a * t, rel=0.03)
        if sign > 0:
            assert window @ delays / window.sum() / found.time_scale == pytest.approx(tau, rel=0.03)
    assert abs(drive.tau_minus / (0.8 * tau) - 1) <= 0.5
    for shape in (drive.pre, drive.post):
        assert shape.front < 0.88
        assert shape.back < 0.95


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (PairSTDP(a_plus=2.0), r"a_plus = 2 of its range must lie in 0.0018 to 0.777"),
        (PairSTDP(a_plus=-0.1), "a_plus = -0.1 is negative"),
        (PairSTDP(tau_minus=60.0), r"tau_minus = 60 ms, but the device's window is 20.5 ms wide at 3.86 ns/ms"),
        (PairSTDP(tau_plus=0.5, tau_minus=0.5), "a tick lasts 155 ns on the device, longer than 50"),
        (RewardSTDP(), "RewardSTDP of 'in->out'"),
    ],
)
def test_rules_beyond_the_device_are_refused_by_name(rule, text):
    executable = FTJArray().compile(one_synapse(rule))
    assert executable.programmed()["block_pair"][0] == 1.0
    executable.learning = False
    with pytest.raises(Unsupported, match=text):
        executable.learning = True


def test_every_refusal_is_named():
    network = one_synapse(NodePerturbation(), n_out=2, noise=OrnsteinUhlenbeck())
    with pytest.raises(Unsupported, match=r"exploration noise of 'out'; NodePerturbation of 'in->out'"):
        FTJArray().compile(network).learning = True


def test_time_scale_is_one_for_the_chip():
    sheet = datasheet.load("ftj")
    assert translate(one_synapse(None), sheet, None).time_scale == 10.0
    assert translate(one_synapse(STRONG), sheet, 6.0).time_scale == 6.0
    assert "use about that, or time_scale" in translate(one_synapse(STRONG), sheet, 2.5).refused[0]
    still = translate(one_synapse(PairSTDP(a_plus=0.0, a_minus=0.0)), sheet, None)
    assert still.drives["in->out"].pre.front == still.drives["in->out"].post.front == 0.0


def test_windows_grow_with_the_voltage():
    for side in ranges(datasheet.load("ftj")):
        found = [window_of(Junction.of(), Shape.of(), side.sign, v) for v in np.linspace(side.low, side.high, 8)]
        areas, means = np.array(found).T
        assert (np.diff(areas) > 0).all()
        assert (np.diff(areas / means) > 0).all()


def test_a_weak_junction_is_disturbed_by_one_spike_and_counted():
    """By little: Merz's law makes a third of a volt less a matter of milliseconds."""
    figures = dict(datasheet.load("ftj").figures)
    figures["mismatch.v_plus"] = dataclasses.replace(figures["mismatch.v_plus"], value=0.3)
    figures["mismatch.g_on"] = dataclasses.replace(figures["mismatch.g_on"], value=0.0)
    sheet = Datasheet("ftj", figures, datasheet.load("ftj").prices)
    chip = FTJArray(sheet=sheet, die=1, write_noise=0.0)
    executable = chip.compile(one_synapse(STRONG, n_out=200))
    executable.learning = True
    for t in range(100):
        executable.window([float(t == 5), *[0.0] * 200], 1)
    moved = executable.effective_weights()["in->out"] - 0.5
    changed = moved > 1e-7
    assert 20 < changed.sum() < 150
    assert moved.max() < 0.01
    assert executable.counters().soft_failures["disturbs"] >= changed.sum()


LEARNING = [name for name in check_backend.PROMISES if "never" not in name and "another seed" not in name]


@pytest.mark.parametrize("promise", LEARNING)
def test_promises_hold_while_it_learns(promise):
    network = check_backend.reference_network()
    last = dataclasses.replace(network.projections[-1], plasticity=dataclasses.replace(STRONG, w_min=-0.2))
    network = dataclasses.replace(network, projections=(*network.projections[:-1], last))
    bench = check_backend._Bench(FTJArray(), network, True)
    moved = bench.fresh()
    check_backend.run_windows(moved, range(2))
    assert not np.array_equal(moved.weights()["hidden->motor"], last.weight)
    assert check_backend.PROMISES[promise](bench) == ""


def test_a_frozen_network_neither_writes_nor_changes():
    executable = FTJArray().compile(one_synapse(STRONG))
    before = executable.programmed()["conductance"].copy()
    executable.window([1.0, 1.0], 200)
    np.testing.assert_array_equal(before, executable.programmed()["conductance"])
    assert executable.array_energy()["write"] == 0
    assert executable.weights()["in->out"][0] == 0.5


def test_the_reference_of_a_plastic_synapse_is_the_hosts():
    """It takes no energy and has no noise: reads of weight 0 in [-1, 1] are those of one junction at half."""
    rule = dataclasses.replace(STRONG, w_min=-1.0)
    network = one_synapse(rule, weight=0.0, n_out=1000)
    network = dataclasses.replace(network, projections=network.projections[:1])
    executable = FTJArray(mismatch=0.0, write_noise=0.0).compile(network)
    executable.window([1.0, *[0.0] * 1000], 1)
    executable.window(np.zeros(1001), 1)
    assert executable.array_energy()["read"] == pytest.approx(1000 * 5.05e-6 * 0.1**2 * 10e-9)
    v = executable.state()["neurons"][k.V]
    assert v.std() == pytest.approx(2.0 / 9.9 * 5.05 * np.hypot(0.02, 0.01), rel=0.1)
    assert abs(v.mean()) < 5 * v.std() / np.sqrt(1000)


def test_learning_ticks_last_their_time_on_the_device():
    executable = FTJArray(time_scale=6.0).compile(one_synapse(STRONG))
    assert executable.quant.learning.time_scale == 6.0
    executable.window([0.0, 0.0], 100)
    # One neuron, 1 ns, and one read, 10 ns, outlast the 6 ns of the device.
    assert executable.counters().chip_time == pytest.approx(100 * 11e-9)
    slow = FTJArray(time_scale=30.0).compile(one_synapse(dataclasses.replace(STRONG, tau_plus=5.0, tau_minus=5.0)))
    slow.window([0.0, 0.0], 100)
    assert slow.counters().chip_time == pytest.approx(100 * 30e-9)


def test_weights_beyond_what_is_written_are_cut_and_counted():
    quant = FTJArray().quantise(one_synapse(STRONG, weight=1.0))
    assert quant.report.losses["saturated"] == 1
    assert quant.report.projections[0].max_error == pytest.approx(0.05)
    executable = FTJArray(**EXACT).compile(one_synapse(STRONG, weight=1.0))
    assert executable.effective_weights()["in->out"][0] == pytest.approx(0.95)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_three_patterns_find_three_outputs(seed):
    """Boyn 2017, Fig. 4b; all twenty seeds are in benchmarks/ftj_array.py."""
    found = learn_patterns(seed, pictures=45)
    assert found.distinct
    assert min(found.correlation) > 0.9
    spare = sorted(set(range(5)) - set(found.winners))
    assert len(spare) == 2
    assert 0.1e-9 < found.energy < 5e-9
    for pattern, winner in enumerate(found.winners):
        assert np.argmax([np.corrcoef(p, found.after[winner])[0, 1] for p in PATTERNS]) == pattern


def test_a_rule_can_be_learned_from_poisson_spikes():
    """The input that drives the neuron, 10 ms later, grows; one that spikes by itself, as often, does not."""
    rule = PairSTDP(a_plus=0.05, a_minus=0.06, tau_plus=15.0, tau_minus=15.0)
    network = Network(
        inputs=(Input("in", 2, PoissonInput(8.0)),),
        populations=(Population("out", 1, LIF(tau_m=5.0)),),
        projections=(
            Projection.dense("in", "out", [[0.4, 0.4]], plasticity=rule),
            Projection.sparse("in", "out", pre=[0], post=[0], weight=2.0, delay=10.0, name="teacher"),
        ),
        outputs=("out",),
    )
    gaps = []
    for die in range(5):
        executable = FTJArray(die=die).compile(network, seed=die)
        executable.learning = True
        executable.window(np.ones(2, np.float32), 8000)
        first, second = executable.weights()["in->out"]
        gaps.append(first - second)
    assert min(gaps) > 0.2
