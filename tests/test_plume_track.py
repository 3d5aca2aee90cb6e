import math

import gymnasium
import numpy as np
import pytest
from naive_plume import NaivePlume, walk

from insectbot.controllers.circuits.plume_tracker import WindEncoder, plume_tracker
from insectbot.controllers.plume_baselines import CastAndSurge, RandomFlight, TrailMemory, Upwind
from insectbot.core.simulator import Simulator
from insectbot.envs import plume_track_kernels as k
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.loop.episode import run_episode
from insectbot.seeding import worlds
from insectbot.training.statistics import wilson

PRESETS = ("constant", "once", "many", "sparse")


def make(preset="constant", **settings):
    return gymnasium.make("insectbot/PlumeTrack-v0", disable_env_checker=True, preset=preset, **settings).unwrapped


def row_of(env):
    return env.get_state()["row"]


def put(env, x, y, heading=0.0, **slots):
    """Put the body somewhere."""
    state = env.get_state()
    row = state["row"]
    row[k.X], row[k.Y], row[k.HEADING], row[k.COS], row[k.SIN] = x, y, heading, math.cos(heading), math.sin(heading)
    for name, value in slots.items():
        row[getattr(k, name)] = value
    env.set_state(state)
    return row


def naive_of(env, preset, **settings):
    row = row_of(env)
    return NaivePlume(int(row[k.KEY_HIGH]) << 32 | int(row[k.KEY_LOW]), preset, **settings)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("growth", [0.005, 0.01])
def test_a_list_of_moved_puffs_gives_the_same_plume(preset, growth):
    """Closed forms over no stored puff at all, against puffs carried step by step, on from 40 s before the start."""
    env = make(preset, growth=growth, time_limit=100.0)
    env.reset(seed=5)
    naive = naive_of(env, preset, growth=growth)
    for _ in range(110):
        naive.step()
    put(env, 5.0, 0.0, STEP=110.0)
    row = row_of(env)
    k._carry(row)
    state = env.get_state()
    state["row"] = row
    env.set_state(state)
    found, expected = env.puffs(), np.array(naive.puffs())
    assert found.shape == expected.shape
    np.testing.assert_allclose(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)], atol=1e-9)
    rng = np.random.default_rng(1)
    hits = 0
    for x, y, _ in expected[rng.integers(len(expected), size=60)]:
        row[k.X], row[k.Y] = x + 0.1 * rng.normal(), y + 0.1 * rng.normal()
        smell = naive.odor(row[k.X], row[k.Y])
        hits += smell > 0.0
        assert k.odor(row, env.world.data) == pytest.approx(smell, abs=1e-12)
        row[k.Y] += 3.0 * rng.normal()
        stray = naive.stray(row[k.X], row[k.Y])
        assert k.stray_distance(row, env.world.data, 0.0) == pytest.approx(stray, abs=1e-9)
        assert (k.stray_distance(row, env.world.data, k.STRAY) > k.STRAY) == (stray > k.STRAY)
    assert hits > 20


def test_odor_upstream_and_beyond_the_far_end():
    env = make()
    env.reset(seed=1)
    row, naive = row_of(env), naive_of(env, "constant")
    for x, y in (
        (-0.005, 0.0),
        (0.0, 0.002),
        (-0.5, 0.0),
        (-3.0, 0.5),
        (9.97, 0.1),
        (10.05, 0.0),
        (11.0, 0.0),
        (40.0, 9.0),
    ):
        row[k.X], row[k.Y] = x, y
        assert k.odor(row, env.world.data) == pytest.approx(naive.odor(x, y), abs=1e-12)
        assert k.stray_distance(row, env.world.data, 0.0) == pytest.approx(naive.stray(x, y), abs=1e-9)


def test_walks_of_puffs_are_brownian_across_the_wind():
    """Variance 25 mm^2 per tick; walks of different puffs and steps of one walk are independent."""
    table = np.asarray(k.walks(), float)
    data = table[:, :-1].T
    assert data[17, 40] == walk(17, 40)
    assert (table[:, -1] == np.abs(data).max(0)).all()
    steps = np.diff(data, axis=1)
    assert steps.std() == pytest.approx(2.0 * k.WALK_STEP, rel=0.005)
    for age in (100, 500, 1000):
        assert data[:, age].std() == pytest.approx(0.005 * math.sqrt(4 * age), rel=0.1)
    assert abs(np.corrcoef(steps[:, 0:999].ravel(), steps[:, 1:1000].ravel())[0, 1]) < 0.005
    assert abs(np.corrcoef(steps[:-1].ravel(), steps[1:].ravel())[0, 1]) < 0.005


