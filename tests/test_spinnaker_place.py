"""Placement on SpiNNaker: cores, memories, routes, and the sentences when something does not fit."""

import numpy as np
import pytest

from insectbot.chips import catalogue
from insectbot.chips.meter import Events, energy
from insectbot.chips.route import Routes
from insectbot.chips.spinnaker_place import Layout, router_entries
from insectbot.errors import ConfigurationError, DoesNotFit
from insectbot.snn import (
    LIF,
    FixedInDegree,
    Input,
    Network,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    RewardSTDP,
)


def chain(sizes, degree=5, delay=1.0, rule=None, tau_syn=0.0, weight=0.1):
    source = Input("in", 10, PoissonInput(50.0))
    groups = [Population(f"p{i}", n, LIF(tau_syn=tau_syn)) for i, n in enumerate(sizes)]
    pairs = zip([source, *groups[:-1]], groups, strict=True)
    projections = tuple(
        Projection.connect(a, b, FixedInDegree(min(degree, a.n)), weight=weight, delay=delay, plasticity=rule)
        for a, b in pairs
    )
    return Network((source,), tuple(groups), projections, (groups[-1].name,))


def placed(chip, network, learning=False):
    return chip.place(chip.quantised(network, learning=learning))


def used(placement, resource, where=None):
    return {u.where: u.used for u in placement.usage if u.resource == resource and where in (None, u.where)}


def test_a_core_holds_one_population_up_to_its_cap():
    placement = placed(catalogue.chip("spinnaker"), chain([300, 256, 1]))
    assert np.diff(placement.start).tolist() == [256, 44, 256, 1]
    assert used(placement, "cores") == {"board": 4}


def test_learning_lowers_the_cap():
    network = chain([250], rule=PairSTDP())
    chip = catalogue.chip("spinnaker")
    assert np.diff(placed(chip, network).start).tolist() == [250]
    assert np.diff(placed(chip, network, learning=True).start).tolist() == [100, 100, 50]


def test_data_memory_of_a_core():
    """256 x 48 B of state and 32 slots x 2 types x 256 x 2 B of ring buffer; with learning, history and tables."""
    chip = catalogue.chip("spinnaker")
    assert used(placed(chip, chain([256])), "dtcm") == {"core 0": 256 * 48 + 32768}
    network = chain([100], rule=PairSTDP())
    tables = chip.rules(chip.quantised(network, learning=True)).bytes["p0"]
    assert tables == 2 * 2 * 153  # floor(exp(-k / 20) 2^11) is 0 from k = 153 on
    assert used(placed(chip, network, learning=True), "dtcm") == {"core 0": 100 * (48 + 132) + 16384 + tables}


def test_rows_in_the_memory_of_the_chip():
    """Ten rows of an input: 4 B a synapse and 12 B a row; plastic 8 B more a row; with a reward 6 B a synapse."""
    chip = catalogue.chip("spinnaker")
    for rule, size, head in ((None, 4, 12), (PairSTDP(), 4, 20), (RewardSTDP(), 6, 20)):
        network = chain([50], degree=10, rule=rule)
        assert used(placed(chip, network, learning=rule is not None), "sdram") == {"chip 0": 500 * size + 10 * head}


@pytest.mark.slow
def test_the_published_capacity_places_on_one_chip():
    """16,000 neurons with 8 million plastic synapses: with the dense layout, 1000 on each of 16 cores (Jin 2008)."""
    source = Input("in", 10, PoissonInput(50.0))
    groups = [Population(f"p{i}", 1000, LIF()) for i in range(16)]
    rule = PairSTDP(a_plus=0.001, a_minus=0.001, w_max=0.02)
    projections = [
        Projection.connect(groups[i], groups[(i + 1) % 16], FixedInDegree(500), weight=0.01, plasticity=rule)
        for i in range(16)
    ]
    network = Network((source,), tuple(groups), tuple(projections), ("p0",))
    assert network.n_synapses == 8_000_000
    placement = placed(catalogue.chip("spinnaker", layout="dense"), network, learning=True)
    assert used(placement, "cores") == {"board": 16}
    assert max(used(placement, "dtcm").values()) <= 65536
    assert used(placement, "sdram")["chip 0"] < 123469792
    with pytest.raises(DoesNotFit, match="spinnaker: board: cores 160 > 16"):
        placed(catalogue.chip("spinnaker"), network, learning=True)
    assert used(placed(catalogue.chip("spinnaker-48"), network, learning=True), "cores") == {"board": 160}


