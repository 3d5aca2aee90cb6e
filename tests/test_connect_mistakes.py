"""Mistakes with connection rules, weights and delays: one sentence each."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_connect import DT, KERNEL, RULES, connect, rows

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn import (
    AllToAll,
    Constant,
    Convolution,
    DistanceDependent,
    FixedInDegree,
    FixedNumber,
    FixedOutDegree,
    FixedProbability,
    Normal,
    OneToOne,
    Uniform,
    wiring,
)


def positions(n, d=1):
    return np.zeros((n, d))


MISTAKES = [
    (lambda: FixedProbability(1.5), "FixedProbability.p = 1.5: must lie in"),
    (lambda: FixedProbability("x"), "FixedProbability.p = 'x': must lie in"),
    (lambda: FixedInDegree(-1), "FixedInDegree.k = -1: must be at least 0"),
    (lambda: FixedOutDegree(2.5), "FixedOutDegree.k = 2.5: must be a whole number"),
    (lambda: FixedNumber(-2), "FixedNumber.n = -2: must be at least 0"),
    (lambda: connect(FixedInDegree(31)), "FixedInDegree.k = 31 exceeds the 30 sources; lower it or allow multapses"),
    (lambda: connect(FixedOutDegree(5), 9, 4), "FixedOutDegree.k = 5 exceeds the 4 targets; lower it"),
    (lambda: connect(FixedInDegree(30, False, False), name="a"), "exceeds the 29 sources"),
    (lambda: connect(FixedInDegree(1, True, False), 1, 1, "a"), "exceeds the 0 sources; allow self-connections"),
    (lambda: connect(FixedNumber(1, False), 1, 1, "a"), "FixedNumber without self-connections needs two units"),
    (lambda: connect(OneToOne(), 3, 4), "OneToOne connects groups of equal size, not 3 to 4"),
    (lambda: connect(AllToAll), "must be a connection rule such as FixedInDegree"),
    (lambda: connect(AllToAll(), weight=None), "weight = None, must be given"),
    (lambda: connect(AllToAll(), weight=np.ones(3)), "must be a finite number, Constant, Normal or Uniform"),
    (lambda: connect(AllToAll(), weight=np.nan), "weight = nan, must be a finite number"),
    (lambda: connect(AllToAll(), delay=-1.0), "delay = -1.0, must be above 0 ms"),
    (lambda: connect(AllToAll(), seed=0.5), "seed = 0.5: must be a whole number"),
    (lambda: connect(RULES["strided"], weight=1.0), "weight = 1.0, must be left out"),
    (lambda: connect(RULES["strided"], 5, 5), "source has 5 units, Convolution needs 30 = "),
    (lambda: Convolution((2, 3), KERNEL), r"Convolution.shape = \(2, 3\): must be 3 whole numbers"),
    (lambda: Convolution((1, 9, 9), KERNEL), "has 2 input channels, the source 1"),
    (lambda: Convolution((2, 2, 2), KERNEL), r"kernel of \(3, 2\) is larger than the padded source of \(2, 2\)"),
    (lambda: Convolution((2, 9, 9), KERNEL, stride=0), "Convolution.stride = 0: must be at least 1"),
    (lambda: Convolution((2, 9, 9), KERNEL, padding=-1), "Convolution.padding = -1: must be at least 0"),
    (lambda: Convolution((2, 9, 9), KERNEL[0]), r"Convolution.kernel: must be finite numbers of shape \(out, in"),
    (lambda: DistanceDependent(positions(3), positions(3), 0.0), "DistanceDependent.sigma = 0.0: must be above 0"),
    (lambda: DistanceDependent(positions(3), positions(3), 1.0, 2.0), "DistanceDependent.p_max = 2.0: must lie in"),
    (lambda: DistanceDependent(positions(3), positions(3), 1.0, kernel="box"), "must be 'gaussian' or 'exponential'"),
    (lambda: DistanceDependent(positions(3), positions(3), 1.0, extent=(0.0,)), "must be 1 numbers above 0"),
    (lambda: DistanceDependent(positions(3), positions(3, 2), 1.0), "have 1 dimensions, target_positions 2"),
    (lambda: DistanceDependent([1.0], positions(3), 1.0), "source_positions: must be finite numbers of shape"),
    (lambda: connect(DistanceDependent(positions(3), positions(30), 1.0)), "3 source_positions for 30 source units"),
    (lambda: Uniform(1, 1), "Uniform.low = 1.0: must lie below high = 1.0"),
    (lambda: Normal(0, 0), "Normal.sd = 0.0: must be above 0"),
    (lambda: Normal(0, "x"), "Normal.sd = 'x': must be a finite number"),
    (lambda: Normal(0, 1, low=5), "must hold at least a millionth of the distribution with mean 0.0 and sd 1.0"),
    (lambda: Constant(None), "Constant.value = None: must be a finite number"),
    (lambda: connect(AllToAll(), delay=Uniform(1, 2)).pre, "random delays need the step of a network"),
    (lambda: rows(connect(AllToAll(), delay=Uniform(1, 2000))), "delays of 10 to 20000 steps of dt = 0.1 ms, at most"),
    (lambda: rows(connect(AllToAll(), delay=0.25)), "a delay of 0.25 ms is not a whole number of steps"),
    (lambda: wiring.rows(connect(AllToAll()), 3, 30, DT), "connects 30 source units, but its source has 3"),
    (lambda: connect(AllToAll()).on_grid(0.0), "Projection.on_grid.dt = 0.0: must be above 0"),
]


@pytest.mark.parametrize(("build", "words"), MISTAKES)
def test_mistakes_are_one_sentence(build, words):
    with pytest.raises((ConfigurationError, ShapeError), match=words) as caught:
        build()
    assert "\n" not in str(caught.value)
    assert ". " not in str(caught.value)
