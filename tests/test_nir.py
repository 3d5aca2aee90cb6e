"""NIR graphs as networks: every node beside the oracle, conventions, and what is refused."""

from itertools import pairwise

import nir
import numpy as np
import pytest
from helpers_nir import KINDS, chain, graph, neuron, random_spikes, run, shape_in, shape_out
from naive_nir import NaiveNir

from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError
from insectbot.snn import LIF, CurrentInput, Input, Network, PoissonInput, Population, Projection
from insectbot.snn import nir as our
from insectbot.snn.nir.dialect import DIALECTS, Grid
from insectbot.snn.nir.models import EulerCubaLIF
from insectbot.snn.nir.timing import Link, align

N = 5
RNG = np.random.default_rng(1)
W = RNG.normal(0.3, 0.5, (N, 4))
ORACLE = {
    "nir": {"impulse": True, "layered": False},
    "grid": {"layered": False},
    "snntorch": {"euler": True},
    "norse": {"euler": True, "whole": ("IF", "I", "CubaLI", "CubaLIF"), "unit": 1e6},
    "sinabs": {"unit": 1.0, "strict": False, "whole": ("LI",)},
}
"""Dialect -> the oracle's settings, for dt = 1 ms."""
STRENGTH = {"nir": 0.001}
"""Impulses count 1 / 0.001 as much as steps."""


def rescaled(node, dialect):
    """Return a node written in seconds as this dialect's files have it."""
    factor = {"norse": 0.001, "sinabs": 1000.0}.get(dialect, 1.0)
    for name in ("tau", "tau_mem", "tau_syn"):
        if hasattr(node, name):
            setattr(node, name, getattr(node, name) * factor)
    if dialect in ("norse", "sinabs") and type(node).__name__ in ("IF", "I"):
        node.r = node.r / 1000.0
    return node


def compare(g, inputs, dialect="nir", name="pop", late=None, **options):
    """Run a graph in core and oracle, and return what a population made; it must be the same."""
    found = our.load(g, dialect=dialect, dt=1.0, precision="float64", **options)
    late = found.late.get(name, 0) if late is None else late
    ticks = len(next(iter(inputs.values())))
    mine = run(found.network, inputs, late)[name][late:]
    theirs = NaiveNir(g, 1.0, **ORACLE[dialect]).run(inputs, ticks)[name]
    if found.network.population(name).model.spiking:
        np.testing.assert_array_equal(mine, theirs)
        assert 0 < theirs.sum() < theirs.size
    else:
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
        assert np.abs(theirs).max() > 0.01
    return mine


@pytest.mark.parametrize("dialect", ORACLE)
@pytest.mark.parametrize("kind", KINDS)
def test_every_neuron_in_every_dialect(kind, dialect):
    node = rescaled(neuron(kind, N, STRENGTH.get(dialect, 1.0)), dialect)
    g = graph(
        {"input": shape_in(4), "w": nir.Affine(W, RNG.normal(0.1, 0.1, N)), "pop": node, "output": shape_out(N)},
        [("input", "w"), ("w", "pop"), ("pop", "output")],
    )
    compare(g, {"input": random_spikes(4)}, dialect)


@pytest.mark.parametrize("scheme", ["exact", "euler"])
def test_constant_drive_spikes_when_the_reference_does(scheme):
    # models sheet E1, [nir.LIF]: dt 1 ms, drive 1.5: steps 26 and 48; the interval of 20 ms ln 3 = 21.97 ms rounds up.
    one = np.ones(1)
    g = chain(nir.LIF(0.02 * one, one, 0 * one, one, 0 * one), n_in=1, n_out=1)
    network = our.from_nir(g, inputs=CurrentInput(), scheme=scheme)
    assert network.populations[0].model == (
        LIF(v_th=float(np.nextafter(np.float32(1), np.float32(2))))
        if scheme == "exact"
        else network.populations[0].model
    )
    made = run(network, {"input": np.array([[0.0]] * 5 + [[1.5]] * 50)})["0"]
    assert list(np.flatnonzero(made)) == [26, 48]


