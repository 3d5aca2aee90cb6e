"""Networks as data: validated, immutable, hashable by content."""

from __future__ import annotations

import numpy as np
import pytest

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Network,
    NodePerturbation,
    OrnsteinUhlenbeck,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)


def network(**changes):
    parts = {
        "inputs": (Input("i", 2, PoissonInput()),),
        "populations": (Population("n", 3),),
        "projections": (Projection.dense("i", "n", [[1, 2], [3, 4], [5, 6]]),),
        "outputs": ("n",),
    } | changes
    return Network(**parts)


def test_weights_are_post_by_pre_and_sorted_by_source():
    projection = network().projections[0]
    assert projection.pre.tolist() == [0, 0, 0, 1, 1, 1]
    assert projection.weight.tolist() == [1, 3, 5, 2, 4, 6]
    np.testing.assert_array_equal(projection.matrix(), [[1, 2], [3, 4], [5, 6]])


def test_rows_are_sorted_by_delay_then_target():
    p = Projection.sparse("i", "n", pre=[1, 0, 0, 0], post=[0, 2, 1, 0], weight=[1, 2, 3, 4], delay=[1, 5, 1, 5])
    assert list(zip(p.pre, p.delay, p.post, p.weight, strict=True)) == [
        (0, 1, 1, 3),
        (0, 5, 0, 4),
        (0, 5, 2, 2),
        (1, 1, 0, 1),
    ]


def test_equal_content_is_equal_and_any_change_is_not():
    assert network() == network()
    assert hash(network()) == hash(network())
    others = [
        network(dt=0.5),
        network(populations=(Population("n", 3, LIF(tau_m=10.0)),)),
        network(projections=(Projection.dense("i", "n", [[1, 2], [3, 4], [5, 7]]),)),
        network(inputs=(Input("i", 2, RegularInput()),)),
        network().with_weights({"i->n": np.zeros(6)}),
    ]
    assert len({n.digest for n in [network(), *others]}) == 6


def test_arrays_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        network().projections[0].weight[0] = 3.0


def test_units_are_numbered_inputs_first():
    assert network().unit_slices() == {"i": slice(0, 2), "n": slice(2, 5)}


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: LIF(tau_m=-1.0), "LIF.tau_m = -1.0: must be above 0"),
        (lambda: LIF(v_reset=2.0), "must lie below v_th"),
        (lambda: LIF(v_min=0.5), "must not lie above v_rest or v_reset"),
        (lambda: PairSTDP(w_min=1.0, w_max=1.0), "must lie below w_max"),
        (lambda: OrnsteinUhlenbeck(decay=1.0), "must lie in"),
        (lambda: Input("i", 0, PoissonInput()), "must be at least 1"),
        (lambda: network(outputs=("x",)), "output 'x' is not a population"),
        (lambda: network(populations=(Population("i", 3),)), "the name 'i' is used twice"),
        (lambda: network(dt=0.3), "is not a whole number of steps of dt = 0.3 ms"),
        (lambda: network(populations=(Population("n", 2),)), "post index 2 is outside 0..1"),
        (lambda: network(projections=(Projection.dense("x", "n", [[1.0]]),)), "source 'x' is not a group"),
        (lambda: network(projections=(Projection.dense("n", "i", [[1.0]]),)), "target 'i' is not a population"),
        (lambda: network(projections=(Projection.dense("i", "n", [[1.0]], delay=0.0),)), "below one step"),
        (lambda: Projection.dense("i", "n", [1.0]), "must be \\[post, pre\\]"),
        (lambda: Projection.dense("i", "n", [[float("nan")]]), "weights must be finite"),
        (lambda: Projection.sparse("i", "n", pre=[0], post=[0, 1], weight=1.0), "must be equal vectors"),
        (lambda: network(projections=(learns(NodePerturbation()),)), "needs >= 2 target neurons with exploration"),
        (lambda: network(inputs=(Input("i", 2, CurrentInput()),), projections=(learns(PairSTDP()),)), "no spikes"),
        (lambda: network().with_weights({"i->n": [1.0]}), r"weights of shape \(1,\) must be \(6,\), finite"),
        (lambda: network().with_weights({"q": [1.0]}), "has no projection 'q'"),
    ],
)
def test_mistakes_are_one_sentence(build, words):
    with pytest.raises((ConfigurationError, ShapeError), match=words) as caught:
        build()
    assert "\n" not in str(caught.value)


def learns(rule):
    return Projection.dense("i", "n", np.ones((3, 2)), plasticity=rule)
