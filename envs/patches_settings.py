"""Settings and reward weights of the preset ``patches``, checked and packed into the template of a state row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from insectbot.envs import foraging_row as r
from insectbot.envs import patches_row as p
from insectbot.envs.foraging_settings import place
from insectbot.envs.world import Row, require_known, require_number, steps_in
from insectbot.errors import ConfigurationError

NAME: Final = "insectbot/Foraging"
PRESET: Final = "patches"
TIME_LIMIT: Final = 300.0
"""Longest episode unless the caller says another [s]."""

TERMS: Final = (
    *("food", "intake", "odor", "home", "bearing"),
    *("walk", "roughness", "antennae", "collision", "starved"),
)
REWARDS: Final[Mapping[str, Mapping[str, float]]] = {
    "dense": {
        **{"food": 20.0, "intake": 10.0, "odor": 5.0, "home": 0.05, "bearing": 2.0},
        **{"walk": -0.01, "collision": -1.0, "starved": -50.0},
    },
    "sparse": {"food": 1.0},
    "local": {"intake": 10.0, "odor": 70.0, "home": 0.2, "bearing": 5.0, "walk": -0.1, "antennae": -2.0},
}
WALLS: Final = ("block", "clamp")
OPTIONS: Final = ("start", "nest")


@dataclass(frozen=True)
class PatchSettings:
    """The arguments of a Foraging env with the preset ``patches``, as given."""

    reward: str | None = None
    reward_weights: Mapping[str, float] | None = None
    walls: str = "block"
    patches: int = 6
    regrowth: float = 0.01
    odor_noise: float = 0.05
    time_limit: float | None = None


def weights(settings: PatchSettings) -> list[float]:
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


def template(settings: PatchSettings) -> Row:
    """Check the settings and return the row before its first reset.

    Raises
    ------
    UnknownNameError
        For an unknown reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.
    """
    require_known(NAME, settings.walls, WALLS, "walls")
    count = settings.patches
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or not 1 <= count <= p.MAX_PATCHES:
        raise ConfigurationError(f"{NAME}: patches = {count!r}, must be a whole number from 1 to {p.MAX_PATCHES}")
    limit = TIME_LIMIT if settings.time_limit is None else settings.time_limit
    row = np.zeros(p.SIZE)
    row[r.WIDTH] = row[r.HEIGHT] = 1000.0
    row[r.N_BUMPS] = 14
    row[r.MAX_STEPS] = steps_in(NAME, limit, r.CONTROL_PERIOD)
    row[r.CLAMP] = settings.walls == "clamp"
    row[r.KICK] = 0.5
    row[r.DISC_R2 : r.DISC_R2 + r.MAX_DISCS] = -1.0
    row[p.N_PATCHES] = count
    row[p.REGROWTH] = require_number(NAME, "regrowth [units/s]", settings.regrowth, 0.0, 1e6)
    row[p.NOISE] = require_number(NAME, "odor_noise", settings.odor_noise, 0.0, 1.0)
    row[p.WEIGHT : p.WEIGHT + len(TERMS)] = weights(settings)
    row[r.WISH : r.WISH + r.N_WISHES] = math.nan
    return row


def apply_options(row: Row, options: Mapping[str, Any] | None) -> None:
    """Write the places ``start`` [x, y, heading] and ``nest`` [x, y] of one reset into the row.

    Raises
    ------
    UnknownNameError
        For another key.
    ConfigurationError
        For a place outside the arena or of the wrong form.
    """
    if not options:
        return
    wish = np.full(r.N_WISHES, math.nan)
    for key, value in options.items():
        require_known(NAME, key, OPTIONS, "reset option of the preset 'patches'")
        n, first = (3, 0) if key == "start" else (2, 3)
        wish[first : first + n] = place(row, key, value, n)
    row[r.WISH : r.WISH + r.N_WISHES] = wish
