"""Manners of insectbot/Foraging-v0: the Gymnasium contract, options, metrics, errors, pictures."""

import copy
import json
import math
import pickle
import sys
from types import ModuleType
from typing import ClassVar

import gymnasium
import numpy as np
import pygame
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordEpisodeStatistics, RecordVideo, TimeLimit

import insectbot
from insectbot.controllers.baselines import Braitenberg
from insectbot.envs import rendering
from insectbot.envs.foraging import ForagingEnv
from insectbot.envs.foraging_settings import PRESETS
from insectbot.envs.registry import ENVS, register_envs
from insectbot.errors import ConfigurationError, DisplayError, ShapeError, UnknownNameError

ID = "insectbot/Foraging-v0"
METRICS = {"success", "time", "path", "exposure", "collisions", "T_opt", "T_ratio", "SPT"}
COSTS = {"cost", "cost_opt", "cost_ratio"}


def episode(env, controller=None, seed=None, **options):
    """Run to the end; return (observations, rewards, info)."""
    controller = controller or Braitenberg()
    obs, info = env.reset(seed=seed, options=options or None)
    assert info == {}
    observations, rewards = [obs], []
    while True:
        obs, reward, terminated, truncated, info = env.step(controller.act(obs))
        observations.append(obs)
        rewards.append(reward)
        if terminated or truncated:
            assert terminated is not truncated
            return np.array(observations), np.array(rewards), info
        assert info == {}


@pytest.mark.parametrize("preset", PRESETS)
def test_gymnasium_checker(preset, monkeypatch):
    """The checker of Gymnasium finds nothing (its warnings are errors here), window and pictures included."""
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    check_env(gymnasium.make(ID, preset=preset).unwrapped)


def test_registration_is_idempotent_and_serialisable():
    register_envs()
    for env_id in ENVS:
        spec = gymnasium.make(env_id).spec
        again = gymnasium.envs.registration.EnvSpec.from_json(spec.to_json())
        assert again == spec
    assert insectbot.__version__


@pytest.mark.parametrize("preset", PRESETS)
def test_copies_continue_identically(preset):
    """Pickle, deepcopy and get_state/set_state all continue the same trajectory, across the next reset."""
    env = gymnasium.make(ID, preset=preset).unwrapped
    env.reset(seed=3)
    for _ in range(30):
        env.step([1.0, 0.9])
    other = gymnasium.make(ID, preset=preset).unwrapped
    other.reset(seed=99)
    other.set_state(env.get_state())
    twins = [pickle.loads(pickle.dumps(env)), copy.deepcopy(env), other]
    expected = [env.step([0.7, 1.0])[:2] for _ in range(20)], env.reset()[0], env.pose
    for twin in twins:
        got = [twin.step([0.7, 1.0])[:2] for _ in range(20)], twin.reset()[0], twin.pose
        for (a, x), (b, y) in zip(expected[0], got[0], strict=True):
            np.testing.assert_array_equal(a, b)
            assert x == y
        np.testing.assert_array_equal(expected[1], got[1])
        np.testing.assert_array_equal(expected[2], got[2])


@pytest.mark.parametrize("preset", PRESETS)
def test_metrics_at_the_end(preset):
    """Every preset reports its metrics once, as plain numbers in range; the planner is never beaten."""
    env = gymnasium.make(ID, preset=preset, time_limit=60.0)
    for seed in range(12):
        _, rewards, info = episode(env, seed=seed)
        assert set(info) == METRICS | (COSTS if preset == "dem" else set())
        assert all(type(v) in (bool, int, float) for v in info.values())
        assert 0.0 <= info["exposure"] <= 1.0
        assert info["time"] == pytest.approx(0.05 * len(rewards))
        assert info["path"] <= 40.0 * info["time"] + 1e-9
        if info["success"]:
            assert info["T_opt"] <= info["time"]
            assert info["SPT"] == pytest.approx(info["T_opt"] / info["time"])
        else:
            assert info["SPT"] == 0.0
            assert math.isnan(info["T_opt"])
            assert info["time"] == 60.0
        json.dumps(info)


