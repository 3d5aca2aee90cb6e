"""Seeds of worlds and brains, derived by hashing, so that training never sees a world it is tested on."""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

from insectbot.errors import ConfigurationError

Phase = Literal["run", "train", "probe", "tune", "evaluate", "brain"]
"""What a seed is for: worlds of a free run, of training, of the learning curve, of tuning, of the final
evaluation; "brain" is for the random streams of controllers."""

MAX_SEED = 2**63 - 1
"""Largest seed a user may give: what a recording and a checkpoint can store."""

_BITS = 29


def derive(phase: Phase, *key: int) -> int:
    """Return the seed number ``key`` of a phase, an integer in [0, 2**32).

    The upper three bits are the phase, so phases never share a seed; the lower 29 bits are the first bits of
    the SHA-256 of the key.

    Parameters
    ----------
    phase : str
        One of :data:`Phase`.
    *key : int
        Whatever tells seeds of one phase apart, such as (root seed, training seed, episode).
    """
    phases = get_args(Phase)
    if phase not in phases:
        raise ConfigurationError(f"phase {phase!r}: must be one of {', '.join(phases)}")
    digest = hashlib.sha256(repr((phase, *map(int, key))).encode()).digest()
    return phases.index(phase) << _BITS | int.from_bytes(digest[:4], "little") >> (32 - _BITS)


def worlds(phase: Phase, n: int, *key: int) -> list[int]:
    """Return ``n`` different world seeds of a phase; the first m of n are the same for every n.

    Parameters
    ----------
    phase : str
        One of :data:`Phase`.
    n : int
        How many, >= 0.
    *key : int
        Tells lists of one phase apart.
    """
    found: dict[int, None] = {}
    index = 0
    while len(found) < n:
        found.setdefault(derive(phase, *key, index))
        index += 1
    return list(found)
