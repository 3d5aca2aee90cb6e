"""What holds for every world of the registry, without a list to maintain."""

import copy
import hashlib
import multiprocessing
import pickle
import re
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import insectbot
from insectbot import check
from insectbot.envs.registry import ENVS
from insectbot.envs.row_env import RowEnv
from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError
from insectbot.loop.episode import run_episode
from insectbot.loop.recorder import Header, Label, Recorder
from insectbot.plugins import FunctionController
from insectbot.view.figures import trajectories
from insectbot.view.recording import Recording

ROOT = Path(__file__).parents[1]
IDS = list(ENVS)
MODES = list(AutoresetMode)
PAIRS = [(env_id, preset) for env_id in IDS for preset in load_env_creator(f"{ENVS[env_id]}Env").presets]


def make(env_id, **kwargs):
    return gymnasium.make(env_id, disable_env_checker=True, **kwargs).unwrapped


def short(env_id, steps=25, **kwargs):
    """Return settings that end an episode after some steps."""
    period = load_env_creator(f"{ENVS[env_id]}Env").control_period
    return {"time_limit": steps * period, **kwargs}


def actions_for(space, n, seed=0):
    return np.random.default_rng(seed).uniform(space.low, space.high, (n, *space.shape)).astype(np.float32)


def trajectory(env, n=60, seed=None, reset=True):
    """Return everything that ``n`` random steps show."""
    seen = [env.reset(seed=seed)[0]] if reset else []
    for action in actions_for(env.action_space, n):
        obs, reward, terminated, truncated, info = env.step(action)
        seen += [obs, reward, terminated, truncated, *map(float, info.values())]
        if terminated or truncated:
            seen.append(env.reset()[0])
    return np.concatenate([np.ravel(x).astype(np.float64) for x in seen])


def digest(env_id, preset):
    return hashlib.sha256(trajectory(make(env_id, **short(env_id, preset=preset)), seed=3).tobytes()).hexdigest()


@pytest.mark.parametrize(("env_id", "preset"), PAIRS)
def test_gymnasium_accepts_it(env_id, preset):
    """Also in every render mode that needs no display; advice counts as an error."""
    env = gymnasium.make(env_id, disable_env_checker=True, preset=preset, render_mode="rgb_array")
    check_env(env.unwrapped, skip_render_check=True)
    assert isinstance(env.unwrapped, RowEnv)
    env.reset(seed=1)
    frame = env.render()
    assert frame.dtype == np.uint8
    assert frame.std() > 5
    env.close()
    env.close()


@pytest.mark.parametrize("env_id", IDS)
def test_it_keeps_the_promises_of_check(env_id):
    assert [(f.promise, f.detail) for f in check.check(env_id) if not f.kept] == []


@pytest.mark.parametrize(("env_id", "preset"), PAIRS)
def test_seeds_decide_everything(env_id, preset):
    kwargs = short(env_id, preset=preset)
    env, twin = make(env_id, **kwargs), make(env_id, **kwargs)
    first = trajectory(env, seed=7)
    np.testing.assert_array_equal(first, trajectory(env, seed=7))
    np.testing.assert_array_equal(first, trajectory(twin, seed=7))
    np.testing.assert_array_equal(trajectory(env), trajectory(twin))  # the episodes after a seeded one


@pytest.mark.parametrize("env_id", IDS)
def test_some_seeds_differ(env_id):
    """Of the presets, at least one is another world for another seed."""
    presets = [preset for name, preset in PAIRS if name == env_id]
    worlds = [make(env_id, **short(env_id, 60, preset=preset)) for preset in presets]
    assert any(not np.array_equal(trajectory(env, seed=1), trajectory(env, seed=2)) for env in worlds)


@pytest.mark.parametrize(("env_id", "preset"), PAIRS)
def test_copies_live_on_alone(env_id, preset):
    env = make(env_id, **short(env_id, preset=preset))
    trajectory(env, n=40, seed=5)
    pickled, deep, fresh = (
        pickle.loads(pickle.dumps(env)),
        copy.deepcopy(env),
        make(env_id, **short(env_id, preset=preset)),
    )
    fresh.reset(seed=99)
    fresh.set_state(copy.deepcopy(env.get_state()))
    state = env.get_state()
    expected = trajectory(env, n=50, reset=False)
    for other in (pickled, deep, fresh):
        np.testing.assert_array_equal(trajectory(other, n=50, reset=False), expected)
    env.set_state(state)
    np.testing.assert_array_equal(trajectory(env, n=50, reset=False), expected)
    with pytest.raises(ShapeError, match="state row"):
        env.set_state({**state, "row": np.zeros(3)})


