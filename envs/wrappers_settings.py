"""Options of the wrappers: numbers, one per channel, or a range from which every episode draws anew."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.envs.numerics import exp_negative
from insectbot.envs.wrappers_kernels import draw_normal, draw_uniform
from insectbot.errors import ConfigurationError

Array = npt.NDArray[np.float64]
Setting = float | Sequence[float] | npt.NDArray | Mapping[str, Any]
"""What an option may be: a number for all channels, one per channel, or a range such as ``{"uniform": [0.8, 1.2]}``."""

KINDS: Final = ("uniform", "log_uniform", "normal", "integers")
MAX_DELAY: Final = 10_000
"""Longest latency and dead time [control steps]: a history of this length is kept."""


@dataclass(frozen=True)
class Limits:
    """What a parameter may be: ``neutral`` does nothing; ``whole`` numbers only; from ``low`` to ``high``."""

    neutral: float = 0.0
    low: float = 0.0
    high: float = math.inf
    whole: bool = False

    def text(self) -> str:
        """Return the limits in words."""
        kind = "whole numbers of control steps" if self.whole else "finite numbers"
        if math.isinf(self.low):
            return kind
        return f"{kind}, at least {self.low:g}" if math.isinf(self.high) else f"{kind} in [{self.low:g}, {self.high:g}]"

    def allow(self, values: Array) -> bool:
        """Return whether all values are within."""
        inside = np.isfinite(values).all() and (values >= self.low).all() and (values <= self.high).all()
        return bool(inside and (not self.whole or (values == np.rint(values)).all()))


ANY: Final = Limits(low=-math.inf)

SENSES: Final[Mapping[str, Limits]] = {
    "gain": Limits(neutral=1.0, low=-math.inf),
    "offset": ANY,
    "sd": Limits(),
    "dropout": Limits(high=1.0),
    "latency": Limits(high=MAX_DELAY, whole=True),
}
"""Parameters of senses, in the order of their rows."""

ACTUATORS: Final[Mapping[str, Limits]] = {
    "gain": Limits(neutral=1.0, low=-math.inf),
    "offset": ANY,
    "dead_zone": Limits(),
    "quantum": Limits(),
    "tau": Limits(),
    "dead_time": Limits(high=MAX_DELAY, whole=True),
}
"""Parameters of actuators, in the order of their rows."""


@dataclass(frozen=True)
class Range:
    """Numbers that every episode draws anew, one per channel.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    first, second : ndarray, shape (channels,)
        Lowest and highest value; of ``normal`` mean and standard deviation.
    together : bool
        One draw moves all channels.
    limits : Limits
        Normal draws are clipped to them.
    """

    kind: str
    first: Array
    second: Array
    together: bool
    limits: Limits

    @property
    def highest(self) -> float:
        """Return the largest number that can be drawn."""
        return self.limits.high if self.kind == "normal" else float(self.second.max())

    def draw(self, key: np.uint64) -> Array:
        """Return the numbers that a key decides, shape (channels,)."""
        a, b = self.first, self.second
        u = np.empty(1 if self.together else a.size)
        if self.kind == "normal":
            draw_normal(key, u)
            return np.clip(a + b * u, self.limits.low, self.limits.high)
        draw_uniform(key, u)
        u = np.broadcast_to(u, a.shape)
        if self.kind == "integers":
            return a + np.floor(u * (b - a + 1.0))
        if self.kind == "uniform":
            return a + (b - a) * u
        return np.array([hi * exp_negative((1.0 - x) * math.log(hi / lo)) for lo, hi, x in zip(a, b, u, strict=True)])


def _numbers(where: str, value: Any, limits: Limits, shape: tuple[int, ...]) -> Array:
    """Return one number per channel."""
    try:
        found = np.asarray(value)
    except ValueError:
        found = np.asarray(None)
    if found.dtype.kind not in "iuf":
        raise ConfigurationError(f"{where} = {value!r}, must be {limits.text()}")
    given = found.astype(np.float64)
    if given.ndim and given.shape not in (shape, (math.prod(shape),)):
        n = math.prod(shape)
        raise ConfigurationError(f"{where} has {given.size} numbers, must have one, or one for each of {n} channels")
    if not limits.allow(given):
        raise ConfigurationError(f"{where} = {value!r}, must be {limits.text()}")
    return np.broadcast_to(given.ravel() if given.ndim else given, (math.prod(shape),)).copy()


def _range(where: str, table: Mapping[str, Any], limits: Limits, shape: tuple[int, ...]) -> Range:
    kinds = ("integers",) if limits.whole else KINDS
    given = [key for key in table if key != "together"]
    if len(given) != 1 or given[0] not in kinds:
        shown = ", ".join(map(str, given)) or "none"
        raise ConfigurationError(f"{where}: a range of {shown}, must be one of {', '.join(kinds)}")
    kind, pair, together = given[0], table[given[0]], table.get("together", False)
    if not isinstance(together, bool):
        raise ConfigurationError(f"{where}: together = {together!r}, must be true or false")
    if not isinstance(pair, Sequence | np.ndarray) or isinstance(pair, str) or len(pair) != 2:
        names = "mean and standard deviation" if kind == "normal" else "lowest and highest"
        raise ConfigurationError(f"{where}: {kind} = {pair!r}, must be a list of two, {names}")
    label = f"{where}: {kind}"
    first = _numbers(label, pair[0], limits, shape)
    second = _numbers(label, pair[1], Limits() if kind == "normal" else limits, shape)
    if kind != "normal" and (first > second).any():
        raise ConfigurationError(f"{label} = {pair!r}, must begin with the lower number")
    if kind == "log_uniform" and (first <= 0.0).any():
        raise ConfigurationError(f"{label} = {pair!r}, must be above 0")
    if kind == "integers" and not (np.rint([first, second]) == [first, second]).all():
        raise ConfigurationError(f"{label} = {pair!r}, must be whole numbers")
    return Range(kind, first, second, together, limits)


def checked(where: str, value: Any, limits: Limits, shape: tuple[int, ...]) -> Array | Range:
    """Return an option as one number per channel, or as a range.

    Parameters
    ----------
    where : str
        Begins the message of an error, such as ``"sensor-noise: sd"``.
    value : Setting
        What the user gave.
    limits : Limits
        What is accepted.
    shape : tuple of int
        Of the space; channels are its entries in C order.

    Raises
    ------
    ConfigurationError
        It is neither, or not within the limits.
    """
    if isinstance(value, Mapping):
        return _range(where, value, limits, shape)
    return _numbers(where, value, limits, shape)


def plain(value: Any) -> Any:
    """Return an option as lists, dicts and Python numbers, which JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
