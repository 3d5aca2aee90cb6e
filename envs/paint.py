"""Colours, text and ramps of the pictures of worlds. Needs pygame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pygame

Colour = tuple[int, int, int]

INK: Final[Colour] = (43, 45, 52)
FAINT: Final[Colour] = (120, 122, 128)
PAPER: Final[Colour] = (250, 249, 246)
ROCK: Final[Colour] = (84, 88, 98)
TARGET: Final[Colour] = (22, 138, 92)
TRAIL: Final[Colour] = (214, 92, 40)
BODY: Final[Colour] = (38, 40, 52)
BAR: Final[Colour] = (226, 225, 220)
SENSE: Final[Colour] = (0, 114, 178)
# Smooth to rough; low to high land; and what an antenna shows from 0 to 1.
GROUND: Final = ((240, 239, 226), (214, 198, 160), (150, 118, 92))
LAND: Final = ((150, 174, 132), (212, 202, 158), (176, 146, 116), (238, 234, 228))
FEELING: Final = ((40, 150, 90), (235, 190, 60), (205, 50, 45))


def ramp(values: npt.ArrayLike, colours: Sequence[Colour]) -> npt.NDArray[np.float64]:
    """Return colours [..., 3] in 0..255 for values in [0, 1], linear between the given colours."""
    v = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    at = np.linspace(0.0, 1.0, len(colours))
    return np.stack([np.interp(v, at, [c[k] for c in colours]) for k in range(3)], axis=-1)


def feeling(value: float) -> Colour:
    """Return the colour of what an antenna feels in [0, 1]: green smooth, red rough."""
    red, green, blue = ramp(value, FEELING)
    return int(red), int(green), int(blue)


@cache
def _font(size: int) -> pygame.font.Font:
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame.font.Font(None, size)


def text_width(words: str, size: int = 18) -> int:
    """Return the width of ``words`` [pixels]."""
    return _font(size).size(words)[0]


def text(
    surface: pygame.Surface,
    words: str,
    at: tuple[float, float],
    colour: Colour = INK,
    size: int = 18,
    anchor: str = "topleft",
    halo: bool = False,
) -> None:
    """Write ``words`` with the corner or side ``anchor`` of their box at ``at`` [pixels], rimmed if ``halo``."""
    font = _font(size)
    image = font.render(words, True, colour)
    box = image.get_rect(**{anchor: (round(at[0]), round(at[1]))})
    if halo:
        rim = font.render(words, True, PAPER)
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            surface.blit(rim, box.move(dx, dy))
    surface.blit(image, box)


@cache
def ramp_image(colours: tuple[Colour, ...], width: int, height: int) -> pygame.Surface:
    """Return a bar that runs through the colours from left to right."""
    image = pygame.Surface((width, height))
    for k, colour in enumerate(ramp(np.linspace(0.0, 1.0, width), colours)):
        pygame.draw.line(image, colour.astype(int).tolist(), (k, 0), (k, height))
    return image


def round_length(most: float) -> float:
    """Return the greatest of 1, 2, 5 times a power of ten that is not above ``most`` > 0: the length of a scale bar."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(power * m for m in (1.0, 2.0, 5.0) if power * m <= most * (1.0 + 1e-9))
