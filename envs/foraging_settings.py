"""Presets and reward weights of Foraging as data, checked and packed into the template of a state row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.foraging_arguments import NAME, arena_row, place, truth, weights_of, whole
from insectbot.envs.terrain import MAP_HEIGHT, MAP_WIDTH, METRES_PER_MM, NO_MAP, Map, dem_pairs, load_dem
from insectbot.envs.terrain_file import read_terrain
from insectbot.envs.world import require_known, steps_in
from insectbot.errors import ConfigurationError


@dataclass(frozen=True)
class Preset:
    """What differs between the presets.

    Attributes
    ----------
    obstacles : int
        Number of discs.
    cue_range : float
        The target lobes are 0 at this distance and beyond [mm].
    reward : str
        Reward used unless the caller names one.
    flips : bool
        Whether the valence of the target cue flips after ``flip_after`` episodes.
    on_map : bool
        Whether the ground is the elevation map.
    """

    obstacles: int = 0
    cue_range: float = math.inf
    reward: str = "dense"
    flips: bool = False
    on_map: bool = False


PRESETS: Final[Mapping[str, Preset]] = {
    "smooth": Preset(),
    "cluttered": Preset(obstacles=30),
    "dem": Preset(on_map=True),
    "unknown": Preset(cue_range=250.0),
    "flip": Preset(flips=True),
    "sparse": Preset(reward="sparse"),
}

TERMS: Final = ("progress", "bearing", "roughness", "antennae", "collision", "goal")
REWARDS: Final[Mapping[str, Mapping[str, float]]] = {
    "dense": {"progress": 0.5, "bearing": 2.0, "roughness": -0.5, "collision": -1.0, "goal": 100.0},
    "sparse": {"goal": 1.0},
    "local": {"bearing": 5.0, "antennae": -20.0},
}


@dataclass(frozen=True)
class Settings:
    """The arguments of a Foraging env, as given."""

    preset: str = "smooth"
    reward: str | None = None
    reward_weights: Mapping[str, float] | None = None
    walls: str = "block"
    flip_after: int = 15
    time_limit: float = 120.0
    terrain: str | None = None
    relief: float = 800.0


def weights(settings: Settings) -> list[float]:
    """Return the six reward weights in the order of ``TERMS``: those of the named reward, then the caller's."""
    reward = PRESETS[settings.preset].reward if settings.reward is None else settings.reward
    return weights_of(reward, settings.reward_weights, REWARDS, TERMS)


def max_steps(settings: Settings) -> int:
    """Return the number of control periods in ``time_limit``, at least one."""
    return steps_in(NAME, settings.time_limit, r.CONTROL_PERIOD)


def template(settings: Settings) -> tuple[r.Row, Map]:
    """Check the settings and return the row before its first reset, and the map (``NO_MAP`` for none).

    Raises
    ------
    UnknownNameError
        For an unknown preset, reward, reward term or kind of walls.
    ConfigurationError
        For a weight, ``flip_after`` or ``time_limit`` outside its range.
    """
    require_known(NAME, settings.preset, PRESETS, "preset")
    if not isinstance(settings.flip_after, int) or settings.flip_after < 0:
        raise ConfigurationError(
            f"{NAME}: flip_after = {settings.flip_after!r}, must be a number of episodes of at least 0"
        )
    preset = PRESETS[settings.preset]
    if settings.terrain is not None and not preset.on_map:
        raise ConfigurationError(
            f"{NAME}: terrain = {settings.terrain!r} needs the preset 'dem', not {settings.preset!r}"
        )
    row = arena_row(r.SIZE, settings.walls, max_steps(settings))
    row[r.D_MIN], row[r.D_MAX] = 500.0, 900.0
    if preset.on_map:
        row[r.WIDTH], row[r.HEIGHT] = MAP_WIDTH, MAP_HEIGHT
        row[r.D_MIN], row[r.D_MAX] = 10_000.0 / METRES_PER_MM, 20_000.0 / METRES_PER_MM
    row[r.N_BUMPS] = 0 if preset.on_map else 14
    row[r.N_OBSTACLES] = preset.obstacles
    row[r.CUE_RANGE] = preset.cue_range
    row[r.FLIP_AFTER] = settings.flip_after if preset.flips else math.inf
    row[r.WEIGHT : r.WEIGHT + len(TERMS)] = weights(settings)
    return row, _land(settings) if preset.on_map else NO_MAP


def _land(settings: Settings) -> Map:
    """Return the elevation map of the preset, or the user's own."""
    if settings.terrain is None:
        return load_dem()
    relief = settings.relief
    if isinstance(relief, bool) or not isinstance(relief, (int, float)) or not 0.0 < relief < 1e5:
        raise ConfigurationError(f"{NAME}: relief = {relief!r} m, must be above 0")
    return read_terrain(str(settings.terrain), float(relief))


OPTIONS: Final = ("start", "target", "flip", "route")


def apply_options(row: r.Row, options: Mapping[str, Any] | None) -> None:
    """Write the options of one reset into the row.

    Raises
    ------
    UnknownNameError
        For a key that is not ``start``, ``target``, ``flip`` or ``route``.
    ConfigurationError
        For a route without the map, a place outside the arena, a target within the goal radius of the start, or a
        value of the wrong form.
    """
    if not options:
        return
    wish = np.full(r.N_WISHES, math.nan)
    for key, value in options.items():
        require_known(NAME, key, OPTIONS, "reset option")
        if key == "flip":
            wish[5] = truth("reset option flip", value)
        elif key == "route":
            wish[:5] = _route(row, value)
        else:
            n, first = (3, 0) if key == "start" else (2, 3)
            wish[first : first + n] = place(row, key, value, n)
    gap = math.hypot(wish[3] - wish[0], wish[4] - wish[1])
    if gap < r.GOAL_RADIUS:
        raise ConfigurationError(
            f"{NAME}: start and target are {gap:.1f} mm apart, must be at least {r.GOAL_RADIUS:.0f} mm"
        )
    row[r.WISH : r.WISH + r.N_WISHES] = wish


def _route(row: r.Row, value: Any) -> npt.NDArray[np.float64]:
    """Return start, heading towards the target, and target of one of the fixed routes of the map."""
    if row[r.N_BUMPS] > 0:
        raise ConfigurationError(f"{NAME}: reset option route = {value!r} needs the preset 'dem'")
    routes = dem_pairs()
    x, y, goal_x, goal_y = routes[whole("reset option route", value, 0, len(routes) - 1)]
    return np.array([x, y, math.atan2(goal_y - y, goal_x - x), goal_x, goal_y])
