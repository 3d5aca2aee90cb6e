"""The vector wrappers: world by world the single ones, in all autoreset modes, over native and foreign vector envs."""

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from helpers_wrappers import ID, foraging, stack, vector_stack

from insectbot.envs.wrappers import ActuatorLag, SensorLatency, SensorNoise
from insectbot.envs.wrappers_vector import DomainRandomisationVector, SensorLatencyVector, SensorNoiseVector
from insectbot.errors import UnknownNameError


def stack_period(env):
    """A foreign single wrapper below the vector env."""
    return ActuatorLag(env, 0.1, dead_time=1)


def part_reset(vector, singles, before, which):
    mask = np.isin(np.arange(len(singles)), which)
    obs, _ = vector.reset(options={"reset_mask": mask})
    for i, single in enumerate(singles):
        np.testing.assert_array_equal(obs[i], single.reset()[0] if mask[i] else before[i])
    return obs


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("native", [True, False])
def test_world_i_equals_a_single_wrapped_env_with_seed_s_plus_i(mode, native):
    n, seed = 4, 11
    kwargs = {"time_limit": 1.5, "planner": False}
    if native:
        worlds = gymnasium.make_vec(
            ID, num_envs=n, vectorization_mode="vector_entry_point", autoreset_mode=mode, **kwargs
        )
    else:
        worlds = SyncVectorEnv([lambda: stack_period(foraging(**kwargs))] * n, autoreset_mode=mode)
    vector = vector_stack(worlds) if native else SensorNoiseVector(SensorLatencyVector(worlds, [2] * 5), 0.1)
    one = stack if native else lambda env: SensorNoise(SensorLatency(stack_period(env), [2] * 5), 0.1)
    singles = [one(foraging(**kwargs)) for _ in range(n)]
    obs, _ = vector.reset(seed=seed)
    for i, single in enumerate(singles):
        np.testing.assert_array_equal(single.reset(seed=seed + i)[0], obs[i])
    ended, rng = np.zeros(n, bool), np.random.default_rng(0)
    for step in range(100):
        if step == 20:  # the ends of the worlds drift apart
            obs = part_reset(vector, singles, obs, [1, 2]) if mode is AutoresetMode.DISABLED else obs
        if mode is AutoresetMode.DISABLED and ended.any():
            obs = part_reset(vector, singles, obs, np.flatnonzero(ended))
            ended[:] = False
        actions = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
        obs, _, terminated, truncated, infos = vector.step(actions)
        for i, single in enumerate(singles):
            if mode is AutoresetMode.NEXT_STEP and ended[i]:
                expected = single.reset()[0]
                ended[i] = False
            else:
                expected, _, *ends, _ = single.step(actions[i])
                ended[i] = any(ends)
                if mode is AutoresetMode.SAME_STEP and ended[i]:
                    np.testing.assert_array_equal(infos["final_obs"][i], expected)
                    expected = single.reset()[0]
            np.testing.assert_array_equal(obs[i], expected)
            assert mode is AutoresetMode.SAME_STEP or ended[i] == (terminated | truncated)[i]
    if native:
        for i, single in enumerate(singles):
            assert {k: v.tolist() for k, v in vector.drawn(i).items()} == {
                k: v.tolist() for k, v in single.drawn().items()
            }


def test_a_full_reset_forgets_who_had_ended():
    def make():
        return vector_stack(gymnasium.make_vec(ID, num_envs=3, vectorization_mode="vector_entry_point", time_limit=1.0))

    env, fresh = make(), make()
    actions = np.full((3, 2), 0.8, np.float32)
    env.reset(seed=0)
    for _ in range(20):
        _, _, _, truncated, _ = env.step(actions)
    assert truncated.all()
    np.testing.assert_array_equal(env.reset(seed=5)[0], fresh.reset(seed=5)[0])
    for _ in range(10):
        np.testing.assert_array_equal(env.step(actions)[0], fresh.step(actions)[0])


def test_vector_copies_continue_alike():
    def make():
        return vector_stack(gymnasium.make_vec(ID, num_envs=3, vectorization_mode="vector_entry_point", time_limit=1.0))

    env, late = make(), make()
    env.reset(seed=2)
    late.reset(seed=9)
    actions = np.full((3, 2), 0.8, np.float32)
    for _ in range(20):  # the step before the worlds reset themselves
        env.step(actions)
    late.set_state(env.get_state())
    other = pickle.loads(pickle.dumps(env))
    for _ in range(30):
        expected = env.step(actions)[0]
        np.testing.assert_array_equal(late.step(actions)[0], expected)
        np.testing.assert_array_equal(other.step(actions)[0], expected)


def test_unknown_options_of_the_vector_version():
    with pytest.raises(UnknownNameError, match=r"option 'sensor_sdd' is not one of .* did you mean 'sensor_sd'"):
        DomainRandomisationVector(SyncVectorEnv([foraging]), sensor_sdd=1.0)


def test_seed_zero_counts_as_a_seed():
    """A world of a vector env seeded with 0 repeats itself."""
    env = SensorNoiseVector(SyncVectorEnv([foraging, foraging]), 0.1)
    first = env.reset(seed=0)[0]
    np.testing.assert_array_equal(env.reset(seed=[0, 1])[0], first)
    assert not (env.reset()[0] == first).all(axis=1).any()
