"""The packed state row of an odors world: a Foraging row, and behind it the sources, the receptors and the visits.

Body, random stream and sums sit where :mod:`insectbot.envs.foraging_row` says, so motion is the same kernel. The slots
of the target stay 0: this world has none. The jit kernels freeze these constants.
"""

from __future__ import annotations

from typing import Final

N_CHANNELS: Final = 6
"""Kinds of olfactory receptors on each antenna."""
MAX_KINDS: Final = 4
MAX_SOURCES: Final = 8

# Receptors: left, then right antenna; taste of this step: sugar, bitter.
SMELL, SUGAR, BITTER = 232, 244, 245
# Visits of the episode: rewarded, punished, and those since the middle of the episode.
GOOD, BAD, LATE_GOOD, LATE_BAD = 246, 247, 248, 249
# Settings: number of sources, of kinds, standard deviation of the receptors' noise.
N_SOURCES, N_KINDS, NOISE = 250, 251, 252
# The rewarded kind unless an option says another; that of this moment; 1 if it changes in the middle of the episode.
FIRST, REWARDED, REVERSE = 253, 254, 255
# Weights of the reward terms, in the order of ``envs.odors_settings.TERMS``.
WEIGHT, N_TERMS = 256, 4
# Wishes for one reset (NaN: none): rewarded kind, reversal.
WISH_GOOD, WISH_REVERSE = 260, 261
# Sources: x, y [mm], kind (-1: none); blends [kind, channel]; kernel workspace.
SOURCE_X, SOURCE_Y, SOURCE_KIND, BLEND, WORK = 264, 272, 280, 288, 312
SIZE: Final = 320
N_SENSES: Final = 2 * N_CHANNELS + 4

ODOR_LENGTH: Final = 80.0
"""Distance over which the odor of a source falls to 1/e [mm]."""
ODOR_HALF: Final = 0.2
"""Odor at which half of the receptors of a channel are occupied."""
CONTACT: Final = 20.0
"""A source is visited below this distance [mm]."""
MARGIN: Final = 80.0
"""Least distance of a source from the walls [mm]."""
GAP: Final = 150.0
"""Least distance of a new source from the other sources and from the body [mm]."""
