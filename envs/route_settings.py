"""Settings and reward weights of the preset ``route``, checked and packed into the template of a state row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from insectbot.envs import foraging_row as r
from insectbot.envs import route_row as t
from insectbot.envs.world import Row, require_known, require_number, steps_in
from insectbot.errors import ConfigurationError

NAME: Final = "insectbot/Foraging"
PRESET: Final = "route"
TIME_LIMIT: Final = 120.0
"""Longest episode unless the caller says another [s]."""

TERMS: Final = ("along", "collision", "feeder", "lost")
REWARDS: Final[Mapping[str, Mapping[str, float]]] = {
    "dense": {"along": 0.1, "collision": -1.0, "feeder": 100.0, "lost": -10.0},
    "sparse": {"feeder": 1.0},
    "local": {"along": 0.1, "collision": -1.0},
}
WALLS: Final = ("block", "clamp")


@dataclass(frozen=True)
class RouteSettings:
    """The arguments of a Foraging env with the preset ``route``, as given."""

    reward: str | None = None
    reward_weights: Mapping[str, float] | None = None
    walls: str = "block"
    layout: int = 0
    guided: bool = False
    view_noise: float = 0.02
    time_limit: float | None = None


def weights(settings: RouteSettings) -> list[float]:
    """Return the reward weights in the order of ``TERMS``: those of the named reward, then the caller's."""
    reward = "dense" if settings.reward is None else settings.reward
    require_known(NAME, reward, REWARDS, "reward")
    chosen = dict(REWARDS[reward])
    for term, weight in (settings.reward_weights or {}).items():
        require_known(NAME, term, TERMS, "reward_weights key")
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not math.isfinite(weight):
            raise ConfigurationError(f"{NAME}: reward_weights[{term!r}] = {weight!r}, must be a finite number")
        chosen[term] = float(weight)
    return [chosen.get(term, 0.0) for term in TERMS]


def template(settings: RouteSettings) -> Row:
    """Check the settings and return the row before its first reset.

    Raises
    ------
    UnknownNameError
        For an unknown reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.
    """
    require_known(NAME, settings.walls, WALLS, "walls")
    layout = settings.layout
    if isinstance(layout, bool) or not isinstance(layout, (int, np.integer)) or not 0 <= layout < 2**32:
        raise ConfigurationError(f"{NAME}: layout = {layout!r}, must be a whole number from 0 to {2**32 - 1}")
    if not isinstance(settings.guided, (bool, np.bool_)):
        raise ConfigurationError(f"{NAME}: guided = {settings.guided!r}, must be True or False")
    limit = TIME_LIMIT if settings.time_limit is None else settings.time_limit
    row = np.zeros(t.SIZE)
    row[r.WIDTH] = row[r.HEIGHT] = 1000.0
    row[r.MAX_STEPS] = steps_in(NAME, limit, r.CONTROL_PERIOD)
    row[r.CLAMP] = settings.walls == "clamp"
    row[r.KICK] = 0.5
    row[r.N_OBSTACLES] = t.N_LANDMARKS
    row[r.DISC_R2 : r.DISC_R2 + r.MAX_DISCS] = -1.0
    row[t.LAYOUT], row[t.GUIDED] = layout, settings.guided
    row[t.NOISE] = require_number(NAME, "view_noise", settings.view_noise, 0.0, 1.0)
    row[t.WEIGHT : t.WEIGHT + len(TERMS)] = weights(settings)
    row[r.WISH : r.WISH + r.N_WISHES] = math.nan
    return row