@pytest.mark.parametrize("env_id", IDS)
def test_spec_is_json(env_id):
    env = gymnasium.make(env_id, time_limit=5.0)
    again = EnvSpec.from_json(env.spec.to_json())
    assert again.id == env_id
    assert again.kwargs["time_limit"] == 5.0
    assert pickle.loads(pickle.dumps(env.spec)) == env.spec
    assert gymnasium.make(again).unwrapped.observation_space == env.observation_space


def test_spawned_processes_see_the_same_worlds():
    pairs = [next(pair for pair in PAIRS if pair[0] == env_id) for env_id in IDS]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.starmap(digest, pairs) == [digest(*pair) for pair in pairs]


def infos_of(infos, i):
    """Return the metrics of world i out of batched infos."""
    arrays = {k: v for k, v in infos.items() if not k.startswith("_") and not isinstance(v, dict)}
    return {k: v[i] for k, v in arrays.items() if infos["_" + k][i]}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(x, b[k], equal_nan=True) for k, x in a.items())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("env_id", "preset"), PAIRS)
def test_world_i_of_a_vector_is_a_single_env_with_seed_s_plus_i(env_id, preset, mode):
    n, kwargs = 3, short(env_id, preset=preset)
    vector = gymnasium.make_vec(
        env_id, num_envs=n, vectorization_mode="vector_entry_point", autoreset_mode=mode, **kwargs
    )
    assert vector.metadata["autoreset_mode"] is mode
    singles = [make(env_id, **kwargs) for _ in range(n)]
    obs, _ = vector.reset(seed=11)
    first = np.stack([single.reset(seed=11 + i)[0] for i, single in enumerate(singles)])
    np.testing.assert_array_equal(obs, first)
    assert vector.observation_space.contains(obs)
    ended, episodes = np.zeros(n, bool), 0
    for action in actions_for(vector.action_space, 70):
        if mode is AutoresetMode.DISABLED and ended.any():
            obs, _ = vector.reset(options={"reset_mask": ended.copy()})
            for i in np.flatnonzero(ended):
                np.testing.assert_array_equal(singles[i].reset()[0], obs[i])
            ended[:] = False
        obs, rewards, terminated, truncated, infos = vector.step(action)
        for i, single in enumerate(singles):
            if ended[i]:
                expected = (single.reset()[0], 0.0, False, False, {})
                ended[i] = False
            else:
                expected = single.step(action[i])
            last, over = infos_of(infos, i), expected[2] or expected[3]
            if mode is AutoresetMode.SAME_STEP and over:
                np.testing.assert_array_equal(last["final_obs"], expected[0])
                assert same(infos_of(infos["final_info"], i), expected[4])
                expected = (single.reset()[0], *expected[1:])
            else:
                assert same(last, expected[4])
                ended[i] = over
            np.testing.assert_array_equal(obs[i], expected[0])
            assert (rewards[i], terminated[i], truncated[i]) == expected[1:4]
            episodes += over
    assert episodes >= n


@pytest.mark.parametrize("env_id", IDS)
def test_mistakes_are_one_sentence(env_id):
    name = env_id.removesuffix("-v0")
    env = make(env_id)
    n = env.action_space.shape[0]
    env.reset(seed=1)
    before = env.get_state()
    for bad in ("left", np.zeros(n + 1), np.full(n, np.nan), [np.inf] * n, None):
        with pytest.raises(ShapeError, match=rf"^{name}: the action .*must be .*finite number"):
            env.step(bad)
    np.testing.assert_array_equal(env.get_state()["row"], before["row"])
    with pytest.raises(UnknownNameError, match=rf"^{name}: .*option 'wings'"):
        env.reset(options={"wings": 2})
    for kwargs, error in (
        ({"preset": "no such"}, UnknownNameError),
        ({"time_limit": 0.0}, ConfigurationError),
        ({"time_limit": "long"}, ConfigurationError),
    ):
        with pytest.raises(error, match=rf"^{name}: \S") as caught:
            make(env_id, **kwargs)
        assert "\n" not in str(caught.value)
    vector = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="vector_entry_point")
    vector.reset(seed=1)
    with pytest.raises(ShapeError, match=rf"^{name}: the actions have shape"):
        vector.step(np.zeros((3, n)))


