"""The packed state row of a patches world: a Foraging row, and behind it nest, patches, crop and energy store.

Ground, body, random stream and sums sit where :mod:`insectbot.envs.foraging_row` says, so ground and motion are the
same kernels. The slots of the target stay 0: this world has none. The jit kernels freeze these constants.
"""

from __future__ import annotations

from typing import Final

# Senses beside roughness (in foraging_row): odor and home cue on both sides, load of the crop, energy store, taste.
ODOR_LEFT, ODOR_RIGHT, HOME_LEFT, HOME_RIGHT, LOAD, ENERGY, TASTE = 232, 233, 234, 235, 236, 237, 238
# Sums of the episode: food brought to the nest, food taken up [units].
FOOD, GATHERED = 239, 240
# Nest x, y [mm]; settings: number of patches, regrowth of each [units/s], standard deviation of the odor's noise.
NEST, N_PATCHES, REGROWTH, NOISE = 241, 243, 244, 245
# Weights of the reward terms, in the order of ``envs.patches_settings.TERMS``; what both antennae smell without noise.
WEIGHT, SMELL = 246, 256
# Patches: x, y [mm], radius squared [mm^2] (-1: none), food now and at most [units]; kernel workspace.
MAX_PATCHES: Final = 8
PATCH_X, PATCH_Y, PATCH_R2, PATCH_FOOD, PATCH_MOST, WORK = 264, 272, 280, 288, 296, 304
SIZE: Final = WORK + MAX_PATCHES
N_SENSES: Final = 10

NEST_RADIUS: Final = 30.0
"""The crop empties below this distance from the nest's centre [mm]."""
ODOR_LENGTH: Final = 120.0
"""Distance over which a patch's odor falls to 1/e [mm]."""
ODOR_HALF: Final = 0.2
"""Odor at which half of the receptors are occupied."""
FOOD_HALF: Final = 0.5
"""Food in a patch at which intake and odor are half of their most [units]."""
INTAKE: Final = 0.15
"""Most that is taken up from a patch [units/s]."""
UNLOADING: Final = 1.0
"""How fast the crop empties in the nest [units/s]; it holds 1 unit."""
BASAL: Final = 1.0 / 150.0
"""Energy spent for living [stores/s]."""
WALKING: Final = 1.0 / 8000.0
"""Energy spent for walking [stores/mm]."""
GAIN: Final = 0.5
"""Energy from a unit of food brought to the nest [stores]."""
