"""The preset ``odors`` as a :class:`insectbot.envs.world.World`: settings, metrics, scene."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs import odors_row as o
from insectbot.envs.foraging_arena import ArenaWorld, arena, insect
from insectbot.envs.odors_kernels import reset, step, step_many
from insectbot.envs.odors_settings import PRESET, OdorSettings, apply_options, template
from insectbot.envs.world import Row

SENSES: Final = (
    *(f"odor {i} {side}" for side in "LR" for i in range(o.N_CHANNELS)),
    *("touch L", "touch R", "sugar", "bitter"),
)
GOOD_COLOUR: Final = (46, 125, 50)
BAD_COLOUR: Final = (183, 28, 28)
CHOICE: Final = 0.8
"""Choice index from which an episode is a success."""


def choice(good: float, bad: float) -> float:
    """Return the share of rewarded visits; NaN without any visit."""
    return good / (good + bad) if good + bad > 0.0 else math.nan


def sources(row: Row) -> npt.NDArray[np.float64]:
    """Return the sources of this moment: x, y [mm], kind, 1 where its kind is rewarded, shape (n, 4)."""
    n = int(row[o.N_SOURCES])
    x, y, kind = (row[first : first + n] for first in (o.SOURCE_X, o.SOURCE_Y, o.SOURCE_KIND))
    return np.column_stack((x, y, kind, kind == row[o.REWARDED]))


def metrics(row: Row) -> dict[str, Any]:
    """Return the metrics of a finished episode (the table in :class:`insectbot.envs.foraging.ForagingEnv`)."""
    index = choice(float(row[o.GOOD]), float(row[o.BAD]))
    return {
        "success": index >= CHOICE,
        "time": float(row[r.STEP]) * r.CONTROL_PERIOD,
        "path": float(row[r.PATH]),
        "collisions": int(row[r.COLLISIONS]),
        "visits_good": int(row[o.GOOD]),
        "visits_bad": int(row[o.BAD]),
        "choice": index,
        "choice_late": choice(float(row[o.LATE_GOOD]), float(row[o.LATE_BAD])),
    }


def overlay(row: Row) -> list[dict[str, Any]]:
    """Return sources and odor of this moment: they move when they are visited."""
    marks: list[dict[str, Any]] = []
    for good, colour, label in ((1.0, GOOD_COLOUR, "odor with sugar"), (0.0, BAD_COLOUR, "odor with bitter")):
        table = sources(row)
        table = table[table[:, 3] == good]
        marks += [
            {"shape": "disc", "xy": table[:, :2], "size": size, "colour": colour, "alpha": 30}
            for size in (130.0, 90.0, 50.0)
        ]
        marks.append({"shape": "disc", "xy": table[:, :2], "size": o.CONTACT, "colour": colour, "label": label})
        marks += [
            {"shape": "text", "xy": [(x, y - 36.0)], "text": "ABCD"[int(kind)], "colour": colour}
            for x, y, kind, _ in table
        ]
    return marks


class OdorsWorld(ArenaWorld):
    """The world of :class:`insectbot.envs.foraging.ForagingEnv` with the preset ``odors``; see there."""

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
        sources: int = 6,
        kinds: int = 2,
        good: int = 0,
        odor_noise: float = 0.05,
        time_limit: float | None = None,
    ) -> None:
        self.settings = OdorSettings(reward, reward_weights, walls, sources, kinds, good, odor_noise, time_limit)
        super().__init__(o.N_SENSES)
        template(self.settings)

    def template(self) -> Row:
        """Return the row before its first reset."""
        return template(self.settings)

    def apply_options(self, row: Row, options: Mapping[str, Any] | None) -> None:
        """Write ``start``, ``good`` and ``reverse`` into the row."""
        apply_options(row, options)

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        return metrics(row)

    def scene(self, row: Row) -> dict[str, Any]:
        """Return arena and body; the sources are an overlay, for they move."""
        return {**arena(row, SENSES), "body": insect()}

    def overlay(self, row: Row) -> list[dict[str, Any]]:
        """Return the sources of this moment."""
        return overlay(row)

    def status(self, row: Row) -> list[str]:
        """Return the visits so far."""
        return [f"visits: {row[o.GOOD]:.0f} sugar, {row[o.BAD]:.0f} bitter"]

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the observation."""
        smell, touch = row[o.SMELL : o.SMELL + 2 * o.N_CHANNELS], row[r.RHO_LEFT : r.RHO_LEFT + 2]
        return np.concatenate((smell, touch, row[o.SUGAR : o.SUGAR + 2]))

    def sources(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the sources of this moment (see :func:`sources`)."""
        return sources(row)

    def optimal_path(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the straight way, shape (2, 2) [mm], from the start to the nearest rewarded source."""
        table, start = sources(row), row[r.START : r.START + 2].copy()
        good = table[table[:, 3] == 1.0, :2]
        return np.array([start, good[int(np.argmin(np.hypot(*(good - start).T)))]])
