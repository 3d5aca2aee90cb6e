"""Indirect training (embodied sheet 1.3): only spikes change weights, and 20 of 20 seeds get Braitenberg's signs."""

from __future__ import annotations

import ast
import inspect
import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from insectbot.controllers import indirect, light_bench
from insectbot.controllers.circuits.virtual_insect import SIGNS, SYNAPSES, probes, virtual_insect
from insectbot.controllers.circuits.virtual_insect import light_bench as bench_of
from insectbot.controllers.indirect import IndirectTrainer, PulsePair, RadialPulse
from insectbot.controllers.light_bench import LightBench
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.loop.runfolder import RunFolder
from insectbot.protocols import Executable
from insectbot.scenario import dumps, load
from insectbot.training.evaluate import Entry, evaluate
from insectbot.training.online import train


class Watched:
    """An executable that refuses to tell or take weights, and keeps the spikes of every window."""

    def __init__(self, executable):
        self.inner, self.network = executable, executable.network
        executable.recording = True
        self.lit, self.log = False, []

    def window(self, drive, n_ticks, modulators=None):
        readout = self.inner.window(drive, n_ticks, modulators)
        if n_ticks:
            self.log.append((self.lit, *self.inner.spikes()))
        return readout

    def _set_learning(self, on):
        self.lit = self.inner.learning = on

    learning = property(lambda self: self.lit, _set_learning)

    def reset(self, seed):
        self.inner.reset(seed)

    def __getattr__(self, name):
        raise AssertionError(f"the trainer asked for {name}")


def brain(seed=1, **options):
    """Return a virtual insect on the core."""
    insect = virtual_insect(seed=seed, **options)
    insect.attach(Simulator().compile(insect.network, seed=seed), 50)
    return insect


def weights(insect):
    return insect.weights()[SYNAPSES].astype(float)


def taught(seed, pairs, **options):
    insect = brain(seed, **options)
    left = insect.trainer.lesson(bench_of(insect.executable), pairs)
    return insect, left


def summed(rule, w, spikes, sensors, motors):
    """Return weights after the spikes of one flash, summed over all pairs; on a tie the presynaptic spike is first."""
    w = w.copy()
    events = sorted((t, 1, u - motors) for t, u in spikes if motors <= u < motors + 2)
    events += [(t, 0, u - sensors) for t, u in spikes if sensors <= u < motors]
    for t, is_motor, k in sorted(events):
        for other, is_other, m in events:
            if is_other == is_motor or other > t or (other == t and not is_motor):
                continue
            age = t - other
            if is_motor:
                place = 2 * m + k
                w[place] = min(w[place] + rule.a_plus * math.exp(-age / rule.tau_plus), rule.w_max)
            else:
                place = 2 * k + m
                w[place] = max(w[place] - rule.a_minus * math.exp(-age / rule.tau_minus), rule.w_min)
    return w


# Nobody but STDP writes a weight -----------------------------------------------------------------------------------


def test_weights_change_by_the_spikes_of_the_flashes_alone():
    """Two lessons on an executable that hides weights and state: pair sums over its spikes give the weights."""
    insect = virtual_insect(seed=3, pairs=6)
    executable = Simulator().compile(insect.network, seed=3)
    watched = Watched(executable)
    insect.attach(watched, 50)
    w = executable.weights()[SYNAPSES].astype(float)
    for seed in (1, 2):
        insect.reset(seed)
    assert insect.trainer.pairs == 12
    rule = insect.network.projection(SYNAPSES).plasticity
    at = {name: part.start for name, part in insect.network.unit_slices().items()}
    flashes, previous = [], False
    for lit, ticks, units in watched.log:
        if lit and not previous:
            flashes.append([])
        if lit:
            flashes[-1] += zip(ticks.tolist(), units.tolist(), strict=True)
        previous = lit
    assert len(flashes) == 12
    for spikes in flashes:
        w = summed(rule, w, spikes, at["sensors"], at["motors"])
    np.testing.assert_allclose(executable.weights()[SYNAPSES], w, atol=2e-6)
    assert np.abs(w - insect.network.projection(SYNAPSES).weight).max() > 0.1


