"""A second device, without an array: HfZrO2 as a handful of hysterons, each with chance of its own. Replay only.

After a public Monte-Carlo of Alessandri's model of nucleation (boltma/Scalable-FeFET; chips sheet 9). A hysteron has an
activation field Ea, drawn once per device from a generalised beta distribution of the second kind, and is up or down.
A step of ``dt`` at a field E, in this order::

    h <- 0                                        if E is 0 or points along the hysteron
    h <- h + dt / tau0 exp(-(Ea / |E|)^alpha)     else
    flips, with h <- 0                            where 1 - exp(-h^beta) exceeds a number drawn whenever h starts anew

so that the chance to have flipped is exactly 1 - exp(-h^beta) for any steps. Draws are counter-based, keyed by the
seed, the hysteron and its number of starts. Fields in MV/cm, times in ns. Starting h anew at a field along the hysteron
is an assumption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet, load
from insectbot.core.random import stream_key
from insectbot.errors import ShapeError
from insectbot.jit import kernel
from insectbot.randomness import uniform

_STREAM = 4993


@kernel(error_model="numpy")
def run(field: Any, dt: Any, law: Any, activation: Any, up: Any, key: Any, trace: Any) -> None:
    """Apply ``field`` [steps, n] to devices (``activation``, ``up``: [n, hysterons]); fills ``trace`` [steps, n]."""
    tau0, alpha, beta = law
    n, m = activation.shape
    h, starts, goal = np.zeros((n, m)), np.zeros((n, m), np.int64), np.zeros((n, m))
    for t in range(field.shape[0]):
        for i in range(n):
            e, total = field[t, i], 0
            for k in range(m):
                if e == 0.0 or (e > 0.0) == up[i, k]:
                    h[i, k] = 0.0
                else:
                    if h[i, k] == 0.0:
                        goal[i, k] = (-math.log(uniform(key, starts[i, k], i * m + k))) ** (1.0 / beta)
                        starts[i, k] += 1
                    h[i, k] += dt / tau0 * math.exp(-((activation[i, k] / abs(e)) ** alpha))
                    if h[i, k] > goal[i, k]:
                        up[i, k] = not up[i, k]
                        h[i, k] = 0.0
                total += up[i, k]
            trace[t, i] = total / m


@dataclass(frozen=True, eq=False)
class Hysterons:
    """What a replay gives.

    Attributes
    ----------
    fraction : ndarray of float64, shape (steps, n)
        Fraction of hysterons that are up, after every step.
    activation : ndarray of float64, shape (n, hysterons)
        Activation fields of the devices [MV/cm].
    """

    fraction: npt.NDArray[np.float64]
    activation: npt.NDArray[np.float64]


def activation_fields(sheet: Datasheet, n: int, m: int, die: int) -> npt.NDArray[np.float64]:
    """Draw activation fields [MV/cm] of ``n`` devices of ``m`` hysterons, b (y / (1 - y))^(1/a), y from Beta(p, q)."""
    a, b, p, q = (float(sheet[f"hysterons.field_{name}"].value) for name in "abpq")
    y = np.random.default_rng([die & ((1 << 64) - 1), 0x4F]).beta(p, q, (n, m))
    return b * (y / (1.0 - y)) ** (1.0 / a)


def replay_field(
    field: npt.ArrayLike, *, dt: float, up: float = 0.0, hysterons: int = 64, die: int = 0, seed: int = 0
) -> Hysterons:
    """Apply a field to devices.

    Parameters
    ----------
    field : array_like, shape (steps, n) or (steps,)
        Field of every step [MV/cm].
    dt : float
        Duration of a step [ns], > 0.
    up : float
        Fraction of hysterons that are up at the start, in [0, 1]; those of the lowest numbers.
    hysterons : int
        Hysterons per device; 32 to 64 have the spread of small devices.
    die : int
        Of the activation fields: from device to device.
    seed : int
        Of the flips: from cycle to cycle.

    Raises
    ------
    ShapeError
        If the field is not finite or not a matrix, or another argument is out of range.
    """
    values = np.asarray(field, np.float64)
    values = np.ascontiguousarray(values[:, None] if values.ndim == 1 else values)
    if values.ndim != 2 or not np.isfinite(values).all() or not (dt > 0 and 0 <= up <= 1 and hysterons >= 1):
        raise ShapeError(
            f"replay_field: field of shape {values.shape} must be finite [steps, n], dt = {dt} positive, up = {up} in "
            f"[0, 1], hysterons = {hysterons} at least 1"
        )
    sheet = load("ftj")
    law = np.array([float(sheet[f"hysterons.{name}"].value) for name in ("tau0", "alpha", "beta")])
    fields = activation_fields(sheet, values.shape[1], hysterons, die)
    state = np.zeros(fields.shape, np.bool_)
    state[:, : round(up * hysterons)] = True
    trace, key = np.zeros(values.shape), np.uint64(stream_key(seed, _STREAM))
    run(values, float(dt), law, fields, state, key, trace)
    return Hysterons(trace, fields)
