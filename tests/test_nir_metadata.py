"""A network inside a NIR file's metadata: nothing is lost, and nothing overrules what others changed."""

from dataclasses import dataclass, replace

import nir
import numpy as np
import pytest
from helpers_nir import changed, layered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import insectbot.snn as snn
from insectbot.errors import ConfigurationError
from insectbot.snn import (
    LIF,
    Alpha,
    Constant,
    CurrentInput,
    Delta,
    Exponential,
    Input,
    Network,
    NodePerturbation,
    Normal,
    OrnsteinUhlenbeck,
    Output,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    RewardSTDP,
    TsodyksMarkram,
)
from insectbot.snn import nir as our
from insectbot.snn.model import NeuronModel
from insectbot.snn.nir.models import EulerCubaLI, EulerCubaLIF, Integrator, Relay, SubtractLIF

BASES = ("NeuronModel", "LinearNeuron", "OdeNeuron")
MODELS = [v for k, v in vars(snn).items() if isinstance(v, type) and issubclass(v, NeuronModel) and k not in BASES]
MODELS += [EulerCubaLI, EulerCubaLIF, Integrator, Relay, SubtractLIF]
RULES = [None, PairSTDP(a_plus=0.01), RewardSTDP(modulator=1)]
numbers = st.floats(-3, 3, allow_nan=False, width=32)


@st.composite
def models(draw, n):
    """Return a model with some parameters given, one value or one per neuron."""
    kind = draw(st.sampled_from(MODELS))
    model = kind()
    if np.any(model.values().get("t_ref", 0.0)):
        model = replace(model, t_ref=2.0)  # whole steps of every dt below
    name = draw(st.sampled_from(sorted(set(model.values()) - {"t_ref"}) or [""]))
    factor = st.floats(1.0, 1.5)
    default = model.values().get(name)
    try:
        if default is not None and draw(st.booleans()):
            return replace(model, **{name: [default * draw(factor) for _ in range(n)]})
        return replace(model, **{name: default * draw(factor)}) if default is not None else model
    except ConfigurationError:
        return model


@st.composite
def populations(draw, name):
    n = draw(st.integers(1, 20))
    if draw(st.booleans()):
        ports = {"fast": Delta(), "": Exponential(draw(st.floats(1, 9))), "s/low": Alpha(3.0, e_rev=-70.0)}
        model, receptors = LIF(t_ref=draw(st.sampled_from([0.0, 3.0]))), ports
    else:
        model, receptors = draw(models(n)), {}
    state = next(iter(model.states))
    return Population(
        name,
        n,
        model,
        exploration=draw(st.sampled_from([None, OrnsteinUhlenbeck(sigma=0.1)])),
        receptors=receptors,
        initial=draw(st.sampled_from([{}, {state: 0.25}, {state: [0.5] * n}])),
    )


@st.composite
def projections(draw, source, target, label, plastic):
    name = draw(st.sampled_from([label, f"{label}/x"]))
    more = {
        "receptor": draw(st.sampled_from([None, *(port for port, _ in target.ports)])),
        "plasticity": draw(st.sampled_from(RULES)) if plastic else None,
        "short_term": draw(st.sampled_from([None, TsodyksMarkram(u=0.3)])) if plastic else None,
    }
    if draw(st.booleans()):
        rule = draw(st.sampled_from([snn.AllToAll(), snn.FixedProbability(0.5), snn.FixedInDegree(1)]))
        weight = draw(st.sampled_from([Constant(0.5), Normal(0.1, 0.2)]))
        return Projection.connect(
            source, target, rule, weight=weight, delay=2.0, seed=draw(st.integers(0, 9)), name=name
        )
    m = draw(st.integers(0, 30))
    index = [draw(st.lists(st.integers(0, g.n - 1), min_size=m, max_size=m)) for g in (source, target)]
    weight = draw(st.lists(numbers, min_size=m, max_size=m))
    delay = draw(st.one_of(st.just(1.0), st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=m, max_size=m)))
    return Projection.sparse(
        source.name, target.name, pre=index[0], post=index[1], weight=weight, delay=delay, name=name, **more
    )