@pytest.mark.parametrize("dialect", ["nir", "snntorch"])
@pytest.mark.parametrize(("source", "target"), [("LI", "LIF"), ("I", "LI"), ("CubaLI", "CubaLIF"), ("LI", "CubaLI")])
def test_graded_units_drive_others_in_every_step(source, target, dialect):
    strength = STRENGTH.get(dialect, 1.0) * (0.02 if source == "I" else 1.0)
    nodes = {
        "input": shape_in(4),
        "w": nir.Linear(np.abs(W)),
        "first": neuron(source, N, strength, rest=0.0),
        "v": nir.Linear(np.full((3, N), 0.2)),
        "pop": neuron(target, 3, 0.5),
        "output": shape_out(3),
    }
    edges = [("input", "w"), ("w", "first"), ("first", "v"), ("v", "pop"), ("pop", "output")]
    compare(graph(nodes, edges), {"input": random_spikes(4)}, dialect)


def test_signals_before_the_first_step_are_told():
    g = chain(neuron("LI", 4), nir.Linear(W), neuron("LIF", N), n_in=4, n_out=N)
    assert "'0': transmits its resting value for 1 steps before" in our.load(g, dialect="snntorch").notes[0]


def conv(dimensions, **more):
    space = (7, 6)[:dimensions]
    settings = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1, **more}
    kernel = (3, 2)[:dimensions]
    weight = RNG.normal(0.2, 0.5, (4, 2 // settings["groups"], *kernel))
    kind = nir.Conv1d if dimensions == 1 else nir.Conv2d
    return kind(input_shape=space[0] if dimensions == 1 else space, weight=weight, bias=RNG.random(4) / 9, **settings)


def pool(kind, **more):
    settings = {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 0), **more}
    node = kind(**{k: np.array(v) for k, v in settings.items()})
    node.test_shape = (2, 7, 6)
    return node


LINEAR = {
    "affine": (nir.Affine(W, RNG.random(N) / 9), (4,), N),
    "linear": (nir.Linear(W), (4,), N),
    "linear in blocks": (nir.Linear(RNG.normal(0.3, 0.5, (3, 2, 4))), (3, 4), 6),
    "affine in blocks": (nir.Affine(RNG.normal(0.3, 0.5, (3, 2, 4)), RNG.random((3, 2)) / 9), (3, 4), 6),
    "scale": (nir.Scale(RNG.random(4) + 0.3), (4,), 4),
    "delay": (nir.Delay(np.array([0.0, 0.001, 0.003, 0.007])), (4,), 4),
    "one delay for all": (nir.Delay(np.array([0.002])), (4,), 4),
    "conv1d": (conv(1), (2, 7), 4 * 7),
    "conv1d same": (conv(1, padding="same", dilation=2), (2, 7), 4 * 7),
    "conv1d strided": (conv(1, stride=2, padding=2), (2, 7), 4 * 5),
    "conv1d groups": (conv(1, groups=2, padding="valid"), (2, 7), 4 * 5),
    "conv2d": (conv(2), (2, 7, 6), 4 * 7 * 7),
    "conv2d same": (conv(2, padding="same"), (2, 7, 6), 4 * 7 * 6),
    "conv2d pairs": (conv(2, stride=(2, 1), padding=(0, 2), dilation=(2, 3)), (2, 7, 6), 4 * 2 * 7),
    "conv2d groups": (conv(2, groups=2, padding="valid"), (2, 7, 6), 4 * 5 * 5),
    "sum pool": (pool(nir.SumPool2d), (2, 7, 6), 2 * 4 * 4),
    "average pool": (pool(nir.AvgPool2d), (2, 7, 6), 2 * 4 * 4),
}


@pytest.mark.parametrize("name", LINEAR)
def test_every_linear_node(name):
    node, shape, n = LINEAR[name]
    g = graph(
        {"input": shape_in(*shape), "w": node, "pop": neuron("LIF", n, 0.0005), "output": shape_out(n)},
        [("input", "w"), ("w", "pop"), ("pop", "output")],
    )
    compare(g, {"input": random_spikes(int(np.prod(shape)))})


def test_chains_of_linear_nodes_become_one_projection():
    middle = pool(nir.AvgPool2d, kernel_size=(1, 1), stride=(1, 1), padding=(0, 0))
    middle.test_shape = (4, 7, 7)
    nodes = {
        "input": shape_in(2, 7, 6),
        "conv": conv(2),
        "pool": middle,
        "delay": nir.Delay(RNG.choice([0.0, 0.002, 0.004], (4, 7, 7))),
        "flat": nir.Flatten({"input": None}, start_dim=0),
        "w": nir.Affine(RNG.normal(0.02, 0.1, (3, 196)), np.full(3, 0.1)),
        "scale": nir.Scale(np.array([1.0, 0.5, 2.0])),
        "pop": neuron("LIF", 3, 0.001),
        "output": shape_out(3),
    }
    names = list(nodes)
    g = graph(nodes, list(pairwise(names)))
    compare(g, {"input": random_spikes(84)})
    projections = our.from_nir(g).projections
    assert [p.name for p in projections] == ["input->pop", "bias->pop"]
    assert set(projections[0].delay) == {1.0, 2.0, 4.0}


def test_edges_into_a_node_add_up_and_weights_of_one_place_merge():
    nodes = {
        "a": shape_in(4),
        "b": shape_in(2),
        "w": nir.Linear(W),
        "v": nir.Affine(np.full((N, 4), 0.1), np.full(N, 0.05)),
        "u": nir.Affine(RNG.normal(0.2, 0.5, (N, 2)), np.full(N, 0.02)),
        "pop": neuron("LIF", N, 0.001),
        "output": shape_out(N),
    }
    edges = [("a", "w"), ("a", "v"), ("b", "u"), ("w", "pop"), ("v", "pop"), ("u", "pop"), ("pop", "output")]
    g = graph(nodes, edges)
    compare(g, {"a": random_spikes(4), "b": random_spikes(2, seed=9)})
    assert {p.name: p.n_synapses for p in our.from_nir(g).projections} == {"a->pop": 20, "b->pop": 10, "bias->pop": 5}


def test_ways_of_different_delay_between_two_units_stay_apart():
    nodes = {
        "input": shape_in(4),
        "w": nir.Linear(2 * W[:1]),
        "delay": nir.Delay(np.array([0.0, 0.0, 0.002, 0.005])),
        "v": nir.Linear(W[:1]),
        "pop": neuron("LIF", 1, 0.001),
        "output": shape_out(1),
    }
    edges = [("input", "w"), ("input", "delay"), ("delay", "v"), ("w", "pop"), ("v", "pop"), ("pop", "output")]
    g = graph(nodes, edges)
    compare(g, {"input": random_spikes(4)})
    assert our.from_nir(g).projections[0].n_synapses == 6


def inner(n, weight):
    nodes = {"i": shape_in(n), "pop": neuron("LIF", n, 1.0), "w": nir.Linear(weight), "o": shape_out(n)}
    return graph(nodes, [("i", "pop"), ("pop", "w"), ("w", "pop"), ("pop", "o")])


def test_nested_graphs_are_laid_flat_and_loops_take_one_step():
    weight = RNG.normal(0.0, 0.4, (N, N))
    deep = graph({"x": shape_in(N), "layer": inner(N, weight), "y": shape_out(N)}, [("x", "layer"), ("layer", "y")])
    nodes = {"input": shape_in(4), "w": nir.Linear(W), "deep": deep, "output": shape_out(N)}
    g = graph(nodes, [("input", "w"), ("w", "deep"), ("deep", "output")])
    compare(g, {"input": random_spikes(4)}, "snntorch", name="deep.layer.pop")
    assert our.load(g, dialect="snntorch", dt=1.0).late == {"deep.layer.pop": 1}


@pytest.mark.parametrize("dialect", ["snntorch", "norse", "sinabs"])
def test_paths_of_unequal_length_stay_in_step(dialect):
    nodes = {
        "input": shape_in(4),
        "w": nir.Affine(W, np.full(N, 0.05)),
        "first": rescaled(neuron("LIF", N), dialect),
        "v": nir.Linear(RNG.normal(0.2, 0.5, (3, N))),
        "second": rescaled(neuron("LIF", 3), dialect),
        "skip": nir.Affine(RNG.normal(0.2, 0.3, (2, 4)), np.full(2, 0.1)),
        "u": nir.Linear(RNG.normal(0.3, 0.5, (2, 3))),
        "pop": rescaled(neuron("LIF", 2), dialect),
        "output": shape_out(2),
    }
    edges = [("input", "w"), ("w", "first"), ("first", "v"), ("v", "second"), ("second", "u"), ("u", "pop")]
    g = graph(nodes, [*edges, ("input", "skip"), ("skip", "pop"), ("pop", "output")])
    compare(g, {"input": random_spikes(4, p=0.7)}, dialect)
    assert our.load(g, dialect=dialect, dt=1.0).late == {"first": 1, "second": 2, "pop": 3}


def test_loops_are_timed_by_their_delays_if_these_suffice():
    def timed(*ticks):
        links = [Link(*names, t) for names, t in zip(("ab", "bc", "ca"), ticks, strict=True)]
        found = align("abc", links)
        return [least + added for least, added in zip(found.least, found.added, strict=True)]

    assert timed(0, 0, 3) == [1, 1, 1]  # the sum stays 3
    assert timed(0, 0, 5) == [1, 1, 3]
    assert timed(0, 0, 0) == [1, 1, 1]  # as recurrent layers do it
    assert timed(0, 0, 2) == [1, 1, 2]  # too short: one step for each without a delay
    assert align("ab", [Link("a", "b", 0), Link("b", "b", 0)]).late == {"a": 0, "b": 1}


@pytest.mark.parametrize(("kind", "bias", "relayed"), [("LIF", 0, False), ("LIF", 1, True), ("CubaLIF", 0, True)])
def test_analog_inputs(kind, bias, relayed):
    node = nir.Affine(W, np.full(N, 0.1)) if bias else nir.Linear(W)
    g = chain(node, neuron(kind, N), n_in=4, n_out=N)
    x = random_spikes(4) * 1.7
    found = our.load(g, dialect="snntorch", dt=1.0, inputs=CurrentInput(), precision="float64")
    late = found.late["1"]
    steady = NaiveNir(g, 1.0, euler=True).run({"input": x}, 60)["1"]
    np.testing.assert_array_equal(run(found.network, {"input": x}, late)["1"][late:], steady)
    assert steady.any()
    assert (late, len(found.network.populations)) == ((1, 2 + bias) if relayed else (0, 1))


def test_euler_units_take_analog_currents():
    group = Population("a", 1, EulerCubaLIF(tau_m=10.0, r=5.0, v_th=1.0))
    wire = Projection.dense("in", "a", [[1.0]])
    network = Network((Input("in", 1, CurrentInput()),), (group,), (wire,), ("a",))
    made = run(network, {"in": np.full((60, 1), 1.5)})["a"]
    # v grows to 1.5 by a tenth of what is missing per step: 1.5 (1 - 0.9^k) >= 1 first at k = 11.
    assert list(np.flatnonzero(made)) == [10, 21, 32, 43, 54]


def test_outputs_behind_linear_nodes_are_relays():
    g = chain(nir.Linear(W), neuron("LIF", N, 0.001), nir.Affine(W.T, np.full(4, 0.3)), n_in=4, n_out=4)
    network = our.from_nir(g)
    assert network.outputs == ("output",)
    made = run(network, {"input": random_spikes(4)})
    # The spikes of one step, and the bias from the first step on, are there in the next.
    expected = made["1"][:-1] @ W.T.T.astype(np.float32) + 0.3
    np.testing.assert_allclose(made["output"][1:], expected, rtol=1e-5)


@pytest.mark.parametrize("rest", [0.0, -65.0])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_at_the_threshold_only_sinabs_spikes(precision, rest):
    z = np.zeros(1)
    # Weight 8 at a threshold 8 above rest, with numbers that are exact in binary.
    g = chain(nir.LIF(z + 1e6, z + 1e6, z + rest, z + rest + 8, z + rest), n_in=1, n_out=1)
    weights = graph({**g.nodes, "w": nir.Linear(np.array([[8.0]]))}, [("input", "w"), ("w", "0"), ("0", "output")])
    for strict, spikes in ((True, 0), (False, 1)):
        dialect = our.Dialect("test", impulse=True, strict=strict, aligned=False)
        network = our.from_nir(weights, dialect=dialect, precision=precision)
        assert run(network, {"input": np.array([[1.0], [0.0], [0.0]])})["0"].sum() == spikes


def test_thresholds_come_back():
    th, rest = RNG.normal(0, 30, 200), RNG.normal(0, 30, 200).round(1)
    for precision, places in (("float32", 1e-5), ("float64", 1e-13)):
        grid = Grid(DIALECTS["nir"], 1.0, precision)
        up = grid.above(th, rest)
        assert ((up - rest).astype(precision) > (th - rest).astype(precision)).all()
        once = grid.below(up, rest)
        np.testing.assert_allclose(once, th, atol=places)
        if precision == "float32":
            np.testing.assert_array_equal(grid.below(grid.above(once, rest), rest), once)


def test_one_value_serves_a_layer():
    one = np.ones(1)
    for shape in ((), (1,)):
        node = nir.LIF(*(x.reshape(shape) for x in (0.01 * one, 0.01 * one, 0 * one, one, 0 * one)))
        network = our.from_nir(chain(nir.Linear(W), node, nir.Scale(np.array(2.0)), n_in=4, n_out=N))
        assert [p.n for p in network.populations] == [N, N]


def test_subtracting_resets():
    z = np.zeros(2)
    g = chain(
        nir.LIF(z + 0.01, z + 10.0, z, z + 1, z), nir.Linear(np.eye(2)), nir.IF(z + 1000, z + 1, z), n_in=2, n_out=2
    )
    x = random_spikes(2) * 1.0
    decay = 1 - 0.001 / 0.01
    for reset in ("subtract", "subtract next step"):
        found = our.load(g, dialect="snntorch", dt=1.0, reset=reset)
        made = run(found.network, {"input": x}, 2)
        v, owed, expected = z, z, []
        for row in x:
            v = v * decay + row - owed
            spikes = v > 1 + 1e-6
            owed = spikes * 1.0 if reset == "subtract next step" else z
            v = v - spikes * (1.0 if reset == "subtract" else 0.0)
            expected.append(spikes)
        np.testing.assert_array_equal(made["0"][1:61], expected)
        assert np.array(expected).any()


def test_order_is_that_of_layers_and_names_whatever_the_file_says():
    g = chain(nir.Linear(W), neuron("LIF", N), nir.Linear(W.T), neuron("IF", 4), n_in=4, n_out=4)
    turned = graph(dict(reversed(g.nodes.items())), list(reversed(g.edges)))
    assert our.from_nir(turned) == our.from_nir(g)


def test_inputs_can_be_given():
    g = chain(nir.Linear(W), neuron("LIF", N), n_in=4, n_out=N)
    assert our.from_nir(g).inputs[0].source.rate == 1000.0
    assert our.from_nir(g, inputs=PoissonInput(50.0)).inputs[0].source == PoissonInput(50.0)
    assert our.from_nir(g, inputs={"input": PoissonInput(50.0)}).inputs[0].source == PoissonInput(50.0)
    with pytest.raises(ConfigurationError, match="inputs names 'other'"):
        our.from_nir(g, inputs={"other": PoissonInput(50.0)})


def test_delays_off_the_grid_are_refused_or_rounded_up():
    g = chain(nir.Delay(np.array([0.0012])), neuron("LIF", 1), n_in=1, n_out=1)
    with pytest.raises(ConfigurationError, match=r"delay of 1.2 ms from 'input' to '1': no whole number"):
        our.from_nir(g)
    found = our.load(g, round_delays=True)
    assert found.network.projections[0].delay == [2.0]
    assert "rounded up to 2 ms" in found.notes[0]
    assert our.from_nir(g, dt=0.4).projections[0].delay == pytest.approx(1.2)


def test_dimensions_of_batch_and_time_are_dropped():
    for shape, node in (((9, 4), nir.Linear(W)), ((3, 2, 7, 6), conv(2))):
        found = our.load(chain(node, neuron("LIF", N if len(shape) == 2 else 196), n_in=shape, n_out=1))
        assert found.network.n_inputs == np.prod(shape[1:])
        assert "batch or time" in found.notes[0]


def test_the_core_compiles_all_of_it():
    g = chain(nir.Linear(W), neuron("CubaLIF", N), n_in=4, n_out=N)
    assert Simulator().compile(our.from_nir(g), seed=0).network.n_neurons == N
