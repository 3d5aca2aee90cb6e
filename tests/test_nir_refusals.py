"""NIR graphs and options that are refused: one sentence that names the node."""

import h5py
import nir
import numpy as np
import pytest
from helpers_nir import chain, graph, neuron, shape_in, shape_out

from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError, Unsupported
from insectbot.snn import nir as our

N = 5
W = np.random.default_rng(1).normal(0.3, 0.5, (N, 4))


def conv1d(**more):
    settings = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1, **more}
    return nir.Conv1d(input_shape=7, weight=np.ones((4, 2, 3)), bias=np.zeros(4), **settings)


class Strange:
    """A node of no known type."""


def refused(error, match, make):
    with pytest.raises(error, match=match) as caught:
        our.from_nir(make())
    assert "\n" not in str(caught.value)


def edges_of(*pairs, **nodes):
    return lambda: graph({"input": shape_in(4), "output": shape_out(N), **nodes}, list(pairs))


def lif(**more):
    z = np.zeros(N)
    values = {"tau": z + 0.01, "r": z + 1, "v_leak": z, "v_threshold": z + 1, "v_reset": z}
    return nir.LIF(**{**values, **{k: z + v for k, v in more.items()}})


def wired(node, w=None):
    w = nir.Linear(W) if w is None else w
    return edges_of(("input", "w"), ("w", "pop"), ("pop", "output"), w=w, pop=node)


REFUSED = [
    (Unsupported, r"node 'pop' is of type Strange: insectbot runs only Input, Output, Affine", wired(Strange())),
    (Unsupported, r"node 'pop' is of type NoneType", wired(None)),
    (ConfigurationError, "edge 'input' -> 'x': there is no node 'x'", edges_of(("input", "x"))),
    (ConfigurationError, "'input' -> 'output' is given twice", edges_of(("input", "output"), ("input", "output"))),
    (ConfigurationError, "'input': an edge leads into an Input", edges_of(("output", "input"))),
    (ShapeError, r"'input' makes shape \(4,\), 'pop' takes \(5,\)", edges_of(("input", "pop"), pop=lif())),
    (ConfigurationError, "NIR LIF 'pop': tau = -1 must be above 0", wired(lif(tau=-1.0))),
    (ConfigurationError, "NIR LIF 'pop': LIF.v_reset = 2.0: must lie below v_th", wired(lif(v_reset=2.0))),
    (ShapeError, "NIR LIF 'pop': tau: must be finite numbers", wired(lif(tau=np.inf))),
    (ShapeError, "NIR Linear 'w': weight: must be finite", wired(lif(), nir.Linear(W * np.nan))),
    (
        ShapeError,
        "NIR Conv2d 'w': a kernel of",
        wired(lif(), nir.Conv2d((2, 2), np.ones((1, 1, 3, 3)), 1, 0, 1, 1, None)),
    ),
    (
        ConfigurationError,
        "NIR Conv1d 'w': padding 'same' needs a stride of 1",
        wired(lif(), conv1d(stride=2, padding="same")),
    ),
    (
        ConfigurationError,
        "nodes 'a', 'b' form a loop without a neuron",
        edges_of(
            ("input", "a"), ("a", "b"), ("b", "a"), ("a", "output"), a=nir.Scale(np.ones(4)), b=nir.Scale(np.ones(4))
        ),
    ),
    (
        ConfigurationError,
        "NIR graph 'in' has 2 Output nodes",
        edges_of(("in", "output"), **{"in": graph({"i": shape_in(4), "a": shape_out(N), "b": shape_out(N)}, [])}),
    ),
    (
        ShapeError,
        "NIR node 'pool': its shape cannot be found out",
        edges_of(("pool", "output"), pool=nir.SumPool2d(*(np.array([2, 2]) for _ in range(3)))),
    ),
]


@pytest.mark.parametrize(("error", "match", "make"), REFUSED, ids=[r[1][:40] for r in REFUSED])
def test_what_cannot_be_run_is_refused_by_name(error, match, make):
    refused(error, match, make)


def test_options_are_checked():
    g = chain(nir.Linear(W), neuron("LIF", N), n_in=4, n_out=N)
    with pytest.raises(UnknownNameError, match="NIR dialect 'brian' is not known, only nir, grid"):
        our.from_nir(g, dialect="brian")
    with pytest.raises(ConfigurationError, match="NIR scheme 'heun': must be 'exact' or 'euler'"):
        our.from_nir(g, scheme="heun")
    with pytest.raises(ConfigurationError, match="NIR reset 'never'"):
        our.from_nir(g, reset="never")
    with pytest.raises(ConfigurationError, match=r"NIR LIF '1': a time constant of .* is below the step of 50 ms"):
        our.from_nir(g, dt=50.0, scheme="euler")


def test_files_that_are_none(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.nir is no NIR file"):
        our.from_nir(tmp_path / "missing.nir")
    (tmp_path / "text.nir").write_text("no HDF5")
    with pytest.raises(ConfigurationError, match=r"text\.nir is no NIR file"):
        our.from_nir(str(tmp_path / "text.nir"))


def test_an_unknown_type_in_a_file_is_named(tmp_path):
    g = graph(
        {
            "input": shape_in(N),
            "net": graph({"i": shape_in(N), "pop": neuron("LIF", N), "o": shape_out(N)}, [("i", "pop"), ("pop", "o")]),
            "output": shape_out(N),
        },
        [("input", "net")],
    )
    nir.write(tmp_path / "x.nir", g)
    with h5py.File(tmp_path / "x.nir", "a") as file:
        del file["node/nodes/net/nodes/pop/type"]
        file["node/nodes/net/nodes/pop/type"] = "AdEx"
    with pytest.raises(Unsupported, match=r"NIR node 'net\.pop' is of type AdEx"):
        our.from_nir(tmp_path / "x.nir")
