"""Networks on Akida: counts against an oracle, rates against the float core, what is refused, where layers go."""

import json
from pathlib import Path

import naive_akida
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot import check_backend
from insectbot.chips.akida import Akida
from insectbot.chips.akida_place import on_chip, unit_bytes
from insectbot.chips.akida_quantise import overshoot
from insectbot.chips.akida_replay import Layer, run_layers
from insectbot.chips.datasheet import load
from insectbot.controllers.circuits.rstdp_forager import rstdp_forager, snn_fixed
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, DoesNotFit, Unsupported
from insectbot.snn import (
    IF,
    LIF,
    AdEx,
    CurrentInput,
    Input,
    Network,
    Output,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)

FILE = Path(__file__).parent / "data" / "akida_layers.npz"


def feed_forward(seed=0, sizes=(6, 8, 3), model=None, rate=200.0, mean=0.15, spread=0.25, order=1):
    """Return a network of layers; ``order`` -1 declares populations last layer first."""
    rng, names = np.random.default_rng(seed), [f"p{k}" for k in range(1, len(sizes))]
    pairs = zip(["in", *names], names, sizes[:-1], sizes[1:], strict=False)
    return Network(
        inputs=(Input("in", sizes[0], PoissonInput(rate)),),
        populations=tuple(
            Population(n, k, model or LIF()) for n, k in list(zip(names, sizes[1:], strict=True))[::order]
        ),
        projections=tuple(Projection.dense(a, b, rng.normal(mean, spread, (m, n))) for a, b, n, m in pairs),
        outputs=(names[-1],),
    )


def spikes_of(executable, ticks, drive=0.8, seed=3):
    executable.recording = True
    executable.reset(seed)
    executable.window(np.full(executable.network.n_inputs, drive), ticks)
    found = np.zeros((ticks, executable.network.n_inputs + executable.network.n_neurons), int)
    np.add.at(found, executable.spikes(), 1)
    return found


def oracle(executable, inputs):
    layers = [(q.weight, q.threshold, q.step, q.cap) for q in executable.quant.layers]
    return naive_akida.network(layers, inputs, executable.quant.frame)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000),
    st.sampled_from([(3, 2), (6, 8, 3), (4, 5, 5, 2)]),
    st.sampled_from([1, 7, 20, 50]),
    st.sampled_from([LIF(), LIF(t_ref=3.0), LIF(v_reset=-0.5), IF(v_reset=None), IF(v_th=2.0)]),
    st.sampled_from([2, 4]),
    st.sampled_from([1, -1]),
)
def test_spikes_and_losses_are_those_of_the_oracle(seed, sizes, frame, model, bits, order):
    network = feed_forward(seed, sizes, model, rate=500.0, order=order)
    executable = Akida(frame=frame, weight_bits=bits).compile(network)
    seen, n_in = spikes_of(executable, 157, drive=1.0), sizes[0]
    expected, lost = oracle(executable, seen[:, :n_in])
    units = executable.quant.neurons + n_in
    np.testing.assert_array_equal(seen[:, units], expected)
    counted = executable.counters()
    soft = {"clipped_counts": "clipped", "saturated_potentials": "saturated"}
    soft |= {"cut_activations": "cut", "dropped_spikes": "dropped"}
    assert counted.soft_failures == {name: lost[word] for name, word in soft.items()}
    assert (counted.synops, executable.frames) == (lost["synops"], lost["frames"])


def test_a_layer_of_a_network_is_a_layer_of_the_replay():
    """The same integers in run_layers, which is compared with BrainChip's backend, give the same counts per frame."""
    executable = Akida(frame=20).compile(feed_forward(4, (6, 9, 4), rate=500.0, mean=0.2))
    seen = spikes_of(executable, 20 * 60, drive=0.9)
    layers = [
        Layer("dense", q.weight, threshold=q.threshold, act_step=q.step / 16, act_bits=4, weights_bits=4)
        for q in executable.quant.layers
    ]
    frames = seen.reshape(60, 20, -1).sum(axis=1)
    expected = run_layers(layers, np.minimum(frames[:-1, :6], 15))
    np.testing.assert_array_equal(frames[1:, 15:], expected)
    assert len(np.unique(expected)) > 4


