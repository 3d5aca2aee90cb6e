"""Jitted primitives: raw memory, elementary functions, atomics. Their text is part of every generated kernel.

Generated modules contain this file's source (after that of :mod:`insectbot.randomness`), so that a kernel and its
callees live in one file and its name, a hash of that text, changes whenever they do. The elementary functions are
plain multiplications and sums: they vectorise, and give the same bits on every machine.
"""

from __future__ import annotations

import math
import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray


def _pointer(typingctx: Any, address: Any) -> Any:
    """Turn an integer address into a pointer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), codegen


pointer: Any = intrinsic(_pointer)


def _prefetch(typingctx: Any, address: Any) -> Any:
    """Ask for a cache line that will be read and written soon."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i32 = ir.IntType(32)
        target = builder.inttoptr(args[0], cgutils.voidptr_t)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [target, i32(1), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


prefetch: Any = intrinsic(_prefetch)


def _as_float(typingctx: Any, bits: Any) -> Any:
    """Read the bits of an int32 or int64 as a float of the same size."""
    target = types.float32 if bits == types.int32 else types.float64

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(target))

    return target(bits), codegen


as_float: Any = intrinsic(_as_float)


def _wide(typingctx: Any) -> Any:
    """Let the calling function use the widest vectors there are; LLVM is shy of 512 bits by default."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')  # a name that llvmlite does not list
        return context.get_dummy_value()

    return types.void(), codegen


wide: Any = intrinsic(_wide)


def _set_bits(typingctx: Any, address: Any) -> Any:
    """Return a 64-bit mask of which of 64 int32 in memory are not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(32), 64)
        values = builder.load(builder.inttoptr(args[0], lanes.as_pointer()), align=4)
        return builder.bitcast(builder.icmp_signed("!=", values, lanes(None)), ir.IntType(64))

    return types.uint64(types.int64), codegen


set_bits: Any = intrinsic(_set_bits)


def _lowest_bit(typingctx: Any, mask: Any) -> Any:
    """Return the number of the lowest bit that is set; the mask must not be 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(1))

    return types.int64(types.uint64), codegen


lowest_bit: Any = intrinsic(_lowest_bit)


_FLUSH = 0x8040
"""Bits of MXCSR: results and arguments below the normal range count as 0."""
_X86 = platform.machine().lower() in ("x86_64", "amd64")


def _control(builder: Any, name: str, slot: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")
    builder.call(function, [builder.bitcast(slot, cgutils.voidptr_t)])


def _flush_denormals(typingctx: Any) -> Any:
    """Let this thread count denormal numbers as 0 (they are up to 30 times slower); return how it was."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i32 = ir.IntType(32)
        if not _X86:
            return i32(0)
        slot = cgutils.alloca_once(builder, i32)
        _control(builder, "stmxcsr", slot)
        before = builder.load(slot)
        builder.store(builder.or_(before, i32(_FLUSH)), slot)
        _control(builder, "ldmxcsr", slot)
        return before

    return types.int32(), codegen


flush_denormals: Any = intrinsic(_flush_denormals)


def _restore_denormals(typingctx: Any, before: Any) -> Any:
    """Undo :data:`flush_denormals`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if _X86:
            slot = cgutils.alloca_once(builder, ir.IntType(32))
            builder.store(args[0], slot)
            _control(builder, "ldmxcsr", slot)
        return context.get_dummy_value()

    return types.void(types.int32), codegen


restore_denormals: Any = intrinsic(_restore_denormals)


def _fetch_add(typingctx: Any, address: Any, value: Any) -> Any:
    """Add to an int64 in memory, atomically; return what it was."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", target, args[1], ordering="seq_cst")

    return types.int64(types.int64, types.int64), codegen


fetch_add: Any = intrinsic(_fetch_add)


