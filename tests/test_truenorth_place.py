"""Placement, energy and datasheet of TrueNorth: brute force, the published power, names of what does not fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_truenorth_mapping import recurrent, spikes_of

from insectbot.chips import catalogue
from insectbot.chips.datasheet import load, parse
from insectbot.chips.meter import Events, energy
from insectbot.chips.speed import benchmark_network
from insectbot.chips.truenorth import TrueNorth
from insectbot.errors import DoesNotFit
from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection, RegularInput

SHEET = load("truenorth")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 90), st.sampled_from([2, 4, 7]))
def test_axons_and_clones_by_brute_force(seed, n, bits):
    """Axons of a core: one per source, delay, type and copy. Neurons: one per axon anywhere, and one for the host."""
    chip = TrueNorth(weight_bits=bits)
    quant = chip.quantise(recurrent(seed, n=n, p=0.15))
    place = chip.place(quant)
    core = place.core_of(np.arange(n))
    rows, first = set(), {"in": 0, "p": 10}
    for p, q in zip(quant.network.projections, quant.projections, strict=True):
        counts = q.table.counts(q.integers(p.weight))
        for pre, post, delay, types in zip(p.pre.tolist(), p.post.tolist(), p.delay.tolist(), counts, strict=True):
            for g, most in enumerate(types.tolist()):
                rows |= {(int(core[post]), first[p.source] + pre, int(delay), g, copy) for copy in range(most)}
    used = {(u.resource, u.where): (u.used, u.limit) for u in place.usage}
    for c in range(place.n_cores):
        axons = sum(1 for row in rows if row[0] == c)
        neurons = sum(1 + sum(1 for row in rows if row[1] == j + 10) for j in np.flatnonzero(core == c))
        assert used["axons", f"core {c}"] == (axons, 256)
        assert used["neurons", f"core {c}"] == (neurons, 256)
        assert max(axons, neurons) <= 256
    assert used["cores", "chip"] == (place.n_cores, 4096)


def test_the_benchmark_network_fits_as_it_is():
    """Three weights need one axon per source; 50 targets of each neuron need clones."""
    chip = TrueNorth()
    network = benchmark_network()
    quant = chip.quantise(network)
    assert not any(p.table.bits for p in quant.populations)
    assert max(p.rms_error for p in quant.report.projections) < 1e-6
    place = chip.place(quant)
    assert 200 < place.n_cores < 260
    assert place.copies.sum() == place.unit[place.unit >= network.n_inputs].size + 800


def network_of(sources, targets, **options):
    """Return ``sources`` inputs on each of ``targets`` neurons of their own."""
    n = sources * targets
    return Network(
        inputs=(Input("in", n, PoissonInput(100.0)),),
        populations=(Population("p", targets, LIF()),),
        projections=(
            Projection.sparse("in", "p", pre=np.arange(n), post=np.arange(n) // sources, weight=0.5, **options),
        ),
        outputs=("p",),
    )


def small_chip(cores):
    text = (
        f'[chip]\nbase = "truenorth"\n[limits.chip]\ncores = {{ value = {cores}, unit = "1", evidence = "assumed", '
        'source = "test" }\n'
    )
    return TrueNorth(sheet=parse(text, "small"))


def test_what_does_not_fit_is_named():
    assert TrueNorth().check(network_of(256, 3)) == []
    with pytest.raises(DoesNotFit, match="truenorth: axons 257 > 256 for neuron 0 of population 'p'"):
        TrueNorth().compile(network_of(257, 3))
    with pytest.raises(DoesNotFit, match=r"small: chip: cores 3 > 2 \(core 0 is full by axons 200 of 256\)"):
        small_chip(2).compile(network_of(200, 3))
    with pytest.raises(DoesNotFit, match=r"small: chip: neurons 257 > 256; use fewer"):
        small_chip(1).compile(network_of(1, 257))
    hub = network_of(200, 300)
    hub = Network(
        inputs=hub.inputs,
        populations=(*hub.populations, Population("hub", 1, LIF())),
        projections=(*hub.projections, Projection.dense("hub", "p", np.full((300, 1), 0.1))),
        outputs=(),
    )
    with pytest.raises(
        DoesNotFit, match=r"core \d+: neurons 300 > 256, 300 of them are clones of neuron 0 of population"
    ):
        TrueNorth().compile(hub)


def test_clones_move_cores_apart():
    """Neurons fill cores by their clones where these run out before the axons."""
    fan = Projection.dense("p", "q", np.full((40, 20), 0.1))
    several = tuple(
        Projection.dense("p", "q", np.full((40, 20), 0.1), delay=d, name=f"late{d}") for d in (2.0, 3.0, 4.0)
    )
    network = Network(
        inputs=(Input("in", 20, PoissonInput(100.0)),),
        populations=(Population("p", 20, LIF()), Population("q", 40, LIF())),
        projections=(Projection.sparse("in", "p", pre=np.arange(20), post=np.arange(20), weight=0.4), fan, *several),
        outputs=("q",),
    )
    place = TrueNorth().place(TrueNorth().quantise(network))
    assert (place.copies[:20] == 4).all()
    assert (place.copies[20:] == 1).all()
    assert place.n_cores == 1
    tight = parse(
        '[chip]\nbase = "truenorth"\n[limits.core]\nneurons = { value = 50, unit = "1", evidence = "assumed", '
        'source = "test" }\n',
        "tight",
    )
    crowded = TrueNorth(sheet=tight).place(TrueNorth(sheet=tight).quantise(network))
    assert crowded.n_cores > 2
    assert max(u.used for u in crowded.usage if u.resource == "neurons") <= 50


@pytest.mark.parametrize(("rate", "power"), [(11.58, 68e-3), (20.07, 71e-3), (95.93, 94e-3)])
def test_published_power(rate, power):
    """Akopyan 2015 Fig. 17: 2^20 neurons, 128 active synapses per axon, at 0.8 V."""
    events = Events(synops=round((1 << 20) * rate * 128))
    found = energy(events, SHEET.default_prices, 1.0)
    assert found.static + found.events == pytest.approx(power, rel=0.01)


def test_a_run_is_priced_by_its_events():
    """One neuron that fires every tick onto 3 neurons of a core two hops away."""
    n = 600
    network = Network(
        inputs=(Input("in", 1, RegularInput(1000.0)),),
        populations=(Population("p", n, LIF()),),
        projections=(
            Projection.sparse("in", "p", pre=[0], post=[0], weight=1.0),
            Projection.sparse("p", "p", pre=[0, 0, 0], post=[597, 598, 599], weight=0.001),
        ),
        outputs=(),
    )
    executable = TrueNorth().compile(network)
    assert executable.placement.core_of(np.array([0, 597])).tolist() == [0, 2]
    seen = spikes_of(executable, 100, drive=1.0)
    assert (seen[:, 0].sum(), seen[:, 1].sum()) == (100, 99)
    events, reading = executable.events(), executable.reading()
    # The last spike of input and neuron are still under way.
    assert events.synops == 99 + 3 * 98
    assert (events.hops_x, events.hops_y, events.messages) == (0, 2 * 99, 100 + 99)
    assert reading.chip_time == pytest.approx(0.1)
    assert reading.energy.static == pytest.approx(6.443e-3)
    assert reading.energy.events == pytest.approx(393 * 2.297e-12 + 198 * 3.74e-12)
    assert reading.energy.host == pytest.approx(100 * 64e-12)
    assert executable.counters().synops == events.synops


def test_times_of_another_datasheet_are_followed():
    """Where a hop takes time, ticks may be late; here nothing but the tick does."""
    text = '[chip]\nbase = "truenorth"\n[prices.affine.time]\n' + "\n".join(
        f'{name} = {{ value = {value}, unit = "us", evidence = "assumed", source = "test" }}'
        for name, value in (("hop_y", 700), ("message_in", 100))
    )
    network = recurrent(2, n=60)
    slow = TrueNorth(sheet=parse(text, "slow"), weight_bits=4).compile(network)
    quick = TrueNorth(weight_bits=4).compile(network)
    np.testing.assert_array_equal(spikes_of(slow, 50), spikes_of(quick, 50))
    assert slow.reading().late_ticks > 0
    assert quick.reading().late_ticks == 0
    assert slow.reading().chip_time > quick.reading().chip_time == pytest.approx(0.05)
    assert slow.events() == quick.events()


def test_the_sheet():
    chip = catalogue.chip("truenorth", weight_bits=6)
    assert (chip.name, chip.weight_bits) == ("truenorth", 6)
    assert SHEET.int("limits.chip.cores") * SHEET.int("limits.core.neurons") == 1 << 20
    assert SHEET.int("limits.core.neurons") * SHEET.int("limits.core.axons") * 4096 == 1 << 28
    assert SHEET["neuron.threshold"].dagger
    assert not SHEET["weight.bits"].dagger
    assert SHEET.int("neuron.ceiling") == (1 << (SHEET.int("neuron.v") - 1)) - 1
    assert SHEET.int("delay.slots") == SHEET.int("delay.max") + 1 == 16


@pytest.mark.slow
def test_a_million_neurons_fill_the_chip():
    """Groups of 16, all to all: 2^20 neurons and axons on 4096 cores, none too many."""
    n, size = 1 << 20, 16
    pre = np.repeat(np.arange(n, dtype=np.int32), size)
    post = np.repeat(np.arange(n, dtype=np.int32) // size * size, size) + np.tile(np.arange(size, dtype=np.int32), n)
    network = Network(
        inputs=(),
        populations=(Population("p", n, LIF()),),
        projections=(Projection.sparse("p", "p", pre=pre, post=post, weight=0.01),),
        outputs=(),
    )
    place = TrueNorth().place(TrueNorth().quantise(network))
    assert place.n_cores == 4096
    assert (place.copies == 1).all()
    assert (np.diff(place.axon_row) == 256).all()
