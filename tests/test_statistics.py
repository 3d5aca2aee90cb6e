"""Intervals against published values and closed forms; failed seeds; NaN."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insectbot.training.statistics import bootstrap, per_seed, summarise, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998, Table I, method 3 (score without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_values(successes, n, low, high):
    rate, a, b = wilson(successes, n)
    assert rate == successes / n
    assert (round(a, 4), round(b, 4)) == (low, high)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_solves_the_score_equation_and_is_symmetric(case):
    k, n = case
    rate, low, high = wilson(k, n)
    assert 0 <= low <= rate <= high <= 1
    z2 = 1.959963984540054**2
    for bound in (low, high):
        assert n * (rate - bound) ** 2 == pytest.approx(z2 * bound * (1 - bound), abs=1e-9)
    mirrored = wilson(n - k, n)
    assert mirrored[1] == pytest.approx(1 - high)


def test_nothing_gives_nan():
    assert all(math.isnan(v) for v in (*wilson(0, 0), *bootstrap([]), *bootstrap([math.nan])))


def test_bootstrap_is_seeded_and_near_the_normal_interval():
    data = np.random.default_rng(1).normal(3.0, 2.0, 400)
    mean, low, high = bootstrap(data)
    assert (mean, low, high) == bootstrap(data)
    half = 1.96 * data.std() / 20
    assert mean == pytest.approx(data.mean())
    assert low == pytest.approx(mean - half, abs=0.02)
    assert high == pytest.approx(mean + half, abs=0.02)


def test_bootstrap_of_one_value_is_that_value():
    assert bootstrap([2.0, math.nan]) == (2.0, 2.0, 2.0)


def test_summary_is_over_seeds_with_medians_of_ratios():
    nan = math.nan
    episodes = [
        (1, {"success": 1.0, "SPT": 0.5, "T_ratio": 1.0}),
        (1, {"success": 1.0, "SPT": 0.7, "T_ratio": 9.0}),
        (1, {"success": 1.0, "SPT": 0.6, "T_ratio": 2.0}),
        (2, {"success": 0.0, "SPT": 0.0, "T_ratio": nan}),
        (2, {"success": 1.0, "SPT": 0.2, "T_ratio": 4.0}),
    ]
    found = summarise(episodes)
    assert found["success"] == wilson(4, 5)
    assert found["SPT"][0] == pytest.approx((0.6 + 0.1) / 2)
    assert found["SPT"][1:] == pytest.approx((0.1, 0.6))
    assert found["T_ratio"][0] == pytest.approx((2.0 + 4.0) / 2)
    assert per_seed(episodes, "success") == [1.0, 0.5]
    assert math.isnan(per_seed(episodes, "none")[0])
