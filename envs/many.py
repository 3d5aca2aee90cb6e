"""The kernel that steps many worlds, written once: each world's own step is compiled into it."""

from __future__ import annotations

from inspect import unwrap
from types import FunctionType
from typing import Any

from insectbot.envs.world import RUNNING
from insectbot.jit import kernel

_step: Any = None  # stands for the step of a world, see many()


def _step_many(rows: Any, data: Any, actions: Any, skip: Any, obs: Any, rewards: Any, codes: Any) -> int:
    """Step every world that is not skipped; return how many codes are not RUNNING."""
    events = 0
    for i in range(rows.shape[0]):
        rewards[i], codes[i] = 0.0, RUNNING
        if not skip[i]:
            reward, code = _step(rows[i], data, actions[i], obs[i])
            rewards[i], codes[i] = reward, code
            events += code != RUNNING
    return events


def many(step: Any) -> Any:
    """Return the ``many_kernel`` of a world from its ``step_kernel`` (see :class:`insectbot.envs.world.World`).

    Parameters
    ----------
    step : kernel
        ``(row, data, action, obs) -> (reward, code)``, a function of a module.

    Returns
    -------
    kernel
        ``(rows, data, actions, skip, obs, rewards, codes) -> events``, as fast as if it were written beside ``step``.
    """
    # A kernel's callees must be known when it is compiled, and the cache finds kernels by file and name: so each world
    # has its own copy of the function, filed under the source of its step and named after it.
    code = _step_many.__code__.replace(co_filename=unwrap(step).__code__.co_filename)
    copy = FunctionType(code, {**globals(), "__name__": step.__module__, "_step": step}, f"many_{step.__name__}")
    copy.__qualname__ = copy.__name__
    return kernel(copy)