@pytest.mark.parametrize(("preset", "rate"), [("constant", 1.0), ("sparse", 0.4)])
def test_births_are_poisson(preset, rate):
    """Per tick: mean and variance are the rate. Ages are uniform, and both signs of a walk are as likely."""
    env = make(preset)
    counts, sides = [], []
    for seed in range(40):
        env.reset(seed=seed)
        puffs = env.puffs()
        ticks = np.rint((puffs[:, 2] - k.RADIUS) / row_of(env)[k.GROWTH]).astype(int)
        counts.append(np.bincount(ticks, minlength=2000)[:2000])
        sides.append(np.mean(puffs[:, 1] > 0.0))
    counts = np.array(counts)
    n = counts.size
    assert counts.mean() == pytest.approx(rate, abs=4.0 * math.sqrt(rate / n))
    assert counts.var() == pytest.approx(rate, rel=4.0 * math.sqrt((2.0 + 1.0 / rate) / n))
    assert (counts == 0).mean() == pytest.approx(math.exp(-rate), abs=0.008)
    by_phase = counts.reshape(40, 500, 4).mean((0, 1))
    np.testing.assert_allclose(by_phase, rate, rtol=0.05)
    assert np.mean(sides) == pytest.approx(0.5, abs=0.02)


def test_wind_that_turns_many_times_keeps_its_statistics():
    """Every 3 s +- 0.3 s; normal angles of 45 degrees, clipped at 60, so 18 % of them lie at a limit."""
    env = make("many", time_limit=4000.0)
    env.reset(seed=2)
    row, turns, angles = row_of(env), [], []
    for step in range(1, 90_000):
        row[k.STEP] = step
        before = row[k.TURNS]
        k._turn_wind(row)
        if row[k.TURNS] != before:
            g = int(row[k.SEGMENTS]) - 1
            turns.append(step)
            angles.append(math.degrees(math.atan2(row[k.SEG_VY + g], row[k.SEG_VX + g])))
    gaps = 0.04 * np.diff(turns)
    assert gaps.mean() == pytest.approx(3.0, abs=0.01)
    assert 2.35 < gaps.min() < 2.55
    assert 3.45 < gaps.max() < 3.65
    assert np.abs(angles).max() == pytest.approx(60.0)
    at_limit = math.erfc(60.0 / 45.0 / math.sqrt(2.0))
    assert np.mean(np.abs(angles) > 59.999) == pytest.approx(at_limit, abs=0.045)
    inner = [a for a in angles if abs(a) < 22.5]
    assert len(inner) / len(angles) == pytest.approx(math.erf(0.5 / math.sqrt(2.0)), abs=0.05)


def test_wind_turns_once_by_45_degrees_within_three_seconds():
    env = make("once", time_limit=20.0)
    times = []
    for seed in range(60):
        env.reset(seed=seed)
        # A turn at the very start is over.
        times.append(row_of(env)[k.NEXT] * k.TICK if row_of(env)[k.TURNS] == 0.0 else 0.0)
    assert 0.0 <= min(times) < 0.3
    assert 2.7 < max(times) < 3.0
    put(env, 5.0, 0.0, HEADING=0.0)
    obs = np.zeros(3)
    for _ in range(80):
        obs, *_ = env.step([0.0, 0.0])
    np.testing.assert_allclose(obs[:2], [0.5 * math.sqrt(0.5)] * 2, atol=1e-6)


@pytest.mark.parametrize("preset", ["once", "many"])
def test_the_body_feels_a_turn_of_the_wind_at_once(preset):
    env = make(preset, time_limit=100.0)
    obs, _ = env.reset(seed=6)
    naive, felt = naive_of(env, preset), set()
    for _ in range(200):
        facing = env.pose[2]
        wind = complex(*obs[:2]) * complex(math.cos(facing), math.sin(facing))
        assert wind == pytest.approx(complex(*naive.wind()), abs=1e-6)
        felt.add(round(math.atan2(wind.imag, wind.real), 4))
        put(env, 5.0, env.pose[1], heading=0.3)
        obs, _, ended, *_ = env.step([0.0, 0.1])
        naive.step()
        assert not ended
    assert len(felt) in ((2,) if preset == "once" else (3, 4))