def test_every_loss_can_happen_and_is_counted():
    many = feed_forward(1, (2, 2), IF(v_th=0.5, v_reset=None, t_ref=4.0), rate=900.0, mean=1.0, spread=0.0)
    executable = Akida(frame=30).compile(many)
    spikes_of(executable, 300, drive=1.0)
    soft = executable.counters().soft_failures
    assert soft["clipped_counts"] > 0
    assert soft["cut_activations"] > 0
    assert soft["dropped_spikes"] > 0
    assert soft["saturated_potentials"] == 0
    wide = feed_forward(1, (8000, 2), LIF(v_th=3000.0), rate=900.0, mean=1.0, spread=0.0)
    executable = Akida(frame=20).compile(wide)
    spikes_of(executable, 40, drive=1.0)
    assert executable.counters().soft_failures["saturated_potentials"] == 4


def test_promises_of_a_backend(monkeypatch):
    """Akida cannot run the recurrent network on which chips are checked; it keeps every promise on one it can."""
    monkeypatch.setattr(check_backend, "reference_network", lambda plastic=False: feed_forward(3, (5, 8, 2), mean=0.3))
    broken = {name: test() for name, test in check_backend.backend_promises(Akida()).items()}
    assert len(broken) >= 11
    assert not {name: found for name, found in broken.items() if found}


def test_rates_follow_the_float_network():
    """Steady rates of the hand-set forager over 20 drives of 2 s: the reference, the rule and its residual."""
    network, rng = snn_fixed().network, np.random.default_rng(5)
    drives = [np.append(rng.uniform(0, 1, 4), 1.0) for _ in range(20)]

    def rates(executable):
        found = []
        for drive in drives:
            executable.reset(3)
            executable.window(drive, 100)
            found.append(executable.window(drive, 2000).counts / 2.0)
        return np.array(found).ravel()

    ideal, chip = rates(Simulator().compile(network)), rates(Akida().compile(network))
    assert ideal.mean() > 30
    assert np.corrcoef(ideal, chip)[0, 1] > 0.99
    assert np.sqrt(np.mean((chip - ideal) ** 2)) < 6.0
    assert np.polyfit(ideal, chip, 1)[0] == pytest.approx(1.0, abs=0.06)


def test_the_forager_fits_and_learns_elsewhere():
    network, chip = rstdp_forager().network, Akida()
    assert chip.check(network) == []
    executable = chip.compile(network)
    with pytest.raises(Unsupported, match=r"NodePerturbation of 'antennae->motors'.*train on ideal, deploy frozen"):
        executable.learning = True
    executable.learning = False


def test_the_rule_in_numbers():
    """v_th 1, tau_m 20 ms, one weight of 0.5: loss, overshoot, charge, threshold and step by hand."""
    network = feed_forward(0, (1, 1), LIF(tau_m=20.0), mean=0.5, spread=0.0)
    layer = Akida(frame=20).quantise(network).layers[0]
    assert layer.scale[0] == pytest.approx(0.5 / 7)
    assert layer.weight.tolist() == [[7]]
    assert layer.charge[0] == pytest.approx(1.25)
    assert layer.step[0] == round(16 * 1.25 * 14)
    loss = (1 - np.exp(-1 / 20)) * 0.5
    assert layer.threshold[0] == round((20 * loss + 0.625) * 14)
    assert overshoot(np.array([[0.3], [-2.0], [0.1]]))[0] == pytest.approx(0.1 / 0.8)
    subtracting = Akida().quantise(feed_forward(0, (1, 1), IF(v_reset=None), mean=0.5, spread=0.0)).layers[0]
    assert subtracting.charge[0] == pytest.approx(1.0)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_report_and_the_weights_that_act(bits):
    rng = np.random.default_rng(0)
    weight = np.abs(rng.normal(0.2, 0.15, (5, 6)))
    network = Network(
        inputs=(Input("in", 6, PoissonInput(100.0)),),
        populations=(Population("out", 5),),
        projections=(Projection.dense("in", "out", weight),),
        outputs=("out",),
    )
    chip = Akida(weight_bits=bits)
    executable = chip.compile(network)
    report = executable.quant.report.projections[0]
    acts, wished = executable.effective_weights()["in->out"], network.projections[0].weight.astype(float)
    assert np.linalg.norm(acts - wished) / np.linalg.norm(wished) == pytest.approx(report.rms_error)
    assert report.rms_error < {1: 0.6, 2: 0.5, 4: 0.08}[bits]
    assert report.zeroed == ((acts == 0) & (wished != 0)).sum()
    top = {1: 1, 2: 1, 4: 7}[bits]
    assert executable.quant.layers[0].weight.max() == top
    assert executable.quant.layers[0].weight.min() >= 0
    better = weight.T / executable.quant.layers[0].scale
    assert np.abs(executable.quant.layers[0].weight - np.clip(np.rint(better), 0, top)).max() == 0
    assert "mean overshoot of the threshold" in executable.quant.report.populations[0].modelled