@st.composite
def networks(draw):
    sources = [PoissonInput(70.0), RegularInput(), CurrentInput(0.3), snn.inputs.SpikeTimesInput(((1.0, 2.5), ()))]
    inputs = [Input(f"in{k}", 2, draw(st.sampled_from(sources))) for k in range(draw(st.integers(0, 2)))]
    names = draw(
        st.lists(st.sampled_from(["a", "b.x", "c/d", "output", "bias", ".e"]), min_size=1, max_size=3, unique=True)
    )
    groups = [draw(populations(name)) for name in names]
    wires = []
    for k in range(draw(st.integers(0, 4))):
        source, target = draw(st.sampled_from([*inputs, *groups])), draw(st.sampled_from(groups))
        plastic = isinstance(source, Population) and source.model.spiking and target.model.spiking
        wires.append(draw(projections(source, target, f"p{k}", plastic)))
    outputs = draw(st.sampled_from([(), (groups[0].name,), (Output(groups[0].name, 0, 1, pooled=True),)]))
    more = {"name": draw(st.text(max_size=5)), "precision": draw(st.sampled_from(["float32", "float64"]))}
    return Network(tuple(inputs), tuple(groups), tuple(wires), outputs, dt=draw(st.sampled_from([1.0, 0.5])), **more)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(network=networks(), dialect=st.sampled_from(["nir", "grid", "snntorch", "norse"]))
def test_any_network_survives_a_file(network, dialect, tmp_path_factory):
    path = tmp_path_factory.mktemp("nir") / "network.nir"
    our.write(network, path, dialect=dialect)
    assert our.from_nir(path) == network
    assert our.from_nir(our.to_nir(network, dialect=dialect)) == network
    assert [p.name for p in path.parent.iterdir()] == ["network.nir"]
    wired = {p.source for p in network.projections} & {g.name for g in network.inputs}
    if wired and network.outputs:
        assert our.from_nir(nir.read(path)) == network  # NIR's reader checks the types and adds loose ends


def test_nodes_that_were_changed_are_not_overruled():
    network = layered()
    graph = our.to_nir(network)
    graph.nodes["a->b"].weight = graph.nodes["a->b"].weight * 2
    with pytest.raises(ConfigurationError, match="NIR node 'a->b' was changed since insectbot wrote the metadata"):
        our.from_nir(graph)
    again = our.from_nir(graph, metadata=False)
    np.testing.assert_array_equal(again.projection("a->b").weight, network.projection("a->b").weight * 2)
    graph = our.to_nir(network)
    graph.edges.remove(("a", "a->b.delay"))
    with pytest.raises(ConfigurationError, match=r"NIR edge 'a' -> 'a->b.delay' was changed"):
        our.from_nir(graph)
    graph = our.to_nir(network)
    graph.nodes["more"] = nir.Scale(np.ones(3))
    with pytest.raises(ConfigurationError, match="NIR node 'more' was changed"):
        our.from_nir(graph)
    with pytest.raises(ConfigurationError, match="its metadata says how it was run"):
        our.from_nir(our.to_nir(network), dt=0.5)


@dataclass(frozen=True)
class Mine(LIF):
    """A user's own model."""


def test_models_of_users_come_back_if_they_are_imported(tmp_path):
    network = changed(layered(), "a", {"model": Mine(tau_m=7.0)})
    our.write(network, tmp_path / "x.nir")
    assert our.from_nir(tmp_path / "x.nir") == network
    graph = nir.read(tmp_path / "x.nir")
    own = graph.metadata["insectbot"]
    own["network"] = own["network"].replace(":Mine", ":Yours")
    with pytest.raises(ConfigurationError, match=r"there is no .*test_nir_metadata:Yours; import the module"):
        our.from_nir(graph)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('"format": 1', '"format": 9', "format 9 is newer than 1"),
        ('"network": {', '"other": {', "cannot be read .KeyError"),
        ('"tau_m"', '"tau_n"', "cannot be read .TypeError"),
        ('"start": 0', '"start": 99999', "cannot be read .ValueError"),
        ('"v_th": 1.0', '"v_th": -1.0', "LIF.v_reset = 0.0: must lie below"),
    ],
)
def test_damaged_metadata_is_one_sentence(old, new, match):
    graph = our.to_nir(layered())
    own = graph.metadata["insectbot"]
    assert old in own["network"]
    own["network"] = own["network"].replace(old, new)
    with pytest.raises(ConfigurationError, match=match):
        our.from_nir(graph)
    assert our.from_nir(graph, metadata=False).n_neurons == 9


def test_weights_shared_by_a_rule_survive():
    rule = NodePerturbation(tie=tuple(range(18)), w_min=-9.0)
    network = changed(layered(), "b", {"exploration": OrnsteinUhlenbeck()})
    network = changed(network, "a->b", {"plasticity": rule})
    assert '"tie": {"tuple": ' in our.to_nir(network).metadata["insectbot"]["network"]
    assert our.from_nir(our.to_nir(network)) == network
