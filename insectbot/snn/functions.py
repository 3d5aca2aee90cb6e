"""What a model function may call. In the kernel these become jitted code; in plain Python they are numpy's.

Elementary functions in kernels are made of plain multiplications and sums, so that they vectorise and give the same
bits on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

exp = np.exp
expm1 = np.expm1
log = np.log
sqrt = np.sqrt
floor = np.floor
tanh = np.tanh
where = np.where
minimum = np.minimum
maximum = np.maximum


def exprel(x: Any) -> Any:
    """Return ``(exp(x) - 1) / x``, 1 at 0."""
    x = np.asarray(x, np.float64)
    safe = np.where(x == 0.0, 1.0, x)
    return np.where(x == 0.0, 1.0, np.expm1(safe) / safe)


def uniform() -> float:
    """Return a number in [0, 1): in a kernel from the network's stream, here from numpy's global generator of tests."""
    return float(np.random.default_rng().random())


def normal() -> float:
    """Return a standard normal number: in a kernel from the network's stream."""
    return float(np.random.default_rng().standard_normal())


NAMES = (
    "exp",
    "expm1",
    "log",
    "sqrt",
    "floor",
    "tanh",
    "where",
    "minimum",
    "maximum",
    "exprel",
    "uniform",
    "normal",
    "abs",
    "min",
    "max",
)
"""Names that the core knows inside a model function."""