@pytest.mark.parametrize("module", [indirect, light_bench])
def test_no_code_of_the_trainer_names_a_weight_or_an_executable(module):
    tree = ast.parse(inspect.getsource(module))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    }
    assert not names & {"weights", "set_weights", "load_state", "state", "Executable", "getattr", "gc", "vars"}


def test_nothing_that_the_trainer_holds_leads_to_the_network():
    bench = bench_of(brain().executable)
    assert {name for name in dir(bench) if not name.startswith("_")} == {"stimulate", "respond", "steps"}
    held = list(vars(bench).values())
    assert all(isinstance(x, int | dict) or inspect.isfunction(x) for x in held)
    assert not any(isinstance(x, Executable) or inspect.ismethod(x) for x in held)


@pytest.mark.parametrize("held", ["static", "dark"])
def test_without_stdp_or_light_a_lesson_changes_no_bit(held, monkeypatch):
    insect = virtual_insect(seed=1)
    network = insect.network
    if held == "static":
        plain = (replace(p, plasticity=None) for p in network.projections)
        network = replace(network, projections=tuple(plain))
    else:
        monkeypatch.setattr(LightBench, "stimulate", lambda self, neuron, spike_times: None)
    executable = Simulator().compile(network, seed=1)
    executable.learning = False
    insect.trainer.lesson(bench_of(executable), 10)
    assert insect.trainer.pairs == 10
    for p in network.projections:
        np.testing.assert_array_equal(executable.weights()[p.name], p.weight)


def test_walking_changes_no_weight():
    insect = brain()
    insect.learning = False
    insect.reset(1)
    insect.learning = True
    before = weights(insect)
    for _ in range(50):
        insect.act([0.9, 0.2, 0.8, 0.4, 0.0])
        insect.learn(1.0, False)
    np.testing.assert_array_equal(weights(insect), before)
    insect.reset(2)
    assert np.abs(weights(insect) - before).max() > 0.02


# What the lessons do -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 21))
def test_every_seed_ends_with_braitenbergs_signs(seed):
    insect, left = taught(seed, 100)
    w = weights(insect)
    assert insect.trainer.pairs <= 100
    assert (np.sign(w) == SIGNS).all()
    assert np.abs(w).min() > 0.15
    assert np.abs(left).max() < 60.0
    assert (np.sign(insect.network.projection(SYNAPSES).weight) == 1).all()


@pytest.mark.parametrize("options", [{"a_plus": 0.004}, {"a_plus": 0.016}, {"tau": 10.0}, {"tau": 40.0}])
def test_the_trainer_need_not_know_the_synapses(options):
    insect, _ = taught(5, 200, **options)
    assert (np.sign(weights(insect)) == SIGNS).all()


def test_any_start_and_any_task():
    """From weights of either sign; and with the wish reversed, the same trainer makes the opposite insect."""
    insect, _ = taught(2, 150, w_init=(-1.0, 1.0))
    assert (np.sign(weights(insect)) == SIGNS).all()
    situations, wishes = probes()
    turned = IndirectTrainer(situations, -wishes, tolerance=15.0)
    turned.lesson(bench_of(insect.executable), 200)
    assert (np.sign(weights(insect)) == -np.array(SIGNS)).all()


def test_the_same_seed_gives_the_same_bits_and_a_state_continues_them():
    one, two, other = brain(4), brain(4), brain(4)
    for insect in (one, two):
        insect.reset(10)
    loaded = two.state()
    other.load_state(loaded)
    assert other.trainer.pairs == two.trainer.pairs == 5
    for _ in range(20):
        one.act([0.9, 0.1, 0.5, 0.5, 0.0])  # a walk leaves nothing behind for the next lesson
    for insect in (one, two, other):
        insect.reset(11)
    first = [(weights(i).tolist(), i.trainer.pairs, i.act([0.5] * 5).tolist()) for i in (one, two, other)]
    assert first[0] == first[1] == first[2]