def test_too_many_neurons():
    network = chain([256 * 17])
    assert "board: cores 17 > 16" in catalogue.chip("spinnaker").check(network)[0]
    assert not catalogue.chip("spinnaker-4").check(network)


def test_long_time_constants_fill_the_data_memory():
    rule = PairSTDP(tau_plus=3000.0, tau_minus=3000.0)
    network = chain([4], rule=rule)
    chip = catalogue.chip("spinnaker")
    with pytest.raises(DoesNotFit, match=r"core 0: dtcm \d+ > 65536 bytes for one neuron of 'p0'"):
        placed(chip, network, learning=True)
    executable = chip.compile(network)
    with pytest.raises(DoesNotFit):
        executable.learning = True
    executable.window(np.ones(10), 10)


def test_neurons_shrink_to_fit_the_data_memory():
    rule = PairSTDP(tau_plus=1500.0, tau_minus=1500.0)
    placement = placed(catalogue.chip("spinnaker"), chain([200], rule=rule), learning=True)
    assert np.diff(placement.start).max() < 100
    assert max(used(placement, "dtcm").values()) <= 65536


def test_parallel_synapses_overflow_a_row():
    n = 300
    source = Input("in", 1, RegularInput(50.0))
    many = Projection.sparse("in", "p", pre=np.zeros(n), post=np.zeros(n), weight=0.001)
    network = Network((source,), (Population("p", 1),), (many,), ("p",))
    assert "core 0: row_synapses 300 > 256 from unit 0" in catalogue.chip("spinnaker").check(network)[0]


def small(sheet_name, **values):
    """Return a chip with other limits."""
    from dataclasses import replace

    from insectbot.chips import datasheet

    sheet = datasheet.load(sheet_name)
    figures = dict(sheet.figures)
    for path, value in values.items():
        key = path.replace("__", ".")
        figures[key] = replace(figures[key], value=value)
    return catalogue.make(replace(sheet, figures=figures))


def test_a_chip_with_full_sdram_is_left():
    network = chain([256, 256, 256], degree=100)
    first, second = 2560 * 4 + 10 * 12, 25600 * 4 + 256 * 12
    assert used(placed(catalogue.chip("spinnaker"), network), "sdram") == {"chip 0": first + 2 * second}
    placement = placed(small("spinnaker-4", limits__chip__sdram=first + second), network)
    assert placement.position.tolist() == [0, 1, 16]
    with pytest.raises(DoesNotFit, match=r"chip 0: sdram \d+ > 1000 bytes of synaptic rows by core 0"):
        placed(small("spinnaker", limits__chip__sdram=1000), network)


def test_router_entries():
    """A straight way needs entries at its ends only; every change of direction one more."""
    sheet = catalogue.chip("spinnaker-48").sheet
    start, position = np.array([0, 1, 2]), np.array([0, 16 * (6 * 3)])  # chip (0, 0) and chip (3, 0)
    assert router_entries(sheet, position, np.array([[0, 1, 5]]), start, 0) == {(0, 0): 1, (3, 0): 1}
    bent = np.array([0, 16 * (6 * 3 + 1)])  # (3, 1): one diagonal, then east
    assert router_entries(sheet, bent, np.array([[0, 1, 5]]), start, 0) == {(0, 0): 1, (1, 1): 1, (3, 1): 1}
    with pytest.raises(DoesNotFit, match=r"router entries \d+ > 2"):
        placed(small("spinnaker", limits__chip__routes=2), chain([10, 10, 10, 10]))


def test_multicast_takes_every_link_once():
    chip = catalogue.chip("spinnaker-48")
    network = chain([10, 256 * 40], degree=10)
    placement = placed(chip, network)
    routes = Routes.of(placement, network.n_inputs, chip.sheet)
    links = routes.hops_per_unit(network.n_inputs + network.n_neurons)[10:20, 2]
    apart = np.array([routes.hops[routes.unit == unit, 2].sum() for unit in range(10, 20)])
    assert (links >= 2).all()
    assert (links < apart).all()


