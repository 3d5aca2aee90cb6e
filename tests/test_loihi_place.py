"""Placement, routes and the meter: brute force, SANA-FE's figures, and results that do not depend on place."""

import resource
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips import catalogue, loihi_wiring
from insectbot.chips import place as place_module
from insectbot.chips.datasheet import load, parse
from insectbot.chips.loihi import Loihi
from insectbot.chips.meter import Events, energy, parts
from insectbot.chips.place import RESOURCES, Wiring, axon_bits, by_hand, core_use
from insectbot.chips.route import Mesh
from insectbot.errors import DoesNotFit
from insectbot.snn import (
    LIF,
    CurrentInput,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    Input,
    Network,
    Normal,
    PoissonInput,
    Population,
    Projection,
    Uniform,
)

SHEET = load("loihi")


class Spread(Loihi):
    """Loihi with neurons placed by hand: neuron i on core ``cores[i]`` (not falling)."""

    def __init__(self, cores):
        super().__init__(prices="nahuku")
        self.cores = np.asarray(cores)

    def place(self, quant):
        start = np.searchsorted(self.cores, np.arange(self.cores.max() + 2)).astype(np.int64)
        return by_hand(quant, start, self.sheet)


def random_network(seed, n=60, n_in=12, p=0.2):
    rng = np.random.default_rng(seed)
    sizes = (n // 3, n - n // 3)
    projections = []
    for source, n_pre in (("in", n_in), ("a", sizes[0]), ("b", sizes[1])):
        for target, n_post in zip("ab", sizes, strict=True):
            post, pre = np.nonzero(rng.random((n_post, n_pre)) < p)
            weight = rng.normal(0.3, 0.4, pre.size) * (2.0 if source == "in" else 0.3)
            delay = rng.integers(1, 20, pre.size).astype(float)
            projections.append(Projection.sparse(source, target, pre=pre, post=post, weight=weight, delay=delay))
    return Network(
        inputs=(Input("in", n_in, PoissonInput(120.0)),),
        populations=(Population("a", sizes[0], LIF(t_ref=2.0)), Population("b", sizes[1], LIF(tau_syn=4.0, v_th=0.2))),
        projections=tuple(projections),
        outputs=("b",),
    )


def brute_bits(n, per_synapse):
    """Bits of one axon entry, block by block (nengo-loihi SynapseConfig.bits_per_axon)."""
    bits = 0
    for i in range(0, n, 64):
        bits += -64 * (-(min(n - i, 64) * per_synapse + 10) // 64)
    return bits


@given(st.integers(1, 1000), st.integers(1, 30))
def test_axon_bits(n, per_synapse):
    assert axon_bits(np.array([n]), np.array([per_synapse]), SHEET).tolist() == [brute_bits(n, per_synapse)]


def test_core_use_by_brute_force():
    chip = Loihi()
    quant = chip.quantise(random_network(1))
    network = quant.network
    wiring = Wiring(quant, SHEET)
    for low, high in ((0, 60), (5, 31), (20, 21)):
        rows, formats = {}, set()
        first = {"a": 0, "b": 20}
        for p, q in zip(network.projections, quant.projections, strict=True):
            delay_bits = 6 if (q.delay > 1).any() else 0
            for pre, post in zip(p.pre.tolist(), p.post.tolist(), strict=True):
                if low <= post + first[p.target] < high:
                    key = (p.source, pre, p.name)
                    rows[key] = (rows.get(key, (0, 0))[0] + 1, 8 + delay_bits + max(6, (high - low - 1).bit_length()))
                    formats.add((q.exponent, q.sign, delay_bits))
        use = core_use(wiring, low, high, SHEET)
        assert use["synapse_bits"] == sum(brute_bits(*row) for row in rows.values())
        assert use["axons_in"] == len({key[:2] for key in rows})
        assert use["synapse_formats"] == len(formats)
        assert use["compartments"] == high - low


def test_large_populations_are_split():
    network = Network(
        (Input("in", 1, PoissonInput()),),
        (Population("a", 2500),),
        (Projection.dense("in", "a", np.full((2500, 1), 0.5)),),
        ("a",),
    )
    placement = Loihi().place(Loihi().quantise(network))
    assert np.diff(placement.start).tolist() == [1024, 1024, 452]
    for use in Loihi().compile(network).usage:
        assert use.used <= use.limit
    assert {u.resource for u in placement.usage} == {*RESOURCES, "cores"}


def dense(n_in, n, outputs=1):
    return Network(
        (Input("in", n_in, PoissonInput()),),
        (Population("a", n),),
        (Projection.dense("in", "a", np.full((n, n_in), 0.01)),),
        ("a",),
    )


def test_a_network_that_does_not_fit_is_refused_by_name():
    with pytest.raises(DoesNotFit, match=r"loihi: core 0: axons_in 5120 > 4096"):
        Loihi().compile(dense(5120, 2))
    assert "axons_in 5120 > 4096" in Loihi().check(dense(5120, 2))[0]
    limit = 128 * 1024
    few = Network((Input("in", 1, PoissonInput()),), (Population("a", limit + 1),), (), ("a",))
    with pytest.raises(DoesNotFit, match=r"chip: cores 129 > 128 \(core 0 is full by compartments 1024 of 1024\)"):
        Loihi().compile(few)


def test_output_axons_make_cores_emptier_or_fail():
    """1024 neurons that all reach five cores use 5120 output axons: two cores of 512 do it."""
    n, far = 1024, 5000
    pre = np.tile(np.arange(n), 5)
    post = np.repeat(np.arange(5) * 1024 + 10, n)
    network = Network(
        (Input("in", 1, PoissonInput()),),
        (Population("a", n), Population("b", far)),
        (Projection.sparse("a", "b", pre=pre, post=post, weight=0.1),),
        ("b",),
    )
    placement = Loihi().place(Loihi().quantise(network))
    assert int(np.diff(placement.start).max()) == 512
    out = [u for u in placement.usage if u.resource == "axons_out"]
    assert max(u.used for u in out) <= 4096


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.data())
def test_place_does_not_change_results(seed, data):
    """The same spikes, voltages and synaptic operations wherever neurons are placed."""
    network = random_network(seed)
    cuts = sorted(data.draw(st.lists(st.integers(0, 127), min_size=60, max_size=60)))
    one, many = Loihi().compile(network, seed=3), Spread(cuts).compile(network, seed=3)
    drive = np.random.default_rng(seed).random(12)
    for executable in (one, many):
        executable.recording = True
    for _ in range(6):
        a, b = one.window(drive, 25), many.window(drive, 25)
        np.testing.assert_array_equal(a.counts, b.counts)
        np.testing.assert_array_equal(a.interval, b.interval)
        for x, y in zip(one.spikes(), many.spikes(), strict=True):
            np.testing.assert_array_equal(x, y)
    for name in "ab":
        np.testing.assert_array_equal(one.potentials(name), many.potentials(name))
    x, y = one.events(), many.events()
    assert (x.synops, x.spikes, x.neuron_active) == (y.synops, y.spikes, y.neuron_active)
    assert x.spikes > 20
    assert x.hops_x == x.hops_y == 0


def test_hops_and_links_by_hand():
    """Messages, hops and link loads equal a walk over every spike, synapse and route."""
    network = random_network(4)
    cores = np.sort(np.random.default_rng(9).integers(0, 128, 60))
    chip = Spread(cores).compile(network, seed=1)
    chip.recording = True
    chip.window(np.ones(12), 80)
    _, units = chip.spikes()
    mesh, first = Mesh.of(SHEET), {"a": 12, "b": 32, "in": 0}
    targets = {}
    for p in network.projections:
        for pre, post in zip(p.pre.tolist(), p.post.tolist(), strict=True):
            targets.setdefault(pre + first[p.source], set()).add(int(cores[post + first[p.target] - 12]))
    messages, hx, hy, load = 0, 0, 0, {}
    for u in units.tolist():
        for core in targets.get(u, ()):
            messages += 1
            if u >= 12:
                route = mesh.route(int(cores[u - 12]), core)
                for (x0, y0), (x1, y1) in route:
                    hx, hy = hx + abs(x1 - x0), hy + abs(y1 - y0)
                    load[(x0, y0), (x1, y1)] = load.get(((x0, y0), (x1, y1)), 0) + 1 / 80
    events = chip.events()
    assert (events.messages, events.hops_x, events.hops_y) == (messages, hx, hy)
    assert hx > 100
    assert chip.link_load() == pytest.approx(load)


def test_mesh_is_column_major():
    mesh = Mesh.of(SHEET)
    assert mesh.hops(0, [0, 3, 4, 16, 124]) == (
        pytest.approx([0, 0, 0, 1, 7]),
        pytest.approx([0, 0, 1, 0, 3]),
        pytest.approx(np.zeros(5)),
    )
    assert mesh.route(0, 21) == [((0, 0), (1, 0)), ((1, 0), (1, 1))]


# Chips sheet section 11: SANA-FE 2.2.9, load_loihi(), one LIF that fires every step to one silent LIF, 10 steps.
@pytest.mark.parametrize(
    ("core", "network_nj", "microseconds"),
    [(1, 1.110, 6.646), (4, 1.152, 10.711), (16, 1.140, 10.687), (124, 1.446, 11.128)],
)
def test_energy_and_time_of_sana_fe(core, network_nj, microseconds):
    network = Network(
        inputs=(Input("bias", 1, CurrentInput(30.0)),),
        populations=(Population("loud", 1, LIF()), Population("silent", 1, LIF(v_th=200.0))),
        projections=(Projection.dense("bias", "loud", [[1.0]]), Projection.dense("loud", "silent", [[1.0]])),
        outputs=(),
    )
    chip = Spread([0, core]).compile(network)
    chip.window([1.0], 10)
    reading = chip.reading()
    cost = parts(reading.events, chip._chip.prices)
    assert cost["soma"] * 1e9 == pytest.approx(2.1274, abs=1e-6)
    assert cost["synapse"] * 1e9 == pytest.approx(0.355, abs=1e-6)
    assert cost["network"] * 1e9 == pytest.approx(network_nj, abs=1e-6)
    assert reading.energy.events * 1e9 == pytest.approx(2.4824 + network_nj, abs=1e-6)
    assert reading.chip_time * 1e6 == pytest.approx(microseconds, abs=1e-6)
    assert reading.steps_per_second == pytest.approx(10 / (microseconds * 1e-6), rel=1e-6)
    assert reading.chip_time_realtime == pytest.approx(10e-3)


def test_energy_terms_by_hand():
    davies = SHEET.price_list("davies")
    events = Events(synops=2, neuron_active=3, neuron_idle=5, spikes=1, messages=7, hops_x=11, hops_y=13, host_bytes=17)
    e = energy(events, davies, seconds=2.0)
    assert e.static == pytest.approx(0.2088)
    assert e.host == pytest.approx(17 * 100e-12 + 0.13)
    assert e.events == pytest.approx((2 * 23.6 + 3 * 81 + 5 * 52 + 7 * 1.7 + 11 * 3 + 13 * 4) * 1e-12)
    assert e.total == pytest.approx(e.static + e.host + e.events)
    assert (events - events) == Events()


def test_time_of_a_tick_by_hand():
    """Davies list, one core: 2 updates, one input spike with 2 synapses, no spike of a neuron, barrier of one tile."""
    network = Network(
        (Input("in", 1, PoissonInput(1e6)),),
        (Population("a", 2, LIF(v_th=1e3)),),
        (Projection.dense("in", "a", [[0.5], [0.5]]),),
        ("a",),
    )
    backend = Loihi()
    text = (resources.files("insectbot.chips.datasheets") / "loihi.toml").read_text()
    backend.sheet = parse(text.replace("value = 5.8", "value = 0.1"), "loihi")
    backend.prices = backend.sheet.default_prices
    chip = backend.compile(network)
    chip.window([1.0], 1)
    assert chip.reading().chip_time == pytest.approx((2 * 5.3 + 2 * 3.5 + 113) * 1e-9)
    chip.window([1.0], 1)
    assert chip.reading().worst_tick == pytest.approx((2 * 8.4 + 2 * 3.5 + 113) * 1e-9)
    assert chip.counters().chip_time == pytest.approx(chip.reading().time_per_tick * 2)
    slow = Loihi().compile(network)
    slow.window([1.0], 10)
    assert slow.counters().chip_time == pytest.approx(58e-6)
    throttled = Loihi(throttle=True).compile(network)
    throttled.window([1.0], 20)
    assert throttled.counters().chip_time == pytest.approx(20e-3)
    assert throttled.counters().energy.static == pytest.approx(0.1044 * 20e-3)


def generated(n=3000, scale=1.0):
    """Return a network made by rules: fixed in- and out-degree, random weights and delays, several cores."""
    a, b, source = Population("a", n, LIF(t_ref=2.0)), Population("b", n // 2), Input("in", 30, PoissonInput(100.0))
    fast, wide = Uniform(1.0, 6.0), Normal(0.02 * scale, 0.03)
    projections = (
        Projection.connect(source, a, FixedInDegree(2), weight=0.3 * scale),
        Projection.connect(a, a, FixedInDegree(6), weight=wide, delay=fast, seed=1),
        Projection.connect(a, b, FixedOutDegree(2), weight=0.1 * scale, delay=2.0, seed=2),
        Projection.connect(b, a, FixedProbability(0.002), weight=-0.1 * scale, seed=3),
    )
    return Network((source,), (a, b), projections, ("b",))


def listed(network):
    """Return the same network with its synapses listed."""
    return replace(network, projections=tuple(replace(p, synapses=p.listed) for p in network.projections))


@pytest.mark.parametrize("span", [1 << 18, 700])
def test_drawn_block_by_block_is_the_same_as_listed(monkeypatch, span):
    """Quantisation, report and placement of generated synapses do not depend on how many are drawn at a time."""
    monkeypatch.setattr(loihi_wiring, "SPAN", span)
    monkeypatch.setattr(place_module, "SPAN", span)
    network, chip = generated(), Loihi()
    lazy, eager = chip.quantise(network), chip.quantise(listed(network))
    assert not any("listed" in vars(p) for p in chip.quantise(generated()).network.projections)
    assert str(lazy.report) == str(eager.report)
    assert lazy.populations == eager.populations
    for x, y in zip(lazy.projections, eager.projections, strict=True):
        assert (x.exponent, x.gain, x.sign, x.longest) == (y.exponent, y.gain, y.sign, y.longest)
        np.testing.assert_array_equal(x.weight, y.weight)
        np.testing.assert_array_equal(x.delay, y.delay)
    a, b = chip.place(lazy), chip.place(eager)
    assert a.usage == b.usage
    assert a.n_cores >= 5
    for name in ("start", "edges", "position"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_drive_of_generated_synapses_is_that_of_listed_ones():
    for p in generated().projections:
        sizes = (p.synapses.n_source, p.synapses.n_target)
        q = replace(p, synapses=p.listed)
        for span in (None, (-0.5, 0.25)):
            np.testing.assert_array_equal(*(loihi_wiring.drive(r, *sizes, 1.0, 0.7, span) for r in (p, q)))


def test_edges_count_every_synapse_once():
    quant = Loihi().quantise(generated())
    placement = Loihi().place(quant)
    counted = {}
    for p in quant.network.projections:
        first = quant.network.unit_slices()
        units = p.pre.astype(np.int64) + first[p.source].start
        cores = placement.core_of(p.post.astype(np.int64) + first[p.target].start - 30)
        for pair in zip(units.tolist(), cores.tolist(), strict=True):
            counted[pair] = counted.get(pair, 0) + 1
    assert [tuple(e) for e in placement.edges.tolist()] == [(*pair, n) for pair, n in sorted(counted.items())]


def test_64_chips_fill_in_order_and_pay_for_links_between_them():
    """130 cores: the second chip begins at core 128; a spike across costs a chip hop, not tile hops alone."""
    n = 1024 * 130
    ends = ((0, n - 1), (n - 1, 0), (5, 2000))
    pre, post = zip(*ends, strict=True)
    network = Network(
        (Input("in", 1, CurrentInput(30.0)),),
        (Population("a", n, LIF()),),
        (
            Projection.sparse("a", "a", pre=pre, post=post, weight=0.01),
            Projection.sparse("in", "a", pre=[0, 0, 0], post=[0, n - 1, 5], weight=1.0),
        ),
        (),
    )
    chip = catalogue.chip("loihi-64")
    executable = chip.compile(network)
    assert executable.placement.n_cores == 130
    assert executable.n_chips == 2
    assert executable.usage[-1].limit == 8192
    executable.window([1.0], 11)
    events = executable.events()
    assert events.hops_chip == 2 * 11
    # Core 0 is tile (0, 0) of chip (0, 0), core 129 tile (0, 0) of chip (0, 1): four steps north, one between chips.
    assert events.hops_y == 2 * 11 * 3
    davies = chip.prices.energy
    assert davies.hop_chip == pytest.approx(10 * davies.hop_y)
    assert parts(events, chip.prices)["network"] == pytest.approx(33 * 1.7e-12 + 66 * 4e-12 + 22 * 40e-12)
    with pytest.raises(DoesNotFit, match="loihi: chip: cores 130 > 128"):
        Loihi().compile(network)


def test_more_than_64_chips_is_refused():
    n = 8192 * 1024 + 1
    network = Network((), (Population("a", n),), (), ())
    with pytest.raises(DoesNotFit, match=r"loihi-64: 64 chips: cores 8193 > 8192 \(core 0 is full by compartments"):
        catalogue.chip("loihi-64").place(catalogue.chip("loihi-64").quantise(network))


@pytest.mark.slow
def test_eight_million_neurons_are_placed():
    """1953 modules of 4096 neurons, 9 synapses each: 7812 of 8192 cores, within 4 GiB beyond what was there."""
    source = Input("in", 16, PoissonInput(100.0))
    modules = tuple(Population(f"m{i}", 4096, LIF(t_ref=2.0)) for i in range(1953))
    projections = [Projection.connect(p, p, FixedInDegree(8), weight=0.1, seed=i) for i, p in enumerate(modules)]
    projections += [Projection.connect(source, p, FixedInDegree(1), weight=0.3, seed=i) for i, p in enumerate(modules)]
    network = Network((source,), modules, tuple(projections), ("m0",))
    chip = catalogue.chip("loihi-64")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    placement = chip.place(chip.quantise(network))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4 << 20
    assert placement.n_cores == 7812
    assert placement.edges[:, 2].sum() == network.n_synapses == 9 * 4096 * 1953
    assert all(u.limit is None or u.used <= u.limit for u in placement.usage)