def test_planner_can_be_switched_off():
    info = episode(gymnasium.make(ID, planner=False), seed=1)[2]
    assert info["success"]
    assert math.isnan(info["T_opt"])
    assert math.isnan(info["SPT"])


def test_same_seed_same_world_and_every_seed_another():
    env = ForagingEnv("cluttered")
    scenes = []
    for seed in (1, 1, 2):
        env.reset(seed=seed)
        scenes.append(env.scene())
    np.testing.assert_array_equal(scenes[0]["roughness"], scenes[1]["roughness"])
    np.testing.assert_array_equal(scenes[0]["obstacles"], scenes[1]["obstacles"])
    assert not np.array_equal(scenes[0]["obstacles"], scenes[2]["obstacles"])
    env.reset()
    assert not np.array_equal(env.scene()["obstacles"], scenes[2]["obstacles"])


def test_dense_reward_is_the_sum_of_its_terms():
    """Over an episode the differences telescope: progress and bearing depend on the ends alone."""
    env = ForagingEnv(reward_weights={"roughness": 0.0, "collision": 0.0, "bearing": 0.0})
    env.reset(seed=5)
    x, y, _ = env.pose
    target = env.scene()["target"]
    d0 = math.hypot(target[0] - x, target[1] - y)
    _, rewards, info = episode(env, seed=5)
    x, y, _ = env.pose
    d1 = math.hypot(target[0] - x, target[1] - y)
    assert info["success"]
    assert rewards.sum() == pytest.approx(0.5 * (d0 - d1) + 100.0)


def test_sparse_and_local_rewards():
    _, rewards, info = episode(gymnasium.make(ID, preset="sparse"), seed=2)
    assert info["success"]
    assert rewards[-1] == 1.0
    assert (rewards[:-1] == 0.0).all()
    env = ForagingEnv(reward="local")
    observations, rewards, _ = episode(env, seed=2)
    antennae = observations[:, :2].sum(1)
    bearing = rewards + 20.0 * np.diff(antennae)
    assert np.abs(bearing).max() <= 10.0
    # Left of it: five times the change of the cosine of the bearing, which telescopes to at most 2.
    assert abs(bearing.sum()) <= 10.0 + 1e-3


def test_flip_counts_episodes_and_options_override():
    env = ForagingEnv("flip", flip_after=3)
    place = {"start": [500, 500, 0], "target": [500, 800]}
    towards = []
    for _ in range(5):
        obs, _ = env.reset(seed=1, options=place)
        towards.append(bool(obs[2] > obs[3]))
    assert towards == [True, True, True, False, False]
    for flip in (False, True):
        obs, _ = env.reset(seed=1, options={**place, "flip": flip})
        assert (obs[2] > obs[3]) is not flip or not flip
        assert bool(obs[2] < obs[3]) is flip


def test_clamped_walls_do_not_collide():
    for walls, hits in (("block", True), ("clamp", False)):
        env = ForagingEnv(walls=walls, time_limit=5.0)
        env.reset(seed=1, options={"start": [15, 500, math.pi], "target": [900, 500]})
        for _ in range(100):
            *_, info = env.step([1.0, 1.0])
        assert (info["collisions"] > 0) is hits
        assert 0.0 <= env.pose[0] <= 1000.0


def test_options_place_start_and_target():
    env = ForagingEnv("cluttered")
    env.reset(seed=1, options={"start": [500, 400, 7.0], "target": [520, 700]})
    np.testing.assert_allclose(env.pose, [500, 400, 7.0 - 2 * math.pi])
    np.testing.assert_allclose(env.scene()["target"], [520, 700, 20])
    env.reset(seed=1, options={"start": [500, 500, 0]})
    assert 500 < np.hypot(*(env.scene()["target"][:2] - 500)) < 900


