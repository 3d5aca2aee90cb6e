"""What both faces of Foraging (single and vector) ask of a row: metrics, optimal path, scene, fresh keys."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.foraging_kernels import reset, reset_on, step, step_on
from insectbot.envs.planner import plan, roughness_field
from insectbot.envs.terrain import CELL_X, CELL_Y, MAP_ANTENNA_LENGTH, METRES_PER_MM, TOBLER_SPEED, Map

SECONDS_PER_HOUR: Final = TOBLER_SPEED * 1000.0 / (r.MAX_SPEED * METRES_PER_MM)
"""Seconds of the episode that stand for one hour of walking on the map: 4.72."""


def set_key(row: r.Row, rng: np.random.Generator) -> None:
    """Draw the 64-bit key of the next world from ``rng`` into the row."""
    key = rng.bit_generator.random_raw()
    row[r.KEY_HIGH], row[r.KEY_LOW] = key >> 32, key & 0xFFFFFFFF


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


def optimal_path(row: r.Row, grid: Map) -> npt.NDArray[np.float64]:
    """Return the corners [mm], shape (n, 2), of the planner's way from the start to the target."""
    return plan(row, grid, r.GOAL_RADIUS)[1]


def scene(row: r.Row, grid: Map) -> dict[str, Any]:
    """Return what there is to draw and record of a world (the contract is in docs/architecture.md)."""
    n = int(row[r.N_OBSTACLES])
    result: dict[str, Any] = {
        "extent": (0.0, float(row[r.WIDTH]), 0.0, float(row[r.HEIGHT])),
        "unit": "mm",
        "obstacles": np.column_stack(
            (row[r.DISC_X : r.DISC_X + n], row[r.DISC_Y : r.DISC_Y + n], np.sqrt(row[r.DISC_R2 : r.DISC_R2 + n]))
        ),
        "target": np.array([row[r.TARGET], row[r.TARGET + 1], r.GOAL_RADIUS]),
        "start": row[r.START : r.START + 3].copy(),
        "antennae": (MAP_ANTENNA_LENGTH if on_map(grid) else r.ANTENNA_LENGTH, r.ANTENNA_ANGLE),
    }
    if on_map(grid):
        north, east = np.gradient(grid.astype(np.float64), CELL_Y, CELL_X)
        # What an antenna pointing straight uphill would feel: Tobler's rule on the steepest slope.
        result["roughness"] = (1.0 - np.exp(-3.5 * (np.hypot(north, east) + 0.05))).astype(np.float32)
        result["elevation"] = grid
        result["metres_per_unit"] = METRES_PER_MM
    else:
        result["roughness"] = roughness_field(row, 201, 201).astype(np.float32)
    return result


def warm_up() -> None:
    """Compile (or load from the cache) every kernel that a Foraging env uses, so that no step waits for it."""
    from insectbot.envs.foraging_settings import Settings, template

    row, grid = template(Settings(preset="cluttered"))
    obs, action = np.empty(5, np.float32), np.zeros(2, np.float32)
    reset(row, obs)
    step(row, action, obs)
    reset_on(row, grid, obs)
    step_on(row, grid, action, obs)
    plan(row, grid, r.GOAL_RADIUS)
