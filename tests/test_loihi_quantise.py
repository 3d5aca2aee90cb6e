"""The quantiser: what it keeps, what it loses and says so; the chip against the float reference."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips.loihi import Loihi
from insectbot.chips.quantise import coupling, decay_sum
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, DoesNotFit, Unsupported
from insectbot.snn import LIF, CurrentInput, Input, Network, PoissonInput, Population, Projection, RegularInput


def feed(weight, model=None, *, delay=1.0, source=None, dt=1.0):
    weight = np.atleast_2d(np.asarray(weight, np.float32))
    return Network(
        inputs=(Input("in", weight.shape[1], source or PoissonInput(100.0)),),
        populations=(Population("out", weight.shape[0], model or LIF()),),
        projections=(Projection.dense("in", "out", weight, delay=delay),),
        outputs=("out",),
        dt=dt,
    )


def both(network, drive, windows=40, ticks=50, seed=5, **options):
    """Return the spikes (tick, unit) on the chip and on ideal."""
    chip, ideal = Loihi(**options).compile(network, seed=seed), Simulator().compile(network, seed=seed)
    out = []
    for executable in (chip, ideal):
        executable.learning = False
        executable.recording = True
        found = []
        for _ in range(windows):
            executable.window(drive, ticks)
            found += list(zip(*(a.tolist() for a in executable.spikes()), strict=True))
        out.append(found)
    return chip, *out


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 4, 5, 6, 8]), st.sampled_from(["mixed", "pos", "neg"]))
def test_weights_are_the_nearest_on_the_grid(seed, bits, sign):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(3, 7)) * 10.0 ** rng.uniform(-6, 6)
    w = {"mixed": w, "pos": abs(w), "neg": -abs(w)}[sign]
    network = feed(w, LIF(v_th=float(abs(w).max()) * rng.uniform(0.5, 20)))
    if bits == 1 and w.min() < 0 < w.max():
        assert "spend the only weight bit" in Loihi(weight_bits=1).check(network)[0]
        return
    quant = Loihi(weight_bits=bits).quantise(network)
    q, report = quant.projections[0], quant.report.projections[0]
    mixed = bool((q.weight > 0).any() and (q.weight < 0).any())
    lost = 8 - bits + (report.sign == "mixed")
    assert abs(q.weight).max() <= 255
    assert not (q.weight % (1 << lost)).any()
    assert not mixed or report.sign == "mixed"
    w32 = network.projections[0].weight.astype(float)
    error = abs(q.effective - w32)
    inside = abs(w32) <= np.abs(q.effective).max()
    assert (error[inside] <= report.step / 2 * (1 + 1e-9)).all()
    assert report.zeroed == ((q.weight == 0) & (w32 != 0)).sum()
    assert report.max_error == pytest.approx(error.max() / abs(w32).max())
    assert report.rms_error == pytest.approx(math.sqrt((error**2).mean() / (w32**2).mean()))
    if bits == 8:
        assert report.max_error < 0.005


def test_floor_lands_on_a_power_of_two():
    quant = Loihi().quantise(feed([[0.5, 0.2]], LIF(v_th=1.0, v_min=-1.0)))
    p, report = quant.populations[0], quant.report.populations[0]
    assert report.v_min == pytest.approx(-1.0, abs=2e-6)
    assert (p.vth_mant + 1) << 6 == 1 << p.vmin_exp
    assert report.threshold_error == 0


def test_largest_weight_fills_the_mantissa():
    quant = Loihi().quantise(feed([[0.37, 0.1]], LIF(v_th=1.0)))
    assert quant.projections[0].weight.max() == 255
    assert abs(quant.report.populations[0].threshold_error) < 1e-3


def test_a_weight_equal_to_the_threshold_fires_the_neuron():
    """ideal tests v >= v_th and the chip v > threshold: a relay must survive that."""
    _, found, expected = both(feed([[1.0]], LIF(v_th=1.0)), [0.5])
    assert found == expected
    assert sum(unit == 1 for _, unit in found) > 50


@pytest.mark.parametrize("t_ref", [0.0, 1.0, 4.0, 62.0])
def test_refractory_time_is_exact(t_ref):
    _, found, expected = both(feed([[1.5]], LIF(t_ref=t_ref), source=RegularInput(1000.0)), [1.0], windows=10)
    assert found == expected


@pytest.mark.parametrize("delay", [1.0, 2.0, 30.0, 62.0])
@pytest.mark.parametrize("tau_syn", [0.0, 5.0])
def test_delays_are_exact(delay, tau_syn):
    """An exponential synapse reaches v one tick after its arrival, on both."""
    model = LIF(tau_syn=tau_syn, v_th=0.02)
    _, found, expected = both(feed([[1.5]], model, delay=delay, source=RegularInput(10.0)), [1.0], windows=20)
    assert found == expected
    assert len({t for t, u in found if u == 1}) > 5


@pytest.mark.parametrize(
    "model",
    [
        LIF(),
        LIF(v_min=-1.0),
        LIF(v_rest=-65.0, v_reset=-65.0, v_th=-50.0, v_min=-70.0, t_ref=2.0),
        LIF(tau_syn=5.0),
        LIF(tau_syn=20.0),
        LIF(tau_m=100.0, tau_syn=2.0, t_ref=3.0),
    ],
)
def test_the_chip_follows_the_float_reference(model):
    """Same input spikes; rates within 4 %; and with the chip's own parameters in float, the same spikes."""
    rng = np.random.default_rng(3)
    scale = (model.v_th - model.v_rest) * (0.25 if model.tau_syn == 0 else 0.9)
    w = rng.normal(0.6, 0.5, (8, 10)) * scale * max(model.tau_m / 20, 1) / min(max(model.tau_syn, 5) / 5, 1)
    network, drive = feed(w, model), rng.uniform(0.3, 1, 10)
    chip, found, expected = both(network, drive)
    assert [s for s in found if s[1] < 10] == [s for s in expected if s[1] < 10]
    assert sum(u >= 10 for _, u in expected) > 200
    assert len(found) == pytest.approx(len(expected), rel=0.04)
    report = chip.quant.report.populations[0]
    tau = {"tau_m": report.tau_m, "tau_syn": report.tau_syn}
    gain = coupling(model, 1.0) / coupling(replace(model, **tau), 1.0)
    weights = {"in->out": np.float32(chip.effective_weights()["in->out"] * gain)}
    twin = replace(network, populations=(Population("out", 8, replace(model, **tau)),)).with_weights(weights)
    _, _, effective = both(twin, drive)
    assert len(set(found) & set(effective)) > 0.99 * len(effective)


