"""Attractors (models sheet C21): the threshold-linear ring, two cues in it, the spiking ring, winner take all."""

from __future__ import annotations

import math

import numpy as np
import pytest

from insectbot.controllers.circuits.ring_attractor import heading, ring_angles, threshold_linear_ring
from insectbot.controllers.circuits.spiking_ring import spiking_ring
from insectbot.controllers.circuits.winner_take_all import winner_take_all
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError

TAU = 10.0


def settled(n=64, j1=4.0, *, spans=300.0, dt=0.5, **options):
    """Return a ring after ``spans`` time constants without rotation."""
    ring = Simulator().compile(threshold_linear_ring(n, j1=j1, tau=TAU, dt=dt, precision="float64", **options))
    ring.record({"ring": ("r",)})
    ring.window([0.0], round(spans * TAU / dt))
    return ring


def rates(ring):
    return ring.variable("ring", "r")


# The bump ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("j1", "bump"), [(1.0, False), (1.9, False), (2.1, True), (3.0, True)])
def test_a_bump_forms_only_above_j1_of_two(j1, bump):
    r = rates(settled(j1=j1, spans=500.0))
    if bump:
        assert r.min() == 0.0
        assert r.max() > 0.7
    else:
        assert r == pytest.approx(1 / 3, abs=1e-6)  # c / (1 - j0)


def half_width(j1):
    """Solve j1 (x - sin(2 x) / 2) = 2 pi by bisection."""
    low, high = 0.0, math.pi
    for _ in range(60):
        x = (low + high) / 2
        low, high = (x, high) if j1 * (x - math.sin(2 * x) / 2) < 2 * math.pi else (low, x)
    return x


@pytest.mark.parametrize("j1", [3.0, 4.0, 6.0])
def test_width_and_peak_of_the_bump_are_the_closed_form(j1):
    n, x = 256, half_width(j1)
    r = rates(settled(n, j1, spans=120.0))
    peak = (1 - math.cos(x)) / (-math.cos(x) + 2.0 * (math.sin(x) - x * math.cos(x)) / math.pi)
    assert r.max() == pytest.approx(peak, rel=2e-4)
    assert np.count_nonzero(r > 1e-9) * math.pi / n == pytest.approx(x, abs=1.5 * math.pi / n)
    if j1 == 4.0:
        assert x == pytest.approx(math.pi / 2, abs=1e-9)
        assert peak == pytest.approx(1.570796, abs=1e-6)


@pytest.mark.parametrize("start", [0.0, 0.02, math.pi / 64, 2.0, -1.3])
def test_sixty_four_units_hold_a_bump_at_any_angle(start):
    ring = settled(start=start)
    before, r = heading(rates(ring)), rates(ring)
    ring.window([0.0], 2000)
    assert heading(rates(ring)) == pytest.approx(before, abs=1e-7)
    assert before == pytest.approx(start, abs=5e-3)
    # Of n = 4 m units the cosines of an open half circle have the same squared sum wherever it lies: it fixes J1 = 4,
    # and mean r = c / -j0 fixes the amplitude. So the peak depends on where between two units the bump is.
    gap = 2 * math.pi / 64
    off = abs(before - gap * round(before / gap))
    amplitude = 64 * math.sin(gap / 2) / (2 * math.cos(gap / 2 - off))
    assert r.max() == pytest.approx(amplitude * math.cos(off), rel=1e-6)
    assert r.max() == pytest.approx(1.570515, rel=1.5e-3)  # the sheet's simulation, at an angle of its own


# The rotation ------------------------------------------------------------------------------------------------------


def drift(velocity, dt):
    """Return how fast the bump turns [rad per tau]."""
    ring = settled(dt=dt, spans=100.0)
    ring.window([velocity], round(30 * TAU / dt))
    ring.window([velocity], round(100 * TAU / dt))
    turned = np.unwrap(heading(ring.states()["ring", "r"]))
    return np.polyfit(np.arange(turned.size) * dt / TAU, turned, 1)[0]


