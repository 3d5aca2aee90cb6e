"""Jitted primitives: raw memory, counter-based randomness. Their text is part of every generated kernel.

Generated modules contain this file's source, so that a kernel and its callees live in one file and its
name, a hash of that text, changes whenever they do.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray

U32 = np.uint64(32)
UNIT_BITS = np.uint64(24)
TWO_PI = 2.0 * math.pi


def _pointer(typingctx: Any, address: Any) -> Any:
    """Turn an integer address into a pointer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), codegen


pointer: Any = intrinsic(_pointer)


@njit
def f4(address: int) -> Any:
    """View memory as float32."""
    return carray(pointer(address), 1 << 40, np.float32)


@njit
def f8(address: int) -> Any:
    """View memory as float64."""
    return carray(pointer(address), 1 << 40, np.float64)


@njit
def i4(address: int) -> Any:
    """View memory as int32."""
    return carray(pointer(address), 1 << 40, np.int32)


@njit
def i8(address: int) -> Any:
    """View memory as int64."""
    return carray(pointer(address), 1 << 40, np.int64)


@njit
def u2(address: int) -> Any:
    """View memory as uint16."""
    return carray(pointer(address), 1 << 40, np.uint16)


@njit
def u8(address: int) -> Any:
    """View memory as uint64."""
    return carray(pointer(address), 1 << 40, np.uint64)


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
def standard_normal(key: Any, tick: Any, unit: Any) -> Any:
    """Return one standard normal number for a unit at a tick (Box-Muller on two draws)."""
    u = (float(draw(key, tick, 2 * unit)) + 0.5) * 2.0**-32
    v = (float(draw(key, tick, 2 * unit + 1)) + 0.5) * 2.0**-32
    return math.sqrt(-2.0 * math.log(u)) * math.cos(TWO_PI * v)


@njit
def spike_threshold(drive: Any, rate_per_tick: Any) -> Any:
    """Return p * 2^32 with p = 1 - exp(-rate * drive * dt): a draw below it is a Poisson spike."""
    return np.uint64(-math.expm1(-float(drive) * float(rate_per_tick)) * 4294967296.0)


F1 = np.uint64(1)
F2 = np.uint64(2)
F3 = np.uint64(3)
F4 = np.uint64(4)
