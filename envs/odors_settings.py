"""Settings and reward weights of the preset ``odors``, checked and packed into the template of a state row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from insectbot.envs import foraging_row as r
from insectbot.envs import odors_row as o
from insectbot.envs.foraging_arguments import NAME, ArenaSettings, arena_row, place, truth, weights_of, whole
from insectbot.envs.world import Row, require_known, require_number, steps_in

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
OPTIONS: Final = ("start", "good", "reverse")


@dataclass(frozen=True)
class OdorSettings(ArenaSettings):
    """The arguments of a Foraging env with the preset ``odors``, as given."""

    sources: int = 6
    kinds: int = 2
    good: int = 0
    odor_noise: float = 0.05
    time_limit: float | None = None


def weights(settings: OdorSettings) -> list[float]:
    """Return the reward weights in the order of ``TERMS``: those of the named reward, then the caller's."""
    return weights_of(settings.reward, settings.reward_weights, REWARDS, TERMS)


def template(settings: OdorSettings) -> Row:
    """Check the settings and return the row before its first reset.

    Raises
    ------
    UnknownNameError
        For an unknown reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.
    """
    limit = TIME_LIMIT if settings.time_limit is None else settings.time_limit
    row = arena_row(o.SIZE, settings.walls, steps_in(NAME, limit, r.CONTROL_PERIOD))
    row[r.DISC_R2 : r.DISC_R2 + r.MAX_DISCS] = -1.0
    row[o.N_KINDS] = kinds = whole("kinds", settings.kinds, 2, o.MAX_KINDS)
    row[o.N_SOURCES] = whole("sources", settings.sources, kinds, o.MAX_SOURCES)
    row[o.FIRST] = row[o.REWARDED] = whole("good", settings.good, 0, kinds - 1)
    row[o.NOISE] = require_number(NAME, "odor_noise", settings.odor_noise, 0.0, 1.0)
    row[o.BLEND : o.BLEND + o.MAX_KINDS * o.N_CHANNELS] = np.ravel(BLENDS)
    row[o.SOURCE_KIND : o.SOURCE_KIND + o.MAX_SOURCES] = -1.0
    row[o.WEIGHT : o.WEIGHT + len(TERMS)] = weights(settings)
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
        else:
            reverse = truth("reset option reverse", value)
    row[r.WISH : r.WISH + r.N_WISHES] = wish
    row[o.WISH_GOOD], row[o.WISH_REVERSE] = kind, reverse
