"""Distances between spike trains: closed forms, axioms, and sums done by quadrature or brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.spike_metrics import (
    schreiber_similarity,
    spike_match,
    van_rossum_distance,
    victor_purpura_distance,
)

trains = st.lists(st.integers(0, 100).map(float), max_size=5, unique=True)


def test_van_rossum_numbers():
    """[encoding.spike_train_metrics]: one spike against none 1 / sqrt(2)."""
    assert van_rossum_distance([7.0], [], 10.0) == pytest.approx(1 / math.sqrt(2), rel=1e-9)
    assert van_rossum_distance([0.0], [5.0], 10.0) == pytest.approx(math.sqrt(1 - math.exp(-0.5)), rel=1e-9)
    assert van_rossum_distance([0.0], [1e6], 10.0) == pytest.approx(1.0)


@given(a=trains, b=trains, tau=st.sampled_from([3.0, 20.0]))
def test_van_rossum_is_the_integral(a, b, tau):
    t = (np.arange(60000) + 0.5) * 0.01
    kernel = [np.where(t >= s, np.exp(-np.maximum(t - s, 0) / tau), 0.0) for s in (*a, *b)]
    f, g = sum(kernel[: len(a)], np.zeros_like(t)), sum(kernel[len(a) :], np.zeros_like(t))
    assert van_rossum_distance(a, b, tau) == pytest.approx(math.sqrt(np.sum((f - g) ** 2) * 0.01 / tau), abs=1e-3)


def test_victor_purpura_numbers():
    assert victor_purpura_distance([7.0], [], 0.1) == 1.0
    assert victor_purpura_distance([10.0], [13.0], 0.1) == pytest.approx(0.3)
    assert victor_purpura_distance([10.0], [40.0], 0.1) == 2.0
    assert victor_purpura_distance([1.0, 2.0, 3.0], [50.0], 0.0) == 2.0


@given(a=trains, b=trains, cost=st.sampled_from([0.0, 0.02, 0.3]))
def test_victor_purpura_is_the_cheapest_pairing(a, b, cost):
    a, b = sorted(a), sorted(b)
    best = math.inf
    for k in range(min(len(a), len(b)) + 1):
        for some, others in itertools.product(itertools.combinations(a, k), itertools.combinations(b, k)):
            moved = sum(cost * abs(x - y) for x, y in zip(some, others, strict=True))
            best = min(best, len(a) + len(b) - 2 * k + moved)
    assert victor_purpura_distance(a, b, cost) == pytest.approx(best)


def test_schreiber_numbers():
    assert schreiber_similarity([10.0], [16.0], 3.0) == pytest.approx(math.exp(-1.0), rel=1e-9)
    assert schreiber_similarity([1.0, 9.0], [9.0, 1.0], 3.0) == 1.0
    assert schreiber_similarity([], [], 3.0) == 1.0
    assert schreiber_similarity([], [4.0], 3.0) == 0.0


@given(a=trains, b=trains)
def test_schreiber_is_the_cosine(a, b):
    t = np.arange(-60, 160, 0.05)
    f, g = (sum((np.exp(-(((t - s) / 4.0) ** 2) / 2) for s in train), np.zeros_like(t)) for train in (a, b))
    if a and b:
        cosine = f @ g / math.sqrt((f @ f) * (g @ g))
        assert schreiber_similarity(a, b, 4.0) == pytest.approx(cosine, abs=1e-6)


@given(a=trains, b=trains, c=trains)
def test_the_distances_are_distances(a, b, c):
    for distance in (lambda x, y: van_rossum_distance(x, y, 9.0), lambda x, y: victor_purpura_distance(x, y, 0.1)):
        assert distance(a, a[::-1]) == pytest.approx(0.0, abs=1e-7)
        assert distance(a, b) == pytest.approx(distance(b, a))
        assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-7


def test_what_they_refuse():
    with pytest.raises(ConfigurationError, match="tau = 0: must be above 0"):
        van_rossum_distance([], [], 0)
    with pytest.raises(ConfigurationError, match="cost = -1: must be at least 0"):
        victor_purpura_distance([], [], -1)
    with pytest.raises(ShapeError, match="must be a vector of finite times"):
        schreiber_similarity([[1.0]], [], 1.0)


def test_spike_match_by_hand():
    assert spike_match([], [], 1.0) == 1.0
    assert spike_match([1.0], [], 1.0) == 0.0
    assert spike_match([1.0, 5.0, 9.0], [2.0, 5.5], 1.0) == pytest.approx(4 / 5)
    assert spike_match([1.0, 1.0], [1.0], 0.0) == pytest.approx(2 / 3)  # each spike once
    assert spike_match([9.0, 1.0], [1.0, 9.0], 0.0) == 1.0  # in any order
