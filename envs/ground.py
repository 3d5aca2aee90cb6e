"""Ground: Gaussian bumps and discs kept in the row, or an elevation map walked by Tobler's rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs.numerics import exp_negative
from insectbot.jit import kernel

Map = npt.NDArray[np.float32]


@kernel
def bumps(row: r.Row, x: float, y: float) -> float:
    """Return the roughness of the open ground at (x, y) [mm]: ``min(1, sum a exp(-r^2 / 2 s^2))``, in [0, 1]."""
    for i in range(r.MAX_BUMPS):
        dx = x - row[r.BUMP_X + i]
        dy = y - row[r.BUMP_Y + i]
        row[r.WORK + i] = row[r.BUMP_A + i] * exp_negative((dx * dx + dy * dy) * row[r.BUMP_K + i])
    # A tree of sums: a fixed order that still vectorises.
    for i in range(8):
        row[r.WORK + i] += row[r.WORK + 8 + i]
    for i in range(4):
        row[r.WORK + i] += row[r.WORK + 4 + i]
    return min(1.0, (row[r.WORK] + row[r.WORK + 1]) + (row[r.WORK + 2] + row[r.WORK + 3]))


@kernel
def outside(row: r.Row, x: float, y: float) -> bool:
    """Return whether (x, y) [mm] lies outside the arena."""
    return x < 0.0 or y < 0.0 or x > row[r.WIDTH] or y > row[r.HEIGHT]


@kernel
def in_disc(row: r.Row, x: float, y: float) -> bool:
    """Return whether (x, y) [mm] lies inside an obstacle."""
    if row[r.N_OBSTACLES] == 0.0:
        return False
    hits = 0
    for i in range(r.MAX_DISCS):
        dx = x - row[r.DISC_X + i]
        dy = y - row[r.DISC_Y + i]
        hits += dx * dx + dy * dy < row[r.DISC_R2 + i]
    return hits > 0


@kernel
def roughness(row: r.Row, x: float, y: float) -> float:
    """Return the roughness that an antenna feels at (x, y): bumps, or 1 outside the arena and inside obstacles."""
    if outside(row, x, y) or in_disc(row, x, y):
        return 1.0
    return bumps(row, x, y)
