"""Settings and reward weights of the preset ``odors``, checked and packed into the template of a state row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from insectbot.envs import foraging_row as r
from insectbot.envs import odors_row as o
from insectbot.envs.foraging_settings import place
from insectbot.envs.world import Row, require_known, require_number, steps_in
from insectbot.errors import ConfigurationError

NAME: Final = "insectbot/Foraging"
PRESET: Final = "odors"
TIME_LIMIT: Final = 300.0
"""Longest episode unless the caller says another [s]."""

BLENDS: Final = (
    (1.0, 0.6, 0.3, 0.1, 0.0, 0.2),
    (0.2, 0.0, 0.6, 1.0, 0.3, 0.1),
    (0.1, 0.3, 0.0, 0.2, 1.0, 0.6),
    (0.6, 0.2, 0.0, 0.3, 0.1, 1.0),
)
"""What a source of each kind gives off in each channel, before dilution (kinds 0 and 1: cosine 0.34)."""

TERMS: Final = ("good", "bad", "walk", "collision")
REWARDS: Final[Mapping[str, Mapping[str, float]]] = {
    "dense": {"good": 1.0, "bad": -1.0},
    "sparse": {"good": 1.0},
    "local": {"good": 1.0, "bad": -1.0, "walk": -0.001},
}
WALLS: Final = ("block", "clamp")
OPTIONS: Final = ("start", "good", "reverse")


@dataclass(frozen=True)
class OdorSettings:
    """The arguments of a Foraging env with the preset ``odors``, as given."""

    reward: str | None = None
    reward_weights: Mapping[str, float] | None = None
    walls: str = "block"
    sources: int = 6
    kinds: int = 2
    good: int = 0
    odor_noise: float = 0.05
    time_limit: float | None = None


def whole(what: str, value: Any, low: int, high: int) -> int:
    """Return a whole number of a range.

    Raises
    ------
    ConfigurationError
        If it is none, or outside.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ConfigurationError(f"{NAME}: {what} = {value!r}, must be a whole number from {low} to {high}")
    return int(value)


def weights(settings: OdorSettings) -> list[float]:
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


def template(settings: OdorSettings) -> Row:
    """Check the settings and return the row before its first reset.

    Raises
    ------
    UnknownNameError
        For an unknown reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.
    """
    require_known(NAME, settings.walls, WALLS, "walls")
    limit = TIME_LIMIT if settings.time_limit is None else settings.time_limit
    row = np.zeros(o.SIZE)
    row[r.WIDTH] = row[r.HEIGHT] = 1000.0
    row[r.MAX_STEPS] = steps_in(NAME, limit, r.CONTROL_PERIOD)
    row[r.CLAMP] = settings.walls == "clamp"
    row[r.KICK] = 0.5
    row[r.DISC_R2 : r.DISC_R2 + r.MAX_DISCS] = -1.0
    row[o.N_KINDS] = kinds = whole("kinds", settings.kinds, 2, o.MAX_KINDS)
    row[o.N_SOURCES] = whole("sources", settings.sources, kinds, o.MAX_SOURCES)
    row[o.FIRST] = row[o.REWARDED] = whole("good", settings.good, 0, kinds - 1)
    row[o.NOISE] = require_number(NAME, "odor_noise", settings.odor_noise, 0.0, 1.0)
    row[o.BLEND : o.BLEND + o.MAX_KINDS * o.N_CHANNELS] = np.ravel(BLENDS)
    row[o.SOURCE_KIND : o.SOURCE_KIND + o.MAX_SOURCES] = -1.0
    row[o.WEIGHT : o.WEIGHT + len(TERMS)] = weights(settings)
    row[r.WISH : r.WISH + r.N_WISHES] = math.nan
    row[[o.WISH_GOOD, o.WISH_REVERSE]] = math.nan
    return row


def apply_options(row: Row, options: Mapping[str, Any] | None) -> None:
    """Write ``start`` [x, y, heading], ``good`` (kind) and ``reverse`` (bool) of one reset into the row.

    Raises
    ------
    UnknownNameError
        For another key.
    ConfigurationError
        For a value out of range or of the wrong form.
    """
    wish, kind, reverse = np.full(r.N_WISHES, math.nan), math.nan, math.nan
    for key, value in (options or {}).items():
        require_known(NAME, key, OPTIONS, "reset option of the preset 'odors'")
        if key == "start":
            wish[:3] = place(row, key, value, 3)
        elif key == "good":
            kind = whole("reset option good", value, 0, int(row[o.N_KINDS]) - 1)
        elif isinstance(value, (bool, np.bool_)):
            reverse = float(value)
        else:
            raise ConfigurationError(f"{NAME}: reset option reverse = {value!r}, must be True or False")
    row[r.WISH : r.WISH + r.N_WISHES] = wish
    row[o.WISH_GOOD], row[o.WISH_REVERSE] = kind, reverse
