"""Run an input code on a whole signal, without a network: the same functions as in the kernel, over numpy arrays."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn import functions
from insectbot.snn.inputs import CodedInput
from insectbot.snn.model import Source

Reals = npt.NDArray[np.float64]


def encode(code: CodedInput, signal: npt.ArrayLike, dt: float = 1.0) -> npt.NDArray[np.bool_]:
    """Return the spikes that a code makes of a signal.

    Parameters
    ----------
    code : CodedInput
        The code. It must not draw random numbers.
    signal : array_like, shape (n_ticks,) or (n_ticks, n)
        Drive of each channel at each tick; clipped to [0, 1], as in the core.
    dt : float
        Length of a tick [ms], > 0.

    Returns
    -------
    ndarray of bool, shape of the signal
        Whether the channel spikes at the tick.

    Raises
    ------
    ConfigurationError, ShapeError
        If a parameter does not suit ``dt``, or the signal is not finite or has another number of channels.
    """
    given = np.asarray(signal, np.float64)
    if given.ndim not in (1, 2) or not np.isfinite(given).all():
        raise ShapeError(f"encode: a signal of shape {given.shape} must be finite numbers, (n_ticks,) or (n_ticks, n)")
    drives = given.reshape(len(given), -1)
    n, length = drives.shape[1], code.frame_ticks(dt)
    names: dict[str, Any] = {**code.values(), **code.coefficients(dt), "dt": dt}
    names |= {state: np.full(n, value, np.float64) for state, value in code.states.items()}
    for name, value in names.items():
        if np.ndim(value) and len(value) != n:
            raise ShapeError(f"encode: {type(code).__name__}.{name} has {len(value)} values for {n} channels")
    roles = {role: _Step(source) for role, source in code.functions().items()}
    if "emit" not in roles:
        raise ConfigurationError(f"{type(code).__name__}: a code needs a function emit()")
    spikes = np.zeros(drives.shape, np.bool_)
    for tick, x in enumerate(drives):
        names |= {"x": np.clip(x, 0.0, 1.0), "k": float(tick % length)}
        if tick % length == 0 and "frame" in roles:
            names["rank"] = ranks(x)
            roles["frame"](names)
        roles["emit"](names)
        spikes[tick] = names["spike"]
    return spikes.reshape(given.shape)


def ranks(x: npt.ArrayLike) -> Reals:
    """Return for each channel how many have a larger drive, or an equal one and a smaller index."""
    x = np.asarray(x, np.float64)
    rank = np.empty(x.size)
    rank[np.argsort(-x, kind="stable")] = np.arange(x.size)
    return rank


class _Step:
    """One model function: takes what it names from a table, and puts what it returns back."""

    def __init__(self, source: Source) -> None:
        self._run, self._takes, self._gives = _read(source)

    def __call__(self, names: dict[str, Any]) -> None:
        result = self._run(*(names[name] for name in self._takes))
        names.update(zip(self._gives, result if len(self._gives) > 1 else (result,), strict=True))


@lru_cache(maxsize=256)
def _read(source: Source) -> tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]:
    """Return a model function, the names it takes and the names it returns."""
    text = textwrap.dedent(source if isinstance(source, str) else inspect.getsource(source))
    definition = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    last = definition.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    given = value.elts if isinstance(value, ast.Tuple) else [value]
    returned = tuple(node.id for node in given if isinstance(node, ast.Name))
    if len(returned) != len(given):
        raise ConfigurationError(f"{definition.name}: must return names, such as 'return spike, wait'")
    takes = tuple(a.arg for a in definition.args.args)
    if not isinstance(source, str):
        return source, takes, returned
    space: dict[str, Any] = {name: getattr(functions, name) for name in functions.NAMES if hasattr(functions, name)}
    exec(text, space)
    return space[definition.name], takes, returned
