"""The kit's learning rules on the emulated Loihi: like the float rules on the same spikes, or refused by name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_learning import learned, per_seed

from insectbot.chips import catalogue
from insectbot.chips import cuba_learn as k
from insectbot.chips.deploy import Deployed, save
from insectbot.chips.loihi import Loihi
from insectbot.chips.loihi_learning import _fade, _scaling
from insectbot.controllers.circuits.rstdp_forager import rstdp_forager
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, ShapeError, Unsupported
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Network,
    OrnsteinUhlenbeck,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RewardSTDP,
)
from insectbot.training.evaluate import Entry, evaluate

N_PRE, N_POST = 40, 6


def forced(rule, weight=0.004, rate=25.0):
    """Poisson sources with weak plastic synapses on neurons that strong inputs make spike, the same on any chip."""
    rng = np.random.default_rng(1)
    start = weight * rng.uniform(0.5, 1.5, (N_POST, N_PRE))
    return Network(
        inputs=(Input("pre", N_PRE, PoissonInput(rate)), Input("force", N_POST, PoissonInput(20.0))),
        populations=(Population("post", N_POST, LIF(tau_m=1.0)),),
        projections=(
            Projection.dense("pre", "post", start, plasticity=rule),
            Projection.dense("force", "post", 3.0 * np.eye(N_POST)),
        ),
        outputs=("post",),
    )


def both(network, windows, pulses=None, ticks=100, **options):
    """Run on the chip and on ideal; return both executables after checking that all spikes are the same."""
    pair = []
    for backend in (Loihi(**options), Simulator()):
        executable = backend.compile(network, seed=4)
        executable.learning, executable.recording = True, True
        spikes = []
        for n in range(windows):
            executable.window(np.ones(network.n_inputs), ticks, None if pulses is None else [pulses[n]])
            spikes.append(np.concatenate(executable.spikes()))
        pair.append((executable, np.concatenate(spikes)))
    (chip, a), (ideal, b) = pair
    np.testing.assert_array_equal(np.sort(a), np.sort(b))
    return chip, ideal


def changes(executable):
    name = "pre->post"
    return executable.weights()[name] - executable.network.projection(name).weight


@pytest.mark.parametrize("nearest", [False, True])
def test_pair_stdp_learns_what_ideal_learns(nearest):
    rule = PairSTDP(a_plus=3e-4, a_minus=3.15e-4, w_max=0.01, nearest=nearest)
    chip, ideal = both(forced(rule), 40)
    a, b = changes(chip), changes(ideal)
    assert np.corrcoef(a, b)[0, 1] > 0.95
    assert abs(a.mean() - b.mean()) < 4e-4
    w = chip.weights()["pre->post"]
    assert w.min() >= 0
    assert w.max() <= np.float32(0.01 * (1 + 1e-6))
    assert chip.counters().weight_updates > 5000


def test_pair_stdp_stops_at_its_bounds():
    rule = PairSTDP(a_plus=2e-3, a_minus=0.0, w_max=0.01)
    chip, _ = both(forced(rule), 40)
    np.testing.assert_allclose(np.sort(chip.weights()["pre->post"])[-50:], 0.01, rtol=1e-6)
    down = both(forced(PairSTDP(a_plus=0.0, a_minus=2e-3, w_min=-0.01, w_max=0.01)), 40)[0].weights()["pre->post"]
    assert down.min() == pytest.approx(-0.01, rel=1e-6)


def test_reward_stdp_learns_what_ideal_learns():
    rule = RewardSTDP(learning_rate=2e-3, tau_e=300.0, w_min=-0.02, w_max=0.02, a_minus=0.8)
    pulses = np.random.default_rng(2).normal(0, 0.3, 40)
    chip, ideal = both(forced(rule), 40, pulses)
    a, b = changes(chip), changes(ideal)
    assert np.corrcoef(a, b)[0, 1] > 0.95
    assert np.polyfit(b, a, 1)[0] == pytest.approx(1, abs=0.12)
    quiet = both(forced(rule), 5, np.zeros(5))[0]
    assert abs(changes(quiet)).max() <= quiet.quant.projections[0].unit * 1.001


def test_a_reward_without_ticks_acts_at_once():
    rule = RewardSTDP(learning_rate=1e-3, w_min=-0.02, w_max=0.02)
    chip, _ = both(forced(rule), 3, [0.0] * 3)
    before = chip.weights()["pre->post"]
    chip.window(np.ones(N_PRE + N_POST), 0, [1.0])
    assert not np.array_equal(before, chip.weights()["pre->post"])


def perturbed(backend, network, seed, n=150):
    """Run on random drives and rewards; return the executable and how its plastic weights changed."""
    rng = np.random.default_rng(seed)
    drives, pulses = rng.uniform(0.1, 0.9, (n, 5)), rng.normal(0, 0.2, n)
    executable = backend.compile(network, seed=3)
    executable.learning = True
    for drive, pulse in zip(drives, pulses, strict=True):
        executable.window(drive, 50, [pulse])
    weights = executable.weights()
    return executable, np.concatenate([weights[p.name] - p.weight for p in network.plastic()])


def test_node_perturbation_learns_what_ideal_learns():
    """The noise is that of ideal, tied synapses stay equal, and the weights follow but for the rounding to 8 bits."""
    network = rstdp_forager(seed=2, learning_rate=0.02).network
    found, expected = [], []
    for seed in range(4):
        chip, change = perturbed(Loihi(), network, seed)
        found.append(change)
        expected.append(perturbed(Simulator(), network, seed)[1])
        for p in network.plastic():
            w = chip.weights()[p.name]
            np.testing.assert_array_equal(w, w[[3, 2, 1, 0]])
        assert chip.events().host_bytes > 150 * (2 + 2 * 4) * 4
    a, b = np.ravel(found), np.ravel(expected)
    assert np.corrcoef(a, b)[0, 1] > 0.93
    assert np.polyfit(b, a, 1)[0] == pytest.approx(1, abs=0.15)
    assert abs(b).max() > 0.05


def test_bounds_hold_after_rewards():
    network = rstdp_forager(seed=2, learning_rate=0.3).network
    chip = Loihi().compile(network, seed=3)
    chip.learning = True
    seen = []
    for pulse in np.random.default_rng(0).normal(0, 0.5, 100):
        chip.window([0.9, 0.1, 0.1, 0.9, 0.5], 50, [pulse])
        seen.append([abs(chip.weights()[p.name]).max() for p in network.plastic()])
    np.testing.assert_allclose(np.max(seen, axis=0), (0.36, 0.26), rtol=0.02)


def test_deployed_weights_learn_from_where_they_are():
    network = rstdp_forager(seed=1).network
    chip = Loihi().compile(network, seed=1)
    frozen = chip.window(np.full(5, 0.5), 200).counts.copy()
    deployed = chip.weights()
    chip.learning = True
    np.testing.assert_array_equal(chip.weights()["tonic->motors"], deployed["tonic->motors"])
    chip.window(np.full(5, 0.5), 50)
    for name, w in chip.weights().items():
        np.testing.assert_allclose(w, deployed[name], atol=0.003)
        np.testing.assert_allclose(chip.effective_weights()[name], w, atol=0.002)
    fresh = Loihi().compile(network, seed=1)
    np.testing.assert_array_equal(fresh.window(np.full(5, 0.5), 200).counts, frozen)


def test_learning_off_freezes_weights_and_noise():
    chip = Loihi().compile(rstdp_forager(seed=1).network, seed=1)
    chip.learning = True
    for pulse in (0.5, -0.5, 1.0):
        chip.window(np.full(5, 0.7), 50, [pulse])
    learnt = chip.weights()
    chip.learning = False
    assert not chip._neurons()[3].any()
    for pulse in (0.5, -0.5, 1.0):
        chip.window(np.full(5, 0.7), 50, [pulse])
    for name, w in chip.weights().items():
        np.testing.assert_array_equal(w, learnt[name])
    chip.learning = True
    assert chip._neurons()[3].all()


@pytest.mark.parametrize("t_epoch", [1, 8])
def test_the_state_resumes_learning_bit_for_bit(t_epoch):
    network = rstdp_forager(seed=1).network
    rng = np.random.default_rng(0)
    drives, pulses = rng.random((8, 5)), rng.normal(0, 0.5, 8)

    def go(executable, low, high):
        found = [executable.window(drives[n], 37, [pulses[n]]).counts.copy() for n in range(low, high)]
        return np.concatenate(found), executable.weights()

    a, b = (Loihi(t_epoch=t_epoch).compile(network, seed=s) for s in (1, 9))
    a.learning = True
    go(a, 0, 4)
    state = a.state()
    expected, weights = go(a, 4, 8)
    b.load_state(state)
    b.learning = True
    found, again = go(b, 4, 8)
    np.testing.assert_array_equal(found, expected)
    for name in weights:
        np.testing.assert_array_equal(again[name], weights[name])
    assert a.counters() == b.counters()
    with pytest.raises(ConfigurationError, match="does not belong"):
        b.load_state({"learn_room": np.ones(1)})


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 3, 8]))
def test_a_learning_window_splits(seed, t_epoch):
    network = forced(RewardSTDP(learning_rate=1e-3, w_min=-0.02, w_max=0.02))
    whole, single = (Loihi(t_epoch=t_epoch).compile(network, seed=seed) for _ in range(2))
    whole.learning = single.learning = True
    for pulse in (0.3, -0.8, 0.5):
        whole.window(np.ones(N_PRE + N_POST), 25, [pulse])
        for n in range(25):
            single.window(np.ones(N_PRE + N_POST), 1, [pulse] if n == 0 else None)
    a, b = whole.state(), single.state()
    for name in a:
        if name != "counts":
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_a_saved_brain_runs_from_its_file(tmp_path):
    chip = Loihi()
    executable = chip.compile(rstdp_forager(seed=1).network, seed=1)
    executable.learning = True
    for pulse in np.random.default_rng(0).normal(0, 0.5, 30):
        executable.window(np.full(5, 0.6), 50, [pulse])
    executable.learning = False
    executable.reset(3)
    save(chip, executable, tmp_path / "brain.chip")
    expected = executable.window(np.full(5, 0.6), 500).counts.copy()
    again = Deployed(tmp_path / "brain.chip").compile(seed=3)
    np.testing.assert_array_equal(again.window(np.full(5, 0.6), 500).counts, expected)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (PairSTDP(mu_plus=1.0, mu_minus=1.0), r"weight dependence \(multiplicative"),
        (PairSTDP(mu_plus=0.5), r"weight dependence \(power"),
        (PairSTDP(w_min=-0.1, w_max=0.4), "of both signs that are not symmetric"),
        (PairSTDP(w_min=0.1), "leave out 0"),
    ],
)
def test_what_the_engine_cannot_say_is_refused_by_name(rule, message):
    chip = Loihi().compile(forced(rule))
    with pytest.raises(Unsupported, match=f"learning engine cannot say PairSTDP of 'pre->post': .*{message}"):
        chip.learning = True
    assert chip.learning is False
    assert chip.window(np.ones(N_PRE + N_POST), 100).counts.sum() > 0


@pytest.mark.parametrize(("amplitude", "word"), [(1e-9, "small"), (1e4, "large")])
def test_amplitudes_out_of_range_are_refused(amplitude, word):
    chip = Loihi().compile(forced(PairSTDP(a_plus=amplitude, w_max=0.01, nearest=False)))
    before = chip.window(np.ones(N_PRE + N_POST), 100).counts.copy()
    with pytest.raises(Unsupported, match=f"amplitude is too {word}"):
        chip.learning = True
    chip.reset(0)
    np.testing.assert_array_equal(chip.window(np.ones(N_PRE + N_POST), 100).counts, before)


def test_options_and_modulators_are_checked():
    wrong = [({"t_epoch": 0}, "t_epoch"), ({"rounding": "up"}, "rounding"), ({"noise": 24}, "exponent")]
    wrong += [({"noise": 3, "noise_to": "x"}, "to = 'x'"), ({"reward_max": 0.0}, "reward_max")]
    for options, message in wrong:
        with pytest.raises(ConfigurationError, match=message):
            Loihi(**options)
    chip = Loihi().compile(forced(RewardSTDP(w_min=-0.02, w_max=0.02)))
    chip.learning = True
    for bad in ([1.0, 2.0], [np.nan]):
        with pytest.raises(ShapeError, match="modulators"):
            chip.window(np.ones(N_PRE + N_POST), 1, bad)


def test_updates_cost_energy_and_time():
    """120 pJ and 6.1 ns each (Davies 2018, Table 2)."""
    network = forced(PairSTDP(a_plus=3e-4, w_max=0.01), rate=1000.0)
    runs = []
    for learning in (False, True):
        chip = Loihi(prices="nahuku").compile(network, seed=1)
        chip.learning = True
        chip.learning = learning
        chip.window(np.ones(N_PRE + N_POST), 200)
        runs.append((chip.reading(), chip.counters().weight_updates))
    (a, none), (b, updates) = runs
    assert none == 0 < updates
    assert b.events.spikes == a.events.spikes
    more = b.events.neuron_active - a.events.neuron_active
    assert b.energy.events - a.energy.events == pytest.approx(updates * 120e-12 + more * 21.6e-12)
    assert b.chip_time - a.chip_time == pytest.approx(updates * 6.1e-9 + more * 3.7e-9)


def test_exploration_without_plasticity_and_beside_analog_input():
    network = Network(
        (Input("in", 1, CurrentInput(0.5)),),
        (Population("a", 3, LIF(), OrnsteinUhlenbeck(sigma=0.2)), Population("b", 1)),
        (Projection.dense("in", "a", [[1.0]] * 3), Projection.dense("in", "b", [[1.0]])),
        ("a", "b"),
    )
    chip = Loihi().compile(network, seed=2)
    chip.learning = True
    chip.window([0.7], 50)
    noisy = chip._neurons()[3].copy()
    chip.learning = False
    chip.window([0.7], 50)
    still = chip._neurons()[3]
    scale = chip.quant.populations[0].scale
    np.testing.assert_allclose((noisy - still)[:3] / scale, chip.engine.explorers[5], atol=1e-3)
    assert abs(noisy - still)[:3].min() > 0
    assert noisy[3] == still[3] > 0


def test_compartment_noise_of_a_network():
    """sd = 127 / sqrt(3) * 2^(exponent - 7) per tick, mean 64 * offset * 2^(exponent - 7), by seed."""
    network = Network((), (Population("a", 4000, LIF(tau_m=1e6, v_th=1e3)),), (), ("a",))
    executables = [Loihi(noise=8, noise_offset=2).compile(network, seed=s) for s in (1, 1, 2)]
    for executable in executables:
        executable.window([], 100)
    v = [e._neurons()[1] for e in executables]
    np.testing.assert_array_equal(v[0], v[1])
    assert not np.array_equal(v[0], v[2])
    assert v[0].mean() == pytest.approx(100 * 2 * 64 * 2, rel=0.01)
    assert v[0].std() == pytest.approx(2 * 73.6 * 10, rel=0.05)
    state = executables[0].state()
    executables[2].load_state(state)
    for e in executables[::2]:
        e.window([], 10)
    np.testing.assert_array_equal(executables[0]._neurons(), executables[2]._neurons())
    other = Loihi(noise=8, noise_to="u").compile(network, seed=1)
    other.window([], 5)
    assert other._neurons()[0].any()


@given(st.floats(0.1, 800.0), st.sampled_from([0, -4]))
def test_scalings_are_the_nearest_that_fit_four_bits(value, lowest):
    mantissa, exponent = _scaling(value, lowest)
    assert 1 <= mantissa <= 7
    assert lowest <= exponent <= 7
    error = abs(np.log(mantissa * 2.0**exponent / value))
    assert error <= min(abs(np.log(m * 2.0**e / value)) for m in range(1, 8) for e in range(lowest, 8)) + 1e-12
    assert value < 4 or error < 0.13


@pytest.mark.parametrize("tau", [20.0, 200.0, 1000.0, 5000.0])
def test_tags_fade_with_their_time_constant(tau):
    for t_epoch in (1, 8):
        product = _fade(tau, t_epoch)
        lost = -product.mantissa * 2**product.exponent / (1 << k.UP)
        every = t_epoch * 2 ** int(product.dependency[1:])
        assert -every / np.log1p(-lost) == pytest.approx(tau, rel=0.08)


def test_stdp_on_a_multi_chip_system_is_that_of_one_chip():
    network = forced(PairSTDP(a_plus=3e-4, w_max=0.01))
    found = []
    for name in ("loihi", "loihi-64"):
        executable = catalogue.chip(name).compile(network, seed=1)
        executable.learning = True
        executable.window(np.ones(N_PRE + N_POST), 500)
        found.append(executable.weights()["pre->post"])
    np.testing.assert_array_equal(*found)


def test_a_tied_rule_can_be_untied():
    network = rstdp_forager(seed=1).network
    rules = tuple(
        replace(p, plasticity=replace(p.plasticity, tie=None)) if p.plasticity else p for p in network.projections
    )
    chip = Loihi().compile(replace(network, projections=rules), seed=1)
    chip.learning = True
    for pulse in np.random.default_rng(0).normal(0, 0.5, 30):
        chip.window(np.full(5, 0.6), 50, [pulse])
    w = chip.weights()["antennae->motors"]
    assert not np.array_equal(w, w[[3, 2, 1, 0]])


@pytest.mark.slow
def test_foraging_is_learned_on_the_chip(tmp_path):
    """Ten seeds, fifteen episodes: at least nine reach 0.95 on worlds that no training has used."""
    scenario, brains = learned(tmp_path, "chip_learning", 10)
    entries = [
        Entry("learned", "rstdp-forager", brains, chip="loihi"),
        Entry("untrained", "rstdp-forager", {1: {}, 2: {}}, chip="loihi"),
    ]
    rows = evaluate(scenario, entries, presets=["smooth"], episodes=[40, 10])
    success = per_seed(rows, "learned", "smooth", "success")
    assert success.size == 10
    assert (success >= 0.95).sum() >= 9
    assert per_seed(rows, "untrained", "smooth", "success").mean() <= 0.2