def test_a_content_trainer_rests():
    insect, _ = taught(1, 200)
    pairs, before = insect.trainer.pairs, weights(insect)
    content = IndirectTrainer(*probes(), tolerance=200.0)
    content.lesson(bench_of(insect.executable), 10)
    assert content.pairs == 0
    assert pairs <= 200
    np.testing.assert_array_equal(weights(insect), before)


# Pulses and choices ------------------------------------------------------------------------------------------------


def test_a_pulse_of_a_perfect_integrator_spikes_where_the_bell_has_been_filled():
    """Without leak, spike k comes when the area under the basis function reaches k thresholds."""
    tau, width, area = 1e5, 3.0, 4.6
    pulse = RadialPulse(width=width, height=area * tau / (width * math.sqrt(2 * math.pi)), tau=tau)
    expected = [width * NormalDist().inv_cdf(k / area) for k in range(1, 5)]
    # A spike waits for the end of its step, and the reset drops what lies above the threshold: at most a step's area.
    most = area / 64.0 / math.sqrt(2 * math.pi)
    assert len(pulse.offsets) == 4
    for k, (found, exact) in enumerate(zip(pulse.offsets, expected, strict=True), 1):
        assert exact - 1e-3 <= found <= width * (NormalDist().inv_cdf(k * (1 + most) / area) + 1 / 64.0) + 1e-3


@pytest.mark.parametrize("lag", [6.0, 15.0, 40.0, -6.0, -15.0, -40.0])
def test_sign_and_size_of_a_change_follow_the_lag(lag):
    insect = brain(1)
    before = weights(insect)
    bench = bench_of(insect.executable)
    insect.trainer.apply(bench, PulsePair(2, 1, lag))
    bench.respond([0.0] * 4)
    change = weights(insect) - before
    assert np.flatnonzero(change).tolist() == [5]
    offsets = np.round(np.array(RadialPulse().times(200.0 + abs(lag)))) - 200.0
    later = np.round(np.array(RadialPulse().times(200.0 + abs(lag) + lag))) - 200.0
    ages = np.abs(later[:, None] - offsets)
    assert change[5] == pytest.approx(math.copysign(0.008 * np.exp(-ages / 20.0).sum(), lag), abs=1e-6)


def test_the_worst_pair_is_chosen_and_small_errors_get_long_lags():
    trainer = IndirectTrainer(*probes())
    blame = np.zeros((4, 2))
    blame[1, 0], blame[3, 1] = -20.0, 90.0
    strong = trainer.choose(blame)
    assert (strong.sensor, strong.motor) == (3, 1)
    assert strong.lag == -(RadialPulse().span + 2.0)
    blame[3, 1] = 0.0
    weak = trainer.choose(blame)
    assert (weak.sensor, weak.motor) == (1, 0)
    assert weak.lag == pytest.approx(-strong.lag + 20.0 * math.log(3.0))
    blame[1, 0] = 9.9
    assert trainer.choose(blame) is None


class Linear:
    """A preparation whose motors are linear in the sensors: the blame must then be the error of each weight."""

    def __init__(self, w):
        self.w = np.array(w)

    def stimulate(self, neuron, spike_times):
        raise AssertionError("measuring gives no light")

    def respond(self, situation):
        return 30.0 + np.asarray(situation) @ self.w


