"""insectbot: put a spiking brain into a body."""

from insectbot.envs.registry import register_envs

__version__ = "0.1.0"

register_envs()
