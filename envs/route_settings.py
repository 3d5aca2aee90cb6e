"""Settings and reward weights of the preset ``route``, checked and packed into the template of a state row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from insectbot.envs import foraging_row as r
from insectbot.envs import route_row as t
from insectbot.envs.foraging_arguments import NAME, ArenaSettings, arena_row, truth, weights_of, whole
from insectbot.envs.world import Row, require_number, steps_in

PRESET: Final = "route"
TIME_LIMIT: Final = 120.0
"""Longest episode unless the caller says another [s]."""

TERMS: Final = ("along", "collision", "feeder", "lost")
REWARDS: Final[Mapping[str, Mapping[str, float]]] = {
    "dense": {"along": 0.1, "collision": -1.0, "feeder": 100.0, "lost": -10.0},
    "sparse": {"feeder": 1.0},
    "local": {"along": 0.1, "collision": -1.0},
}


@dataclass(frozen=True)
class RouteSettings(ArenaSettings):
    """The arguments of a Foraging env with the preset ``route``, as given."""

    layout: int = 0
    guided: bool = False
    view_noise: float = 0.02
    time_limit: float | None = None


def weights(settings: RouteSettings) -> list[float]:
    """Return the reward weights in the order of ``TERMS``: those of the named reward, then the caller's."""
    return weights_of(settings.reward, settings.reward_weights, REWARDS, TERMS)


def template(settings: RouteSettings) -> Row:
    """Check the settings and return the row before its first reset.

    Raises
    ------
    UnknownNameError
        For an unknown reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.
    """
    limit = TIME_LIMIT if settings.time_limit is None else settings.time_limit
    row = arena_row(t.SIZE, settings.walls, steps_in(NAME, limit, r.CONTROL_PERIOD))
    row[r.N_OBSTACLES] = t.N_LANDMARKS
    row[r.DISC_R2 : r.DISC_R2 + r.MAX_DISCS] = -1.0
    row[t.LAYOUT] = whole("layout", settings.layout, 0, 2**32 - 1)
    row[t.GUIDED] = truth("guided", settings.guided)
    row[t.NOISE] = require_number(NAME, "view_noise", settings.view_noise, 0.0, 1.0)
    row[t.WEIGHT : t.WEIGHT + len(TERMS)] = weights(settings)
    return row
