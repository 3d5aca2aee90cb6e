"""HfZrO2 hysterons: the closed form of the switched fraction, chance from device to device and from cycle to cycle."""

import math

import numpy as np
import pytest

from insectbot.chips.ftj_hysterons import replay_field
from insectbot.errors import ShapeError

A, B, P, Q = 6.7582, 1.6686, 2.0998, 1.3641


def expected(field, time):
    """Return the mean switched fraction: the Weibull of each activation field, over their distribution."""
    y = (np.arange(20000) + 0.5) / 20000
    density = y ** (P - 1) * (1 - y) ** (Q - 1) * math.exp(math.lgamma(P + Q) - math.lgamma(P) - math.lgamma(Q))
    activation = B * (y / (1 - y)) ** (1 / A)
    h = time / 446.33 * np.exp(-((activation / field) ** 4.2408))
    return float((density * (1 - np.exp(-(h**1.9134)))).mean())


@pytest.mark.parametrize("field", [1.2, 1.7, 2.5])
def test_the_mean_fraction_is_the_closed_form(field):
    done = replay_field(np.full((50, 400), field), dt=40.0)
    for step in (4, 19, 49):
        wanted = expected(field, (step + 1) * 40.0)
        sigma = math.sqrt(0.25 / (400 * 64))
        assert done.fraction[step].mean() == pytest.approx(wanted, abs=5 * sigma + 1e-3)


def test_fine_steps_are_coarse_steps():
    coarse = replay_field(np.full((5, 20), 1.8), dt=200.0, seed=3).fraction[-1]
    fine = replay_field(np.full((1000, 20), 1.8), dt=1.0, seed=3).fraction[-1]
    np.testing.assert_array_equal(coarse, fine)


def test_devices_and_cycles_differ():
    pulses = np.concatenate([np.r_[np.full(10, 2.4), np.full(100, -9.0)] for _ in range(60)])
    table = np.repeat(pulses[:, None], 30, axis=1)
    done = replay_field(table, dt=50.0)
    ends = done.fraction[9::110]
    assert (done.fraction[109::110] == 0).all()
    within, between = ends.std(axis=0).mean(), ends.mean(axis=0).std()
    p = ends.mean()
    assert 0.2 < p < 0.8
    # At most that of independent coins; devices differ by their activation fields.
    assert 0.5 < within / math.sqrt(p * (1 - p) / 64) < 1.05
    assert between > 2 * within / math.sqrt(60)
    assert not np.array_equal(ends, replay_field(table, dt=50.0, seed=1).fraction[9::110])


def test_a_field_along_the_hysteron_starts_anew():
    """Two halves of a pulse, apart by a field the other way, switch less than the whole."""
    whole = replay_field(np.full((10, 200), 1.6), dt=50.0).fraction[-1]
    parts = np.full((11, 200), 1.6)
    parts[5] = 0.0
    assert replay_field(parts, dt=50.0).fraction[-1].mean() < 0.75 * whole.mean()
    assert replay_field(np.full((10, 200), 1.6), dt=50.0, up=1.0).fraction.min() == 1.0


@pytest.mark.parametrize(("field", "options"), [([np.inf], {}), ([1.0], {"up": 2.0}), ([1.0], {"hysterons": 0})])
def test_bad_replays_are_one_sentence(field, options):
    with pytest.raises(ShapeError, match="replay_field: field of shape"):
        replay_field(field, dt=1.0, **options)
