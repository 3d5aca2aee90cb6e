"""Small projections of every connection rule, and their rows as plain vectors."""

from __future__ import annotations

import naive_wiring
import numpy as np

from insectbot.snn import (
    AllToAll,
    Convolution,
    DistanceDependent,
    FixedInDegree,
    FixedNumber,
    FixedOutDegree,
    FixedProbability,
    Normal,
    OneToOne,
    Population,
    Projection,
    Uniform,
    wiring,
)

DT = 0.1
_RNG = np.random.default_rng(3)
PLANE, LINE = _RNG.random((2, 30, 2)), _RNG.random((2, 30, 1))
KERNEL = _RNG.normal(size=(3, 2, 3, 2))


def connect(rule, n_source=30, n_target=30, name="b", **options):
    """Connect group a to group b, or (name="a") a to itself."""
    options = {"weight": None if isinstance(rule, Convolution) else 0.5} | options
    return Projection.connect(Population("a", n_source), Population(name, n_target), rule, **options)


def rows(p, dt=DT, **options):
    return wiring.rows(p, p.synapses.n_source, p.synapses.n_target, dt, **options)


def table(r, low=0):
    """Return rows as (source, ticks, target, weight) vectors."""
    size = np.diff(r.start)
    source = np.repeat(np.arange(r.segment.size - 1), np.diff(r.segment))
    return np.repeat(source, size), np.repeat(r.delay, size), r.target.astype(int) + low, r.weight


RULES = {
    "all": AllToAll(),
    "others": AllToAll(self_connections=False),
    "one": OneToOne(),
    "p": FixedProbability(0.3),
    "p0": FixedProbability(0.0),
    "p1 others": FixedProbability(1.0, self_connections=False),
    "in": FixedInDegree(12),
    "in others": FixedInDegree(29, self_connections=False),
    "in multi": FixedInDegree(40, multapses=True, self_connections=False),
    "in 0": FixedInDegree(0),
    "out": FixedOutDegree(12, self_connections=False),
    "out multi": FixedOutDegree(40, multapses=True),
    "number": FixedNumber(777),
    "number others": FixedNumber(777, self_connections=False),
    "gaussian": DistanceDependent(*PLANE, sigma=0.3),
    "torus": DistanceDependent(*PLANE, sigma=0.2, p_max=0.8, extent=(1, 1), self_connections=False),
    "exponential": DistanceDependent(*LINE, sigma=0.4, p_max=0.5, kernel="exponential"),
    "convolution": Convolution((2, 5, 3), KERNEL[:, :, :2], padding=(0, 1)),
    "strided": Convolution((2, 3, 5), KERNEL, stride=(1, 2), padding=1),
}
WEIGHTS = {"constant": 0.5, "uniform": Uniform(-1, 3), "normal": Normal(2, 0.5, low=1.8)}
DELAYS = {"constant": 1.5, "uniform": Uniform(0.0, 1.0), "normal": Normal(1, 2, high=2.0)}


def sized(rule, **options):
    """Connect groups as large as the rule needs; a group to itself where that matters."""
    if isinstance(rule, Convolution):
        return connect(rule, int(np.prod(rule.shape)), int(np.prod(rule.output_shape)), **options)
    return connect(rule, name="a" if not naive_wiring.allows(rule) else "b", **options)
