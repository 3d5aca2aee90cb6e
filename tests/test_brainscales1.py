"""BrainScaleS-1: the conductance neuron, synapses that the wafer loses, limits, dies, energy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_brainscales1 import adex, held

from insectbot.chips import adex_analog as a
from insectbot.chips import hicann_analog as k
from insectbot.chips.brainscales1 import BrainScaleS1
from insectbot.chips.brainscales1_place import Array, routed
from insectbot.chips.brainscales1_replay import DEFAULTS, TERMS, run_conductance_adex
from insectbot.chips.datasheet import load
from insectbot.errors import ConfigurationError, DoesNotFit, ShapeError, Unsupported
from insectbot.scenario import make_backend
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Network,
    PairSTDP,
    PoissonBackground,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)

ARRAY = Array.of(load("brainscales1"))


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(list(TERMS))),
    st.floats(3.0, 20.0),
    st.floats(5.0, 40.0),
    st.floats(-0.2, 0.6),
    st.floats(0.0, 60.0),
    st.integers(0, 6),
    st.integers(0, 2**31),
)
def test_replay_is_the_published_step(terms, tau, d_t, gain, jump, hold, seed):
    rng, n = np.random.default_rng(seed), 400
    q = dict(DEFAULTS) | {"tau_exc": tau, "tau_inh": 0.7 * tau, "c": 1.3 * tau, "g_l": 1.1, "reset": 380.0}
    q |= {"d_t": d_t, "v_t": 560.0, "tau_w": 30.0, "a": gain, "b": jump, "hold": hold, "floor": 200.0}
    x = rng.uniform(0, 0.8, (n, 2, 1)) * (rng.random((n, 2, 1)) < 0.3)
    found = run_conductance_adex(x, dt=0.25, terms=tuple(terms), **q)
    expected = adex(x[:, 0, 0].tolist(), x[:, 1, 0].tolist(), dt=0.25, terms=terms, **q)
    np.testing.assert_array_equal(found.spikes[:, 0], [row[4] for row in expected])
    for i, name in enumerate(("v", "g_exc", "g_inh", "w")):
        np.testing.assert_allclose(getattr(found, name)[:, 0], [row[i] for row in expected], rtol=1e-8, atol=1e-9)


def test_a_steady_conductance_has_its_closed_form():
    """v settles at the mean of leak and reversal potentials, weighted by the conductances."""
    x = np.zeros((6000, 2, 1))
    x[:, 0], x[:, 1] = 0.2 * 0.05, 0.5 * 0.05
    found = run_conductance_adex(x, dt=0.05, terms=("leak",), c=10.0, threshold=2000.0)
    assert found.v[-1, 0] == pytest.approx((400 + 0.2 * 1000 + 0.5 * 0) / 1.7, rel=1e-6)
    bounded = run_conductance_adex(2.0 * x[:, :1].repeat(2, axis=1), dt=0.05, threshold=2000.0, ceiling=420.0)
    assert bounded.v.max() == 420.0


def test_the_threshold_is_strict_and_a_pause_holds():
    """v goes half the way to 8 per step: exactly 4 is no spike, 6 is one, then -1 is held for two steps."""
    x = np.zeros((8, 2, 1))
    x[:, 0] = 1.0
    q = {"v_l": 0.0, "threshold": 4.0, "reset": -1.0, "floor": -9.0, "hold": 2, "e_exc": 8.0, "c": 2.0}
    found = run_conductance_adex(x, dt=1.0, terms=(), **q)
    assert found.v[:, 0].tolist() == [4.0, -1.0, -1.0, -1.0, 3.5, -1.0, -1.0, -1.0]
    assert np.flatnonzero(found.spikes[:, 0]).tolist() == [1, 5]


def test_replay_refuses_what_it_cannot_run():
    x = np.zeros((1, 2, 1))
    with pytest.raises(ConfigurationError, match="'i' is not one of leak"):
        run_conductance_adex(x, dt=1.0, terms=("i",))
    with pytest.raises(ConfigurationError, match="'tau_m' is not one of c"):
        run_conductance_adex(x, dt=1.0, tau_m=1.0)
    for wrong in ({"c": 0.0}, {"v_l": np.inf}, {"floor": np.nan}):
        with pytest.raises(ConfigurationError, match="out of range"):
            run_conductance_adex(x, dt=1.0, **wrong)
    for arrivals in (x[0], -1.0 - x):
        with pytest.raises(ShapeError, match="arrivals of shape"):
            run_conductance_adex(arrivals, dt=1.0)
    with pytest.raises(ShapeError, match=r"c has shape \(2,\)"):
        run_conductance_adex(np.zeros((1, 2, 3)), dt=1.0, c=[1.0, 2.0])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 400),
    st.integers(1, 40),
    st.floats(0.02, 0.9),
    st.sampled_from([1, 2, 4]),
    st.integers(2, 30),
    st.integers(0, 2**31),
)
def test_the_array_holds_what_the_sheets_model_says(sources, targets, p, share, drivers, seed):
    rng = np.random.default_rng(seed)
    target, unit = np.nonzero(rng.random((targets, sources)) < p)
    down = rng.random(unit.size) < 0.3
    array = Array(drivers, 4, ARRAY.reach, 5, 59, 16)
    found, used, buses = routed(unit * 3, target, down, np.full(unit.size, share), array)
    synapses = list(zip((unit * 3).tolist(), target.tolist(), down.tolist(), strict=True))
    assert (int(found.sum()), used) == held(synapses, share, drivers=drivers)
    assert buses == np.unique(unit * 3 // 59).size
    # What a half row holds never exceeds its synapses per neuron.
    assert used <= drivers


def random_hicann(n_sources, p, size):
    """Return the part of the synapses that one HICANN of a random network holds; ``size`` circuits per neuron."""
    rng = np.random.default_rng(1)
    target, unit = np.nonzero(rng.random((512 // size, n_sources)) < p)
    share = np.full(unit.size, size // 4)
    return routed(unit, target, np.zeros(unit.size, bool), share, ARRAY)[0].mean()


@pytest.mark.parametrize(
    ("p", "size", "lossless", "lossy"),
    [(0.005, 8, 12500, 13500), (0.2, 16, 5700, 6900), (1.0, 16, 3304, 3305)],
)
def test_the_largest_lossless_networks_are_the_published_ones(p, size, lossless, lossy):
    """Over 12,000 neurons of 8 circuits for sparse wiring, 3,360 to 6,720 of 16 for p >= 0.08."""
    assert random_hicann(lossless, p, size) == 1.0
    assert random_hicann(lossy, p, size) < 1.0


def simple(weight, source=None, **model):
    weight = np.atleast_2d(weight)
    n, n_in = weight.shape
    return Network(
        inputs=(Input("in", n_in, source or PoissonInput(100.0)),),
        populations=(Population("out", n, LIF(**model)),),
        projections=(Projection.dense("in", "out", weight),),
        outputs=("out",),
    )


def lossy_network():
    """Return 2400 sources on 128 neurons: 41 buses whose chains cannot hold a dense wiring of 4 circuits each."""
    rng = np.random.default_rng(2)
    target, source = np.nonzero(rng.random((128, 2400)) < 0.3)
    return Network(
        (Input("in", 2400, PoissonInput(2.0)),),
        (Population("out", 128),),
        (Projection.sparse("in", "out", pre=source, post=target, weight=0.01),),
        ("out",),
    )


def test_lost_synapses_are_refused_or_counted():
    network = lossy_network()
    with pytest.raises(DoesNotFit, match=r"HICANN \d+: synapse drivers for 41 buses > 224: \d+ of \d+ synapses"):
        BrainScaleS1(circuits=4).compile(network)
    chip = BrainScaleS1(circuits=4, allow_loss=0.9, mismatch=0.0)
    executable = chip.compile(network)
    lost = executable.counters().soft_failures["lost_synapses"]
    weights = executable.effective_weights()["in->out"]
    assert lost == (weights == 0).sum() > 100
    assert np.unique(weights[weights > 0]).size == 1
    assert executable.programmed()["synapse_weight"].size == network.n_synapses - lost
    executable.window(np.ones(2400, np.float32), 50)
    kept = np.bincount(network.projections[0].pre[weights > 0], minlength=2400)
    assert executable.counters().synops == int(kept @ executable._unit_spikes[:2400]) > 1000
    used = {u.resource: (u.used, u.limit) for u in executable.usage}
    assert used["lost synapses"] == (lost, int(0.9 * network.n_synapses))
    more = BrainScaleS1(circuits=64, allow_loss=0.9).compile(network)
    assert more.counters().soft_failures["lost_synapses"] < lost


def test_neurons_take_circuits_by_their_inputs():
    for inputs, circuits in ((10, 4), (896, 4), (897, 8)):
        executable = BrainScaleS1(allow_loss=1.0).compile(simple(np.full((1, inputs), 0.1)))
        assert executable.quant.circuits.tolist() == [circuits]
    executable = BrainScaleS1(circuits=16).compile(simple(np.full((40, 1), 0.1)))
    assert np.diff(executable.placement.start).tolist() == [32, 8]


def test_limits_and_refusals_are_named():
    chip = BrainScaleS1()
    wide = simple(np.full((1, 14337), 0.1))
    with pytest.raises(DoesNotFit, match="neuron 0: inputs 14337 > 14336"):
        chip.compile(wide)
    many = Network((Input("in", 1, PoissonInput(1.0)),), (Population("out", 47105),), (), ())
    with pytest.raises(DoesNotFit, match="wafer: neurons 47105 > 47104"):
        chip.compile(many)
    mixed = Network(
        (Input("in", 3, PoissonInput(1.0)),),
        (Population("wide", 200), Population("slim", 40)),
        (),
        (),
    )
    assert chip.check(mixed) == []
    wrong = Network(
        (Input("in", 1, CurrentInput()),),
        (
            Population("slow", 1, LIF(tau_m=500.0)),
            Population("kicked", 1, LIF(), background=PoissonBackground(100.0, 0.1)),
        ),
        (),
        ("slow",),
    )
    assert len(chip.check(wrong)) == 3
    assert any("tau_m 50 us on the chip is outside 0.2 to 20" in text for text in chip.check(wrong))
    with pytest.raises(Unsupported, match=r"must lie above v_rest"):
        chip.compile(simple([[0.1]], v_rest=2.0))
    options = ({"weight_bits": 5}, {"substeps": 0}, {"mismatch": -1.0}, {"allow_loss": 2.0}, {"circuits": 3})
    for one in (*options, {"circuits": 2}, {"noise": -1.0}):
        with pytest.raises(ConfigurationError):
            BrainScaleS1(**one)


def test_learning_and_delays_are_refused_by_name():
    plastic = Network(
        (Input("in", 1, PoissonInput(10.0)),),
        (Population("out", 1),),
        (Projection.dense("in", "out", [[0.1]], delay=4.0, plasticity=PairSTDP()),),
        ("out",),
    )
    executable = BrainScaleS1().compile(plastic)
    assert executable.quant.report.losses["clipped_delays"] == 1
    with pytest.raises(Unsupported, match="PairSTDP of 'in->out'"):
        executable.learning = True
    with pytest.raises(Unsupported, match="delay 4 ticks > 1"):
        BrainScaleS1(clip_delays=False).compile(plastic)
    # Frozen weights use the whole range, whatever the bounds of the rule.
    assert executable.programmed()["synapse_weight"].tolist() == [15]


def test_weights_are_four_bits():
    executable = BrainScaleS1(mismatch=0.0).compile(simple([[0.7, 0.33, -0.02]]))
    assert executable.programmed()["synapse_weight"].tolist() == [15, 7, 0]
    effective = executable.effective_weights()["in->out"]
    np.testing.assert_allclose(effective, np.rint(np.array([0.7, 0.33, -0.02]) / 0.7 * 15) * 0.7 / 15)
    executable.set_weights({"in->out": [0.1, 0.2, 0.3]})
    np.testing.assert_allclose(executable.effective_weights()["in->out"], np.array([5, 10, 15]) * 0.02, rtol=1e-6)


@pytest.mark.parametrize(("tau_syn", "drive"), [(0.0, 1.8), (0.0, 2.4), (0.0, 3.6), (5.0, 2.0)])
def test_a_naive_neuron_has_the_rate_of_the_network(tau_syn, drive):
    weight = drive / (20 * 0.2 * (tau_syn or 20.0))
    network = simple(np.full((1, 20), weight), RegularInput(200.0), tau_m=20.0, t_ref=2.0, tau_syn=tau_syn)
    rates = [
        backend.compile(network, seed=1).window(np.ones(20, np.float32), 4000).counts[0] / 4
        for backend in (make_backend("ideal"), BrainScaleS1(mismatch=0.0, noise=0.0))
    ]
    assert rates[0] > 20
    assert rates[1] == pytest.approx(rates[0], rel=0.12)


def test_inhibition_saturates_at_its_reversal():
    """v_min lies on the rail, where the inhibitory reversal potential is: v nears it and never passes."""
    executable = BrainScaleS1(mismatch=0.0, noise=0.0).compile(simple([[-2.0]], RegularInput(900.0), v_min=-1.0))
    executable.window([1.0], 300)
    v = executable._state[a.V, 0]
    rest, floor = executable.programmed()["parameters"][[a.V_L, k.E_INH], 0]
    assert floor <= v < 0.1 * rest
    assert executable.counters().soft_failures["v_low"] == 0


def test_dies_differ_and_noise_is_apart():
    network = simple(np.full((60, 20), 0.03), RegularInput(200.0))

    def rates(seed=1, **options):
        return BrainScaleS1(**options).compile(network, seed=seed).window(np.ones(20, np.float32), 2000).counts

    assert np.ptp(rates(mismatch=0.0, noise=0.0)) == 0
    assert np.ptp(rates(mismatch=0.0)) > 0
    spread = rates(die=3)
    assert 0.05 < spread.std() / spread.mean() < 0.5
    assert not np.array_equal(spread, rates(die=4))
    np.testing.assert_array_equal(rates(die=3, noise=0.0), rates(seed=2, die=3, noise=0.0))
    assert not np.array_equal(rates(die=3), rates(seed=2, die=3))


def test_time_is_a_ten_thousandth_and_power_that_of_the_hicanns():
    executable = BrainScaleS1().compile(simple(np.full((200, 1), 0.5)))
    executable.window([1.0], 2000)
    c = executable.counters()
    assert c.chip_time == pytest.approx(2e-4)
    assert c.energy.static == pytest.approx(2 * 2.6 * 2e-4)
    assert c.energy.events == pytest.approx(c.synops * 100e-12)
    assert c.synops == 200 * c.input_spikes > 1000
