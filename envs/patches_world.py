"""The preset ``patches`` as a :class:`insectbot.envs.world.World`: settings, metrics, scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs import patches_row as p
from insectbot.envs.foraging_arena import ArenaWorld, arena, insect
from insectbot.envs.patches_kernels import reset, step, step_many
from insectbot.envs.patches_settings import PRESET, PatchSettings, apply_options, template
from insectbot.envs.planner import roughness_field
from insectbot.envs.world import TRUNCATED, Row

SENSES: Final = ("rough L", "rough R", "odor L", "odor R", "body", "home L", "home R", "load", "energy", "taste")

FOOD_COLOUR: Final = (46, 125, 50)
RIM_COLOUR: Final = (27, 94, 32)
ODOR_COLOUR: Final = (129, 199, 132)
NEST_COLOUR: Final = (191, 54, 12)


def patches(row: Row) -> npt.NDArray[np.float64]:
    """Return the patches of this moment: x, y, radius [mm], food now and at most [units], shape (n, 5)."""
    n = int(row[p.N_PATCHES])
    columns = (p.PATCH_X, p.PATCH_Y, p.PATCH_R2, p.PATCH_FOOD, p.PATCH_MOST)
    table = np.column_stack([row[first : first + n] for first in columns])
    table[:, 2] = np.sqrt(table[:, 2])
    return table


def metrics(row: Row, code: int) -> dict[str, Any]:
    """Return the metrics of a finished episode (the table in :class:`insectbot.envs.foraging.ForagingEnv`)."""
    path, food, steps = float(row[r.PATH]), float(row[p.FOOD]), float(row[r.STEP])
    return {
        "success": code == TRUNCATED,
        "time": steps * r.CONTROL_PERIOD,
        "path": path,
        "exposure": float(row[r.EXPOSURE]) / path if path > 0.0 else 0.0,
        "collisions": int(row[r.COLLISIONS]),
        "food": food,
        "food_per_metre": 1000.0 * food / path if path > 0.0 else 0.0,
        "gathered": float(row[p.GATHERED]),
        "survival": min(steps / float(row[r.MAX_STEPS]), 1.0),
        "energy": float(row[p.ENERGY]),
    }


def scene(row: Row) -> dict[str, Any]:
    """Return what there is to draw and record of a world: ground, odor, nest; the food is an overlay."""
    table, nest = patches(row), row[p.NEST : p.NEST + 2].reshape(1, 2).copy()
    marks: list[dict[str, Any]] = [
        {"shape": "disc", "xy": table[:, :2], "size": table[:, 2] + reach, "colour": ODOR_COLOUR, "alpha": 46}
        for reach in (130.0, 85.0, 45.0)
    ]
    marks[0]["label"] = "odor"
    marks += [
        {"shape": "disc", "xy": nest, "size": p.NEST_RADIUS, "colour": NEST_COLOUR, "alpha": 120},
        {"shape": "ring", "xy": nest, "size": p.NEST_RADIUS, "colour": NEST_COLOUR, "label": "nest"},
        {"shape": "text", "xy": nest + np.array((0.0, p.NEST_RADIUS + 14.0)), "text": "nest", "colour": NEST_COLOUR},
    ]
    return {
        **arena(row, SENSES),
        "body": insect(),
        "nest": np.array([*nest[0], p.NEST_RADIUS]),
        "patches": table,
        "roughness": roughness_field(row, 201, 201).astype(np.float32),
        "marks": marks,
    }


def overlay(row: Row) -> list[dict[str, Any]]:
    """Return the food of this moment: a disc whose area is what is left, in the rim of the whole patch."""
    table = patches(row)
    radius = table[:, 2] * np.sqrt(table[:, 3] / table[:, 4])
    return [
        {"shape": "ring", "xy": table[:, :2], "size": table[:, 2], "colour": RIM_COLOUR, "label": "patch"},
        {"shape": "disc", "xy": table[:, :2], "size": radius, "colour": FOOD_COLOUR, "label": "food left"},
        *(
            {"shape": "text", "xy": [(x, y - size - 16.0)], "text": f"{food:.1f}", "colour": RIM_COLOUR}
            for x, y, size, food, _ in table
        ),
    ]


class PatchesWorld(ArenaWorld):
    """The world of :class:`insectbot.envs.foraging.ForagingEnv` with the preset ``patches``; see there."""

    presets = (PRESET,)
    reset_kernel = staticmethod(reset)
    step_kernel = staticmethod(step)
    many_kernel = staticmethod(step_many)

    def __init__(
        self,
        *,
        reward: str | None = None,
        reward_weights: Mapping[str, float] | None = None,
        walls: str = "block",
        patches: int = 6,
        regrowth: float = 0.01,
        odor_noise: float = 0.05,
        time_limit: float | None = None,
    ) -> None:
        self.settings = PatchSettings(reward, reward_weights, walls, patches, regrowth, odor_noise, time_limit)
        super().__init__(p.N_SENSES)
        template(self.settings)

    def template(self) -> Row:
        """Return the row before its first reset."""
        return template(self.settings)

    def apply_options(self, row: Row, options: Mapping[str, Any] | None) -> None:
        """Write ``start`` and ``nest`` into the row."""
        apply_options(row, options)

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        return metrics(row, code)

    def scene(self, row: Row) -> dict[str, Any]:
        """Return ground, odor, nest, and the patches as they are now."""
        return scene(row)

    def overlay(self, row: Row) -> list[dict[str, Any]]:
        """Return the food that is left."""
        return overlay(row)

    def status(self, row: Row) -> list[str]:
        """Return what was brought home, and the energy store."""
        return [f"food {row[p.FOOD]:.1f}, energy {100.0 * row[p.ENERGY]:.0f} %"]

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the observation."""
        odor, home = row[p.ODOR_LEFT : p.ODOR_LEFT + 2], row[p.HOME_LEFT : p.HOME_LEFT + 2]
        inner = row[p.LOAD : p.LOAD + 3]
        return np.concatenate((row[r.RHO_LEFT : r.RHO_LEFT + 2], odor, row[r.RHO : r.RHO + 1], home, inner))

    def patches(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the patches of this moment (see :func:`patches`)."""
        return patches(row)

    def optimal_path(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the round trip, shape (3, 2) [mm], from the start to the patch that pays most per mm, and home."""
        table, start, nest = patches(row), row[r.START : r.START + 2], row[p.NEST : p.NEST + 2]
        length = np.hypot(*(table[:, :2] - start).T) + np.hypot(*(table[:, :2] - nest).T)
        best = int(np.argmax(np.minimum(table[:, 3], 1.0) / length))
        return np.array([start, table[best, :2], nest])
