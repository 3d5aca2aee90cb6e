"""Networks of generated projections: nothing is drawn before it is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn import (
    AllToAll,
    Convolution,
    FixedInDegree,
    FixedNumber,
    Input,
    Network,
    Normal,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    Uniform,
)

IN, E = Input("i", 20, PoissonInput()), Population("e", 30, sign=1)
WIDE = Uniform(0.3, 2.0)


def network(*projections, dt=0.1):
    return Network((IN,), (E,), projections, ("e",), dt=dt)


def drawn(net):
    return [p.name for p in net.projections if "listed" in vars(p)]


def test_nothing_is_drawn_until_it_is_listed():
    net = network(
        Projection.connect(IN, E, FixedInDegree(5), weight=Normal(1, 0.1), delay=WIDE, plasticity=PairSTDP()),
        Projection.connect(E, E, FixedNumber(10**9), weight=Normal(1, 0.1), delay=1.5),
    )
    assert net.n_synapses == 10**9 + 150
    assert net.digest == network(*net.projections).digest
    other = net.with_weights({"i->e": np.zeros(150)})
    assert drawn(net) == ["i->e"]
    assert drawn(other) == []
    assert other.projections[1] is net.projections[1]
    np.testing.assert_array_equal(other.projections[0].delay, net.projections[0].delay)


def test_random_delays_are_on_the_grid_of_the_network():
    p = Projection.connect(IN, E, AllToAll(), weight=1.0, delay=WIDE)
    fine, coarse = network(p), replace(network(p), dt=0.5)
    for net, dt in ((fine, 0.1), (coarse, 0.5)):
        delay = net.projections[0].delay
        np.testing.assert_allclose(delay, dt * np.rint(delay / dt), atol=1e-12)
        assert delay.min() >= dt
    assert len(np.unique(fine.projections[0].delay)) == 18
    assert coarse.projections[0].delay.tolist() == network(p, dt=0.5).projections[0].delay.tolist()
    assert fine.digest != coarse.digest


MISTAKES = [
    (lambda: Projection.connect(E, E, AllToAll(), weight=-1.0), "weights of both signs, but its source 'e' is exc"),
    (lambda: Projection.connect(E, E, AllToAll(), weight=Normal(1, 0.2)), "source 'e' is excitatory"),
    (lambda: Projection.connect(E, E, Convolution((1, 1, 30), -np.ones((1, 1, 1, 1)))), "source 'e' is excitatory"),
    (
        lambda: Projection.connect(Population("e", 4), E, AllToAll(), weight=1.0),
        "connects 4 source units, but .* has 30",
    ),
    (
        lambda: Projection.connect(E, Population("e", 4), AllToAll(), weight=1.0),
        "connects 4 target units, but .* has 30",
    ),
    (lambda: Projection.connect(IN, E, AllToAll(), weight=1.0, delay=0.05), "not a whole number of steps of dt = 0.1"),
    (lambda: Projection.connect(IN, E, AllToAll(), weight=1.0, delay=1e-9), "is below one step of dt = 0.1 ms"),
]


@pytest.mark.parametrize(("build", "words"), MISTAKES)
def test_mistakes_are_seen_without_drawing(build, words):
    p = build()
    with pytest.raises((ConfigurationError, ShapeError), match=words):
        network(p)
    assert "listed" not in vars(p)


def test_limits_keep_a_sign():
    network(Projection.connect(E, E, AllToAll(), weight=Normal(1, 0.2, low=0)))
    network(Projection.connect(E, E, AllToAll(), weight=Normal(1, 0.15)))
