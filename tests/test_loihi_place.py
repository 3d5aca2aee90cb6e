"""Placement, routes and the meter: brute force, SANA-FE's figures, and results that do not depend on place."""

from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips import place as place_module
from insectbot.chips.datasheet import load, parse
from insectbot.chips.loihi import Loihi
from insectbot.chips.meter import Events, energy, parts
from insectbot.chips.place import Wiring, axon_bits, core_use
from insectbot.chips.route import Mesh
from insectbot.errors import DoesNotFit
from insectbot.snn import LIF, CurrentInput, Input, Network, PoissonInput, Population, Projection

SHEET = load("loihi")


class Spread(Loihi):
    """Loihi with neurons placed by hand: neuron i on core ``cores[i]`` (not falling)."""

    def __init__(self, cores):
        super().__init__(prices="nahuku")
        self.cores = np.asarray(cores)

    def place(self, quant):
        start = np.searchsorted(self.cores, np.arange(self.cores.max() + 2)).astype(np.int64)
        wiring = Wiring.of(quant, self.sheet)
        edges = place_module._edges(wiring, start)
        return place_module.Placement(start, (), edges, np.arange(start.size - 1))


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
    wiring = Wiring.of(quant, SHEET)
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
    assert {u.resource for u in placement.usage} == {*place_module.RESOURCES, "cores"}


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