@pytest.mark.parametrize(
    ("kwargs", "error", "words"),
    [
        ({"preset": "clutered"}, UnknownNameError, "did you mean 'cluttered'"),
        ({"preset": 3}, UnknownNameError, "preset 3 is not one of smooth, cluttered, dem, unknown, flip, sparse"),
        ({"reward": "density"}, UnknownNameError, "reward 'density' is not one of dense, sparse, local"),
        ({"reward_weights": {"progres": 1.0}}, UnknownNameError, "did you mean 'progress'"),
        ({"reward_weights": {"goal": math.nan}}, ConfigurationError, "must be a finite number"),
        ({"walls": "bounce"}, UnknownNameError, "walls 'bounce' is not one of block, clamp"),
        ({"flip_after": -1}, ConfigurationError, "flip_after = -1"),
        ({"time_limit": 0.01}, ConfigurationError, "at least one control period of 0.05 s"),
        ({"render_mode": "ansi"}, ConfigurationError, "must be None, 'human' or 'rgb_array'"),
    ],
)
def test_wrong_arguments_get_one_sentence(kwargs, error, words):
    with pytest.raises(error, match=words) as caught:
        ForagingEnv(**kwargs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"begin": [1, 2, 3]}, UnknownNameError, "reset option 'begin' is not one of start, target, flip"),
        ({"start": [1, 2]}, ConfigurationError, r"start = \[1, 2\], must be \[x, y, heading\]"),
        ({"start": 5}, ConfigurationError, "must be"),
        ({"target": [1, math.inf]}, ConfigurationError, "finite"),
        ({"target": [1, 1001]}, ConfigurationError, "outside the arena of 1000 x 1000 mm"),
        ({"start": [500, 500, 0], "target": [505, 500]}, ConfigurationError, "5.0 mm apart, must be at least 20 mm"),
        ({"flip": 1}, ConfigurationError, "must be True or False"),
    ],
)
def test_wrong_options_get_one_sentence(options, error, words):
    env = ForagingEnv()
    env.reset(seed=1)
    before = env.pose
    with pytest.raises(error, match=words):
        env.reset(options=options)
    np.testing.assert_array_equal(env.pose, before)


def test_wrong_actions_get_one_sentence_and_move_nothing():
    env = ForagingEnv()
    env.reset(seed=1)
    before = env.get_state()["row"]
    for action in ([1.0], [[1.0, 1.0]], 0.5, [math.nan, 0.0], [0.0, math.inf]):
        with pytest.raises(ShapeError, match="insectbot/Foraging: the action"):
            env.step(action)
    np.testing.assert_array_equal(env.get_state()["row"], before)
    with pytest.raises(ShapeError, match="state row of shape"):
        env.set_state({"row": np.zeros(3), "np_random": {}})


def test_actions_of_any_dtype_and_layout_are_cast():
    """Lists, float64, read-only and strided actions give the same step as float32."""
    frozen = np.array([0.5, 0.25], np.float32)
    frozen.setflags(write=False)
    strided = np.array([[0.5, 9.0], [0.25, 9.0]], np.float32)[:, 0]
    results = []
    for action in (np.array([0.5, 0.25], np.float32), [0.5, 0.25], np.array([0.5, 0.25]), frozen, strided):
        env = ForagingEnv()
        env.reset(seed=1)
        results.append((env.step(action)[1], *env.pose))
    assert len(set(results)) == 1


class FakeClip:
    """Stands for moviepy's ImageSequenceClip, which RecordVideo writes with."""

    written: ClassVar[list] = []

    def __init__(self, frames, fps):
        self.frames, self.fps = frames, fps

    def write_videofile(self, path, **options):
        self.written.append((len(self.frames), self.frames[0].shape, self.fps))

    def close(self):
        pass


