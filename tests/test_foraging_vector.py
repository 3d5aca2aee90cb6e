"""The vector env equals single envs exactly, in all three autoreset modes, and obeys Gymnasium's vector contract."""

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from insectbot.envs.foraging import ForagingEnv, ForagingVectorEnv
from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError

ID = "insectbot/Foraging-v0"
MODES = list(AutoresetMode)


def braitenberg(obs):
    """The baseline for a batch."""
    turn = 1.2 * (obs[:, 2] - obs[:, 3]) - 1.5 * (obs[:, 0] - obs[:, 1])
    return np.clip(np.column_stack((0.8 - turn, 0.8 + turn)), -1, 1).astype(np.float32)


def make(n, mode=AutoresetMode.NEXT_STEP, **kwargs):
    return gymnasium.make_vec(ID, num_envs=n, vectorization_mode="vector_entry_point", autoreset_mode=mode, **kwargs)


def infos_of(infos, i):
    """Return the metrics of world i out of batched infos."""
    arrays = {k: v for k, v in infos.items() if not k.startswith("_") and not isinstance(v, dict)}
    return {k: v[i] for k, v in arrays.items() if infos["_" + k][i]}


def same(a, b):
    return a.keys() == b.keys() and all(x == b[k] or (x != x and b[k] != b[k]) for k, x in a.items())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("preset", ["cluttered", "dem", "flip"])
def test_world_i_equals_a_single_env_with_seed_s_plus_i(mode, preset):
    """Observations, rewards, flags and metrics are equal bit for bit over several episodes."""
    n, seed, kwargs = 5, 11, {"preset": preset, "time_limit": 9.0, "flip_after": 1}
    vector = make(n, mode, **kwargs)
    singles = [ForagingEnv(**kwargs) for _ in range(n)]
    obs, _ = vector.reset(seed=seed)
    for i, single in enumerate(singles):
        np.testing.assert_array_equal(single.reset(seed=seed + i)[0], obs[i])
    ended, episodes = np.zeros(n, bool), 0
    for _ in range(700):
        if mode is AutoresetMode.DISABLED and ended.any():
            obs, _ = vector.reset(options={"reset_mask": ended.copy()})
            for i in np.flatnonzero(ended):
                np.testing.assert_array_equal(singles[i].reset()[0], obs[i])
            ended[:] = False
        actions = braitenberg(obs)
        obs, rewards, terminated, truncated, infos = vector.step(actions)
        for i, single in enumerate(singles):
            if ended[i]:
                expected = (single.reset()[0], 0.0, False, False, {})
                ended[i] = False
            else:
                expected = single.step(actions[i])
            last = infos_of(infos, i)
            if mode is AutoresetMode.SAME_STEP and (expected[2] or expected[3]):
                np.testing.assert_array_equal(last["final_obs"], expected[0])
                assert same(infos_of(infos["final_info"], i), expected[4])
                expected = (single.reset()[0], *expected[1:])
            else:
                assert same(last, expected[4])
                ended[i] = expected[2] or expected[3]
            np.testing.assert_array_equal(obs[i], expected[0])
            assert (rewards[i], terminated[i], truncated[i]) == expected[1:4]
            episodes += expected[2] or expected[3]
    assert episodes >= 3 * n


@pytest.mark.parametrize("mode", MODES)
def test_contract(mode):
    """Spaces, metadata, dtypes, fresh arrays."""
    env = make(3, mode, max_episode_steps=50)
    assert env.metadata["autoreset_mode"] is mode
    assert env.observation_space.shape == (3, 5)
    obs, _ = env.reset(seed=[4, None, 6])
    again, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
    assert again in env.observation_space
    assert rewards.shape == terminated.shape == truncated.shape == (3,)
    assert terminated.dtype == truncated.dtype == np.bool_
    assert infos == {}
    assert not np.shares_memory(obs, again)
    for _ in range(49):
        *_, truncated, infos = env.step(np.zeros((3, 2)))
    assert truncated.all()
    assert ("final_info" in infos) is (mode is AutoresetMode.SAME_STEP)
    env.close()
    env.close()


def test_masked_reset_leaves_the_others_alone():
    env = make(4, AutoresetMode.DISABLED)
    env.reset(seed=1)
    obs, *_ = env.step(np.ones((4, 2)))
    poses = env.unwrapped.poses
    after, _ = env.reset(seed=9, options={"reset_mask": np.array([False, True, False, False])})
    np.testing.assert_array_equal(after[[0, 2, 3]], obs[[0, 2, 3]])
    np.testing.assert_array_equal(env.unwrapped.poses[[0, 2, 3]], poses[[0, 2, 3]])
    single = ForagingEnv()
    np.testing.assert_array_equal(single.reset(seed=10)[0], after[1])


def test_state_and_pickle_continue_identically():
    env = make(3, max_episode_steps=20, preset="dem").unwrapped
    env.reset(seed=2)
    for _ in range(15):
        env.step(np.ones((3, 2)))
    twin, other = pickle.loads(pickle.dumps(env)), make(3, max_episode_steps=20, preset="dem").unwrapped
    other.set_state(env.get_state())
    for _ in range(20):
        expected = env.step(np.ones((3, 2)))
        for copy in (twin, other):
            for a, b in zip(expected[:4], copy.step(np.ones((3, 2)))[:4], strict=True):
                np.testing.assert_array_equal(a, b)


def test_pictures_of_every_world():
    env = make(2, render_mode="rgb_array").unwrapped
    env.reset(seed=1)
    frames = env.render()
    assert len(frames) == 2
    assert (frames[0] != frames[1]).any()
    assert make(1).unwrapped.render() is None
    assert env.optimal_path(1).shape[1] == 2
    assert env.scene(1)["unit"] == "mm"


@pytest.mark.parametrize(
    ("action", "error", "words"),
    [
        (lambda: make(0), ConfigurationError, "num_envs = 0, must be at least 1"),
        (lambda: make(1, "sometimes"), ConfigurationError, "autoreset_mode = 'sometimes', must be one of NEXT_STEP"),
        (lambda: make(1, preset="x"), UnknownNameError, "preset 'x'"),
        (lambda: make(1, render_mode="human"), ConfigurationError, "must be None or 'rgb_array'"),
        (lambda: make(2).reset(seed=[1]), ShapeError, "1 seeds for 2 worlds"),
        (lambda: make(2).reset(options={"reset_mask": [True, True]}), ShapeError, "bool array of shape"),
        (lambda: make(2).reset(options={"reset_mask": np.zeros(2, bool)}), ShapeError, "has no True"),
        (lambda: make(2).unwrapped.set_state({"rows": np.zeros(2)}), ShapeError, "state rows of shape"),
    ],
)
def test_errors(action, error, words):
    with pytest.raises(error, match=words):
        action()


def test_bad_actions_move_nothing():
    env = make(3).unwrapped
    env.reset(seed=1)
    poses = env.poses
    with pytest.raises(ShapeError, match=r"shape \(2,\), must be \(3, 2\)"):
        env.step(np.zeros(2))
    bad = np.ones((3, 2))
    bad[1, 0] = np.nan
    with pytest.raises(ShapeError, match="action 1 is"):
        env.step(bad)
    np.testing.assert_array_equal(env.poses, poses)


def test_stepping_an_ended_world_without_autoreset_is_refused():
    env = ForagingVectorEnv(2, autoreset_mode="DISABLED", max_episode_steps=3)
    env.reset(seed=1)
    for _ in range(3):
        env.step(np.ones((2, 2)))
    with pytest.raises(ConfigurationError, match="world 0 has ended and autoreset is disabled"):
        env.step(np.ones((2, 2)))
