"""The preset route: views and the led trip against plain Python; the mushroom body that follows views."""

import math
from itertools import pairwise

import gymnasium
import numpy as np
import pytest

from insectbot.controllers.circuits.mb_route import mb_route
from insectbot.controllers.mb_views import StraightOn, ViewEncoder, ViewMemory, skyline
from insectbot.core.simulator import Simulator
from insectbot.envs import foraging_row as r
from insectbot.envs import route_row as t
from insectbot.envs.route_kernels import look
from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError
from insectbot.loop.episode import run_episode

ID = "insectbot/Foraging-v0"
STILL = np.zeros(2, np.float32)


def make(**kwargs):
    return gymnasium.make(ID, preset="route", disable_env_checker=True, **kwargs)


def row_of(env):
    return env.unwrapped.get_state()["row"]


def naive_view(row, x, y, heading):
    """The skyline as the page has it, sector by sector."""
    view = []
    for i in range(36):
        seen = 0.0
        for k in range(20):
            dx, dy, h = row[r.DISC_X + k] - x, row[r.DISC_Y + k] - y, row[t.HEIGHT + k]
            angle = math.atan2(dy, dx) - heading - 2 * math.pi * i / 36
            seen = max(seen, h / (h + math.hypot(dx, dy)) * (0.5 + 0.5 * math.cos(angle)) ** 64)
        view.append(seen)
    return view


@pytest.mark.parametrize("layout", [0, 7])
def test_the_view_is_that_of_the_page(layout):
    env = make(layout=layout, view_noise=0.0)
    obs, _ = env.reset(seed=1)
    row = row_of(env)
    np.testing.assert_allclose(obs[:36], naive_view(row, *env.unwrapped.pose), atol=1e-6)
    rng = np.random.default_rng(layout)
    for x, y, heading in rng.uniform((100, 100, -3), (900, 900, 3), (20, 3)):
        look(row, x, y, math.cos(heading), math.sin(heading))
        np.testing.assert_allclose(row[t.CLEAN : t.CLEAN + 36], naive_view(row, x, y, heading), atol=1e-9)


def test_the_noise_of_the_view_is_uniform_and_small():
    env = make(view_noise=0.1)
    errors = []
    for seed in range(30):
        obs, _ = env.reset(seed=seed)
        clean = np.array(naive_view(row_of(env), *env.unwrapped.pose))
        inside = (clean > 0.1) & (clean < 0.9)
        errors.append((obs[:36] - clean)[inside])
    errors = np.concatenate(errors)
    assert np.abs(errors).max() <= 0.1 + 1e-6
    assert errors.std() == pytest.approx(0.1 / math.sqrt(3), rel=0.1)
    assert abs(errors.mean()) < 0.01


def naive_distance(line, x, y):
    """Distance from a polyline, by brute force over points 0.1 mm apart."""
    best = math.inf
    for a, b in pairwise(line):
        share = np.linspace(0, 1, int(np.hypot(*(b - a)) * 10))[:, None]
        best = min(best, np.hypot(*(a + share * (b - a) - (x, y)).T).min())
    return best


@pytest.mark.parametrize("layout", range(6))
def test_layouts_are_clear_of_their_route_and_seeds_only_shift_the_start(layout):
    one, two, other = make(layout=layout), make(layout=layout), make(layout=layout + 100)
    for seed, env in enumerate((one, two, other)):
        env.reset(seed=seed)
    line = one.unwrapped.optimal_path()
    np.testing.assert_array_equal(line, two.unwrapped.optimal_path())
    assert not np.array_equal(line, other.unwrapped.optimal_path())
    assert not np.array_equal(one.unwrapped.pose, two.unwrapped.pose)
    for x, y, radius in one.unwrapped.scene()["obstacles"]:
        assert naive_distance(line, x, y) > radius + t.CLEAR - 0.1
    assert np.abs(one.unwrapped.pose[:2] - line[0]).max() <= 20


def test_the_led_trip_ends_at_the_feeder_whatever_the_action():
    env, twin = make(guided=True, layout=3), make(guided=True, layout=3)
    obs, _ = env.reset(seed=1)
    twin.reset(seed=2)
    line, rng, over = env.unwrapped.optimal_path(), np.random.default_rng(0), False
    before = env.unwrapped.pose[:2]
    while not over:
        assert obs[38] == 1.0
        obs, _, over, cut, info = env.step(rng.uniform(-1, 1, 2))
        twin.step(STILL)
        here = env.unwrapped.pose[:2]
        assert math.hypot(*(here - before)) == pytest.approx(2.0)
        np.testing.assert_array_equal(here, twin.unwrapped.pose[:2])
        assert not cut
        before = here
    assert info["success"]
    assert naive_distance(line, *here) < 40
    assert info["deviation_most"] < 30


