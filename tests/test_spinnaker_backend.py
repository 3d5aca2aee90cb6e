"""The SpiNNaker backend: quantiser, dynamics beside ideal, inputs, refusals, closed loop, datasheet."""

import math

import numpy as np
import pytest

from insectbot.chips import catalogue, datasheet
from insectbot.chips import s1615 as k
from insectbot.chips.spinnaker_quantise import quantise, ring_shift
from insectbot.controllers.circuits.rstdp_forager import snn_fixed
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Izhikevich,
    Network,
    Output,
    PoissonBackground,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)

SHEET = datasheet.load("spinnaker")


def one(model=None, weight=0.4, source=None, n=1, delay=1.0, **kwargs):
    group = Input("in", 1, source or RegularInput(100.0))
    population = Population("out", n, model or LIF(tau_m=20.0, v_th=1.0), **kwargs)
    static = delay if not isinstance(group.source, CurrentInput) else 1.0
    projection = Projection.dense("in", "out", np.full((n, 1), weight), delay=static)
    return Network((group,), (population,), (projection,), ("out",))


def spikes(executable, drive, ticks=500):
    executable.recording = True
    executable.reset(7)
    executable.window(drive, ticks)
    return list(zip(*(a.tolist() for a in executable.spikes()), strict=True))


@pytest.mark.parametrize(
    ("model", "weight"),
    [
        (LIF(tau_m=20.0, v_th=1.0), 0.4),
        (LIF(tau_m=20.0, v_th=15.0, v_rest=-65.0 + 65.0, v_reset=-5.0, t_ref=3.0), 8.0),
        (LIF(tau_m=10.0, v_rest=-65.0, v_th=-50.0, v_reset=-60.0, t_ref=2.0), 9.0),
        (LIF(tau_m=20.0, v_th=1.0, tau_syn=5.0), 2.5),
        (LIF(tau_m=20.0, v_th=1.0, tau_syn=20.0, t_ref=1.0), 1.5),
        (LIF(tau_m=20.0, v_th=1.0, v_min=-0.2), -0.4),
    ],
)
def test_potentials_follow_the_exact_solution(model, weight):
    """v after every tick is that of ideal within a thousandth of the threshold, and spikes fall on the same ticks."""
    network = one(model, weight, delay=3.0)
    chip, ideal = catalogue.chip("spinnaker").compile(network, seed=1), Simulator().compile(network, seed=1)
    assert spikes(chip, [1.0]) == spikes(ideal, [1.0])
    chip.reset(1)
    ideal.reset(1)
    ideal.record({"out": ("v",)})
    for _ in range(200):
        chip.window([1.0], 1)
        ideal.window([1.0], 1)
        exact = float(ideal.states()["out", "v"][0, 0])
        assert chip.potentials("out")[0] == pytest.approx(exact, abs=1e-3 * (model.v_th - model.v_rest))
    assert chip.counters().soft_failures["wraps"] == 0


def test_neurons_may_differ():
    model = LIF(tau_m=(10.0, 20.0, 40.0), v_th=(1.0, 1.5, 2.0), t_ref=(0.0, 1.0, 2.0))
    network = one(model, weight=0.9, n=3)
    chip, ideal = catalogue.chip("spinnaker").compile(network), Simulator().compile(network)
    assert spikes(chip, [1.0]) == spikes(ideal, [1.0])


def test_analog_current_becomes_an_offset():
    network = one(weight=2.0, source=CurrentInput(1.0))
    chip, ideal = catalogue.chip("spinnaker").compile(network), Simulator().compile(network)
    here, there = spikes(chip, [0.8]), spikes(ideal, [0.8])
    assert here == there
    assert len(here) > 10
    before = chip.host_bytes()
    chip.window([0.8], 10)
    assert chip.host_bytes() == before
    chip.window([0.7], 10)
    assert chip.host_bytes() == before + 4
    chip.window([1e9], 1)
    assert chip.counters().soft_failures["offset_clips"] == 1