MIRRORED = [(e, p) for e, p in PAIRS if make(e, preset=p).world.mirror is not None]


@pytest.mark.parametrize(("env_id", "preset"), MIRRORED)
def test_a_mirrored_world_gives_mirrored_paths(env_id, preset):
    """Until chance enters: a reflected row, driven by reflected actions, stays the reflection."""
    env = make(env_id, preset=preset)
    world = env.world
    env.reset(seed=2)
    row = env.get_state()["row"]
    other = world.mirror.row(row)
    draws, moved = row[world.mirror.draws], 0
    obs, twin = (np.zeros(env.observation_space.shape, np.float32) for _ in range(2))
    for action in actions_for(env.action_space, 200):
        reward, code = world.step_into(row, action, obs)
        mirrored_reward, mirrored_code = world.step_into(other, world.mirror.action(action), twin)
        if row[world.mirror.draws] != draws or code:
            break
        moved += 1
        np.testing.assert_allclose(world.mirror.observation(twin), obs, atol=1e-6)
        assert mirrored_code == code
        assert mirrored_reward == pytest.approx(reward, abs=1e-9)
        np.testing.assert_allclose(world.mirror.row(other), world.mirror.row(world.mirror.row(row)), atol=1e-9)
    assert moved > 20


SECTIONS = ("**Action**", "**Observation**", "**Reward**", "**Start", "**End", "**Info**", "Parameters", "Raises")


@pytest.mark.parametrize(("env_id", "preset"), PAIRS)
def test_an_episode_can_be_recorded_and_drawn(env_id, preset, tmp_path):
    env = make(env_id, **short(env_id, preset=preset))
    actions = iter(actions_for(env.action_space, 100))
    controller = FunctionController(lambda observation: next(actions))
    with Recorder(tmp_path / "recording.h5", Header("test", env_id, env.control_period)) as recorder:
        observer = recorder.episode(Label("run", 0, 0, preset, "random", ""))
        result = run_episode(env, controller, seed=1, learn=False, recorder=observer)
    (episode,) = Recording.open(tmp_path / "recording.h5").episodes()
    assert len(episode.pose) == result.steps + 1
    assert trajectories([("random", [episode])]).axes


@pytest.mark.parametrize("env_id", IDS)
def test_the_docstring_is_a_whole_page(env_id):
    """Every preset, argument and metric is explained; the tables have one line per number."""
    env_class = load_env_creator(f"{ENVS[env_id]}Env")
    page = env_class.__doc__
    for section in (*SECTIONS, "Examples", "Version history"):
        assert section in page, section
    for preset in env_class.presets:
        assert f'"{preset}"' in page or f"``{preset}``" in page, preset
    env = make(env_id, **short(env_id, 3))
    env.reset(seed=1)
    for _ in range(4):
        *_, terminated, truncated, info = env.step(env.action_space.low)
        if terminated or truncated:
            break
    assert info
    for key in info:
        assert re.search(rf"\b{key}\b", page), key
    parameters = load_env_creator(f"{ENVS[env_id]}Env").__init__.__annotations__
    for name in parameters.keys() - {"return"}:
        assert re.search(rf"^    (.*, )?{name}(, .*)? : ", page, re.M), name


@pytest.mark.parametrize("env_id", IDS)
def test_the_page_on_disk_is_the_docstring(env_id):
    from insectbot.envs.pages import file_of, page

    path = ROOT / "docs" / "envs" / file_of(env_id)
    assert path.read_text("utf-8") == page(env_id)
    picture = ROOT / "docs" / "pictures" / "envs" / (path.stem + ".png")
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_versions_and_names():
    assert all(re.fullmatch(r"insectbot/[A-Z][A-Za-z]+-v\d+", env_id) for env_id in IDS)
    assert all(env_id in gymnasium.registry for env_id in IDS)
    assert insectbot.__version__