def test_metrics_and_reward_add_up():
    """The sum of ``along`` is the way won; the greatest and the mean distance are those of the path."""
    env = make(layout=1, reward_weights={"along": 1.0, "collision": 0.0, "lost": 0.0, "feeder": 0.0})
    env.reset(seed=4)
    line = env.unwrapped.optimal_path()
    lengths = np.hypot(*np.diff(line, axis=0).T)
    begin, total, away, over = row_of(env)[t.ALONG], 0.0, [], False
    while not over:
        _, reward, over, cut, info = env.step(np.array([0.98, 1.0], np.float32))
        total += reward
        away.append(naive_distance(line, *env.unwrapped.pose[:2]))
        assert not cut
    assert info["success"] is False
    assert begin + total == pytest.approx(info["along"] * lengths.sum(), abs=1e-6)
    assert info["deviation_most"] == pytest.approx(max(away), abs=0.1)
    assert info["deviation_most"] > t.CORRIDOR
    assert info["deviation"] == pytest.approx(np.mean(away), abs=0.1)


@pytest.mark.parametrize(
    ("kwargs", "error", "text"),
    [
        ({"layout": -1}, ConfigurationError, "layout = -1, must be a whole number"),
        ({"guided": 1}, ConfigurationError, "guided = 1, must be True or False"),
        ({"view_noise": 2.0}, ConfigurationError, "view_noise"),
        ({"reward_weights": {"allong": 1.0}}, UnknownNameError, "did you mean 'along'"),
    ],
)
def test_wrong_settings_say_so(kwargs, error, text):
    with pytest.raises(error, match=text):
        make(**kwargs)


def test_the_encoder_turns_the_head():
    """A shift of k sees what a body turned by k sectors to the left would see; every view has the same sum."""
    env = make(layout=2, view_noise=0.0)
    env.reset(seed=1)
    row, (x, y, heading) = row_of(env), env.unwrapped.pose
    encoder, drives = ViewEncoder(), []
    for shift, turn in ((5, 0), (0, 5)):
        encoder.shift = shift
        obs = np.zeros(39, np.float32)
        obs[:36] = naive_view(row, x, y, heading + turn * 2 * math.pi / 36)
        drives.append(encoder(obs).copy())
    np.testing.assert_allclose(drives[0], drives[1], atol=1e-5)
    assert drives[0].sum() == pytest.approx(5.4, abs=0.2)
    assert skyline(np.zeros(36)).sum() == 0.0
    with pytest.raises(ShapeError, match="must be \\(39,\\)"):
        encoder(np.zeros(16))


def attached(**kwargs):
    controller = mb_route(**kwargs)
    controller.attach(Simulator().compile(controller.network), 50)
    return controller


def test_one_trip_makes_the_views_known():
    """After the trip, the view along the route is less new than the same view turned by 50 degrees or more.

    A body turned 30 degrees to the right finds the route 30 degrees to the left.
    """
    brain = attached(seed=1)
    run_episode(make(guided=True, layout=5), brain, seed=1, learn=True)
    env = make(layout=5)
    env.reset(seed=2)
    brain.learning = False
    brain.reset(0)
    kept = brain.weights()
    ahead, aside, found = [], [], []
    for view in env.unwrapped.route_views()[1][10:-10:10]:
        brain._scan(np.concatenate((view, np.zeros(3))))
        ahead.append(brain.novelty[5:8].min())
        aside.append(np.concatenate((brain.novelty[:2], brain.novelty[-2:])).mean())
        found.append(brain._scan(np.concatenate((np.roll(view, 3), np.zeros(3)))))
    assert np.mean(ahead) < 0.6 * np.mean(aside)
    errors = [error - 3 * 2 * math.pi / 36 for error in found]
    assert np.median(np.abs(errors)) < math.radians(16)
    assert all(np.array_equal(w, kept[name]) for name, w in brain.weights().items())
    naive = attached(seed=1)
    run_episode(make(guided=True, layout=5), naive, seed=1, learn=False)
    fresh = attached(seed=1).weights()
    assert all(np.array_equal(w, fresh[name]) for name, w in naive.weights().items())
    assert (kept["KC-novelty"] < 0.9 * fresh["KC-novelty"]).mean() > 0.05


def test_its_state_is_everything():
    brain, other, env = attached(), attached(), make(layout=5)
    run_episode(make(guided=True, layout=5), brain, seed=1, learn=True)
    obs, _ = env.reset(seed=3)
    brain.reset(3)
    for _ in range(10):
        obs, *_ = env.step(brain.act(obs))
    other.load_state(brain.state())
    for _ in range(10):
        np.testing.assert_array_equal(brain.act(obs), other.act(obs))


def test_the_baselines():
    """A perfect memory of views gets far; going straight on does not."""
    along = {"memory": [], "straight": []}
    for layout in range(4):
        env, memory = make(layout=layout), ViewMemory()
        memory.bind(env)
        for name, controller in (("memory", memory), ("straight", StraightOn())):
            along[name] += [run_episode(env, controller, seed=s, learn=False).metrics["along"] for s in range(2)]
    assert np.mean(along["memory"]) > 0.85
    assert np.mean(along["straight"]) < np.mean(along["memory"]) - 0.1
    with pytest.raises(ConfigurationError, match="has no route"):
        ViewMemory().bind(gymnasium.make(ID, disable_env_checker=True))