def test_new_weights_are_quantised_anew():
    network = feed_forward(0, (4, 3))
    executable, other = Akida().compile(network), feed_forward(9, (4, 3))
    executable.set_weights({"in->p1": other.projections[0].weight})
    fresh = Akida().compile(other)
    np.testing.assert_array_equal(spikes_of(executable, 200), spikes_of(fresh, 200))
    np.testing.assert_array_equal(executable.weights()["in->p1"], other.projections[0].weight)


def broken_network():
    """Return a network with one of every feature that is missing on the chip."""
    eye = np.eye(2)
    return Network(
        inputs=(Input("in", 2, PoissonInput(100.0)), Input("current", 2, CurrentInput())),
        populations=(
            Population("a", 2, LIF()),
            Population("b", 2, LIF(tau_syn=5.0)),
            Population("c", 2, AdEx()),
            Population("d", 2, LIF(), initial={"v": 0.5}),
        ),
        projections=(
            Projection.dense("in", "a", eye, delay=3.0),
            Projection.dense("current", "a", eye),
            Projection.dense("a", "b", eye),
            Projection.dense("b", "c", eye),
            Projection.dense("c", "b", eye),
            Projection.dense("in", "d", eye),
            Projection.dense("a", "d", eye),
            Projection.sparse("in", "a", pre=[0, 0], post=[1, 1], weight=[0.1, 0.2], name="twice"),
        ),
        outputs=(Output("a", pooled=True), "d"),
    )


def test_every_reason_is_named():
    found = Akida().check(broken_network())
    for words in (
        "input 'current': source CurrentInput is not known",
        "output 'a' is pooled",
        "population 'b': only delta synapses can be counted",
        "population 'c': neuron model AdEx is neither LIF nor IF",
        "population 'd': starts elsewhere than at rest",
        "projection 'b->c' is recurrent",
        "projection 'c->b' is recurrent",
        "projection 'in->d' skips layers, from 0 to 2",
        "projection 'in->a': delay 3 ticks > 1",
        "projection 'twice': several synapses between the same units",
        "several projections from 'in' to 'a'",
        "output 'a' is in layer 1 of 2: only the last layer can be read",
    ):
        assert sum(words in line for line in found) == 1, words
    assert all(line.startswith("akida: ") and "\n" not in line for line in found)
    assert len(found) == 12
    with pytest.raises(Unsupported, match=r"is recurrent.*skips layers"):
        Akida().compile(broken_network())


def test_a_loop_on_itself_is_recurrent_and_what_follows_is_not():
    network = Network(
        inputs=(Input("in", 1, RegularInput()),),
        populations=(Population("a", 1), Population("b", 1)),
        projections=tuple(Projection.dense(*pair, [[0.5]]) for pair in (("in", "a"), ("a", "a"), ("a", "b"))),
        outputs=("b",),
    )
    found = Akida().check(network)
    assert len(found) == 1
    assert "projection 'a->a' is recurrent" in found[0]


def test_limits_name_resource_place_and_excess():
    negative = feed_forward(1, (3, 2), mean=-0.5)
    with pytest.raises(DoesNotFit, match="projection 'in->p1': negative weights need weight_bits 2 or 4, not 1"):
        Akida(weight_bits=1).compile(negative)
    slow = feed_forward(0, (3, 2), LIF(tau_m=1.0, v_th=1000.0), mean=1e-3, spread=1e-4)
    with pytest.raises(DoesNotFit, match=r"layer 1: threshold \d+ > 524287; use shorter frames"):
        Akida(frame=100).compile(slow)
    wide = feed_forward(0, (57335, 1))
    assert Akida().check(wide) == ["akida: layer 1: inputs 57335 > 57334"]
    assert Akida().check(feed_forward(0, (57334, 1))) == []
    deep = feed_forward(0, (2,) * 24)
    assert Akida().check(deep) == ["akida: chip: layers 23 > 22 processors for dense layers"]
    large = Akida().check(feed_forward(0, (64, *[700] * 5)))
    assert large == ["akida: chip: layers of more than 43008 byte 5 > 4 processors with memory outside"]
    for bad in ({"frame": 0}, {"frame": 2.5}, {"weight_bits": 8}):
        with pytest.raises(ConfigurationError, match=r"frame = .* must be|weight_bits = 8 must be 1, 2 or 4"):
            Akida(**bad)


