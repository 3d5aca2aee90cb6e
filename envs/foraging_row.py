"""The packed state row of a Foraging world: which number sits where. The jit kernels freeze these constants.

A world is one float64 vector of ``SIZE`` numbers: the body, what it senses, the sums of the episode, the settings,
14 roughness bumps and up to 32 discs. Copying the row copies the world; a vector of worlds is a matrix of rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.float64]

# Body: position [mm], heading [rad, counter-clockwise from +x] and its cosine and sine.
X, Y, HEADING, COS, SIN = 0, 1, 2, 3, 4
# Senses, in the order of the observation; RHO is the roughness under the body.
RHO_LEFT, RHO_RIGHT, LOBE_LEFT, LOBE_RIGHT, RHO = 5, 6, 7, 8, 9
# Distance to the target [mm] and cosine of its bearing.
DISTANCE, COS_BEARING = 10, 11
# Sums of the episode: control steps, path [mm], integral of roughness along the path [mm], collisions, cost [h].
STEP, PATH, EXPOSURE, COLLISIONS, COST = 12, 13, 14, 15, 16
# Layout: start (x, y, heading) and target (x, y).
START, TARGET = 17, 20
# Random stream: the two halves of the 64-bit key and the number of draws so far.
KEY_HIGH, KEY_LOW, DRAWS = 22, 23, 24
# Valence of the target cue (+1 or -1) and number of resets so far.
VALENCE, EPISODE = 25, 26
# Settings, constant for the life of an env (see ``envs.foraging_settings``).
WIDTH, HEIGHT, N_BUMPS, N_OBSTACLES, MAX_STEPS = 28, 29, 30, 31, 32
CUE_RANGE, CLAMP, FLIP_AFTER, KICK, D_MIN, D_MAX = 33, 34, 35, 36, 37, 38
# Weights of the reward terms: progress, bearing, roughness, antennae, collision, goal.
WEIGHT = 39
# Wishes for one reset (NaN: draw it): start x, y, heading, target x, y, flip.
WISH = 45
N_WISHES: Final = 6
# Bumps: x [mm], y [mm], 1 / (2 s^2) [1/mm^2], amplitude; discs: x, y [mm], radius squared [mm^2]; kernel workspace.
MAX_BUMPS: Final = 16
MAX_DISCS: Final = 32
BUMP_X, BUMP_Y, BUMP_K, BUMP_A, WORK = 56, 72, 88, 104, 120
DISC_X, DISC_Y, DISC_R2 = 136, 168, 200
SIZE: Final = 232

CONTROL_PERIOD: Final = 0.05
"""Time between two actions [s]."""
GOAL_RADIUS: Final = 20.0
"""The target is reached below this distance [mm]."""
ANTENNA_LENGTH: Final = 40.0
"""Length of an antenna [mm]."""
ANTENNA_ANGLE: Final = 0.6108652381980153
"""Angle of an antenna from the heading [rad], 35 degrees."""
MAX_SPEED: Final = 40.0
"""Speed at full wheel command on smooth ground [mm/s]."""
DRAG: Final = 0.8
"""Share of the speed that the roughest ground takes."""


def mirrored(row: Row) -> Row:
    """Return the row of the world reflected at the line x = width / 2, with left and right swapped.

    Parameters
    ----------
    row : ndarray of float64, shape (SIZE,)
        A world without a map (any preset but ``dem``).

    Returns
    -------
    ndarray of float64, shape (SIZE,)
        The mirrored world: swapped wheel commands lead it along the mirrored path.
    """
    out = row.copy()
    width = row[WIDTH]
    for column in (X, START, TARGET):
        out[column] = width - row[column]
    for column in (HEADING, START + 2):
        out[column] = np.pi - row[column]
    out[COS] = -row[COS]
    out[KICK] = -row[KICK]
    out[[RHO_LEFT, RHO_RIGHT, LOBE_LEFT, LOBE_RIGHT]] = row[[RHO_RIGHT, RHO_LEFT, LOBE_RIGHT, LOBE_LEFT]]
    out[BUMP_X : BUMP_X + MAX_BUMPS] = width - row[BUMP_X : BUMP_X + MAX_BUMPS]
    out[DISC_X : DISC_X + MAX_DISCS] = width - row[DISC_X : DISC_X + MAX_DISCS]
    return out
