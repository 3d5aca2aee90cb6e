"""The table of worlds: id, single env, vector env. Entry points are strings, so nothing is imported before ``make``."""

from __future__ import annotations

from typing import Final

import gymnasium

ENVS: Final = {
    "insectbot/Foraging-v0": "insectbot.envs.foraging:Foraging",
    "insectbot/AplysiaRobot-v0": "insectbot.envs.aplysia_robot:AplysiaRobot",
    "insectbot/AplysiaReflex-v0": "insectbot.envs.aplysia_reflex:AplysiaReflex",
    "insectbot/ColorForage-v0": "insectbot.envs.color_forage:ColorForage",
    "insectbot/PathIntegration-v0": "insectbot.envs.path_integration:PathIntegration",
    "insectbot/PlumeTrack-v0": "insectbot.envs.plume_track:PlumeTrack",
}
"""Every id of the kit -> ``module:Name``, whose single env is ``NameEnv`` and whose vector env is ``NameVectorEnv``."""


def register_envs() -> None:
    """Register every id of ``ENVS`` with Gymnasium, once."""
    for env_id, name in ENVS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(env_id, entry_point=f"{name}Env", vector_entry_point=f"{name}VectorEnv")
