"""What a world remembers from one episode to the next, for checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt


def read(env: gymnasium.Env) -> tuple[dict[str, npt.NDArray], dict[str, Any]]:
    """Return the arrays, and the parts that JSON can hold, of ``get_state()`` of the world and its wrappers.

    The outermost wrapper that has ``get_state`` is asked; it answers for what it wraps. A world without, or with
    state of another kind, has nothing to keep: every episode starts from a seeded reset, so this matters only to
    worlds that count episodes, such as the preset ``flip``.
    """
    get: Any = env.get_wrapper_attr("get_state") if env.has_wrapper_attr("get_state") else None
    found = get() if get is not None else {}
    parts = dict(found) if isinstance(found, Mapping) else {"": found}
    arrays = {k: np.asarray(v) for k, v in parts.items() if isinstance(v, np.ndarray | np.number)}
    rest = {k: v for k, v in parts.items() if k not in arrays}
    try:
        return arrays, json.loads(json.dumps(rest))
    except (TypeError, ValueError):
        return {}, {}


def write(env: gymnasium.Env, arrays: Mapping[str, npt.NDArray], rest: Mapping[str, Any]) -> None:
    """Restore what :func:`read` returned."""
    put: Any = env.get_wrapper_attr("set_state") if env.has_wrapper_attr("set_state") else None
    if put is None or not (arrays or rest):
        return
    env.reset()  # a wrapper may ask for it, and a world makes its generator there
    state = {**arrays, **rest}
    put(state[""] if state.keys() == {""} else state)