def test_delay_extensions_take_cores_and_packets():
    chip, network = catalogue.chip("spinnaker"), chain([20, 5], delay=70.0)
    placement = placed(chip, network)
    assert used(placement, "cores") == {"board": 4}
    assert set(placement.stages[: network.n_inputs]) == {2}
    executable = chip.compile(network)
    executable.window(np.ones(10), 500)
    events, plain = executable.events(), executable.routes
    per_unit = np.bincount(plain.unit, minlength=35)
    sending = np.unique(network.projections[1].pre) + 10
    delayed = np.concatenate([np.arange(10), sending])
    assert events.hops_chip == 2 * int(executable._unit_spikes[delayed].sum()) > 100
    assert events.messages == int(per_unit @ executable._unit_spikes) + events.hops_chip
    assert "delay 2081 ticks > 2080" in chip.check(chain([5], delay=2081.0))[0]


@pytest.mark.parametrize(("delay", "stages"), [(32.0, 0), (33.0, 1), (64.0, 1), (65.0, 2)])
def test_a_ring_buffer_holds_a_delay_of_all_its_slots(delay, stages):
    placement = placed(catalogue.chip("spinnaker"), chain([3], delay=delay))
    assert placement.stages[:10].max() == stages


@pytest.mark.parametrize("delay", [1.0, 32.0, 33.0, 100.0])
def test_long_delays_arrive_on_time(delay):
    source = Input("in", 1, RegularInput(100.0))
    projection = Projection.dense("in", "out", [[2.0]], delay=delay)
    network = Network((source,), (Population("out", 1),), (projection,), ("out",))
    executable = catalogue.chip("spinnaker").compile(network)
    executable.recording = True
    executable.window([1.0], 300)
    tick, unit = executable.spikes()
    sent, seen = tick[unit == 0], tick[unit == 1]
    np.testing.assert_array_equal(seen, sent[: seen.size] + int(delay))


def test_layouts():
    sheet = catalogue.chip("spinnaker").sheet
    tools, dense = Layout.of(sheet, dense=False), Layout.of(sheet, dense=True)
    assert (tools.slots, dense.slots) == (32, 16)
    assert dense.dtcm(1000, 612) <= 65536 < tools.dtcm(1000, 612)
    with pytest.raises(ConfigurationError, match="layout = 'wide' must be one of tools, dense"):
        catalogue.chip("spinnaker", layout="wide")


def test_energy_at_the_published_load():
    """48 chips, 250,000 neurons, 81 M synapses, 1.8 G events/s (Stromatias 2013): 20 to 40 nJ per event."""
    sheet = catalogue.chip("spinnaker-48").sheet
    events = Events(synops=1_800_000_000, spikes=250_000 * 22, hops_chip=250_000 * 22 * 12)
    found = energy(events, sheet.default_prices, 1.0, chips=48, cores=760)
    assert 20e-9 < found.total / events.synops < 40e-9
    assert found.static == pytest.approx(26.84 + 760 * 0.034, rel=1e-4)


def test_time_of_a_tick_in_cycles():
    """130 cycles per neuron, 250 per spike and core, 20 per synapse at 200 MHz; late ticks are counted."""
    n = 250
    source = Input("in", 250, RegularInput(1000.0))
    network = Network((source,), (Population("p", n),), (Projection.dense("in", "p", np.zeros((n, 250))),), ("p",))
    executable = catalogue.chip("spinnaker").compile(network)
    executable.window(np.zeros(250), 10)
    assert executable.reading().worst_tick == pytest.approx(1e-3)
    assert executable.counters().soft_failures["timer_overruns"] == 0
    executable.window(np.ones(250), 10)
    cycles = 130 * n + 250 * 250 + 20 * n * 250
    assert executable.reading().worst_tick == pytest.approx(cycles / 200e6, rel=1e-6)
    assert executable.counters().soft_failures["timer_overruns"] == 10


def test_spikes_beyond_the_queue_are_lost():
    source = Input("in", 300, RegularInput(1000.0))
    network = Network((source,), (Population("p", 1, LIF(v_th=1e9)),),
                      (Projection.dense("in", "p", np.ones((1, 300))),), ("p",))  # fmt: skip
    executable = catalogue.chip("spinnaker").compile(network)
    executable.window(np.ones(300), 4)
    counters = executable.counters()
    assert counters.soft_failures["spikes_lost"] == 4 * 44
    assert counters.synops == 4 * 256