def test_starts_lie_in_the_plume_of_age_30_to_80_percent():
    env = make()
    places = []
    for seed in range(400):
        env.reset(seed=seed)
        places.append(env.pose)
    x, y, heading = np.array(places).T
    assert 3.0 <= x.min() < 3.2
    assert 7.8 < x.max() <= 8.0
    spread = y / (1.645 * 0.05 * np.sqrt(x / 0.5))
    assert spread.std() == pytest.approx(1.0, rel=0.12)
    assert abs(np.exp(1j * heading).mean()) < 0.15


def test_motion_wind_and_senses():
    """The body turns, then flies 0.1 m at full speed; the wind takes it 20 mm along; it feels wind minus airspeed."""
    env = make()
    env.reset(seed=1)
    put(env, 5.0, 0.3, heading=2.0)
    obs, *_ = env.step([1.0, 0.5])
    heading = 2.0 + 0.5 * 3.125 * math.pi * 0.04
    np.testing.assert_allclose(
        env.pose, [5.02 + 0.1 * math.cos(heading), 0.3 + 0.1 * math.sin(heading), heading], atol=1e-9
    )
    np.testing.assert_allclose(obs[:2], [0.5 * math.cos(heading) - 2.5, -0.5 * math.sin(heading)], atol=1e-6)
    wide = make(turn_rate=6.25 * math.pi)
    wide.reset(seed=1)
    put(wide, 5.0, 0.3, heading=0.1)
    wide.step([-3.0, 9.0])  # clipped
    np.testing.assert_allclose(wide.pose, [5.02, 0.3, 0.1 + math.pi / 4.0], atol=1e-9)


def test_reward_home_and_out_of_bounds():
    env = make()
    env.reset(seed=1)
    put(env, 0.31, 0.0, heading=math.pi)
    _, reward, terminated, truncated, info = env.step([0.6, 0.0])
    # 0.31 + 0.02 - 0.06 = 0.27: nearer by 0.04; close to the source there is odor on the middle line.
    odor = row_of(env)[k.SENSES + 2] > 0.0
    assert reward == pytest.approx(-1 / 30 + (5 * 0.04 if odor else -5 / 30), abs=1e-6)
    assert (terminated, truncated, info) == (False, False, {})
    _, reward, terminated, truncated, info = env.step([1.0, 0.0])
    odor = row_of(env)[k.SENSES + 2] > 0.0
    assert reward == pytest.approx(101 + (5 * 0.08 if odor else -5 / 30), abs=1e-6)
    assert (terminated, truncated, info["success"], info["strayed"]) == (True, False, True, False)
    assert info["time_home"] == pytest.approx(0.08)
    for x, factor in ((5.0, 1.0), (-0.5, 2.0)):
        env.reset(seed=1)
        put(env, x, 4.5)
        _, reward, terminated, truncated, info = env.step([0.0, 0.0])
        stray = naive_of(env, "constant")
        stray.step()
        far, before = math.hypot(x + 0.02, 4.5), math.hypot(x, 4.5)
        expected = -1 / 30 - 5 / 30 + min(5 * (before - far), 0.0) - factor * (5 * far + stray.stray(x + 0.02, 4.5))
        assert reward == pytest.approx(expected, abs=1e-6)
        assert (terminated, truncated, info["success"], info["strayed"]) == (True, False, False, True)


def test_time_ends_an_episode_and_info_counts():
    env = make(time_limit=0.4)
    env.reset(seed=3)
    start = env.pose
    for step in range(10):
        *_, terminated, truncated, info = env.step([0.0, 0.0])
        assert (terminated, truncated) == (False, step == 9)
    assert info["duration"] == pytest.approx(0.4)
    assert info["distance"] == pytest.approx(math.hypot(*start[:2]))
    assert info["closest"] == pytest.approx(info["distance"])
    assert math.isnan(info["detour"])
    assert 0.0 <= info["in_plume"] <= 1.0


@pytest.mark.parametrize("settings", [{"growth": 0.5}, {"growth": -0.001}, {"turn_rate": 0.0}, {"growth": "much"}])
def test_settings_are_checked(settings):
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        make(**settings)


