"""The preset odors: kernels against plain Python and closed forms; the mushroom body that learns there."""

import math

import gymnasium
import numpy as np
import pytest
from naive_odors import NaiveOdors

from insectbot.controllers.circuits.mushroom_body import mb_kc2000, mushroom_body
from insectbot.controllers.mb_baselines import OdorPlanner, OdorSteering, OdorTaxis
from insectbot.controllers.mb_coding import OdorEncoder, antennal_lobe
from insectbot.core.simulator import Simulator
from insectbot.envs import foraging_row as r
from insectbot.envs import odors_row as o
from insectbot.envs.odors_kernels import reset, step
from insectbot.envs.odors_settings import BLENDS, OdorSettings, template
from insectbot.envs.world import NO_DATA, RUNNING, TRUNCATED
from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError
from insectbot.loop.episode import run_episode
from insectbot.seeding import worlds

ID = "insectbot/Foraging-v0"
STILL = np.zeros(2, np.float32)
WEIGHTS = {"good": 3.0, "bad": -2.0, "walk": -0.1, "collision": -0.7}


def world(key, start=None, **kwargs):
    row = template(OdorSettings(**kwargs))
    if start is not None:
        row[r.WISH : r.WISH + 3] = start
    row[r.KEY_HIGH], row[r.KEY_LOW] = key >> 32, key & 0xFFFFFFFF
    obs = np.empty(16, np.float32)
    reset(row, NO_DATA, obs)
    return row, obs


def put(row, x, y, heading=0.0):
    row[r.X], row[r.Y], row[r.HEADING] = x, y, heading
    row[r.COS], row[r.SIN] = math.cos(heading), math.sin(heading)


def make(**kwargs):
    return gymnasium.make(ID, preset="odors", disable_env_checker=True, **kwargs)


@pytest.mark.parametrize(("walls", "noise", "kinds", "reverse"), [("block", 0.05, 2, 1.0), ("clamp", 0.0, 3, 0.0)])
def test_kernels_do_what_the_page_says(walls, noise, kinds, reverse):
    """A walk from source to source, and into a wall, against plain Python."""
    row = template(
        OdorSettings(None, WEIGHTS, walls, sources=6, kinds=kinds, good=1, odor_noise=noise, time_limit=100.0)
    )
    row[o.WISH_REVERSE], row[r.KEY_HIGH], row[r.KEY_LOW] = reverse, 5, 77
    obs = np.empty(16, np.float32)
    reset(row, NO_DATA, obs)
    twin = NaiveOdors(row, int(row[r.DRAWS]) - (144 if noise else 0))
    np.testing.assert_allclose(obs, twin.seen, atol=1e-6)
    tasted = collided = 0
    for k in range(2000):
        aim = row[[o.SOURCE_X, o.SOURCE_Y]] if k % 1000 < 700 else np.array((1200.0, 500.0))
        if tasted % 2:
            aim = row[[o.SOURCE_X + 1, o.SOURCE_Y + 1]] if k % 1000 < 700 else aim
        error = math.remainder(math.atan2(aim[1] - row[r.Y], aim[0] - row[r.X]) - row[r.HEADING], 2 * math.pi)
        action = np.clip([1.0 - error, 1.0 + error], -1, 1).astype(np.float32)
        reward, code = step(row, NO_DATA, action, obs)
        seen, expected, over = twin.step(*action.tolist())
        np.testing.assert_allclose(obs, seen, atol=1e-5)
        assert reward == pytest.approx(expected, abs=1e-9)
        assert code == (TRUNCATED if over else RUNNING)
        tasted, collided = len(twin.visits), int(row[r.COLLISIONS])
    assert tasted >= 4
    assert collided > 0 or walls == "clamp"
    assert row[o.GOOD] == sum(good for good, _ in twin.visits)
    assert row[o.BAD] == sum(not good for good, _ in twin.visits)
    assert row[o.LATE_GOOD] == sum(good and late for good, late in twin.visits)
    assert row[o.LATE_BAD] == sum(late and not good for good, late in twin.visits)
    assert row[o.REWARDED] == (1 + reverse) % kinds