def test_blame_of_single_probes_is_the_error_of_the_weights():
    wanted = np.array([[100.0, -100.0], [-100.0, 100.0], [-90.0, 90.0], [90.0, -90.0]])
    rng = np.random.default_rng(0)
    error = rng.normal(0.0, 50.0, (4, 2))
    situations, wishes = probes()
    np.testing.assert_allclose(wishes, situations @ wanted, atol=1e-12)
    single = IndirectTrainer(situations[:4], wishes[:4])
    np.testing.assert_allclose(single.blame(Linear(wanted + error)), error, atol=1e-9)
    both = IndirectTrainer(situations, wishes)
    shared = error.copy()
    for a, b in ((0, 1), (1, 0), (2, 3), (3, 2)):
        shared[a] = error[a] + error[b] / 2.0
    np.testing.assert_allclose(both.blame(Linear(wanted + error)), shared, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: RadialPulse(height=0.5), ConfigurationError, "never brings the sampler"),
        (lambda: RadialPulse(width=0.0), ConfigurationError, "RadialPulse.width = 0"),
        (lambda: IndirectTrainer(np.eye(4)[:3], np.zeros((3, 2))), ConfigurationError, "no situation shows sensor 3"),
        (lambda: IndirectTrainer(np.eye(4), np.zeros((3, 2))), ShapeError, "one line per probe"),
        (lambda: virtual_insect(w_init=(0.4, 0.2)), ConfigurationError, "two rising numbers from -1 to 1"),
        (lambda: virtual_insect(sensed=1.5), ConfigurationError, "sensed = 1.5, must be at most 1"),
        (lambda: virtual_insect(pairs=-1), ConfigurationError, "pairs = -1, must be at least 0"),
        (lambda: bench_of(brain().executable).stimulate(6, [1.0]), ConfigurationError, "must be 0 to 5"),
        (lambda: bench_of(brain().executable).stimulate(0, [-1.0]), ConfigurationError, "spike_time = -1"),
        (lambda: bench_of(brain().executable).respond([0.0]), ShapeError, "1 numbers, must be 4"),
    ],
)
def test_mistakes_are_told(call, error, words):
    with pytest.raises(error, match=words):
        call()


# The product -------------------------------------------------------------------------------------------------------


def test_the_scenario_trains_by_light_and_forages(tmp_path):
    changes = {"training.seeds": 2, "training.probe_worlds": 0, "record.train": 0}
    changes |= {"training.options.time_limit": 2.0}
    scenario = load("indirect", changes)
    run = RunFolder.create(scenario.name, dumps(scenario), 1, root=tmp_path)
    brains = {result.seed: result.weights for result in train(scenario, run, workers=1)}
    name = scenario.controller.name
    entries = [Entry("taught", name, brains), Entry("braitenberg", "braitenberg")]
    rows = evaluate(scenario, entries, presets=["smooth"], episodes=40, workers=1)
    spt = {
        who: np.mean([r.metrics["SPT"] for r in rows if r.label.controller == who]) for who in ("taught", "braitenberg")
    }
    assert spt["taught"] > max(0.6, spt["braitenberg"])


@pytest.mark.slow
def test_twenty_seeds_beat_the_bar_on_worlds_never_seen(tmp_path):
    """Bar: SPT 0.55 on smooth, every seed; the untrained insect is the control."""
    changes = {"training.seeds": 20, "training.probe_worlds": 0, "record.train": 0}
    scenario = load("indirect", changes)
    run = RunFolder.create(scenario.name, dumps(scenario), 1, root=tmp_path)
    brains = {result.seed: result.weights for result in train(scenario, run)}
    name = scenario.controller.name
    entries = [Entry("taught", name, brains), Entry("untrained", name, {seed: {} for seed in range(1, 6)})]
    rows = evaluate(scenario, entries, presets=["smooth", "cluttered"], episodes=[100, 40])

    def spt(who, preset):
        seeds = {}
        for r in rows:
            if (r.label.controller, r.label.preset) == (who, preset):
                seeds.setdefault(r.label.seed, []).append(r.metrics["SPT"])
        return np.array([np.mean(v) for v in seeds.values()])

    assert spt("taught", "smooth").size == 20
    assert spt("taught", "smooth").min() >= 0.65
    assert spt("taught", "cluttered").min() >= 0.6
    assert spt("untrained", "smooth").mean() < 0.15
