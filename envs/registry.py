"""The table of worlds: id, single env, vector env. Entry points are strings, so nothing is imported before ``make``."""

from __future__ import annotations

from typing import Final, NamedTuple

import gymnasium


class Entry(NamedTuple):
    """One world: entry points as ``"module:Class"``."""

    entry_point: str
    vector_entry_point: str


ENVS: Final = {
    "insectbot/Foraging-v0": Entry(
        "insectbot.envs.foraging:ForagingEnv", "insectbot.envs.foraging_vector:ForagingVectorEnv"
    ),
}
"""Every id of the kit; a new world adds one line."""


def register_envs() -> None:
    """Register every id of ``ENVS`` with Gymnasium, once."""
    for env_id, entry in ENVS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(env_id, entry_point=entry.entry_point, vector_entry_point=entry.vector_entry_point)
