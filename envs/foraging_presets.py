"""From the arguments of a Foraging env to its world: one target, or patches of food around a nest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from insectbot.envs.foraging_settings import PRESETS
from insectbot.envs.foraging_world import ForagingWorld
from insectbot.envs.patches_settings import NAME, PRESET
from insectbot.envs.patches_world import PatchesWorld
from insectbot.envs.world import require_known

ALL_PRESETS: Final = (*PRESETS, PRESET)
"""Every preset of ``insectbot/Foraging-v0``."""

TIME_LIMIT: Final = 120.0
"""Longest episode of the presets with a target, unless the caller says another [s]."""


def foraging_world(
    preset: str = "smooth",
    *,
    reward: str | None = None,
    reward_weights: Mapping[str, float] | None = None,
    walls: str = "block",
    flip_after: int = 15,
    patches: int = 6,
    regrowth: float = 0.01,
    odor_noise: float = 0.05,
    time_limit: float | None = None,
    terrain: str | None = None,
    relief: float = 800.0,
    planner: bool = True,
) -> ForagingWorld | PatchesWorld:
    """Return the world of a preset; arguments that a preset does not use are not looked at.

    Raises
    ------
    UnknownNameError, ConfigurationError
        For an argument that is not accepted, see :class:`insectbot.envs.foraging.ForagingEnv`.
    """
    require_known(NAME, preset, ALL_PRESETS, "preset")
    if preset == PRESET:
        return PatchesWorld(
            reward=reward,
            reward_weights=reward_weights,
            walls=walls,
            patches=patches,
            regrowth=regrowth,
            odor_noise=odor_noise,
            time_limit=time_limit,
        )
    return ForagingWorld(
        preset,
        reward=reward,
        reward_weights=reward_weights,
        walls=walls,
        flip_after=flip_after,
        time_limit=TIME_LIMIT if time_limit is None else time_limit,
        terrain=terrain,
        relief=relief,
        planner=planner,
    )