@pytest.mark.parametrize(("velocity", "expected"), [(0.02, 0.0200), (0.05, 0.0500), (0.1, 0.09998), (0.2, 0.1998)])
def test_velocity_turns_the_bump_as_in_the_sheet(velocity, expected):
    # The sheet's figures are those of steps of 0.05 tau.
    assert drift(velocity, 0.05 * TAU) == pytest.approx(expected, abs=1e-5)
    assert drift(-velocity, 0.05 * TAU) == pytest.approx(-expected, abs=1e-5)


@pytest.mark.parametrize("share", [0.1, 0.01])
def test_steps_turn_the_bump_by_the_closed_form_of_the_scheme(share):
    # z' = (1 - p) z + p f exp(i a) z, tan a = gain v, |z'| = |z|: d in a step, with tan a (cos d - 1 + p) = sin d
    part, velocity = -math.expm1(-share), 0.2
    turn = velocity * share
    for _ in range(50):
        turn = math.asin(velocity * share / part * (math.cos(turn) - 1 + part))
    found = drift(velocity, share * TAU)
    assert found == pytest.approx(turn / share, rel=2e-5)
    assert found == pytest.approx(velocity * (1 - velocity**2 * share / 2), rel=2e-4)


def test_the_bump_integrates_a_path():
    ring = settled(dt=1.0, start=0.4)
    expected = [heading(rates(ring))]
    for velocity in np.random.default_rng(3).normal(0.0, 0.1, 40):
        ring.window([velocity], 30)
        expected.append(expected[-1] + 3.0 * velocity)
        assert np.angle(np.exp(1j * (heading(rates(ring)) - expected[-1]))) == pytest.approx(0.0, abs=0.02)
    assert np.ptp(expected) > 1.0


# Two senses in one ring --------------------------------------------------------------------------------------------


def gaussian(n, centre, width, total):
    """Return the drive of a population with Gaussian receptive fields, by its sum."""
    distance = np.angle(np.exp(1j * (ring_angles(n) - centre)))
    field = np.exp(-0.5 * (distance / width) ** 2)
    return total * field / field.sum()


@pytest.mark.parametrize("narrow", [0, 1])
@pytest.mark.parametrize("power", [0, 2])
def test_the_bump_follows_the_narrower_of_two_cues(power, narrow):
    n, centres = 64, np.array([0.5, -0.5])
    widths = np.array([0.2, 0.8] if narrow == 0 else [0.8, 0.2])
    totals = 4.0 * (0.2 / widths) ** power  # equal activity, or activity by precision as in a population code
    cues = [gaussian(n, *values) for values in zip(centres, widths, totals, strict=True)]
    found = []
    for seed in range(3):
        ring = Simulator().compile(threshold_linear_ring(n, cues=2, start=2.5), seed=seed)
        ring.window([0.0, *cues[0], *cues[1]], 3000)
        ring.record({"ring": ("r",)})
        ring.window([0.0, *cues[0], *cues[1]], 4000)
        found.append(heading(ring.states()["ring", "r"].mean(axis=0)))
    # The phase rests where the first harmonic of the cues does; a Gaussian of width s has it times exp(-s^2 / 2).
    vector = (totals * np.exp(1j * centres - widths**2 / 2)).sum()
    assert np.mean(found) == pytest.approx(np.angle(vector), abs=0.02)
    assert abs(np.mean(found) - centres[narrow]) < abs(np.mean(found) - centres[1 - narrow])
    if power == 2:
        assert np.mean(found) == pytest.approx((centres / widths**2).sum() / (1 / widths**2).sum(), abs=0.04)  # Bayes


# Spikes ------------------------------------------------------------------------------------------------------------


def spiking(seed, n=128, **options):
    """Return a compiled spiking ring whose bump was put to 1 rad, and the drive for a velocity."""
    ring = Simulator().compile(spiking_ring(n, seed=seed, **options), seed=seed)
    ring.window([0.0, 1.0, *np.cos(ring_angles(n) - 1.0)], 300)
    return ring, lambda velocity: [velocity, 1.0, *np.zeros(n)]