def _read_shared(typingctx: Any, address: Any) -> Any:
    """Read an int64 that another thread writes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(target, ordering="seq_cst", align=8)

    return types.int64(types.int64), codegen


read_shared: Any = intrinsic(_read_shared)


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
def exp_f4(x: Any) -> Any:
    """Return exp(x) in float32, within 2 units in the last place; x is clipped to [-87, 88]."""
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    n = np.floor(x * np.float32(1.4426950408889634) + np.float32(0.5))
    r = (x - n * np.float32(0.693359375)) - n * np.float32(-2.12194440e-4)
    p = np.float32(1.0 / 720.0) + r * np.float32(1.0 / 5040.0)
    p = np.float32(1.0 / 24.0) + r * (np.float32(1.0 / 120.0) + r * p)
    p = np.float32(0.5) + r * (np.float32(1.0 / 6.0) + r * p)
    p = np.float32(1.0) + (r + r * r * p)
    return p * as_float(np.int32((np.int32(n) + np.int32(127)) << np.int32(23)))


@njit
def exp_f8(x: Any) -> Any:
    """Return exp(x) in float64, within 2 units in the last place; x is clipped to [-708, 709]."""
    x = min(max(x, -708.0), 709.0)
    n = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    p = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    p = 1.0 / 3628800.0 + r * (1.0 / 39916800.0 + r * p)
    p = 1.0 / 40320.0 + r * (1.0 / 362880.0 + r * p)
    p = 1.0 / 720.0 + r * (1.0 / 5040.0 + r * p)
    p = 1.0 / 24.0 + r * (1.0 / 120.0 + r * p)
    p = 0.5 + r * (1.0 / 6.0 + r * p)
    p = 1.0 + (r + r * r * p)
    return p * as_float(np.int64((np.int64(n) + np.int64(1023)) << np.int64(52)))


@njit
def exprel_f4(x: Any) -> Any:
    """Return (exp(x) - 1) / x in float32, 1 at 0."""
    small = abs(x) < np.float32(0.5)
    y = x if small else np.float32(0.0)
    p = np.float32(1.0 / 720.0) + y * np.float32(1.0 / 5040.0)
    p = np.float32(1.0 / 24.0) + y * (np.float32(1.0 / 120.0) + y * p)
    p = np.float32(1.0) + y * (np.float32(0.5) + y * (np.float32(1.0 / 6.0) + y * p))
    z = np.float32(1.0) if small else x
    q = (exp_f4(z) - np.float32(1.0)) / z
    return p if small else q


@njit
def exprel_f8(x: Any) -> Any:
    """Return (exp(x) - 1) / x in float64, 1 at 0."""
    small = abs(x) < 0.5
    y = x if small else 0.0
    p = 1.0 / 6227020800.0 + y * (1.0 / 87178291200.0)
    p = 1.0 / 39916800.0 + y * (1.0 / 479001600.0 + y * p)
    p = 1.0 / 362880.0 + y * (1.0 / 3628800.0 + y * p)
    p = 1.0 / 5040.0 + y * (1.0 / 40320.0 + y * p)
    p = 1.0 / 120.0 + y * (1.0 / 720.0 + y * p)
    p = 1.0 + y * (0.5 + y * (1.0 / 6.0 + y * (1.0 / 24.0 + y * p)))
    z = 1.0 if small else x
    q = (exp_f8(z) - 1.0) / z
    return p if small else q


@njit
def expm1_f4(x: Any) -> Any:
    """Return exp(x) - 1 in float32."""
    return x * exprel_f4(x)


@njit
def expm1_f8(x: Any) -> Any:
    """Return exp(x) - 1 in float64."""
    return x * exprel_f8(x)


@njit
def tanh_f4(x: Any) -> Any:
    """Return tanh(x) in float32."""
    y = min(max(x, np.float32(-10.0)), np.float32(10.0))
    e = expm1_f4(y + y)
    return e / (e + np.float32(2.0))


@njit
def tanh_f8(x: Any) -> Any:
    """Return tanh(x) in float64."""
    y = min(max(x, -20.0), 20.0)
    e = expm1_f8(y + y)
    return e / (e + 2.0)


@njit
def log_f4(x: Any) -> Any:
    """Return the natural logarithm in float32 (of the C library: it does not vectorise)."""
    return np.float32(math.log(x))


@njit
def log_f8(x: Any) -> Any:
    """Return the natural logarithm in float64 (of the C library: it does not vectorise)."""
    return math.log(x)


@njit
def floor_f4(x: Any) -> Any:
    """Return the floor in float32."""
    return np.float32(np.floor(x))


@njit
def floor_f8(x: Any) -> Any:
    """Return the floor in float64."""
    return np.floor(x)


@njit
def uniform_f4(bits: Any) -> Any:
    """Return a float32 in [0, 1) of 24 random bits."""
    return np.float32(np.int32(bits >> np.uint64(8))) * np.float32(2.0**-24)


@njit
def uniform_f8(bits: Any) -> Any:
    """Return a float64 in [0, 1) of 32 random bits."""
    return np.float64(np.int64(bits)) * 2.0**-32


@njit
def spike_threshold(drive: Any, rate_per_tick: Any) -> Any:
    """Return p * 2^32 with p = 1 - exp(-rate * drive * dt): a draw below it is a Poisson spike."""
    return np.uint64(-math.expm1(-float(drive) * float(rate_per_tick)) * 4294967296.0)


@njit
def meet(address: int, goal: int) -> None:
    """Wait until all threads have arrived: the count at ``address`` reaches ``goal``."""
    fetch_add(address, np.int64(1))
    while read_shared(address) < goal:
        pass


ZERO = np.uint64(0)
ONE = np.uint64(1)
TURN = (1 << 30) - 1
F1 = np.uint64(1)
F2 = np.uint64(2)
F3 = np.uint64(3)
F4 = np.uint64(4)
