"""Colours, shared by the window, the figures and the report, so that one thing has one colour everywhere.

The hues are those of Okabe & Ito (2008), which stay apart for colour-blind readers.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

RGB = tuple[int, int, int]

PAPER: Final[RGB] = (250, 249, 246)
PANEL: Final[RGB] = (255, 255, 255)
INK: Final[RGB] = (31, 36, 41)
MUTED: Final[RGB] = (106, 113, 120)
HAIRLINE: Final[RGB] = (218, 216, 209)

BLUE: Final[RGB] = (0, 114, 178)
SKY: Final[RGB] = (86, 180, 233)
GREEN: Final[RGB] = (0, 158, 115)
ORANGE: Final[RGB] = (230, 159, 0)
VERMILION: Final[RGB] = (213, 94, 0)
PURPLE: Final[RGB] = (204, 121, 167)

POSITIVE: Final = VERMILION
NEGATIVE: Final = BLUE
TARGET: Final[RGB] = (22, 138, 92)
TRAIL: Final[RGB] = (214, 92, 40)
OBSTACLE: Final[RGB] = (84, 88, 98)
SERIES: Final[tuple[RGB, ...]] = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)

GROUND: Final[tuple[RGB, ...]] = ((240, 239, 226), (214, 198, 160), (150, 118, 92))
LAND: Final[tuple[RGB, ...]] = ((150, 174, 132), (212, 202, 158), (176, 146, 116), (238, 234, 228))
"""Smooth to rough ground, low to high land: the colours of ``insectbot.envs.rendering``, which needs pygame."""


def ramp(values: npt.ArrayLike, stops: tuple[RGB, ...]) -> npt.NDArray[np.uint8]:
    """Map values in [0, 1] (clipped; NaN as 0) onto evenly spaced colour stops.

    Returns
    -------
    ndarray of uint8, shape (*values.shape, 3)
    """
    position = np.clip(np.nan_to_num(np.asarray(values, float)), 0, 1) * (len(stops) - 1)
    table = np.asarray(stops, float)
    low = np.minimum(position.astype(int), len(stops) - 2)
    part = (position - low)[..., None]
    return np.rint(table[low] * (1 - part) + table[low + 1] * part).astype(np.uint8)


def signed(values: npt.ArrayLike, bound: float) -> npt.NDArray[np.uint8]:
    """Diverging colour of a signed value: blue at ``-bound``, paper at 0, vermilion at ``+bound``."""
    scaled = np.asarray(values, float) / (2 * bound) + 0.5 if bound > 0 else np.full(np.shape(values), 0.5)
    return ramp(scaled, (NEGATIVE, mix(NEGATIVE, PAPER, 0.55), PAPER, mix(POSITIVE, PAPER, 0.55), POSITIVE))


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Return ``first`` with a share (0 to 1) of ``second`` mixed in."""
    r, g, b = (round(a * (1 - share) + c * share) for a, c in zip(first, second, strict=True))
    return r, g, b


def hex_colour(colour: RGB) -> str:
    """Return ``"#rrggbb"``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def font_file(bold: bool = False) -> Path | None:
    """Return the DejaVu Sans that matplotlib carries, found without importing matplotlib; None if it is not there."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return None
    path = (
        Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
    )
    return path if path.is_file() else None