def test_memory_and_places_are_those_of_the_mapper():
    """Against the virtual AKD1000 of package ``akida``: bytes, kind of processor, and the node of every layer."""
    sheet = load("akida")
    with np.load(FILE) as data:
        rows, chains = data["mapped"], json.loads(str(data["facts"]))["chains"]
    seen = {2: 0, 3: 0}
    for inputs, units, bits, kind, _, inside, outside in rows.tolist():
        if not kind:
            assert inputs > sheet.int("limits.np.inputs")
            continue
        need = units * unit_bytes(inputs, bits, sheet)
        assert need == inside + outside
        assert kind == (3 if on_chip(inputs, units, bits, sheet) else 2)
        seen[kind] += 1
    assert min(seen.values()) > 20
    for chain in chains:
        network = feed_forward(0, (64, *[chain["units"]] * chain["layers"]))
        if not chain["places"]:
            assert len(Akida().check(network)) == 1
            continue
        placed = Akida().place(Akida().quantise(network))
        assert [list(node) for node in placed.node] == chain["places"]


def test_costs_are_those_of_the_sheet():
    """Two multiply-accumulates of 2 pJ per event, hops of 1 pJ, bytes of the host, 0.9 W; at least 10 us per frame."""
    network = Network(
        inputs=(Input("in", 1, RegularInput(1000.0)),),
        populations=(Population("a", 2, IF(v_th=1.0, v_reset=None)), Population("b", 1, IF(v_th=1.0, v_reset=None))),
        projections=(Projection.dense("in", "a", [[0.5], [0.5]]), Projection.dense("a", "b", [[0.5, 0.5]])),
        outputs=("b",),
    )
    executable = Akida(frame=10).compile(network)
    executable.reset(0)
    executable.window([1.0], 100)
    events, counters = executable.events(), executable.counters()
    # Per frame: one input on two units, two activations on one unit; one hop each, from node (1, 3) to (1, 4).
    assert (events.synops, events.messages, events.hops_x, events.hops_y) == (40, 30, 0, 20)
    assert events.host_bytes == 4 * (10 + 10)
    assert counters.energy.events == pytest.approx(40 * 2e-12 + 20 * 1e-12)
    assert counters.energy.host == pytest.approx(80 * 100e-12)
    assert counters.chip_time == pytest.approx(10 * 10e-6)
    assert counters.energy.static == pytest.approx(0.9 * 100e-6)
    assert executable.reading().chip_time_realtime == pytest.approx(0.1)
    assert executable.reading().late_ticks == 0
    # The spikes of ten ticks at 0.5 each are five, for both neurons, in every frame but the first.
    assert counters.spikes == 9 * (5 + 5 + 5)


def test_a_large_inference_takes_the_time_of_its_sums():
    """32 multiply-accumulates per cycle of 300 MHz, layer after layer."""
    network = feed_forward(0, (400, 700), rate=1000.0, mean=0.1, spread=0.0)
    executable = Akida(frame=20).compile(network)
    executable.reset(0)
    executable.window(np.ones(400), 20)
    assert executable.events().synops == 400 * 700
    assert executable.counters().chip_time == pytest.approx(400 * 700 / 32 / 300e6, rel=1e-6)
    assert {u.resource for u in executable.usage} >= {"inputs", "external_bytes", "fnp2", "fnp3"}


def test_figures_that_nobody_publishes_carry_a_dagger():
    sheet = load("akida")
    prices = [figure for path, figure in sheet.figures.items() if path.startswith("prices.")]
    assert all(figure.dagger for figure in prices)
    assert not sheet["neuron.act_step_fraction"].dagger
    assert "model of rates" in Akida.fidelity
