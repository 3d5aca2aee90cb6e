"""Akida's layers: against BrainChip's own software backend (committed vectors), a plain-Python oracle, closed forms."""

import json
from pathlib import Path

import naive_akida
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips.akida_limits import layer_limits
from insectbot.chips.akida_replay import Layer, run_layer, run_layers
from insectbot.chips.datasheet import load
from insectbot.errors import ConfigurationError, ShapeError

FILE = Path(__file__).parent / "data" / "akida_layers.npz"


@pytest.fixture(scope="module")
def vectors():
    """Outputs of package ``akida`` 2.19.3: (facts of the cases, arrays)."""
    with np.load(FILE) as data:
        arrays = {name: data[name] for name in data.files}
    return json.loads(str(arrays["facts"])), arrays


def cases(vectors, kind):
    """Yield (facts, arrays, input, output) of every case of a kind."""
    facts, arrays = vectors
    for number, fact in enumerate(facts["cases"]):
        if fact["kind"] == kind:
            own = {name.split("/")[1]: a for name, a in arrays.items() if name.startswith(f"{number}/")}
            fact = {name: tuple(v) if isinstance(v, list) else v for name, v in fact.items()}
            yield fact, own, own.pop("x"), own.pop("y")


def layer_of(fact, arrays):
    return Layer(**{k: v for k, v in fact.items() if k not in ("input_bits", "fits")}, **arrays)


@pytest.mark.parametrize(("kind", "many"), [("dense", 64), ("convolutional", 50), ("separable", 50), ("input", 50)])
def test_every_output_is_that_of_the_software_backend(vectors, kind, many):
    """Compared with BrainChip's package, not with a chip: every integer of every frame."""
    seen, levels = 0, np.zeros(16, int)
    for fact, arrays, x, expected in cases(vectors, kind):
        np.testing.assert_array_equal(run_layer(layer_of(fact, arrays), x, fact["input_bits"]), expected)
        seen += 1
        if fact["activation"] and fact["act_bits"] == 4:
            levels += np.bincount(expected.ravel().astype(int), minlength=16)
    assert seen == many
    assert (levels > 20).all()


@pytest.mark.parametrize("kind", ["dense", "convolutional", "separable", "input"])
def test_the_oracle_agrees(vectors, kind):
    """The oracle is in exact fractions, cell by cell; two independent ways to one integer."""
    for fact, arrays, x, expected in list(cases(vectors, kind))[:12]:
        few = x[:1]
        np.testing.assert_array_equal(naive_akida.layer(fact, arrays, few), expected[:1])


def test_the_vectors_can_tell_roundings_apart(vectors):
    """Whole sixteenths, the ceiling and the cut at 20 bits all decide some of the outputs."""
    other = {"exact step": 0, "nearest sixteenth": 0, "floor of the quotient": 0, "no cut": 0}
    for fact, arrays, x, expected in cases(vectors, "dense"):
        if not fact["activation"]:
            continue
        wide = x.astype(np.int64) @ arrays["weights"].astype(np.int64)
        p = np.clip(wide, -(1 << 19), (1 << 19) - 1)
        step, top = arrays["act_step"].astype(float), 2 ** fact["act_bits"] - 1
        unit = 2 ** (4 - fact["act_bits"])
        kept = np.floor(step * 16) / 16
        for name, value in {
            "exact step": np.ceil((p - arrays["threshold"]) / (step * unit)),
            "nearest sixteenth": np.ceil((p - arrays["threshold"]) / (np.rint(step * 16) / 16 * unit)),
            "floor of the quotient": np.floor((p - arrays["threshold"]) / (kept * unit)),
            "no cut": np.ceil((wide - arrays["threshold"]) / (kept * unit)),
        }.items():
            other[name] += int((np.clip(value, 0, top) != expected).sum())
    assert all(n > 0 for n in other.values()), other


def test_a_chain_reads_an_image_by_channels(vectors):
    """Image, convolution, dense layer: the package's result of the whole network."""
    _, arrays = vectors
    layers = [
        Layer("input", arrays["chain/w0"], act_step=np.array(900.0), act_bits=4, weights_bits=8),
        Layer("convolutional", arrays["chain/w1"], act_step=np.array(20.0), act_bits=2, weights_bits=4),
        Layer("dense", arrays["chain/w2"][0, 0], weights_bits=4, activation=False),
    ]
    np.testing.assert_array_equal(run_layers(layers, arrays["chain/x"]), arrays["chain/y"])


