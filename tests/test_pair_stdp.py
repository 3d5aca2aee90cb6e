"""Pair STDP (models sheet C2): the sheet's numbers, pair sums, drift and fixed points; all forms against the oracle."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from naive import Naive
from test_core import busy_network, drives

from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn import LIF, Input, Network, PairSTDP, Population, Projection, RegularInput, TsodyksMarkram
from insectbot.snn.inputs import SpikeTimesInput

# A vanishing exponent is additive, but takes the code path that changes weights at every spike.
FORMS = {
    "additive": {},
    "eager additive": {"mu_plus": 1e-9, "mu_minus": 1e-9},
    "multiplicative": {"mu_plus": 1.0, "mu_minus": 1.0},
    "guetig": {"mu_plus": 0.3, "mu_minus": 0.7},
    "nearest": {"nearest": True},
    "nearest guetig": {"nearest": True, "mu_plus": 0.3, "mu_minus": 0.7},
}
SONG_ABBOTT = {name: PairSTDP(**form) for name, form in FORMS.items()}


def weights_after(rules, pre, post, *, w0=0.5, dt=1.0, delay=None, dense=tuple(FORMS)):
    """Return the weights of each rule after sources spiked at ``pre``, and neurons were made to spike at ``post``.

    Both are times [ms] per source or neuron. Rules that are not ``dense`` get one synapse: all share one kernel.
    """
    kicks = tuple(tuple(t - dt for t in train) for train in post)  # they arrive one step later
    n_pre, n_post = len(pre), len(post)
    links = []
    for name, rule in rules.items():
        j, i = np.indices((n_pre, n_post) if name in dense else (1, 1)).reshape(2, -1)
        options = {"weight": w0, "delay": delay or dt, "plasticity": rule, "name": name}
        links.append(Projection.sparse("pre", "n", pre=j, post=i, **options))
    one = np.arange(n_post)
    network = Network(
        inputs=(Input("pre", n_pre, SpikeTimesInput(pre)), Input("kick", n_post, SpikeTimesInput(kicks))),
        populations=(Population("n", n_post, LIF(tau_m=1.0, v_th=1e4)),),
        projections=(*links, Projection.sparse("kick", "n", pre=one, post=one, weight=1e6, delay=dt)),
        outputs=("n",),
        dt=dt,
    )
    executable = Simulator().compile(network)
    last = max(t for train in (*pre, *post) for t in train)
    counts = executable.window(np.zeros(n_pre + n_post), round(last / dt) + 2).counts
    assert counts.tolist() == [len(train) for train in post]
    return executable.weights()


def after(rules, pre, post, **options):
    """Return the weight of each rule after a source spiked at ``pre`` [ms] and its target at ``post``."""
    found = weights_after(rules, (tuple(pre),), (tuple(post),), **options)
    return {name: float(found[name][0]) for name in rules}


def summed(rule, pre, post, w=0.5):
    """Return the weight after the same spikes by the definition: every spike looks for its partners itself."""

    def partners(ages, tau):
        each = [math.exp(-age / tau) for age in (sorted(ages)[:1] if rule.nearest else ages)]
        return sum(each)

    span = rule.w_max - rule.w_min
    for t, is_post in sorted([(t, False) for t in pre] + [(t, True) for t in post]):
        if is_post:
            x = partners([t - s for s in pre if s <= t], rule.tau_plus)
            w = min(w + rule.a_plus * ((rule.w_max - w) / span) ** rule.mu_plus * x, rule.w_max)
        else:
            y = partners([t - s for s in post if s < t], rule.tau_minus)
            w = max(w - rule.a_minus * ((w - rule.w_min) / span) ** rule.mu_minus * y, rule.w_min)
    return w


@pytest.mark.parametrize(
    ("rate", "lag", "expected"),
    [(1, 10, 0.6820), (1, -10, 0.3089), (20, 10, 0.6523), (20, -10, 0.3356), (50, 10, 0.4908), (50, -10, 0.4809)],
)
def test_sixty_pairings(rate, lag, expected):
    pre = [20.0 + 1000.0 / rate * k for k in range(60)]
    post = [t + lag for t in pre]
    found = after(SONG_ABBOTT, pre, post)
    assert found["additive"] == pytest.approx(expected, abs=5e-5)
    for name, rule in SONG_ABBOTT.items():
        assert found[name] == pytest.approx(summed(rule, pre, post), abs=2e-6), name
    if rate == 1:  # a second is 50 time constants: only the 60 pairs themselves count
        one_sided = 0.5 + 60 * 0.005 * math.exp(-0.5) if lag > 0 else 0.5 - 60 * 0.00525 * math.exp(-0.5)
        assert found["additive"] == pytest.approx(one_sided, abs=4e-6)
        assert found["nearest"] == pytest.approx(one_sided, abs=4e-6)


STRONG = {
    name: PairSTDP(a_plus=0.11, a_minus=0.13, tau_plus=12.0, tau_minus=31.0, w_min=-0.2, w_max=1.1, **form)
    for name, form in FORMS.items()
}


@pytest.mark.parametrize("seed", range(4))
def test_any_trains_change_weights_as_the_sum_over_pairs(seed):
    rng = np.random.default_rng(seed)
    pre, post = (sorted(rng.choice(np.arange(10.0, 1500.0), 90, replace=False).tolist()) for _ in range(2))
    found = after(STRONG, pre, post)
    for name, rule in STRONG.items():
        assert found[name] == pytest.approx(summed(rule, pre, post), abs=2e-5), name
    assert found["eager additive"] == pytest.approx(found["additive"], abs=1e-5)


def test_on_a_tie_the_presynaptic_spike_comes_first():
    rule = SONG_ABBOTT["additive"]
    for name, w in after(SONG_ABBOTT, [20.0], [20.0]).items():
        assert w == pytest.approx(0.5 + rule.a_plus * 0.5 ** SONG_ABBOTT[name].mu_plus, abs=1e-7)


def test_the_delay_of_a_plastic_synapse_is_dendritic():
    pre, post = [20.0, 60.0, 61.0, 90.0], [25.0, 58.0, 61.0, 95.0]
    assert after(STRONG, pre, post) == after(STRONG, pre, post, delay=9.0)


# Poisson spikes ----------------------------------------------------------------------------------------------------

DT, N = 0.1, 50
POISSON = SONG_ABBOTT | {
    "additive": PairSTDP(w_min=-5.0, w_max=5.0),
    "guetig": PairSTDP(mu_plus=0.5, mu_minus=0.5),
}


def poisson(rates, seconds, seed, w0, dense):
    """Return the weights of N independent sources onto N neurons that spike independently of them."""
    rng = np.random.default_rng(seed)
    sides = []
    for rate in rates:
        waits = rng.geometric(-math.expm1(-rate * DT / 1000.0), (N, 50 + round(2 * rate * seconds)))
        ticks = 10 + np.cumsum(waits, axis=1)
        sides.append(tuple(tuple((t[t < seconds * 1000.0 / DT] * DT).tolist()) for t in ticks))
    return weights_after(POISSON, *sides, w0=w0, dt=DT, dense=dense)


def mean_and_error(values):
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))


def test_poisson_spikes_drift_by_the_closed_form():
    rule, seconds = POISSON["additive"], 40.0
    found = [poisson((10.0, 20.0), seconds, seed, 0.5, ("additive",))["additive"] for seed in range(10)]
    drift, error = mean_and_error([np.mean(w - 0.5, dtype=float) / seconds for w in found])
    # A step counts coincident spikes as pre before post: half a step more for potentiation, half less for depression.
    ties = (rule.a_plus + rule.a_minus) / 2 * 0.01 * 0.02 * DT * 1000.0
    closed = (rule.a_plus * rule.tau_plus - rule.a_minus * rule.tau_minus) * 0.01 * 0.02 * 1000.0
    assert closed == pytest.approx(-0.001)
    assert error < 4e-5
    assert drift - ties == pytest.approx(closed, abs=4 * error)


def balance(rule, dt):
    """Return where A+ tau+ (1 - w)^mu = A- tau- w^mu, with the ties of steps ``dt``."""
    up, down = rule.a_plus * (rule.tau_plus + dt / 2), rule.a_minus * (rule.tau_minus - dt / 2)
    return 1 / (1 + (down / up) ** (1 / rule.mu_plus))


def test_weights_settle_where_potentiation_and_depression_balance():
    names = ("multiplicative", "guetig")
    assert balance(POISSON["multiplicative"], 0.0) == pytest.approx(0.487805, abs=1e-6)
    # 100 s are 8 time constants 1 / ((A+ tau+ + A- tau-) r1 r2); from both sides.
    found = [poisson((20.0, 20.0), 100.0, seed, 0.1 + 0.8 * (seed % 2), names) for seed in range(8)]
    for name in names:
        w, error = mean_and_error([x[name].mean(dtype=float) for x in found])
        assert error < 1e-3
        assert w == pytest.approx(balance(POISSON[name], DT), abs=4 * error), name


# Busy networks against the plain-Python oracle ----------------------------------------------------------------------

BOUNDS = {"a_plus": 0.4, "a_minus": 0.35, "tau_plus": 12.0, "tau_minus": 17.0, "w_min": 0.0, "w_max": 4.0}
DEPRESSING, FACILITATING = TsodyksMarkram(0.5, 300.0, 0.0), TsodyksMarkram(0.15, 40.0, 500.0)
DRESS = {
    "noise->e": {"short_term": DEPRESSING},
    "clock->e": {"short_term": FACILITATING, "plasticity": PairSTDP(**BOUNDS | {"a_plus": 9.0, "w_max": 400.0})},
    "e->e": {"plasticity": PairSTDP(**BOUNDS, mu_plus=0.4, mu_minus=0.8)},
    "e->m": {"short_term": FACILITATING, "plasticity": PairSTDP(**BOUNDS, nearest=True)},
}


def dressed():
    """Return the busy network of test_core, each projection with a rule and short-term plasticity of its own."""
    network = busy_network()
    gain = {"noise->e": 6.0, "clock->e": 6.0}  # what depression and low utilisation take away
    changed = (replace(p, **DRESS.get(p.name, {})) for p in network.projections)
    return replace(network, projections=tuple(p.with_weights(p.weight * gain.get(p.name, 1.0)) for p in changed))


def test_every_spike_and_weight_of_every_form_equals_the_oracle():
    network = dressed()
    fast, slow = Simulator().compile(network, seed=7), Naive(network, 7)
    fast.recording = True
    total = 0
    for k, drive in enumerate(drives(24)):
        fast.learning = slow.learning = k != 23  # the last window plays back frozen weights
        fast.window(drive, 25)
        expected = slow.run(drive, 25)
        assert sorted(zip(*(a.tolist() for a in fast.spikes()), strict=True)) == sorted(expected), k
        total += len(expected)
    assert total > 1000
    for p in network.projections:
        np.testing.assert_allclose(fast.weights()[p.name], slow.weights(p.name), rtol=2e-5, atol=1e-4, err_msg=p.name)
        assert p.plasticity is None or np.abs(fast.weights()[p.name] - p.weight).max() > 0.01


def test_windows_states_and_resets_of_every_form():
    network = dressed()
    whole, split = (Simulator().compile(network, seed=3) for _ in range(2))
    for drive in drives(4):
        whole.window(drive, 30)
        for _ in range(30):
            split.window(drive, 1)
    loaded = Simulator().compile(network, seed=99)
    loaded.load_state(whole.state())
    for executable in (split, loaded):
        for key, array in whole.state().items():
            if key != "clock":
                np.testing.assert_array_equal(array, executable.state()[key], err_msg=key)
    for drive in drives(3, seed=2):
        np.testing.assert_array_equal(whole.window(drive, 30).counts, loaded.window(drive, 30).counts)
    whole.reset(5)
    whole.set_weights({p.name: p.weight for p in network.projections})
    fresh = Simulator().compile(network, seed=5)
    for key, array in fresh.state().items():
        np.testing.assert_array_equal(array, whole.state()[key], err_msg=key)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mu_plus": -0.1}, "PairSTDP.mu_plus = -0.1"),
        ({"tau_minus": 0.0}, "PairSTDP.tau_minus = 0"),
        ({"w_min": 1.0}, "PairSTDP.w_min = 1.0: must lie below w_max = 1.0"),
        ({"a_plus": math.nan}, "PairSTDP.a_plus = nan"),
    ],
)
def test_mistakes_are_told(change, words):
    with pytest.raises(ConfigurationError, match=words):
        PairSTDP(**change)


def test_setting_other_weights_leaves_the_traces():
    """A source spike at 20 ms still pairs with a target spike at 25 after weights of another projection were set."""
    rule = PairSTDP(a_plus=0.005)
    executables = []
    for given in ({}, {"kick->b": np.array([2.0])}, None):
        network = Network(
            inputs=(
                Input("pre", 1, SpikeTimesInput(((20.0,),))),
                Input("kick", 1, SpikeTimesInput(((24.0,),))),
            ),
            populations=(Population("b", 1, LIF(v_th=1.0)),),
            projections=(
                Projection.dense("pre", "b", [[0.5]], plasticity=rule),
                Projection.dense("kick", "b", [[2.0]]),
            ),
            outputs=("b",),
        )
        executable = Simulator().compile(network)
        executable.window([0.0, 0.0], 22)
        if given is not None:
            executable.set_weights(given)
        assert executable.window([0.0, 0.0], 20).counts[0] == 1
        executables.append(executable.weights()["pre->b"][0])
    assert executables[0] == executables[1] == executables[2] > 0.5


def test_release_parameters_per_source_are_refused():
    short = TsodyksMarkram(u=(0.5, 0.4))
    network = Network(
        inputs=(Input("pre", 2, RegularInput()),),
        populations=(Population("b", 1, LIF()),),
        projections=(Projection.dense("pre", "b", [[0.5, 0.5]], short_term=short),),
        outputs=("b",),
    )
    with pytest.raises(Unsupported, match=r"TsodyksMarkram.u must be one number"):
        Simulator().compile(network)