def spiking_drift(velocity, seed, seconds):
    """Return how fast the spiking bump turns [rad/s]."""
    ring, drive = spiking(seed)
    ring.window(drive(velocity), 300)
    turned = np.unwrap([heading(ring.window(drive(velocity), 50).counts) for _ in range(round(seconds * 20))])
    return np.polyfit(np.arange(turned.size) * 0.05, turned, 1)[0]


def test_the_spiking_bump_stays_where_a_cue_put_it():
    ring, drive = spiking(0)
    counts = ring.window(drive(0.0), 1000).counts.copy()
    assert heading(counts) == pytest.approx(1.0, abs=0.1)
    assert 60 < counts.max() < 120  # designed: 97 Hz
    assert np.count_nonzero(counts) == pytest.approx(64, abs=12)
    ring.window([0.0, 1.0, *np.cos(ring_angles(128) + 1.5)], 800)
    assert heading(ring.window(drive(0.0), 200).counts) == pytest.approx(-1.5, abs=0.1)


@pytest.mark.parametrize("velocity", [0.5, -1.0])
def test_the_spiking_ring_integrates_velocity(velocity):
    found = [spiking_drift(velocity, seed, 2.0) for seed in range(3)]
    assert found == pytest.approx([5.0 * velocity] * 3, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("velocity", [0.1, 0.25, 0.5, 1.0])
def test_the_spiking_ring_integrates_linearly(velocity):
    # 0.02, 0.05, 0.1 and 0.2 rad per tau_syn, the sheet's velocities, within its 10 %
    for sign in (1, -1):
        found = [spiking_drift(sign * velocity, seed, 8.0) for seed in range(8)]
        assert np.mean(found) == pytest.approx(sign * 5.0 * velocity, rel=0.1)
        assert np.std(found) < 0.1


@pytest.mark.slow
def test_the_spiking_ring_integrates_a_path():
    errors, lengths = [], []
    for seed in range(8):
        ring, drive = spiking(seed)
        rng, velocity, expected = np.random.default_rng([seed, 4]), 0.0, heading(ring.window(drive(0.0), 200).counts)
        for _ in range(100):
            velocity += -0.1 * velocity + 0.15 * rng.standard_normal()
            counts = ring.window(drive(velocity), 100).counts
            expected += 0.1 * 5.0 * velocity
            lengths.append(0.1 * 5.0 * abs(velocity))
        # a window counts what passes: its mean heading is that of its middle
        errors.append(np.angle(np.exp(1j * (heading(counts) - expected + 0.05 * 5.0 * velocity))))
    assert np.sqrt(np.mean(np.square(errors))) < 0.04 * sum(lengths) / 8


# Winner take all ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_largest_inputs_win_whatever_was_before(k):
    n, rng = 8, np.random.default_rng(k)
    circuit = Simulator().compile(winner_take_all(n, k))
    for _ in range(40):
        values = 0.1 + 0.1 * rng.permutation(n) + rng.uniform(-0.03, 0.03, n)  # at least 0.04 apart
        circuit.window(values, 1500)
        won = circuit.variable("units", "r")
        assert np.flatnonzero(won > 0.5).tolist() == sorted(np.argsort(values)[-k:].tolist())
        assert np.sort(won) == pytest.approx([0.0] * (n - k) + [1.0] * k, abs=0.01)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: threshold_linear_ring(3), "n = 3, must be at least 4"),
        (lambda: threshold_linear_ring(tau=0.0), "RingUnit.tau"),
        (lambda: spiking_ring(8), "n = 8, must be at least 16"),
        (lambda: spiking_ring(speed=-1.0), "speed"),
        (lambda: winner_take_all(4, 4), "k = 4, must be at least 1 and below n = 4"),
    ],
)
def test_mistakes_are_told(make, words):
    with pytest.raises(ConfigurationError, match=words):
        make()