def test_the_limits_are_those_of_the_mapper(vectors):
    """A layer is refused here exactly where the package's virtual AKD1000 refuses it in strict mode."""
    taken = 0
    for kind in ("dense", "convolutional", "separable", "input"):
        for fact, arrays, x, _ in cases(vectors, kind):
            found = layer_limits(layer_of(fact, arrays), x.shape[1:], load("akida"), followed=fact["activation"])
            assert (found == []) == fact["fits"], (fact, found)
            taken += fact["fits"]
    assert taken == 108


@settings(max_examples=200, deadline=None)
@given(
    st.integers(-(1 << 19), (1 << 19) - 1),
    st.integers(-(1 << 19), (1 << 19) - 1),
    st.floats(1 / 16, 65535),
    st.sampled_from([1, 2, 4]),
)
def test_activation_is_exact_over_its_whole_range(p, threshold, act_step, bits):
    """One unit whose potential is p = 7 a + b, against fractions."""
    a, b = divmod(p, 7)
    ones = np.full(abs(a) // 15 + 1, 7 if a >= 0 else -7)
    x = np.full(ones.size, 15)
    x[-1] = abs(a) % 15
    weights = np.append(ones, 1)[:, None]
    frame = np.append(x, b)[None]
    layer = Layer("dense", weights, threshold=threshold, act_step=act_step, act_bits=bits, weights_bits=4)
    assert run_layer(layer, frame)[0, 0] == naive_akida.activation(p, threshold, act_step, bits)


def test_closed_forms():
    """With act_step t and threshold t - 1 the activation is floor(P / t); at the threshold itself it is 0."""
    p = np.arange(16)[:, None]
    for t in range(1, 16):
        layer = Layer("dense", [[1]], threshold=t - 1, act_step=float(t), act_bits=4, weights_bits=4)
        np.testing.assert_array_equal(run_layer(layer, p)[:, 0], np.arange(16) // t)
    at = Layer("dense", [[1]], threshold=5, act_step=1.0, act_bits=1, weights_bits=1)
    np.testing.assert_array_equal(run_layer(at, [[5], [6]])[:, 0], [0, 1])
    raw = Layer("dense", [[1]], threshold=5, weights_bits=1, activation=False)
    assert run_layer(raw, [[9]])[0, 0] == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "round"}, "kind = 'round' must be one of"),
        ({"weights": [[8]]}, "weights = 8 must lie in -7..7"),
        ({"weights": [[-1]], "weights_bits": 1}, "weights = -1 must lie in 0..1"),
        ({"weights": [1]}, "weights of shape .1,. must have 2 axes"),
        ({"act_bits": 3}, "act_bits = 3 must be one of 1, 2, 4"),
        ({"act_step": 0.06}, "act_step = 0.06 must lie in 0.0625..65535"),
        ({"threshold": 1 << 19}, "threshold = 524288 must lie in -524288..524287"),
        ({"threshold": [1, 2]}, r"threshold: shape .2,. must be .1,."),
    ],
)
def test_mistakes_are_one_sentence(arguments, message):
    with pytest.raises((ConfigurationError, ShapeError), match=message):
        Layer(**{"kind": "dense", "weights": [[1]], "weights_bits": 4} | arguments)


def test_inputs_out_of_range_are_refused():
    layer = Layer("dense", [[1]], weights_bits=1)
    with pytest.raises(ShapeError, match=r"input = 16 must lie in 0\.\.15"):
        run_layer(layer, [[16]])
    with pytest.raises(ShapeError, match="must have 1 values per frame"):
        run_layer(layer, [[1, 1]])
    image = Layer("convolutional", np.ones((3, 3, 2, 1)), padding="valid", weights_bits=1)
    with pytest.raises(ShapeError, match=r"must be .frames, rows, columns, 2."):
        run_layer(image, np.zeros((1, 5, 5, 3)))
    with pytest.raises(ShapeError, match="2 x 5 cells is smaller than the kernel"):
        run_layer(image, np.zeros((1, 2, 5, 2)))
