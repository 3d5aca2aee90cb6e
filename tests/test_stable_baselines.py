"""Stable-Baselines3's opinion of the worlds. Collected only where it is installed (extra ``rl``); CI installs it."""

from __future__ import annotations

import gymnasium
import pytest
from gymnasium.envs.registration import load_env_creator
from stable_baselines3.common.env_checker import check_env

import insectbot
from insectbot.envs.registry import ENVS

PAIRS = [(env_id, preset) for env_id in ENVS for preset in load_env_creator(f"{ENVS[env_id]}Env").presets]


@pytest.mark.parametrize(("env_id", "preset"), PAIRS)
def test_the_checker_finds_nothing(env_id, preset):
    assert insectbot.__version__
    check_env(gymnasium.make(env_id, preset=preset).unwrapped)
