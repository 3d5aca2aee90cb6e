"""Foraging seen in a mirror: the world reflected at its middle line, left and right exchanged."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.world import Mirror

Float = npt.NDArray[np.float32]


def _row(row: r.Row) -> r.Row:
    """Return the reflection of a row: y -> height - y, heading -> -heading."""
    found, height = row.copy(), row[r.HEIGHT]
    for slot in (r.Y, r.START + 1, r.TARGET + 1):
        found[slot] = height - row[slot]
    for first, count in ((r.BUMP_Y, r.MAX_BUMPS), (r.DISC_Y, r.MAX_DISCS)):
        found[first : first + count] = height - row[first : first + count]
    for slot in (r.HEADING, r.SIN, r.START + 2):
        found[slot] = -row[slot]
    for left, right in ((r.RHO_LEFT, r.RHO_RIGHT), (r.LOBE_LEFT, r.LOBE_RIGHT)):
        found[left], found[right] = row[right], row[left]
    found[r.WORK : r.WORK + r.MAX_BUMPS] = 0.0
    return found


def _action(action: Float) -> Float:
    return action[::-1].copy()


def _observation(observation: Float) -> Float:
    return observation[[1, 0, 3, 2, 4]]


MIRROR: Final = Mirror(_row, _action, _observation, r.DRAWS)
