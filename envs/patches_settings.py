"""Settings and reward weights of the preset ``patches``, checked and packed into the template of a state row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from insectbot.envs import foraging_row as r
from insectbot.envs import patches_row as p
from insectbot.envs.foraging_arguments import NAME, ArenaSettings, arena_row, place, weights_of, whole
from insectbot.envs.world import Row, require_known, require_number, steps_in

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
OPTIONS: Final = ("start", "nest")


@dataclass(frozen=True)
class PatchSettings(ArenaSettings):
    """The arguments of a Foraging env with the preset ``patches``, as given."""

    patches: int = 6
    regrowth: float = 0.01
    odor_noise: float = 0.05
    time_limit: float | None = None


def weights(settings: PatchSettings) -> list[float]:
    """Return the reward weights in the order of ``TERMS``: those of the named reward, then the caller's."""
    return weights_of(settings.reward, settings.reward_weights, REWARDS, TERMS)


def template(settings: PatchSettings) -> Row:
    """Check the settings and return the row before its first reset.

    Raises
    ------
    UnknownNameError
        For an unknown reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.
    """
    limit = TIME_LIMIT if settings.time_limit is None else settings.time_limit
    row = arena_row(p.SIZE, settings.walls, steps_in(NAME, limit, r.CONTROL_PERIOD))
    row[r.N_BUMPS] = 14
    row[r.DISC_R2 : r.DISC_R2 + r.MAX_DISCS] = -1.0
    row[p.N_PATCHES] = whole("patches", settings.patches, 1, p.MAX_PATCHES)
    row[p.REGROWTH] = require_number(NAME, "regrowth [units/s]", settings.regrowth, 0.0, 1e6)
    row[p.NOISE] = require_number(NAME, "odor_noise", settings.odor_noise, 0.0, 1.0)
    row[p.WEIGHT : p.WEIGHT + len(TERMS)] = weights(settings)
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
