"""Stable-Baselines3's opinion of the worlds. Collected only where it is installed (extra ``rl``); CI installs it."""

from __future__ import annotations

import gymnasium
import pytest
from stable_baselines3.common.env_checker import check_env

import insectbot
from insectbot.envs.foraging_settings import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
def test_the_checker_finds_nothing(preset):
    assert insectbot.__version__
    check_env(gymnasium.make("insectbot/Foraging-v0", preset=preset).unwrapped)
