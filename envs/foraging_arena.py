"""What the worlds of all presets of Foraging share: slots of the row, spaces, arena and body to draw."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import foraging_row as r
from insectbot.envs.foraging_arguments import NAME
from insectbot.envs.world import Row, World

ACTIONS: Final = ("wheel L", "wheel R")


def arena(row: Row, senses: Sequence[str], reach: float = r.ANTENNA_LENGTH) -> dict[str, Any]:
    """Return what there is to draw in every preset: extent, obstacles, start, and antennae ``reach`` mm long."""
    n = int(row[r.N_OBSTACLES])
    discs = (row[r.DISC_X : r.DISC_X + n], row[r.DISC_Y : r.DISC_Y + n], np.sqrt(row[r.DISC_R2 : r.DISC_R2 + n]))
    return {
        "extent": (0.0, float(row[r.WIDTH]), 0.0, float(row[r.HEIGHT])),
        "unit": "mm",
        "obstacles": np.column_stack(discs),
        "start": row[r.START : r.START + 3].copy(),
        "antennae": (reach, r.ANTENNA_ANGLE),
        "senses": senses,
        "actions": ACTIONS,
    }


def insect() -> dict[str, Any]:
    """Return the body to draw."""
    return {"kind": "insect", "antennae": (r.ANTENNA_LENGTH, r.ANTENNA_ANGLE)}


class ArenaWorld(World):
    """Base of the worlds of :class:`insectbot.envs.foraging.ForagingEnv`: two wheels, ``n_senses`` from 0 to 1."""

    name = NAME
    control_period = r.CONTROL_PERIOD
    key_slot = r.KEY_HIGH
    step_slot = r.STEP

    def __init__(self, n_senses: int) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (n_senses,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    @abstractmethod
    def optimal_path(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the corners [mm], shape (n, 2), of the way that the world compares with."""

    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y [mm] and heading [rad]."""
        return row[:3].copy()
