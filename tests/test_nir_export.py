"""Networks as NIR graphs: nothing is lost on the way through a file, and what NIR cannot say is named."""

from dataclasses import replace

import h5py
import nir
import numpy as np
import pytest
from helpers_nir import chain, changed, layered, neuron, random_spikes, run
from naive_nir import NaiveNir

import insectbot.snn as snn
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, RunFolderError, UnknownNameError, Unsupported
from insectbot.snn import (
    LIF,
    Alpha,
    CurrentInput,
    Delta,
    Exponential,
    Input,
    Network,
    OrnsteinUhlenbeck,
    Output,
    PairSTDP,
    Population,
    Projection,
    RegularInput,
    TsodyksMarkram,
)
from insectbot.snn import nir as our
from insectbot.snn.integrators import IF, LI, CubaLIF, McCullochPitts
from insectbot.snn.nir.models import EulerCubaLIF, Integrator, Relay, SubtractLIF

PLAIN = {
    "delta": LIF(tau_m=[10.0, 20.0, 30.0, 10.0, 20.0, 30.0], v_rest=-1.0, v_reset=-2.0),
    "exponential": LIF(tau_m=10.0, tau_syn=5.0),
    "equal times": LIF(tau_m=8.0, tau_syn=8.0, v_th=2.0),
    "integrator": IF(v_th=2.0),
    "euler": EulerCubaLIF(v_th=0.5),
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_nir_can_say_comes_back_without_metadata(name, tmp_path):
    network = layered(a=PLAIN[name])
    dialect = "snntorch" if name == "euler" else "nir"
    back = {"dialect": "snntorch", "dt": 1.0} if name == "euler" else {}
    if name == "euler":
        network = replace(network, projections=network.projections[:1])
    our.write(network, tmp_path / "network.nir", lossless=False, dialect=dialect)
    assert not nir.read(tmp_path / "network.nir").metadata
    again = our.from_nir(tmp_path / "network.nir", **back)
    assert [(p.name, p.n, p.ports) for p in again.populations] == [(p.name, p.n, p.ports) for p in network.populations]
    for mine, theirs in zip(again.populations, network.populations, strict=True):
        assert type(mine.model) is type(theirs.model)
        for key, value in mine.model.values().items() if name != "integrator" else ():
            np.testing.assert_allclose(value, theirs.model.values()[key], rtol=1e-12)
    for projection in network.projections:
        same = again.projection(projection.name)
        for key in ("pre", "post", "weight"):
            np.testing.assert_array_equal(getattr(same, key), getattr(projection, key))
        np.testing.assert_allclose(same.delay, projection.delay)


@pytest.mark.parametrize("name", PLAIN)
def test_nodes_mean_what_the_core_does(name):
    network = replace(layered(a=PLAIN[name], b=LIF(tau_m=15.0)), precision="float64")
    dialect = "grid" if name == "euler" else "nir"
    if name == "euler":
        dialect = our.Dialect("test", scheme="euler", aligned=False)
        network = replace(network, projections=network.projections[:1])
    x = random_spikes(4)
    graph = our.to_nir(network, lossless=False, dialect=dialect)
    made = NaiveNir(graph, 1.0, impulse=name != "euler", euler=name == "euler", layered=False).run({"in": x}, 60)
    mine = run(network, {"in": x})
    for group in network.populations[: 1 if name == "euler" else 2]:
        np.testing.assert_array_equal(mine[group.name], made[group.name])
        assert made[group.name].any()


UNITS = {
    "LI": (LI(tau_m=8.0), {}),
    "CubaLI": (LI(tau_m=8.0, r=2.0), {"": Exponential(4.0)}),
    "I": (Integrator(), {}),
    "Threshold": (McCullochPitts(v_th=0.5), {}),
    "Scale": (Relay(), {}),
}


@pytest.mark.parametrize("kind", UNITS)
def test_units_without_spikes_or_memory_are_written(kind):
    model, receptors = UNITS[kind]
    groups = (Population("a", 5, model, receptors=receptors), Population("b", 5, LIF(tau_m=5.0)))
    strength = 0.01 if kind == "I" else 0.5
    wires = (Projection.dense("in", "a", np.full((5, 4), 0.3)), Projection.dense("a", "b", np.eye(5) * strength))
    network = Network((Input("in", 4, RegularInput(1000.0)),), groups, wires, ("b",), precision="float64")
    graph = our.to_nir(network, lossless=False)
    assert type(graph.nodes["a"]).__name__ == kind
    x = random_spikes(4)
    mine = run(network, {"in": x})
    if kind != "Scale":  # a population of its own here, nothing but a factor there
        theirs = NaiveNir(graph, 1.0, impulse=True, layered=False).run({"in": x}, 60)
        np.testing.assert_allclose(mine["a"], theirs["a"], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(mine["b"], theirs["b"])
        again = our.from_nir(graph, precision="float64")
        np.testing.assert_array_equal(run(again, {"in": x})["b"], mine["b"])
    assert mine["b"].any()


def test_few_nodes_are_written():
    network = layered()
    extra = (
        Projection.sparse("b", "b", pre=[0, 1, 2], post=[0, 1, 2], weight=[1.0, 1.0, 1.0], name="plain"),
        Projection.sparse("b", "b", pre=[0, 1, 2], post=[0, 1, 2], weight=[1.0, 2.0, 1.0], name="scaled"),
        Projection.sparse("a", "b", pre=[0, 1, 1], post=[0, 0, 1], weight=0.1, delay=[2.0, 4.0, 4.0], name="by source"),
        Projection.sparse("a", "b", pre=[0, 0, 1], post=[0, 1, 1], weight=0.1, delay=[2.0, 4.0, 4.0], name="by target"),
        Projection.sparse(
            "a", "b", pre=[0, 0, 1], post=[0, 0, 0], weight=0.1, delay=[2.0, 4.0, 4.0], name="by synapse"
        ),
    )
    graph = our.to_nir(replace(network, projections=(*network.projections, *extra)), lossless=False)
    kinds = {name: type(node).__name__ for name, node in graph.nodes.items()}
    assert kinds == {
        "in": "Input",
        "a": "LIF",
        "b": "LIF",
        "in->a": "Linear",
        "a->b.delay": "Delay",
        "a->b": "Linear",
        "b->a.delay": "Delay",
        "b->a": "Linear",
        "scaled": "Scale",
        "by source.delay": "Delay",
        "by source": "Linear",
        "by target": "Linear",
        "by target.delay": "Delay",
        "by synapse.0.delay": "Delay",
        "by synapse.0": "Linear",
        "by synapse.1.delay": "Delay",
        "by synapse.1": "Linear",
        "output": "Output",
    }
    np.testing.assert_allclose(graph.nodes["by source.delay"].delay, [0.002, 0.004, 0, 0, 0, 0])
    np.testing.assert_allclose(graph.nodes["by target.delay"].delay, [0.002, 0.004, 0])
    assert graph.nodes["by synapse.0"].weight[0, 0] == graph.nodes["by synapse.1"].weight[0, 0] == np.float32(0.1)
    assert ("b", "b") in graph.edges
    assert ("a", "by target") in graph.edges


def test_synapses_of_one_place_add_up():
    wire = Projection.sparse("a", "b", pre=[0, 0, 1], post=[1, 1, 1], weight=[0.25, 0.5, 0.125], name="twice")
    graph = our.to_nir(replace(layered(), projections=(wire,)), lossless=False)
    np.testing.assert_array_equal(graph.nodes["twice"].weight[1], [0.75, 0.125, 0, 0, 0, 0])


def test_graded_units_are_written_as_signals():
    network = layered(a=LI(tau_m=8.0), b=LIF(tau_m=[5.0, 10.0, 20.0]))
    wires = (network.projections[0], Projection.dense("a", "b", np.full((3, 6), 0.4)))
    network = replace(network, projections=wires, precision="float64")
    x = random_spikes(4)
    graph = our.to_nir(network, lossless=False)
    theirs = NaiveNir(graph, 1.0, impulse=True, layered=False).run({"in": x}, 60)["b"]
    np.testing.assert_array_equal(run(network, {"in": x})["b"], theirs)
    assert theirs.any()


def test_readers_that_ignore_gains_get_them_in_the_weights():
    network = layered(a=LIF(tau_m=[4.0, 5.0, 6.0, 7.0, 8.0, 9.0]), b=LIF(tau_m=20.0, tau_syn=[3.0, 5.0, 7.0]))
    wires = (network.projections[0], Projection.dense("a", "b", np.full((3, 6), 0.4)))
    graph = our.to_nir(replace(network, projections=wires), dialect="norse", lossless=False)
    assert (graph.nodes["a"].r == 1.0).all()
    again = our.from_nir(graph, dialect=our.READERS["norse"])
    np.testing.assert_allclose(again.population("a").model.tau_m, network.population("a").model.tau_m)
    np.testing.assert_allclose(again.projection("in->a").weight, network.projection("in->a").weight, rtol=1e-6)


def test_a_synapse_makes_a_way_one_step_longer_than_readers_have_it():
    sizes = {"a": LIF(), "b": LIF(tau_syn=5.0), "c": LIF()}
    groups = tuple(Population(name, 3, model) for name, model in sizes.items())
    ways = (("in", "a"), ("in", "b"), ("a", "c"), ("b", "c"))
    wires = tuple(Projection.dense(s, t, np.eye(3)) for s, t in ways)
    network = Network((Input("in", 3, RegularInput(1000.0)),), groups, wires, ("c",))
    assert our.lost(network) == ()
    assert our.lost(network, dialect="norse") == ("timing of projection 'b->c'",)


def test_the_tree_of_a_file(tmp_path):
    # As models sheet E1 has it.
    our.write(layered(b=LIF(tau_syn=5.0)), tmp_path / "x.nir", lossless=False)
    with h5py.File(tmp_path / "x.nir") as file:
        assert file["version"][()].decode() == nir.version
        assert file["node/type"][()] == b"NIRGraph"
        assert set(file["node"]) == {"type", "nodes", "edges"}
        assert file["node/edges"].shape == (9, 2)
        nodes = file["node/nodes"]
        assert {
            name: nodes[name]["type"][()].decode() for name in ("in", "a", "b", "a->b", "a->b.delay", "output")
        } == {
            "in": "Input",
            "a": "LIF",
            "b": "CubaLIF",
            "a->b": "Linear",
            "a->b.delay": "Delay",
            "output": "Output",
        }
        assert set(nodes["a"]) == {"type", "tau", "r", "v_leak", "v_threshold", "v_reset"}
        assert set(nodes["b"]) == {"type", "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"}
        assert nodes["a/tau"].compression == nodes["a->b/weight"].compression == "gzip"
        assert list(nodes["in/shape"][()]) == [4]
        np.testing.assert_allclose(nodes["a/tau"][()], 0.02)
        np.testing.assert_allclose(nodes["a->b.delay/delay"][()], 0.003)
        assert nodes["b/w_in"][()] == pytest.approx(0.005)


def test_biases_come_back():
    w = np.random.default_rng(1).normal(0.3, 0.5, (5, 4))
    for kind in ("LIF", "CubaLIF"):
        g = chain(nir.Affine(w, np.linspace(0, 1, 5)), neuron(kind, 5, 0.001), n_in=4, n_out=5)
        network = our.from_nir(g)
        again = our.to_nir(network, lossless=False)
        assert sorted(type(n).__name__ for n in again.nodes.values()) == sorted(["Input", "Affine", kind, "Output"])
        affine = next(n for n in again.nodes.values() if isinstance(n, nir.Affine))
        np.testing.assert_allclose(affine.bias / affine.weight[:, 0], np.linspace(0, 1, 5) / w[:, 0], rtol=1e-5)
        alone = replace(network, projections=network.projections[1:])
        assert sorted(type(n).__name__ for n in our.to_nir(alone, lossless=False).nodes.values()) == sorted(
            ["Input", "Affine", kind, "Output"]
        )


@pytest.mark.parametrize(("dt", "error"), [(0.1, 0.014), (0.025, 0.0035)])
def test_several_receptors_become_filters_before_the_neuron(dt, error):
    ports = {"fast": Delta(), "slow": Exponential(6.0), "alpha": Alpha(3.0)}
    wires = tuple(
        Projection.dense("in", "a", [[w]], receptor=port, delay=dt, name=port)
        for port, w in (("fast", 0.05), ("slow", 0.3), ("alpha", 0.3))
    )
    group = Population("a", 1, LIF(v_th=1e9), receptors=ports)
    network = Network((Input("in", 1, RegularInput(1000 / dt)),), (group,), wires, ("a",), dt=dt, precision="float64")
    graph = our.to_nir(network, lossless=False)
    kinds = {name: type(node).__name__ for name, node in graph.nodes.items()}
    assert [n for n, k in kinds.items() if k == "LI"] == ["a.slow", "a.alpha", "a.alpha.rise"]
    x = np.zeros((round(30 / dt), 1))
    x[(np.arange(0, 300, 17) * 0.1 / dt).astype(int)] = 1.0
    executable = Simulator().compile(network, seed=0)
    executable.record({"a": ["v"]})
    oracle, traces = NaiveNir(graph, dt, impulse=True), ([], [])
    oracle.inputs = {"in": x}
    for t, drive in enumerate(x):
        executable.window(drive, 1)
        traces[0].append(executable.states()["a", "v"][0, 0])
        oracle.made("a", t)
        traces[1].append(oracle.state["a"][0])
    mine, theirs = map(np.array, traces)
    # Filters in a row, each stepped for itself, are as good as the step is short.
    assert np.abs(mine[1:] - theirs[:-1]).max() < error * mine.max()


LOST = {
    "LIF.t_ref of population 'a'": ("a", {"model": LIF(t_ref=2.0)}),
    "LIF.v_min of population 'a'": ("a", {"model": LIF(v_min=-1.0)}),
    "IF.v_reset = None (reset by subtraction) of population 'a'": ("a", {"model": IF(v_reset=None)}),
    "AdEx of population 'a' (a LIF node stands in)": ("a", {"model": snn.AdEx()}),
    "ThresholdLinear of population 'a' (a LI node stands in)": ("a", {"model": snn.ThresholdLinear()}),
    "Euler scheme of population 'a'": ("a", {"model": EulerCubaLIF()}),
    "SubtractLIF.drop of population 'a'": ("a", {"model": SubtractLIF()}),
    "conductance (e_rev) of receptor 'g' of population 'a'": ("a", {"receptors": {"g": Exponential(5.0, e_rev=0.0)}}),
    "exploration of population 'a'": ("a", {"exploration": OrnsteinUhlenbeck()}),
    "initial of population 'a'": ("a", {"initial": {"v": 0.5}}),
    "sign of population 'a'": ("a", {"sign": 1}),
    "plasticity (PairSTDP) of projection 'a->b'": ("a->b", {"plasticity": PairSTDP()}),
    "short_term (TsodyksMarkram) of projection 'a->b'": ("a->b", {"short_term": TsodyksMarkram()}),
}


@pytest.mark.parametrize("what", LOST)
def test_what_cannot_be_said_is_named_and_refused(what):
    positive = replace(layered(), projections=tuple(replace(p, weight=abs(p.weight)) for p in layered().projections))
    network = changed(positive, *LOST[what])
    assert what in our.lost(network)
    with pytest.raises(Unsupported) as caught:
        our.to_nir(network, lossless=False)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert our.from_nir(our.to_nir(network)) == network


def test_one_error_lists_everything():
    network = changed(changed(layered(), "a", {"model": LIF(t_ref=2.0, v_min=0.0)}), "a->b", {"plasticity": PairSTDP()})
    network = replace(network, outputs=(Output("b", 1),))
    assert our.lost(network) == (
        "LIF.t_ref of population 'a'",
        "LIF.v_min of population 'a'",
        "plasticity (PairSTDP) of projection 'a->b'",
        "part of population 'b' that is read out",
    )
    with pytest.raises(
        Unsupported, match=r"NIR cannot say: LIF.t_ref.*; LIF.v_min.*; plasticity.*; part of .*lossless=True"
    ):
        our.to_nir(network, lossless=False)
    assert our.lost(layered()) == ()


def test_readers_that_cross_all_layers_at_once_get_only_the_rest_of_delays():
    network = layered()
    skip = Projection.dense("in", "b", np.ones((3, 4)))
    straight = replace(network, projections=network.projections[:1])
    assert our.lost(straight, dialect="norse") == ()
    assert not [n for n in our.to_nir(straight, dialect="norse").nodes.values() if isinstance(n, nir.Delay)]
    late = replace(network, projections=(network.projections[0], network.projections[1], skip))
    assert our.lost(late, dialect="norse") == ("timing of projection 'in->b'",)
    assert our.lost(late) == ()
    graph = our.to_nir(late, dialect="norse")
    np.testing.assert_allclose(graph.nodes["a->b.delay"].delay, 0.002)
    with pytest.raises(UnknownNameError, match="NIR dialect 'sinabs' is not known, only nir, grid, snntorch, norse"):
        our.to_nir(network, dialect="sinabs")


def test_large_things(tmp_path, monkeypatch):
    n = 50_000
    rule = snn.OneToOne()
    groups = Population("a", n), Population("b", n)
    network = Network((), groups, (Projection.connect(*groups, rule, weight=0.5),), ("b",))
    assert isinstance(our.to_nir(network).nodes["a->b"], nir.Scale)
    wires = (Projection.sparse("a", "b", pre=[0], post=[n - 1], weight=1.0),)
    with pytest.raises(ConfigurationError, match=r"'a->b': as a matrix of 50000 x 50000, .* 9 GiB; the limit is 2 GiB"):
        our.to_nir(replace(network, projections=wires))


def test_files_that_cannot_be_written(tmp_path):
    with pytest.raises(RunFolderError, match="cannot be written"):
        our.write(layered(), tmp_path / "no" / "x.nir")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunFolderError, match="folder cannot be written"):
        our.write(layered(), tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


ANALOG = {"lif": LIF(), "filtered": LIF(tau_syn=5.0), "cuba": CubaLIF(w_in=4.0), "li": LI(r=2.0), "if": IF(r=0.5)}


@pytest.mark.parametrize("name", ANALOG)
def test_analog_inputs_and_graded_units_are_written(name):
    network = Network(
        (Input("in", 4, CurrentInput(gain=2.0)),),
        (Population("pop", 5, ANALOG[name]), Population("next", 5, LIF())),
        (Projection.dense("in", "pop", np.full((5, 4), 0.4)), Projection.dense("pop", "next", np.eye(5) * 0.1)),
        ("next",),
        precision="float64",
    )
    graph = our.to_nir(network, lossless=False)
    x = np.random.default_rng(2).random((80, 4)) * 1.5
    # A signal that is held for a step is what the oracle calls a spike of one step.
    theirs = NaiveNir(graph, 1.0).run({"in": x}, 80)["pop"]
    mine = run(network, {"in": x})["pop"]
    if name == "cuba":  # the oracle lets a synapse feel a step only at its end
        np.testing.assert_allclose(mine.sum(axis=0), theirs.sum(axis=0), atol=2)
    else:
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    assert np.abs(mine).sum() > 1
