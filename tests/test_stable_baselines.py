"""Stable-Baselines3's opinion of the worlds. Collected only where it is installed (extra ``rl``); CI installs it."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import load_env_creator
from gymnasium.wrappers import RescaleAction
from stable_baselines3.common.env_checker import check_env

import insectbot
from insectbot.envs.registry import ENVS

PAIRS = [(env_id, preset) for env_id in ENVS for preset in load_env_creator(f"{ENVS[env_id]}Env").presets]


@pytest.mark.parametrize(("env_id", "preset"), PAIRS)
def test_the_checker_finds_nothing(env_id, preset):
    """Actions in their own units, such as a share of 0 to 1, bring one advice and no more; rescaled, none."""
    assert insectbot.__version__
    env = gymnasium.make(env_id, preset=preset).unwrapped
    space = env.action_space
    if not np.array_equal(space.low, -space.high):
        with pytest.warns(UserWarning, match="symmetric and normalized Box action space") as found:
            check_env(env)
        assert len(found) == 1
        env = RescaleAction(env, np.float32(-1), np.float32(1))
    check_env(env)
