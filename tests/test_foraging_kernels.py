"""The Foraging kernels against plain Python, symmetry, and the numbers of their description."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_foraging import NaiveWorld

from insectbot.envs import foraging_row as r
from insectbot.envs.foraging import ForagingEnv
from insectbot.envs.foraging_kernels import reset, step
from insectbot.envs.foraging_settings import Settings, template
from insectbot.envs.numerics import cos_sin, exp_negative, normal, uniform


def world(key, start=None, **kwargs):
    row, _ = template(Settings(**kwargs))
    if start is not None:
        row[r.WISH : r.WISH + 3] = start
    row[r.KEY_HIGH], row[r.KEY_LOW] = key >> 32, key & 0xFFFFFFFF
    obs = np.empty(5, np.float32)
    reset(row, obs)
    return row, obs


def steering(seed, n):
    """Smooth random wheel commands with enough turning to meet walls and discs."""
    rng = np.random.default_rng(seed)
    turn, out = 0.0, []
    for _ in range(n):
        turn = 0.9 * turn + rng.normal(0.0, 0.3)
        out.append((1.0 - turn, 1.0 + turn))
    return np.array(out, np.float32)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"preset": "smooth"},
        {"preset": "cluttered"},
        {"preset": "unknown", "reward": "local"},
        {"preset": "flip", "flip_after": 0},
        {"preset": "smooth", "walls": "clamp"},
        {"preset": "cluttered", "walls": "clamp", "reward_weights": {"antennae": 3.0, "goal": 7.0}},
    ],
)
def test_step_equals_plain_python(kwargs):
    """Positions, senses, rewards and sums agree over random worlds, collisions and kicks included."""
    collisions = 0
    # The third world starts in a corner, facing the walls.
    for key, start in ((1, None), (2**63 + 12345, None), (987654321987654321, (15.0, 12.0, -2.3))):
        row, obs = world(key, start, **kwargs)
        naive = NaiveWorld(row)
        np.testing.assert_allclose(obs, naive.observe(), atol=1e-6)
        for action in steering(key % 1000, 600):
            reward, code = step(row, action, obs)
            senses, expected, reached, over = naive.step(*action.tolist())
            assert reward == pytest.approx(expected, abs=1e-7)
            assert (code == 1, code == 2) == (reached, over)
            np.testing.assert_allclose(row[r.RHO_LEFT : r.RHO_LEFT + 5], senses, atol=1e-8)
            np.testing.assert_array_equal(obs, row[r.RHO_LEFT : r.RHO_LEFT + 5].astype(np.float32))
        np.testing.assert_allclose(row[:2], (naive.x, naive.y), atol=1e-6)
        assert math.remainder(row[r.HEADING] - naive.heading, 2 * math.pi) == pytest.approx(0.0, abs=1e-9)
        assert -math.pi <= row[r.HEADING] <= math.pi
        assert row[r.PATH] == pytest.approx(naive.path)
        assert row[r.EXPOSURE] == pytest.approx(naive.exposure)
        assert row[r.COLLISIONS] == naive.collisions
        collisions += naive.collisions
    assert collisions > 0 or kwargs.get("walls") == "clamp"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_every_world_obeys_the_description(key):
    """Places, distances, radii and bumps of any key lie in the stated ranges."""
    row, obs = world(key, preset="cluttered")
    assert ((obs >= 0) & (obs <= 1)).all()
    start, target = row[r.START : r.START + 2], row[r.TARGET : r.TARGET + 2]
    assert ((start >= 80) & (start <= 920) & (target >= 80) & (target <= 920)).all()
    assert 500 < np.hypot(*(start - target)) < 900
    discs = np.column_stack((row[r.DISC_X :][:30], row[r.DISC_Y :][:30], np.sqrt(row[r.DISC_R2 :][:30])))
    assert ((discs[:, 2] >= 20) & (discs[:, 2] <= 50)).all()
    for end in (start, target):
        assert (np.hypot(*(discs[:, :2] - end).T) - discs[:, 2] >= 40 - 1e-9).all()
    sigma, amplitude = np.sqrt(0.5 / row[r.BUMP_K :][:14]), row[r.BUMP_A :][:14]
    assert ((sigma >= 50) & (sigma <= 110) & (amplitude >= 0.5) & (amplitude <= 1)).all()
    assert (row[r.BUMP_A + 14 : r.BUMP_A + 16] == 0).all()


def test_draws_are_uniform_over_worlds():
    """Means over 2000 worlds lie within four standard errors of the stated distributions."""
    rows = np.array([world(int(k))[0] for k in np.random.default_rng(0).integers(0, 2**63, 2000)])
    n = len(rows)
    for column, low, high in ((r.BUMP_X, 0, 1000), (r.BUMP_A, 0.5, 1.0), (r.HEADING, -math.pi, math.pi)):
        se = (high - low) / math.sqrt(12 * n)
        assert abs(rows[:, column].mean() - (low + high) / 2) < 4 * se
    assert abs(rows[:, r.START].mean() - rows[:, r.TARGET].mean()) < 4 * 250 * math.sqrt(2 / n)


def test_kick_is_standard_normal_to_third_moments():
    """The sum of twelve uniforms has mean 0, variance 1, and no two draws repeat."""
    sample = np.array([normal(np.uint64(99), 12 * k) for k in range(20000)])
    assert abs(sample.mean()) < 4 / math.sqrt(20000)
    assert abs(sample.var() - 1) < 4 * math.sqrt(2 / 20000)
    draws = [uniform(np.uint64(7), k) for k in range(5000)]
    assert len(set(draws)) == 5000
    assert 0.0 <= min(draws) < max(draws) < 1.0


def test_elementary_functions():
    """Portable exp, cos and sin match libm."""
    for z in np.linspace(0.0, 60.0, 3001):
        assert exp_negative(z) == pytest.approx(math.exp(-z), abs=1e-11)
    for angle in np.linspace(-6.2, 6.2, 2001):
        assert cos_sin(angle) == pytest.approx((math.cos(angle), math.sin(angle)), abs=1e-11)


@pytest.mark.parametrize("preset", ["smooth", "cluttered"])
def test_mirror_symmetry(preset):
    """A reflected world driven with swapped wheels gives the reflected path and swapped senses, kicks included."""
    collisions = 0
    for key in (5, 6, 7):
        row, obs = world(key, (15.0, 12.0, -2.3) if key == 7 else None, preset=preset)
        other, seen = r.mirrored(row), np.empty(5, np.float32)
        for action in steering(key, 400):
            reward, code = step(row, action, obs)
            twin_reward, twin_code = step(other, action[::-1].copy(), seen)
            assert code == twin_code
            assert twin_reward == pytest.approx(reward, abs=1e-9)
            assert other[r.X] == pytest.approx(1000.0 - row[r.X], abs=1e-9)
            assert other[r.Y] == pytest.approx(row[r.Y], abs=1e-9)
            np.testing.assert_allclose(seen, obs[[1, 0, 3, 2, 4]], atol=1e-7)
        collisions += row[r.COLLISIONS]
    assert collisions > 0


def test_no_command_no_motion():
    """Zero commands leave the pose alone."""
    row, obs = world(3)
    before = row[:3].copy()
    for _ in range(50):
        step(row, np.zeros(2, np.float32), obs)
    np.testing.assert_array_equal(row[:3], before)
    assert row[r.PATH] == 0.0


def test_straight_drive_covers_speed_times_time():
    """On smooth ground full command is 40 mm/s: 2 mm in a step."""
    row, obs = world(4)
    row[r.BUMP_A : r.BUMP_A + 16] = 0.0
    row[r.X], row[r.Y], row[r.HEADING], row[r.COS], row[r.SIN] = 100.0, 500.0, 0.0, 1.0, 0.0
    row[r.RHO] = 0.0
    for _ in range(100):
        step(row, np.ones(2, np.float32), obs)
    assert row[r.X] == pytest.approx(300.0, abs=1e-9)
    row[r.RHO] = 0.0
    step(row, np.array([-1.0, 1.0], np.float32), obs)
    # Turning: (1 + 0.2) * 40 / 10 * 0.5 * 0.05 = 0.12 rad.
    assert row[r.HEADING] == pytest.approx(0.12, abs=1e-8)


@pytest.mark.parametrize(("preset", "sign"), [("smooth", 1), ("flip", -1)])
def test_cue_points_to_the_target_or_away(preset, sign):
    """Left cue above right exactly when the target is on the left; reversed after the flip."""
    env = ForagingEnv(preset, flip_after=0)
    obs, _ = env.reset(seed=1, options={"start": [500, 500, 0], "target": [500, 800]})
    assert sign * (obs[2] - obs[3]) > 0
    left = (0.5 + sign * 0.5 * math.cos(math.pi / 4)) ** 2 / 1.3
    assert obs[2] == pytest.approx(left, abs=1e-6)


def test_unknown_hides_the_target_beyond_250_mm():
    env = ForagingEnv("unknown")
    obs, _ = env.reset(seed=1, options={"start": [500, 500, 0], "target": [750, 500]})
    assert (obs[2:4] == 0).all()
    obs, _ = env.reset(seed=1, options={"start": [500, 500, 0], "target": [749, 500]})
    assert (obs[2:4] > 0).all()