def test_wrappers_work(tmp_path, monkeypatch):
    """TimeLimit, RecordEpisodeStatistics and RecordVideo wrap it; make() takes max_episode_steps."""
    for name in ("moviepy", "moviepy.video", "moviepy.video.io", "moviepy.video.io.ImageSequenceClip"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["moviepy.video.io.ImageSequenceClip"].ImageSequenceClip = FakeClip
    env = gymnasium.make(ID, render_mode="rgb_array", max_episode_steps=10)
    assert isinstance(env, TimeLimit)
    env = RecordVideo(RecordEpisodeStatistics(env), str(tmp_path / "video"), disable_logger=True)
    env.reset(seed=1)
    for _ in range(10):
        *_, truncated, info = env.step([1.0, 1.0])
    env.close()
    env.close()
    assert truncated
    assert info["episode"]["l"] == 10
    assert FakeClip.written == [(11, (*rendering.SIZE[::-1], 3), 20)]


@pytest.mark.parametrize("preset", ["cluttered", "dem"])
def test_picture_shows_the_world(preset):
    """The frame is fresh, north is up, and obstacle, target and trail have their colours where they belong."""
    env = ForagingEnv(preset, render_mode="rgb_array")
    env.reset(seed=4)
    first = env.render()
    for _ in range(40):
        env.step([1.0, 1.0])
    frame = env.render()
    assert frame.shape == (*rendering.SIZE[::-1], 3)
    assert frame.dtype == np.uint8
    assert not np.shares_memory(frame, first)
    assert (frame != first).any()
    scene = env.scene()
    view = rendering.SceneView(scene, (16, 12, rendering.SIZE[0] - 32, rendering.SIZE[1] - rendering.STRIP - 16))

    def colour(x, y):
        column, row = view.pixel(x, y)
        return tuple(frame[round(row), round(column)].tolist())

    assert colour(*scene["target"][:2]) == rendering.TARGET
    discs = scene["obstacles"]
    for x, y, radius in discs:
        alone = sum(np.hypot(discs[:, 0] - x, discs[:, 1] - y) < discs[:, 2] + radius) == 1
        if alone and radius < y < 900 and np.hypot(*(env.pose[:2] - (x, y))) > 150:
            # The rim, south of the highlight.
            assert np.abs(np.subtract(colour(x, y - 0.8 * radius), rendering.ROCK)).max() < 30
    low, high = view.pixel(0.0, 100.0), view.pixel(0.0, 900.0)
    assert low[1] > high[1]


def test_draw_scene_reuses_the_ground_and_keeps_to_its_rectangle():
    env = ForagingEnv()
    env.reset(seed=1)
    scene, surface = env.scene(), pygame.Surface((500, 400))
    rect = (100, 50, 300, 300)
    view = rendering.draw_scene(surface, scene, env.pose, [(0, 0), (500, 500)], senses=[0, 1, 0, 0, 0], rect=rect)
    assert rendering.draw_scene(surface, scene, env.pose, rect=rect) is view
    pixels = pygame.surfarray.array3d(surface)
    pixels[100:400, 50:350] = 0
    assert (pixels == 0).all()


def test_window_without_display_is_one_sentence(monkeypatch):
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    env = ForagingEnv(render_mode="human")
    with pytest.raises(DisplayError, match="render_mode='human' cannot open a window"):
        env.reset(seed=1)


def test_window_draws_and_survives_closing(monkeypatch):
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = ForagingEnv(render_mode="human")
    env.metadata = {**env.metadata, "render_fps": 1000}
    env.reset(seed=1)
    env.step([1.0, 1.0])
    assert pygame.display.get_init()
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    env.step([1.0, 1.0])
    assert not pygame.display.get_init()
    env.step([1.0, 1.0])
    env.close()


def test_render_without_mode_warns():
    env = ForagingEnv()
    env.reset(seed=1)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_kernel_sources_enter_the_cache_key():
    """Every module whose constants the kernels freeze must mention jit, or the kernel cache could go stale."""
    from pathlib import Path

    folder = Path(sys.modules["insectbot.envs.registry"].__file__).resolve().parent
    kernels = ("foraging_body", "foraging_kernels", "many")
    for name in ("foraging_row", "numerics", "ground", "terrain", "planner", *kernels):
        assert b"jit" in (folder / f"{name}.py").read_bytes()