def test_initial_potentials():
    network = one(weight=0.0, n=2, initial={"v": (0.9, 1.1)})
    chip = catalogue.chip("spinnaker").compile(network)
    assert spikes(chip, [0.0]) == [(0, 2)]
    assert chip.potentials("out")[0] == pytest.approx(0.9 * math.exp(-500 / 20), abs=1e-4)


@pytest.mark.parametrize(("total", "shift"), [(0.0, 0), (0.3, 0), (1.0, 1), (1.5, 1), (2.0, 2), (5.0, 3), (64.0, 7)])
def test_ring_shift(total, shift):
    """ceil(log2(total)), one more at powers of two: the sum stays below half of 2^16 steps of 2^(shift - 15)."""
    assert ring_shift(total) == shift
    assert total * 2 ** (15 - shift) < 65536


def test_the_step_follows_the_total_drive():
    """The step of a weak synapse is set by strong ones beside it: mean + 5 sigma of all drive at 30 Hz."""
    strong = np.full((1, 200), 1.0)
    source = Population("source", 200, LIF())
    network = Network(
        (Input("in", 1, RegularInput(10.0)),), (source, Population("out", 1)),
        (Projection.dense("in", "out", [[0.001]]), Projection.dense("source", "out", strong)), ("out",),
    )  # fmt: skip
    quant = quantise(network, SHEET)
    population = next(p for p in quant.populations if p.name == "out")
    chance = 30e-3
    total = population.scale * (200 * chance + 5 * math.sqrt(200 * chance + 0.01 * 1e-6) + 0.01 * 0.001)
    assert population.shift == (math.ceil(math.log2(total)), 0)
    weak = quant.projections[0]
    assert weak.weight[0] == round(0.001 * population.scale * 2 ** (16 - (population.shift[0] + 1)))
    alone = quantise(Network(network.inputs, network.populations, network.projections[:1], ("out",)), SHEET)
    assert alone.projections[0].unit[0] < weak.unit[0] / 50
    assert quant.report.projections[0].max_error > 0.01 > alone.report.projections[0].max_error


def test_poisson_inputs_count_with_their_rate():
    shifts = []
    for rate in (10.0, 1000.0):
        network = Network((Input("in", 500, PoissonInput(rate)),), (Population("out", 1),),
                          (Projection.dense("in", "out", np.full((1, 500), 0.1)),), ("out",))  # fmt: skip
        population = quantise(network, SHEET).populations[0]
        shifts.append(population.shift[0] - math.log2(population.scale))
    assert shifts[1] > shifts[0] + 2


def test_synchronous_spikes_saturate_the_ring_buffer():
    """200 spikes at once where 30 Hz were planned for: the entry stops at 65535, and what is cut is counted."""
    network = Network(
        (Input("in", 1, RegularInput(100.0)),),
        (Population("source", 200, LIF()), Population("out", 1, LIF(v_th=100.0))),
        (
            Projection.dense("in", "source", np.full((200, 1), 2.0)),
            Projection.dense("source", "out", np.ones((1, 200))),
        ),
        ("out",),
    )
    executable = catalogue.chip("spinnaker").compile(network)
    most = 0
    for _ in range(12):
        executable.window([1.0], 1)
        most = max(most, int(executable.dynamic()["ring"].max()))
    quant = executable.quant.projections[1]
    assert most == 65535
    assert executable.counters().soft_failures["ring_saturations"] == 200 - 65535 // int(quant.weight[0])
    assert executable.potentials("out")[0] == pytest.approx(65535 * quant.unit[0], rel=0.1)


def test_weights_that_vanish_are_reported():
    w = np.array([[1.0, 1e-7]])
    network = Network(
        (Input("in", 2, PoissonInput(50.0)),), (Population("out", 1),), (Projection.dense("in", "out", w),), ("out",)
    )
    report = quantise(network, SHEET).report
    assert report.losses["zeroed"] == 1
    assert "1 became 0" in str(report)