def success(controller, preset, n=60, phase="probe"):
    env = gymnasium.make("insectbot/PlumeTrack-v0", disable_env_checker=True, preset=preset)
    runs = [run_episode(env, controller, seed=w, controller_seed=w, learn=False) for w in worlds(phase, n, 7)]
    return sum(run.metrics["success"] for run in runs) / n


def spiking(**options):
    made = plume_tracker(**options)
    made.attach(Simulator().compile(made.network, seed=1), 40)
    return made


def test_reflexes_beat_upwind_and_upwind_beats_chance():
    found = [success(made, "constant") for made in (CastAndSurge(), Upwind(), RandomFlight())]
    assert found[0] > 0.85
    assert 0.3 < found[1] < 0.65
    assert found[2] < 0.05


def test_memory_of_the_trail_pays_where_the_wind_turns():
    assert success(TrailMemory(), "many") > success(CastAndSurge(), "many") + 0.1


def test_trail_memory_follows_the_last_stretch():
    """Two straight legs with odor, the second 90 degrees to the left: the trail is expected to go on along that."""
    memory = TrailMemory(bias=0.0, mix=1.0)
    memory.reset(1)
    heading, goals, flown = 0.0, [], 0.0
    for step in range(50):
        # Wind from 45 degrees, so that neither leg leads downwind.
        wind = 0.5 * np.exp(1j * (math.radians(225.0) - heading))
        goals.append(memory.upwind([wind.real - flown, wind.imag, 0.01]))
        turn = math.radians(18.0) if 10 <= step < 15 else 0.0
        action = memory.towards(turn)
        heading, flown = heading + turn, 2.5
        assert action.tolist() == pytest.approx([1.0, turn / (3.125 * math.pi * 0.04)])
    assert goals[0] == pytest.approx(math.pi / 4.0)
    np.testing.assert_allclose(goals[8:11], 0.0, atol=1e-6)
    np.testing.assert_allclose(goals[-5:], 0.0, atol=0.02)


def test_the_spiking_tracker_needs_its_nose_and_its_flip_flop():
    whole, deaf, stuck = (success(spiking(**o), "constant") for o in ({}, {"smell": 0.0}, {"fatigue": 1e-9}))
    assert whole > 0.75
    assert deaf < 0.1
    assert stuck < whole - 0.15


@pytest.mark.slow
def test_the_spiking_tracker_meets_its_bars():
    """Over 5 seeds and 100 worlds each: constant 0.75, sparse 0.50, with the lower end of the interval."""
    for preset, bar in (("constant", 0.75), ("sparse", 0.5)):
        rates = [success(spiking(seed=seed), preset, 100, "evaluate") for seed in range(5)]
        assert wilson(100 * float(np.mean(rates)), 100)[1] > bar


def test_the_flip_flop_alternates_and_a_whiff_stops_the_casts():
    made = spiking()
    made.reset(0)
    upwind, smell = np.array([-0.5 - 1.75, 0.0, 0.0]), np.array([-0.5 - 1.75, 0.0, 0.01])
    turns = np.array([made.act(upwind)[1] for _ in range(100)])
    assert np.mean(np.abs(turns) > 0.5) > 0.7
    flips = np.count_nonzero(np.diff(np.sign(turns[np.abs(turns) > 0.5])))
    assert 2 <= flips <= 20
    smelling = [made.act(smell)[1] for _ in range(30)]
    assert np.abs(smelling[10:]).mean() < 0.4


def test_the_encoder_points_at_where_the_wind_comes_from():
    encoder = WindEncoder(1.75)
    for angle in (0.0, 1.0, -2.0, 3.1):
        wind = -0.5 * np.array([math.cos(angle), math.sin(angle)])
        drive = encoder([wind[0] - 1.75, wind[1], 0.0])
        centre = np.angle(drive[:16] @ np.exp(2j * np.pi * np.arange(16) / 16))
        assert math.remainder(centre - angle, 2.0 * math.pi) == pytest.approx(0.0, abs=0.01)
        assert drive[16:].tolist() == [0.0, 1.0]
    assert encoder([0.0, 0.0, 0.001])[16] == 1.0
    with pytest.raises(ShapeError, match="must be"):
        encoder([0.0, 0.0])


@pytest.mark.parametrize(
    "bad", [lambda: Upwind(0.0), lambda: CastAndSurge(leg=0), lambda: CastAndSurge(surge=-1), lambda: plume_tracker(0)]
)
def test_controllers_check_their_numbers(bad):
    with pytest.raises(ConfigurationError):
        bad()