def test_analog_input_becomes_a_bias():
    """The steady state of v is gain * drive, in the unit of v."""
    network = feed([[0.5], [-0.25]], LIF(v_th=1.0, v_rest=0.0), source=CurrentInput(1.0))
    chip = Loihi().compile(network)
    chip.window([1.2], 400)
    np.testing.assert_allclose(chip.potentials("out"), [0.6, -0.3], rtol=2e-3)
    assert chip.counters().soft_failures["bias_clips"] == 0
    assert chip.events().host_bytes == 8
    assert chip.quant.report.projections[0].sign == "host"
    chip.window([1e9], 1)
    assert chip.counters().soft_failures["bias_clips"] == 2


def test_decay_sum_is_the_truncated_series():
    """The closed form against the series itself (mean over starts), and without truncation."""
    for decay, x0 in ((20, 3000), (5, 20000), (200, 100000)):
        keep = (4096 - decay) / 4096
        sums = []
        for start in range(x0, x0 + 40):
            x, total = start, 0
            while x:
                total += x
                x = x * (4096 - decay) >> 12
            sums.append(total / start)
        assert decay_sum(keep, x0, 0.494) == pytest.approx(np.mean(sums), rel=0.02)
        assert decay_sum(keep, x0, 1e-9) == pytest.approx(1 / (1 - keep), rel=1e-3)


def test_compensation_restores_the_charge_of_long_synapses():
    network = feed([[0.02] * 40], LIF(tau_m=20.0, tau_syn=2000.0, v_th=1.0))
    errors = []
    for compensate in (False, True):
        quant = Loihi(compensate=compensate).quantise(network)
        p, q = quant.populations[0], quant.projections[0]
        x, charge = int(q.weight[0]) << (6 + q.exponent), 0
        scale = quant.report.populations[0].scale * coupling(network.populations[0].model, 1.0)
        while x:
            charge += x
            x = x * (4095 - p.decay_u) >> 12
        errors.append(abs(charge / (0.02 * scale) / (4096 / (p.decay_u + 1)) - 1))
    assert errors[0] > 0.05
    assert errors[1] < errors[0] / 4


def test_losses_are_counted():
    quant = Loihi().quantise(feed([[1.0, 1e-4, 1e-4, 0.0]]))
    assert quant.report.losses == {"zeroed": 2, "saturated": 0, "clipped_delays": 0}
    quant = Loihi(clip_delays=True).quantise(feed([[1.0, 0.5]], delay=80.0))
    assert quant.report.losses["clipped_delays"] == 2
    assert quant.projections[0].delay.tolist() == [62, 62]
    small = Projection.dense("in", "out", [[1e-9]], name="b")
    network = feed([[1.0]])
    network = Network(network.inputs, network.populations, (*network.projections, small), network.outputs)
    assert Loihi().quantise(network).report.losses["zeroed"] == 1
    huge = Projection.dense("in", "out", [[1e6]], name="c")
    network = Network(network.inputs, (Population("out", 1, LIF(v_th=1e3)),), (*network.projections, huge), ("out",))
    assert "became 0" in str(Loihi().quantise(network).report)


def test_check_lists_every_violation():
    base = feed([[1.0]], LIF(v_reset=-0.5, t_ref=63.0), delay=63.0)
    found = Loihi().check(base)
    assert len(found) == 3
    assert "v_reset = -0.5 is not v_rest = 0.0" in found[0]
    assert "refractory register 64 > 63" in found[1]
    assert "delay 63 ticks > 62" in found[2]
    with pytest.raises(Unsupported, match="v_reset"):
        Loihi().compile(base)
    with pytest.raises(DoesNotFit, match="delay 63 ticks > 62"):
        Loihi().compile(feed([[1.0]], delay=63.0))
    assert Loihi().check(feed([[1.0]], LIF(t_ref=62.0), delay=62.0)) == []


def test_options_are_validated():
    with pytest.raises(ConfigurationError, match="weight_bits = 7"):
        Loihi(weight_bits=7)


def test_a_projection_without_synapses_is_no_trouble():
    network = Network(
        inputs=(Input("i", 2, PoissonInput(100.0)),),
        populations=(Population("n", 3, LIF()),),
        projections=(
            Projection.sparse("n", "n", pre=[], post=[], weight=[]),
            Projection.dense("i", "n", [[0.5] * 2] * 3),
        ),
        outputs=("n",),
    )
    assert Loihi().compile(network).window([0.5, 0.5], 200).counts.sum() > 0
