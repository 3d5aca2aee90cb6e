"""A power of a number, in float64 by plain multiplications: it vectorises and gives the same bits on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from insectbot.core.library import as_float, exp_f8
from insectbot.jit import kernel


def _as_bits(typingctx: Any, x: Any) -> Any:
    """Read a float64 as the int64 of the same bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), codegen


as_bits: Any = intrinsic(_as_bits)

_HALF_ROOT = 0x3FE6A09E667F3BCD
"""Bits of sqrt(1/2): mantissas are taken from there to sqrt(2)."""
_LN2 = 0.6931471805599453


@kernel(error_model="numpy")
def log_plain(x: Any) -> Any:
    """Return the natural logarithm of a normal positive number, within 1e-15 of the larger of 1 and the result.

    x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh(z), z = (m - 1) / (m + 1), by its series to z^21.
    """
    shifted = as_bits(x) - np.int64(_HALF_ROOT)
    e = shifted >> np.int64(52)
    m = as_float((shifted & np.int64(0x000FFFFFFFFFFFFF)) + np.int64(_HALF_ROOT))
    z = (m - 1.0) / (m + 1.0)
    y = z * z
    p = 1.0 / 19.0 + y * (1.0 / 21.0)
    p = 1.0 / 15.0 + y * (1.0 / 17.0 + y * p)
    p = 1.0 / 11.0 + y * (1.0 / 13.0 + y * p)
    p = 1.0 / 7.0 + y * (1.0 / 9.0 + y * p)
    p = 1.0 / 3.0 + y * (1.0 / 5.0 + y * p)
    return float(e) * _LN2 + 2.0 * (z + z * y * p)


@kernel(error_model="numpy")
def power(x: Any, exponent: Any) -> Any:
    """Return x^exponent of a normal positive number; relative error below 1e-15 (2 + |exponent ln x|)."""
    return exp_f8(exponent * log_plain(x))
