"""The packed state row of a route world: a Foraging row, and behind it the route, the landmarks and the view.

Body, discs (the landmarks stand there as obstacles), random stream and sums sit where
:mod:`insectbot.envs.foraging_row` says, so motion is the same kernel. The jit kernels freeze these constants.
"""

from __future__ import annotations

from typing import Final

N_SECTORS: Final = 36
"""Sectors of the panorama, 10 degrees each; sector 0 is ahead, the next ones to the left."""
N_CORNERS: Final = 5
"""Corners of the route: home, three in between, feeder."""
N_LANDMARKS: Final = 20

# View of this moment, without and with noise; heights of the landmarks [mm].
VIEW, HEIGHT = 232, 268
# Corners of the route x, y [mm]; its lengths up to each corner [mm].
CORNER_X, CORNER_Y, CORNER_S = 288, 293, 298
# Settings: layout of the landmarks, whether the world leads, noise of the view, weights of the reward terms.
LAYOUT, GUIDED, NOISE, WEIGHT = 303, 304, 305, 306
# Along the route of the nearest point [mm], and distance from the route [mm]; greatest and summed distance.
ALONG, AWAY, MOST_AWAY, SUM_AWAY = 310, 311, 312, 313
# View without noise.
CLEAN: Final = 314
SIZE: Final = 350
N_SENSES: Final = N_SECTORS + 3

FEEDER: Final = 50.0
"""The feeder is reached below this distance [mm]."""
CORRIDOR: Final = 120.0
"""An insect this far from its route has lost it [mm]."""
CLEAR: Final = 45.0
"""Free space on both sides of the route [mm]."""
