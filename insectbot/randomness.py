"""Counter-based random numbers for kernels: no state, the same on every thread and in every order.

The core pastes this file's text into the modules it generates, so it stands alone; every kernel cache folder is named
by a hash that includes it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

U32 = np.uint64(32)
UNIT_BITS = np.uint64(24)
TWO_PI = 2.0 * math.pi


@njit
def squares32(counter: Any, key: Any) -> Any:
    """Return 32 random bits of a counter (Squares, four rounds; Widynski 2020, arXiv 2004.06278)."""
    x = counter * key
    y = x
    z = y + key
    x = x * x + y
    x = (x >> U32) | (x << U32)
    x = x * x + z
    x = (x >> U32) | (x << U32)
    x = x * x + y
    x = (x >> U32) | (x << U32)
    return (x * x + z) >> U32


@njit
def draw(key: Any, tick: Any, unit: Any) -> Any:
    """Return 32 random bits (as uint64) for a unit at a tick."""
    return squares32((np.uint64(tick) << UNIT_BITS) | np.uint64(unit), key)


@njit
def uniform(key: Any, tick: Any, unit: Any) -> Any:
    """Return one number, uniform on (0, 1), for a unit at a tick."""
    return (float(draw(key, tick, unit)) + 0.5) * 2.0**-32


@njit
def standard_normal(key: Any, tick: Any, unit: Any) -> Any:
    """Return one standard normal number for a unit at a tick (Box-Muller on two draws)."""
    u = (float(draw(key, tick, 2 * unit)) + 0.5) * 2.0**-32
    v = (float(draw(key, tick, 2 * unit + 1)) + 0.5) * 2.0**-32
    return math.sqrt(-2.0 * math.log(u)) * math.cos(TWO_PI * v)