def test_a_lone_source_smells_of_its_blend():
    """Closed form: share = C / (C + 0.2), C = blend * exp(-d / 80) at the tip of the antenna."""
    row, obs = world(3, sources=2, odor_noise=0.0)
    row[o.SOURCE_X], row[o.SOURCE_Y] = 500.0, 500.0
    row[o.SOURCE_X + 1], row[o.SOURCE_Y + 1] = 1e6, 1e6
    put(row, 500.0, 400.0, math.pi / 2)
    step(row, NO_DATA, STILL, obs)
    d = math.hypot(40 * math.sin(math.radians(35)), 100 - 40 * math.cos(math.radians(35)))
    c = np.array(BLENDS[0]) * math.exp(-d / 80)
    np.testing.assert_allclose(obs[:6], c / (c + 0.2), atol=1e-6)
    np.testing.assert_allclose(obs[6:12], obs[:6], atol=1e-6)
    put(row, 500.0, 400.0, 0.0)
    step(row, NO_DATA, STILL, obs)
    assert (obs[:5] >= obs[6:11]).all()
    assert obs[0] > obs[6] + 0.05


def test_a_visit_is_tasted_once_and_the_source_leaves():
    row, obs = world(4, odor_noise=0.0)
    x, y = row[o.SOURCE_X], row[o.SOURCE_Y]
    put(row, x + 19.9, y)
    assert step(row, NO_DATA, STILL, obs) == (1.0, RUNNING)
    assert obs[14:16].tolist() == [1.0, 0.0]
    places = row[o.SOURCE_X : o.SOURCE_X + 6], row[o.SOURCE_Y : o.SOURCE_Y + 6]
    far = np.hypot(places[0] - row[r.X], places[1] - row[r.Y])
    assert far[0] > o.GAP
    assert step(row, NO_DATA, STILL, obs) == (0.0, RUNNING)
    put(row, row[o.SOURCE_X + 1] + 20.1, row[o.SOURCE_Y + 1])
    assert step(row, NO_DATA, STILL, obs) == (0.0, RUNNING)
    put(row, row[o.SOURCE_X + 1] + 19.9, row[o.SOURCE_Y + 1])
    assert step(row, NO_DATA, STILL, obs) == (-1.0, RUNNING)
    assert obs[14:16].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("key", range(20))
def test_sources_keep_their_distance(key):
    row, _ = world(key, sources=8, kinds=4)
    places = np.column_stack((row[o.SOURCE_X : o.SOURCE_X + 8], row[o.SOURCE_Y : o.SOURCE_Y + 8]))
    gaps = np.hypot(*(places[:, None] - places[None]).T) + 1e9 * np.eye(8)
    assert gaps.min() > o.GAP
    assert places.min() >= o.MARGIN
    assert places.max() <= 1000 - o.MARGIN
    assert row[o.SOURCE_KIND : o.SOURCE_KIND + 8].tolist() == [0, 1, 2, 3] * 2


def test_options_and_metrics():
    env = make(time_limit=10.0)
    env.reset(seed=1, options={"good": 1, "reverse": True, "start": [500, 500, 0]})
    assert env.unwrapped.sources()[:, 3].tolist() == [0, 1] * 3
    assert env.unwrapped.pose.tolist() == [500, 500, 0]
    for _ in range(200):
        *_, over, info = env.step(STILL)
    assert over
    assert env.unwrapped.sources()[:, 3].tolist() == [1, 0] * 3
    assert math.isnan(info["choice"])
    assert info["success"] is False
    env.reset(seed=1)
    assert env.unwrapped.sources()[:, 3].tolist() == [1, 0] * 3


