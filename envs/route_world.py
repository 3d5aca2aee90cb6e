"""The preset ``route`` as a :class:`insectbot.envs.world.World`: settings, metrics, scene."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs import route_row as t
from insectbot.envs.foraging_arena import ArenaWorld, arena, insect
from insectbot.envs.route_kernels import look, reset, step, step_many
from insectbot.envs.route_settings import PRESET, RouteSettings, template
from insectbot.envs.world import TERMINATED, Row

SENSES: Final = (*(f"view {10 * i}" for i in range(t.N_SECTORS)), "touch L", "touch R", "guided")
ROUTE_COLOUR: Final = (21, 101, 192)
HOME_COLOUR: Final = (191, 54, 12)


def corners(row: Row) -> npt.NDArray[np.float64]:
    """Return the corners of the route [mm], home first, shape (5, 2)."""
    columns = (t.CORNER_X, t.CORNER_Y)
    return np.column_stack([row[first : first + t.N_CORNERS] for first in columns])


def route_views(row: Row, spacing: float = 5.0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return places (x, y, heading) [mm, rad] along the route and the views from there, facing along it, no noise.

    Shapes (n, 3) and (n, 36).
    """
    work, line, places = row.copy(), corners(row), []
    for a, b in pairwise(line):
        n = max(int(np.hypot(*(b - a)) / spacing), 1)
        heading = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
        places += [(*(a + (b - a) * k / n), heading) for k in range(n)]
    views = np.empty((len(places), t.N_SECTORS))
    for view, (x, y, heading) in zip(views, places, strict=True):
        look(work, x, y, float(np.cos(heading)), float(np.sin(heading)))
        view[:] = work[t.CLEAN : t.CLEAN + t.N_SECTORS]
    return np.array(places), views


def metrics(row: Row, code: int) -> dict[str, Any]:
    """Return the metrics of a finished episode (the table in :class:`insectbot.envs.foraging.ForagingEnv`)."""
    steps = max(float(row[r.STEP]), 1.0)
    return {
        "success": code == TERMINATED,
        "time": float(row[r.STEP]) * r.CONTROL_PERIOD,
        "path": float(row[r.PATH]),
        "collisions": int(row[r.COLLISIONS]),
        "along": min(float(row[t.ALONG] / row[t.CORNER_S + t.N_CORNERS - 1]), 1.0),
        "deviation": float(row[t.SUM_AWAY]) / steps,
        "deviation_most": float(row[t.MOST_AWAY]),
    }


class RouteWorld(ArenaWorld):
    """The world of :class:`insectbot.envs.foraging.ForagingEnv` with the preset ``route``; see there."""

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
        layout: int = 0,
        guided: bool = False,
        view_noise: float = 0.02,
        time_limit: float | None = None,
    ) -> None:
        self.settings = RouteSettings(reward, reward_weights, walls, layout, guided, view_noise, time_limit)
        super().__init__(t.N_SENSES)
        template(self.settings)

    def template(self) -> Row:
        """Return the row before its first reset."""
        return template(self.settings)

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        return metrics(row, code)

    def scene(self, row: Row) -> dict[str, Any]:
        """Return landmarks, route, home and feeder."""
        line = corners(row)
        home = line[:1]
        marks: list[dict[str, Any]] = [
            {"shape": "line", "xy": line, "size": 2 * t.CORRIDOR, "colour": ROUTE_COLOUR, "alpha": 18},
            {"shape": "line", "xy": line, "size": 3.0, "colour": ROUTE_COLOUR, "alpha": 150, "label": "route"},
            {"shape": "ring", "xy": home, "size": 20.0, "colour": HOME_COLOUR, "label": "home"},
        ]
        return {
            **arena(row, SENSES),
            "body": insect(),
            "target": np.array([*line[-1], t.FEEDER]),
            "marks": marks,
        }

    def status(self, row: Row) -> list[str]:
        """Return how far along the route it is, and how far off."""
        share = 100.0 * row[t.ALONG] / row[t.CORNER_S + t.N_CORNERS - 1]
        return [f"{share:.0f} % of the route, {row[t.AWAY]:.0f} mm beside it"]

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the observation."""
        view, touch = row[t.VIEW : t.VIEW + t.N_SECTORS], row[r.RHO_LEFT : r.RHO_LEFT + 2]
        return np.concatenate((view, touch, row[t.GUIDED : t.GUIDED + 1]))

    def optimal_path(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the route."""
        return corners(row)
