"""insectbot: put a spiking brain into a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from insectbot.envs.registry import register_envs

if TYPE_CHECKING:
    from insectbot.api import Run, run

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "register_envs", "run"]

register_envs()


def __getattr__(name: str) -> Any:
    """Import the Python journey when it is first used: ``import insectbot`` stays light."""
    if name in ("run", "Run"):
        from insectbot import api

        return getattr(api, name)
    raise AttributeError(f"module 'insectbot' has no attribute {name!r}")
