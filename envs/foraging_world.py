"""Foraging as a :class:`insectbot.envs.world.World`: settings, metrics, optimal path, scene."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.foraging_arena import ArenaWorld, arena
from insectbot.envs.foraging_kernels import reset, reset_on, step, step_many, step_on
from insectbot.envs.foraging_mirror import MIRROR
from insectbot.envs.foraging_settings import PRESETS, Settings, apply_options, template
from insectbot.envs.planner import plan, roughness_field
from insectbot.envs.terrain import CELL_X, CELL_Y, MAP_ANTENNA_LENGTH, METRES_PER_MM, TOBLER_SPEED, Map
from insectbot.envs.world import TERMINATED

SENSES: Final = ("rough L", "rough R", "target L", "target R", "body")

SECONDS_PER_HOUR: Final = TOBLER_SPEED * 1000.0 / (r.MAX_SPEED * METRES_PER_MM)
"""Seconds of the episode that stand for one hour of walking on the map: 4.72."""


def on_map(grid: Map) -> bool:
    """Return whether the world lies on an elevation map."""
    return grid.shape[0] > 2


def metrics(row: r.Row, grid: Map, reached: bool, planner: bool) -> dict[str, Any]:
    """Return the metrics of a finished episode (the table in :class:`insectbot.envs.foraging.ForagingEnv`)."""
    time, path = float(row[r.STEP]) * r.CONTROL_PERIOD, float(row[r.PATH])
    best = math.nan
    if reached and planner:
        best = plan(row, grid, r.GOAL_RADIUS)[0]
    best_time = best * SECONDS_PER_HOUR if on_map(grid) else best
    info: dict[str, Any] = {
        "success": reached,
        "time": time,
        "path": path,
        "exposure": float(row[r.EXPOSURE]) / path if path > 0.0 else 0.0,
        "collisions": int(row[r.COLLISIONS]),
        "T_opt": best_time,
        "T_ratio": time / best_time if reached and planner else math.nan,
        "SPT": 0.0 if not reached else best_time / max(time, best_time) if planner else math.nan,
    }
    if on_map(grid):
        cost = float(row[r.COST])
        info |= {"cost": cost, "cost_opt": best, "cost_ratio": cost / best if reached and planner else math.nan}
    return info


def scene(row: r.Row, grid: Map) -> dict[str, Any]:
    """Return what there is to draw and record of a world (the contract is in docs/architecture.md)."""
    result = arena(row, SENSES, MAP_ANTENNA_LENGTH if on_map(grid) else r.ANTENNA_LENGTH)
    result["target"] = np.array([row[r.TARGET], row[r.TARGET + 1], r.GOAL_RADIUS])
    if on_map(grid):
        north, east = np.gradient(grid.astype(np.float64), CELL_Y, CELL_X)
        # What an antenna pointing straight uphill would feel: Tobler's rule on the steepest slope.
        result["roughness"] = (1.0 - np.exp(-3.5 * (np.hypot(north, east) + 0.05))).astype(np.float32)
        result["elevation"] = grid
        result["metres_per_unit"] = METRES_PER_MM
    else:
        result["roughness"] = roughness_field(row, 201, 201).astype(np.float32)
    return result


class ForagingWorld(ArenaWorld):
    """The world of :class:`insectbot.envs.foraging.ForagingEnv`; the arguments are explained there."""

    presets = tuple(PRESETS)
    reset_kernel = staticmethod(reset_on)
    step_kernel = staticmethod(step_on)
    many_kernel = staticmethod(step_many)

    def __init__(
        self,
        preset: str = "smooth",
        *,
        reward: str | None = None,
        reward_weights: Mapping[str, float] | None = None,
        walls: str = "block",
        flip_after: int = 15,
        time_limit: float = 120.0,
        terrain: str | None = None,
        relief: float = 800.0,
        planner: bool = True,
    ) -> None:
        self.settings = Settings(preset, reward, reward_weights, walls, flip_after, time_limit, terrain, relief)
        self.planner = planner
        super().__init__(5)
        self.data = template(self.settings)[1]
        # A mountain range is no mirror image of itself, and its data is shared.
        self.mirror = None if on_map(self.data) else MIRROR

    def template(self) -> r.Row:
        """Return the row before its first reset."""
        return template(self.settings)[0]

    def apply_options(self, row: r.Row, options: Mapping[str, Any] | None) -> None:
        """Write ``start``, ``target``, ``flip`` or ``route`` into the row."""
        apply_options(row, options)

    def metrics(self, row: r.Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        return metrics(row, self.data, code == TERMINATED, self.planner)

    def scene(self, row: r.Row) -> dict[str, Any]:
        """Return ground, obstacles, start and target."""
        return scene(row, self.data)

    def senses(self, row: r.Row) -> npt.NDArray[np.float64]:
        """Return roughness left and right, cue left and right, roughness under the body."""
        return row[r.RHO_LEFT : r.RHO_LEFT + 5]

    def optimal_path(self, row: r.Row) -> npt.NDArray[np.float64]:
        """Return the corners [mm], shape (n, 2), of the planner's way from the start to the target."""
        return plan(row, self.data, r.GOAL_RADIUS)[1]

    def __getstate__(self) -> dict[str, Any]:
        # The map is shared by all worlds of a process.
        return {**self.__dict__, "data": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.data = template(self.settings)[1]


def warm_up() -> None:
    """Compile (or load from the cache) every kernel that a Foraging env uses, so that no step waits for it."""
    row, grid = template(Settings(preset="cluttered"))
    obs, action = np.empty(5, np.float32), np.zeros(2, np.float32)
    reset(row, obs)
    step(row, action, obs)
    reset_on(row, grid, obs)
    step_on(row, grid, action, obs)
    plan(row, grid, r.GOAL_RADIUS)
