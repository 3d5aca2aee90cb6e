"""The arguments that the presets of Foraging share: reward weights, walls, arena and places, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from insectbot.envs import foraging_row as r
from insectbot.envs.world import Row, require_known
from insectbot.errors import ConfigurationError

NAME: Final = "insectbot/Foraging"
WALLS: Final = ("block", "clamp")


@dataclass(frozen=True)
class ArenaSettings:
    """The arguments that ``patches``, ``odors`` and ``route`` share, as given; their own follow."""

    reward: str | None = None
    reward_weights: Mapping[str, float] | None = None
    walls: str = "block"


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


def truth(what: str, value: Any) -> float:
    """Return a bool as the 0 or 1 of a row.

    Raises
    ------
    ConfigurationError
        If it is none.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ConfigurationError(f"{NAME}: {what} = {value!r}, must be True or False")
    return float(value)


def weights_of(
    reward: str | None,
    changes: Mapping[str, float] | None,
    rewards: Mapping[str, Mapping[str, float]],
    terms: tuple[str, ...],
) -> list[float]:
    """Return the reward weights in the order of ``terms``: those of the named reward, then the caller's.

    Parameters
    ----------
    reward : str or None
        One of ``rewards``; None for ``"dense"``.
    changes : mapping of str to float or None
        The caller's weights, by term.
    rewards : mapping
        Name of a reward -> term -> weight; a term that is not there has the weight 0.
    terms : tuple of str
        The terms of the preset.

    Raises
    ------
    UnknownNameError
        For an unknown reward or term.
    ConfigurationError
        For a weight that is not a finite number.
    """
    name = "dense" if reward is None else reward
    require_known(NAME, name, rewards, "reward")
    chosen = dict(rewards[name])
    for term, weight in (changes or {}).items():
        require_known(NAME, term, terms, "reward_weights key")
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not math.isfinite(weight):
            raise ConfigurationError(f"{NAME}: reward_weights[{term!r}] = {weight!r}, must be a finite number")
        chosen[term] = float(weight)
    return [chosen.get(term, 0.0) for term in terms]


def arena_row(size: int, walls: str, steps: int) -> Row:
    """Return a row of ``size`` numbers: an arena of 1 m x 1 m, ``walls``, an episode of ``steps``, no wish.

    Raises
    ------
    UnknownNameError
        For an unknown kind of walls.
    """
    require_known(NAME, walls, WALLS, "walls")
    row = np.zeros(size)
    row[r.WIDTH] = row[r.HEIGHT] = 1000.0
    row[r.MAX_STEPS] = steps
    row[r.CLAMP] = walls == "clamp"
    row[r.KICK] = 0.5
    row[r.WISH : r.WISH + r.N_WISHES] = math.nan
    return row


def place(row: Row, key: str, value: Any, n: int) -> list[float]:
    """Return a place given as a reset option: [x, y] or, for n = 3, [x, y, heading].

    Raises
    ------
    ConfigurationError
        If it lies outside the arena or is not of this form.
    """
    form = "[x, y, heading]" if n == 3 else "[x, y]"
    try:
        numbers = [float(v) for v in value]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != n or not all(map(math.isfinite, numbers)):
        raise ConfigurationError(f"{NAME}: reset option {key} = {value!r}, must be {form}, finite numbers")
    if not (0.0 <= numbers[0] <= row[r.WIDTH] and 0.0 <= numbers[1] <= row[r.HEIGHT]):
        raise ConfigurationError(
            f"{NAME}: reset option {key} = {value!r} lies outside the arena of "
            f"{row[r.WIDTH]:.0f} x {row[r.HEIGHT]:.0f} mm"
        )
    if n == 3:
        numbers[2] = math.remainder(numbers[2], 2.0 * math.pi)
    return numbers