def test_set_weights_keeps_potentials():
    network = one(weight=0.4)
    chip = catalogue.chip("spinnaker").compile(network)
    chip.window([1.0], 25)
    before = chip.potentials("out")
    assert before[0] > 0.1
    chip.set_weights({"in->out": [40.0]})
    np.testing.assert_allclose(chip.potentials("out"), before, atol=1e-3)
    assert chip.effective_weights()["in->out"][0] == pytest.approx(40.0, rel=1e-3)


def test_state_moves_between_frozen_and_learning():
    from insectbot.check_backend import reference_network

    network = reference_network(plastic=True)
    a, b = (catalogue.chip("spinnaker").compile(network, seed=s) for s in (1, 2))
    a.learning = True
    a.window(np.ones(5), 100, [0.5])
    b.load_state(a.state())
    b.learning = True
    a.window(np.ones(5), 200, [0.5])
    b.window(np.ones(5), 200, [0.5])
    for name, w in a.weights().items():
        np.testing.assert_array_equal(w, b.weights()[name])


@pytest.mark.parametrize(
    ("network", "word"),
    [
        (one(Izhikevich()), "neuron model Izhikevich is not LIF"),
        (one(LIF(precise=True)), "precise spike times"),
        (one(background=PoissonBackground(10.0, 0.1)), "background spikes"),
        (Network(one().inputs, one().populations, one().projections, (Output("out", pooled=True),)), "pooled"),
    ],
)
def test_what_the_chip_lacks_is_refused_by_name(network, word):
    chip = catalogue.chip("spinnaker")
    assert any(word in sentence for sentence in chip.check(network))
    with pytest.raises(Unsupported, match=word):
        chip.compile(network)


def test_options():
    with pytest.raises(ConfigurationError, match="multiply = 'up'"):
        catalogue.chip("spinnaker", multiply="up")
    with pytest.raises(ConfigurationError, match="tau_d"):
        catalogue.chip("spinnaker", tau_d=0.0)
    network = one(weight=0.4137)
    near, cut = (catalogue.chip("spinnaker", multiply=m).compile(network) for m in ("nearest", "truncate"))
    near.window([1.0], 100)
    cut.window([1.0], 100)
    assert near.potentials("out")[0] != cut.potentials("out")[0]


@pytest.mark.parametrize("name", ["spinnaker", "spinnaker-4", "spinnaker-48"])
def test_boards(name):
    chip = catalogue.chip(name)
    executable = chip.compile(one())
    chips = {"spinnaker": 1, "spinnaker-4": 4, "spinnaker-48": 48}[name]
    assert executable.n_chips == chips
    executable.window([1.0], 1000)
    idle = 26.84 if chips == 48 else 0.35 * chips
    assert executable.counters().energy.static == pytest.approx(idle + 0.034, rel=1e-4)
    assert executable.counters().chip_time == pytest.approx(1.0)


def test_one_packet_passes_one_router():
    executable = catalogue.chip("spinnaker").compile(one(weight=2.0))
    executable.window([1.0], 1000)
    counters = executable.counters()
    assert counters.spikes > 90
    assert counters.energy.events == pytest.approx(counters.spikes * 1e-9)


def test_the_forager_runs():
    controller = snn_fixed()
    assert not catalogue.chip("spinnaker").check(controller.network)
    executable = catalogue.chip("spinnaker").compile(controller.network)
    readout = executable.window(np.full(5, 0.6), 500)
    assert (readout.counts > 0).all()


def test_the_sheet_gives_the_widths_that_the_kernel_has():
    assert SHEET.int("neuron.fraction") == k.FRACTION
    assert 1 << SHEET.int("weight.bits") == k.WEIGHT_MAX + 1
    assert SHEET.int("learning.history") == 16
    assert {f.evidence for f in SHEET.figures.values()} <= set(datasheet.EVIDENCE)
