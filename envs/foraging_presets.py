"""From the arguments of a Foraging env to its world: one target, patches, odors to choose from, or a route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from insectbot.envs.foraging_arena import ArenaWorld
from insectbot.envs.foraging_arguments import NAME
from insectbot.envs.foraging_settings import PRESETS
from insectbot.envs.foraging_world import ForagingWorld
from insectbot.envs.odors_settings import PRESET as ODORS
from insectbot.envs.odors_world import OdorsWorld
from insectbot.envs.patches_settings import PRESET
from insectbot.envs.patches_world import PatchesWorld
from insectbot.envs.route_settings import PRESET as ROUTE
from insectbot.envs.route_world import RouteWorld
from insectbot.envs.world import require_known

ALL_PRESETS: Final = (*PRESETS, PRESET, ODORS, ROUTE)
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
    sources: int = 6,
    kinds: int = 2,
    good: int = 0,
    layout: int = 0,
    guided: bool = False,
    view_noise: float = 0.02,
    time_limit: float | None = None,
    terrain: str | None = None,
    relief: float = 800.0,
    planner: bool = True,
) -> ArenaWorld:
    """Return the world of a preset; arguments that a preset does not use are not looked at.

    Raises
    ------
    UnknownNameError, ConfigurationError
        For an argument that is not accepted, see :class:`insectbot.envs.foraging.ForagingEnv`.
    """
    require_known(NAME, preset, ALL_PRESETS, "preset")
    common: dict[str, Any] = {"reward": reward, "reward_weights": reward_weights, "walls": walls}
    if preset == PRESET:
        common |= {"time_limit": time_limit, "odor_noise": odor_noise}
        return PatchesWorld(patches=patches, regrowth=regrowth, **common)
    if preset == ODORS:
        common |= {"time_limit": time_limit, "odor_noise": odor_noise}
        return OdorsWorld(sources=sources, kinds=kinds, good=good, **common)
    if preset == ROUTE:
        return RouteWorld(layout=layout, guided=guided, view_noise=view_noise, time_limit=time_limit, **common)
    return ForagingWorld(
        preset,
        flip_after=flip_after,
        time_limit=TIME_LIMIT if time_limit is None else time_limit,
        terrain=terrain,
        relief=relief,
        planner=planner,
        **common,
    )
