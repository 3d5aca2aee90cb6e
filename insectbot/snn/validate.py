"""Checks that parameter records share; each raises one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from inspect import Parameter
from typing import Any

from insectbot.errors import ConfigurationError


def require_finite(owner: str, **values: float | None) -> None:
    """Raise unless every given value (``None`` passes) is a finite number."""
    for name, value in values.items():
        if value is not None and not (isinstance(value, (int, float)) and math.isfinite(value)):
            raise ConfigurationError(f"{owner}.{name} = {value!r}: must be a finite number")


def require_positive(owner: str, **values: float) -> None:
    """Raise unless every value is a finite number above zero."""
    require_finite(owner, **values)
    for name, value in values.items():
        if value <= 0:
            raise ConfigurationError(f"{owner}.{name} = {value!r}: must be above 0")


def require_not_negative(owner: str, **values: float) -> None:
    """Raise unless every value is a finite number of at least zero."""
    require_finite(owner, **values)
    for name, value in values.items():
        if value < 0:
            raise ConfigurationError(f"{owner}.{name} = {value!r}: must be at least 0")


def require_whole(owner: str, least: int, **values: Any) -> None:
    """Raise unless every value is a whole number of at least ``least``."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1 or value < least:
            raise ConfigurationError(f"{owner}.{name} = {value!r}: must be a whole number of at least {least}")


def require_flags(owner: str, accepted: Iterable[Parameter], options: Mapping[str, Any]) -> None:
    """Raise unless options whose default is true or false are given as one of them."""
    for p in accepted:
        if isinstance(p.default, bool) and not isinstance(options.get(p.name, p.default), bool):
            raise ConfigurationError(f"{owner}.{p.name} = {options[p.name]!r}: must be true or false")


def whole_ticks(owner: str, what: str, time: float, dt: float) -> int:
    """Return ``time / dt`` (both ms) as a whole number of ticks, or raise naming both."""
    ticks = round(time / dt)
    if abs(ticks * dt - time) > 1e-6 * max(dt, abs(time)):
        raise ConfigurationError(f"{owner}: {what} of {time} ms is not a whole number of steps of dt = {dt} ms")
    return ticks


def canonical(value: Any) -> Any:
    """Return a nested tuple of plain values that identifies a parameter record (for hashing)."""
    if hasattr(value, "__dataclass_fields__"):
        return (type(value).__name__, *((k, canonical(getattr(value, k))) for k in value.__dataclass_fields__))
    if hasattr(value, "tobytes"):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, tuple):
        return tuple(canonical(v) for v in value)
    return value