@pytest.mark.parametrize(
    ("kwargs", "error", "text"),
    [
        ({"kinds": 5}, ConfigurationError, "kinds = 5, must be a whole number from 2 to 4"),
        ({"sources": 1}, ConfigurationError, "sources = 1, must be a whole number from 2 to 8"),
        ({"good": 2}, ConfigurationError, "good = 2, must be a whole number from 0 to 1"),
        ({"odor_noise": -1.0}, ConfigurationError, "odor_noise"),
        ({"reward_weights": {"god": 1.0}}, UnknownNameError, "did you mean 'good'"),
        ({"reward_weights": {"good": math.inf}}, ConfigurationError, "must be a finite number"),
    ],
)
def test_wrong_settings_say_so(kwargs, error, text):
    with pytest.raises(error, match=text):
        make(**kwargs)


@pytest.mark.parametrize("options", [{"good": 2}, {"reverse": 1}, {"nest": [1, 2]}, {"start": [0, 0]}])
def test_wrong_options_say_so(options):
    with pytest.raises((ConfigurationError, UnknownNameError), match="insectbot/Foraging: reset option"):
        make().reset(seed=1, options=options)


def test_the_antennal_lobe_keeps_the_blend_and_drops_the_dose():
    """Strong odors sum to nearly 1; twice the dose hardly turns the pattern; no odor, no drive."""
    assert antennal_lobe(np.zeros(6)).tolist() == [0.0] * 6
    one, two = antennal_lobe(0.3 * np.array(BLENDS[0])), antennal_lobe(0.6 * np.array(BLENDS[0]))
    assert 0.8 < one.sum() < two.sum() < 1.0
    assert one @ two / math.sqrt((one @ one) * (two @ two)) > 0.999
    share = 0.3**1.5
    assert antennal_lobe([0.3])[0] == pytest.approx(share / (share + 0.1**1.5))


def activity(network, shares):
    """Return for each Kenyon cell in how many of ten windows of a steady odor it spikes."""
    executable = Simulator().compile(network)
    executable.learning, executable.recording = False, True
    executable.reset(0)
    cells, found = network.unit_slices()["KC"], np.zeros(2000)
    for window in range(12):
        executable.window(np.repeat(antennal_lobe(shares), 4).astype(np.float32), 50)
        units = np.unique(executable.spikes()[1])
        if window >= 2:
            found[units[(units >= cells.start) & (units < cells.stop)] - cells.start] += 0.1
    return found


def test_kenyon_cells_are_sparse_and_know_the_blends_apart():
    """One in twenty, whatever the dose; two blends share few cells, two doses most."""
    network = mushroom_body(24)
    codes = {}
    for kind in (0, 1):
        for distance in (20.0, 60.0, 100.0, 200.0):
            c = np.array(BLENDS[kind]) * math.exp(-distance / 80)
            codes[kind, distance] = activity(network, c / (c + 0.2))
    shares = [code.mean() for code in codes.values()]
    assert 0.03 < min(shares) < max(shares) < 0.09
    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)

    def likeness(a, b):
        return codes[a] @ codes[b] / math.sqrt((codes[a] @ codes[a]) * (codes[b] @ codes[b]))

    assert likeness((0, 20.0), (0, 100.0)) > 0.7
    assert likeness((0, 20.0), (1, 20.0)) < 0.1


def attached(**kwargs):
    controller = mb_kc2000(**kwargs)
    controller.attach(Simulator().compile(controller.network), 50)
    return controller


def scene_of(kind, distance=40.0):
    c = np.array(BLENDS[kind]) * math.exp(-distance / 80)
    return np.concatenate((c / (c + 0.2), c / (c + 0.2), np.zeros(4))).astype(np.float32)


def valence(controller, kind):
    controller.reset(0)
    for _ in range(30):
        controller.act(scene_of(kind))
    return controller.valence


