"""A pygame surface with the few strokes the window needs: text, lines, bars, smooth discs."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from insectbot.view.palette import HAIRLINE, INK, MUTED, PANEL, RGB, font_file

if TYPE_CHECKING:
    import pygame

Align = Literal["left", "center", "right"]
SMALL, BODY, TITLE = 11, 13, 19


class Box(NamedTuple):
    """A rectangle in pixels: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.y + self.h

    def inset(self, left: int, top: int, right: int, bottom: int) -> Box:
        """Return the box without these margins (never of negative size)."""
        return Box(self.x + left, self.y + top, max(1, self.w - left - right), max(1, self.h - top - bottom))


def load_pygame() -> ModuleType:
    """Import pygame without its greeting; the environment is as before afterwards."""
    name = "PYGAME_HIDE_SUPPORT_PROMPT"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        import pygame
        import pygame.font
        import pygame.gfxdraw
        import pygame.surfarray
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    return pygame


class Canvas:
    """Draws on one surface; needs no display.

    Parameters
    ----------
    surface : pygame.Surface
        What is drawn on.
    """

    def __init__(self, surface: pygame.Surface) -> None:
        self.surface = surface
        self.pygame: Any = load_pygame()
        self.pygame.font.init()
        self._fonts: dict[tuple[int, bool], Any] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [pixel]."""
        return self.surface.get_size()

    def _font(self, size: int, bold: bool) -> Any:
        if (size, bold) not in self._fonts:
            path = font_file(bold)
            self._fonts[size, bold] = self.pygame.font.Font(str(path) if path else None, size)
        return self._fonts[size, bold]

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int = BODY,
        colour: RGB = INK,
        *,
        bold: bool = False,
        align: Align = "left",
        width: int | None = None,
    ) -> int:
        """Write one line with its vertical middle at ``y``, shortened to ``width``; return its width [pixel]."""
        font = self._font(size, bold)
        text = text.replace("\0", "")
        if width is not None and font.size(text)[0] > width:
            while text and font.size(text + "…")[0] > width:
                text = text[:-1]
            text += "…"
        image = font.render(text, True, colour)
        w, h = image.get_size()
        self.surface.blit(image, (round(x - {"left": 0, "center": w / 2, "right": w}[align]), round(y - h / 2)))
        return w

    def text_width(self, text: str, size: int = BODY, bold: bool = False) -> int:
        """Return the width of a line [pixel]."""
        return self._font(size, bold).size(text)[0]

    def fill(self, box: Box, colour: RGB, radius: int = 0) -> None:
        """Fill a box."""
        self.pygame.draw.rect(self.surface, colour, tuple(box), border_radius=radius)

    def frame(self, box: Box, colour: RGB = HAIRLINE, radius: int = 0) -> None:
        """Draw the outline of a box."""
        self.pygame.draw.rect(self.surface, colour, tuple(box), width=1, border_radius=radius)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: RGB = HAIRLINE) -> None:
        """Draw a line of one pixel."""
        self.pygame.draw.line(self.surface, colour, (round(x0), round(y0)), (round(x1), round(y1)))

    def polyline(self, points: npt.ArrayLike, colour: RGB, width: int = 1) -> None:
        """Draw a smooth line through points [k, 2]."""
        xy = np.asarray(points, float)
        if len(xy) < 2:
            return
        for shift in (0.0,) if width == 1 else (-0.5, 0.0, 0.5):
            self.pygame.draw.aalines(self.surface, colour, False, xy + shift)
            if shift:
                self.pygame.draw.aalines(self.surface, colour, False, np.add(xy, (shift, -shift)))

    def disc(self, x: float, y: float, radius: float, colour: RGB) -> None:
        """Fill a disc with a smooth edge."""
        r = max(1, round(radius))
        self.pygame.gfxdraw.aacircle(self.surface, round(x), round(y), r, colour)
        self.pygame.gfxdraw.filled_circle(self.surface, round(x), round(y), r, colour)

    def ring(self, x: float, y: float, radius: float, colour: RGB, width: int = 1) -> None:
        """Draw a circle, thickened inwards."""
        for k in range(width):
            self.pygame.gfxdraw.aacircle(self.surface, round(x), round(y), max(1, round(radius) - k), colour)

    def image(self, box: Box, pixels: npt.NDArray[np.uint8], smooth: bool = False) -> None:
        """Draw an image uint8 [h, w, 3] (row 0 on top), stretched to a box."""
        picture = self.pygame.surfarray.make_surface(np.ascontiguousarray(pixels.transpose(1, 0, 2)))
        if picture.get_size() != (box.w, box.h):
            scale = self.pygame.transform.smoothscale if smooth else self.pygame.transform.scale
            picture = scale(picture, (box.w, box.h))
        self.surface.blit(picture, (box.x, box.y))

    def panel(self, box: Box, title: str, note: str = "") -> Box:
        """Draw an empty panel with its title; return the box inside."""
        self.fill(box, PANEL, 6)
        self.frame(box, HAIRLINE, 6)
        used = self.text(box.x + 14, box.y + 17, title, BODY, bold=True)
        if note:
            room = box.w - used - 44
            self.text(box.right - 14, box.y + 17, note, SMALL, MUTED, align="right", width=max(1, room))
        return box.inset(14, 32, 14, 10)

    def pill(self, x: int, y: int, text: str, ink: RGB, ground: RGB, align: Align = "right") -> int:
        """Draw a word on a rounded ground, vertically centred at ``y``; return the width used [pixel]."""
        w = self.text_width(text, SMALL, True) + 20
        left = {"left": x, "center": x - w // 2, "right": x - w}[align]
        self.fill(Box(left, y - 11, w, 22), ground, 11)
        self.text(left + w / 2, y, text, SMALL, ink, bold=True, align="center")
        return w

    def pixels(self) -> npt.NDArray[np.uint8]:
        """Return a copy of the surface as uint8 [h, w, 3]."""
        width, height = self.size
        raw = self.pygame.image.tobytes(self.surface, "RGB")
        return np.frombuffer(raw, np.uint8).reshape(height, width, 3).copy()