def test_three_contacts_make_a_preference_and_its_reversal():
    """Sugar with A, bitter with B; then the other way round. Dopamine that comes without odor teaches nothing."""
    controller = attached(seed=3)
    controller.learning = True
    assert abs(valence(controller, 0)) < 0.05
    assert abs(valence(controller, 1)) < 0.05
    naive = controller.weights()
    controller.reset(1)
    for _ in range(60):
        controller.act(np.zeros(16, np.float32))
    controller.learn(1.0, True)
    assert all(np.array_equal(w, naive[name]) for name, w in controller.weights().items())
    for sign, times in ((1.0, 3), (-1.0, 8)):
        for _ in range(times):
            for kind, reward in ((0, sign), (1, -sign)):
                valence(controller, kind)
                controller.learn(reward, True)
        a, b = valence(controller, 0), valence(controller, 1)
        assert sign * a > 0.15
        assert sign * b < -0.15


def test_frozen_it_does_not_learn():
    controller = attached()
    controller.learning = False
    naive = controller.weights()
    for _ in range(30):
        controller.act(scene_of(0))
    controller.learn(1.0, True)
    assert all(np.array_equal(w, naive[name]) for name, w in controller.weights().items())


def test_its_state_is_everything():
    env, one, other = make(), attached(), attached()
    one.learning = other.learning = True
    run_episode(env, one, seed=5, learn=True)
    obs, _ = env.reset(seed=6)
    one.reset(6)
    for _ in range(50):
        obs, reward, *_ = env.step(one.act(obs))
        one.learn(float(reward), False)
    one.learn(1.0, False)
    other.load_state(one.state())
    for _ in range(30):
        np.testing.assert_array_equal(one.act(obs), other.act(obs))
    assert all(np.array_equal(w, other.weights()[name]) for name, w in one.weights().items())


def test_steering_climbs_and_descends():
    steer = OdorSteering(wander=0.0)
    left, right = steer(1.0, 0.1, 0.0, 0.0)
    assert left < right
    left, right = steer(-1.0, 0.1, 0.0, 0.0)
    assert left > right
    left, right = steer(0.0, 0.0, 1.0, 0.0)
    assert left > right


def test_the_baselines_choose_as_they_know():
    env = make()
    planner = OdorPlanner()
    planner.bind(env)
    results = {"taxis": [], "planner": []}
    for name, controller in (("taxis", OdorTaxis()), ("planner", planner)):
        for seed in range(4):
            results[name].append(run_episode(env, controller, seed=seed, learn=False).metrics)
    good, bad = (sum(m[key] for m in results["taxis"]) for key in ("visits_good", "visits_bad"))
    assert good + bad > 40
    assert 0.3 < good / (good + bad) < 0.7
    assert np.mean([m["choice"] for m in results["planner"]]) > 0.97
    assert sum(m["visits_good"] for m in results["planner"]) > good
    with pytest.raises(ConfigurationError, match="has no sources"):
        OdorPlanner().bind(gymnasium.make(ID, disable_env_checker=True))
    with pytest.raises(ShapeError, match="must be \\(16,\\)"):
        OdorEncoder()(np.zeros(5))


def test_a_brain_learns_to_choose():
    """Two training episodes, then frozen on worlds it has not seen: mostly sugar; naive: chance."""
    env, naive, learner = make(), attached(seed=1), attached(seed=1)
    for seed in worlds("train", 2, 1):
        run_episode(env, learner, seed=seed, learn=True)
    total = {}
    for name, controller in (("naive", naive), ("learned", learner)):
        metrics = [run_episode(env, controller, seed=seed, learn=False).metrics for seed in worlds("probe", 5)]
        good, bad = (sum(m[key] for m in metrics) for key in ("visits_good", "visits_bad"))
        assert good + bad > 10
        total[name] = good / (good + bad)
    assert 0.25 < total["naive"] < 0.75
    assert total["learned"] > 0.75
