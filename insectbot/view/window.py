"""The live window: world, spikes, weights, reward and senses on one screen."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import DisplayError, RunFolderError
from insectbot.protocols import Network
from insectbot.view.canvas import Box, Canvas, load_pygame
from insectbot.view.frame import SPEEDS, Commands, Frame, faster, slower
from insectbot.view.furniture import draw_header, draw_help, draw_keys, draw_paused, draw_status
from insectbot.view.history import History
from insectbot.view.palette import PAPER
from insectbot.view.panels import draw_raster, draw_signals, draw_traces
from insectbot.view.weight_panel import draw_weights
from insectbot.view.world import WorldPainter, draw_key

SIZE = (1280, 800)
SMALLEST = (960, 640)
_MARGIN, _GAP, _HEADER, _FOOTER = 24, 14, 64, 40

__all__ = ["SIZE", "SPEEDS", "Commands", "Frame", "Viewer"]


class Viewer:
    """Shows a running episode and listens to the keyboard.

    Parameters
    ----------
    headless : bool
        Draw on an off-screen surface: no window, no display, no keys. :meth:`frame` gives the picture.
    size : tuple of int
        Width and height at the start [pixel], at least 960 x 640.
    screenshots : path
        Folder for the pictures that the key ``s`` takes.

    Examples
    --------
    >>> viewer = Viewer(headless=True)
    >>> viewer.open()
    >>> viewer.draw(Frame(title="demo"))
    >>> viewer.frame().shape
    (800, 1280, 3)
    >>> viewer.close()
    """

    def __init__(self, headless: bool = False, size: tuple[int, int] = SIZE, screenshots: Path | str = ".") -> None:
        self.headless = headless
        self.size = (max(size[0], SMALLEST[0]), max(size[1], SMALLEST[1]))
        self.screenshots = Path(screenshots)
        self.help = False
        self.paused = False
        self.speed = 1.0
        self._canvas: Canvas | None = None
        self._history = History()
        self._world = WorldPainter()
        self._last: Frame | None = None
        self._note = ""

    def open(self, network: Network | None = None) -> None:
        """Open the window (or the off-screen surface) for a network.

        Parameters
        ----------
        network : Network or None
            Gives the groups of the raster and the shape of the weights; None shows what the frames bring.

        Raises
        ------
        DisplayError
            There is no display and the viewer is not headless.
        """
        self.close()
        pygame: Any = load_pygame()
        self._history = History.of(network)
        surface = pygame.Surface(self.size) if self.headless else _open_display(pygame, self.size)
        self._canvas = Canvas(surface)

    def draw(self, frame: Frame) -> None:
        """Draw one frame and show it; a frame of the same step may be drawn again (while paused)."""
        canvas = self._need_canvas()
        if not self.headless:
            canvas.surface = canvas.pygame.display.get_surface()
        self._last = frame
        self._history.add(frame)
        self._compose(canvas, frame)
        if not self.headless:
            canvas.pygame.display.flip()

    def poll(self) -> Commands:
        """Return what the keys asked for since the last poll, and the present pause and speed.

        Pause, speed and help are kept by the viewer; what was pressed once is told once.
        """
        canvas = self._need_canvas()
        pressed: dict[str, bool] = {}
        if canvas.pygame.display.get_init():
            for event in canvas.pygame.event.get():
                self._take(canvas.pygame, event, pressed)
        if pressed.get("screenshot"):
            self._take_picture()
        return Commands(**pressed, paused=self.paused, speed=self.speed)

    def frame(self) -> npt.NDArray[np.uint8]:
        """Return the last picture as uint8 [height, width, 3]."""
        return self._need_canvas().pixels()

    def screenshot(self, path: Path | str) -> Path:
        """Write the last picture to a file (.png); raises RunFolderError if it cannot be written."""
        canvas, path = self._need_canvas(), Path(path)
        try:
            canvas.pygame.image.save(canvas.surface, str(path))
        except (OSError, canvas.pygame.error) as error:
            raise RunFolderError(f"{path}: cannot write the picture ({error})") from error
        return path

    def close(self) -> None:
        """Close the window; harmless when none is open."""
        if self._canvas is not None and not self.headless:
            self._canvas.pygame.display.quit()
        self._canvas = None

    def __enter__(self) -> Viewer:
        if self._canvas is None:
            self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _need_canvas(self) -> Canvas:
        if self._canvas is None:
            raise DisplayError("the viewer is not open: call Viewer.open() first")
        return self._canvas

    def _take(self, pygame: Any, event: Any, pressed: dict[str, bool]) -> None:
        if event.type == pygame.QUIT:
            pressed["quit"] = True
        if event.type != pygame.KEYDOWN:
            return
        key, letter = event.key, getattr(event, "unicode", "")
        once = {
            pygame.K_q: "quit",
            pygame.K_ESCAPE: "quit",
            pygame.K_r: "next_episode",
            pygame.K_RIGHT: "single_step",
            pygame.K_PERIOD: "single_step",
            pygame.K_l: "toggle_learning",
            pygame.K_s: "screenshot",
        }
        if key == pygame.K_ESCAPE and self.help:
            self.help = False
        elif key in once:
            pressed[once[key]] = True
            self.paused |= once[key] == "single_step"
        elif key == pygame.K_SPACE:
            self.paused = not self.paused
        elif key == pygame.K_h:
            self.help = not self.help
        elif letter == "+" or key in (pygame.K_PLUS, pygame.K_EQUALS, pygame.K_KP_PLUS):
            self.speed = faster(self.speed)
        elif letter == "-" or key in (pygame.K_MINUS, pygame.K_KP_MINUS):
            self.speed = slower(self.speed)

    def _take_picture(self) -> None:
        path = self.screenshots / f"insectbot_{datetime.now():%Y-%m-%d_%H%M%S}.png"
        try:
            self._note = f"saved {self.screenshot(path)}"
        except RunFolderError as error:
            self._note = str(error)

    def _compose(self, canvas: Canvas, frame: Frame) -> None:
        """Lay the screen out: the world takes a square on the left, the panels share the right."""
        width, height = canvas.size
        canvas.fill(Box(0, 0, width, height), PAPER)
        body = Box(_MARGIN, _HEADER, width - 2 * _MARGIN, height - _HEADER - _FOOTER)
        side = min(body.h - 62, round(body.w * 0.535))
        left = Box(body.x, body.y, side, body.h)
        right = Box(left.right + 20, body.y, body.right - left.right - 20, body.h)
        draw_header(canvas, Box(_MARGIN, 0, body.w, _HEADER), frame)
        world = Box(left.x, left.y, side, side)
        self._world.draw(canvas, world, frame)
        draw_key(canvas, Box(left.x, world.bottom + 6, side, 22), frame.scene, frame.overlay)
        draw_status(canvas, Box(left.x, world.bottom + 30, side, left.bottom - world.bottom - 30), frame, self._history)
        heights = _split(right.h - 3 * _GAP, (0.26, 0.29, 0.225, 0.225))
        top = right.y
        for painter, tall in zip((draw_raster, draw_weights, draw_traces), heights, strict=False):
            painter(canvas, Box(right.x, top, right.w, tall), frame, self._history)
            top += tall + _GAP
        draw_signals(canvas, Box(right.x, top, right.w, right.bottom - top), frame)
        draw_keys(canvas, Box(_MARGIN, height - _FOOTER, body.w, _FOOTER), self._note)
        if frame.paused or self.paused:
            draw_paused(canvas, world)
        if self.help:
            draw_help(canvas)


def _split(total: int, parts: tuple[float, ...]) -> list[int]:
    return [round(total * part) for part in parts]


def _open_display(pygame: Any, size: tuple[int, int]) -> Any:
    """Open a resizable window; SDL's silent fallbacks to drivers without a screen count as no display."""
    hint = "no display: use --video out.mp4 to write a film instead"
    chosen = os.environ.get("SDL_VIDEODRIVER") or os.environ.get("SDL_VIDEO_DRIVER")
    if sys.platform.startswith("linux") and not (chosen or _has_screen()):
        raise DisplayError(f"{hint}, or set DISPLAY")  # asking SDL would print complaints of its own
    try:
        pygame.display.init()
        if not chosen and pygame.display.get_driver() in ("offscreen", "dummy"):
            raise pygame.error("no video driver has a screen")
        surface = pygame.display.set_mode(size, pygame.RESIZABLE)
    except pygame.error as error:
        pygame.display.quit()
        raise DisplayError(f"{hint} ({error})") from error
    pygame.display.set_caption("insectbot")
    pygame.key.set_repeat(350, 60)
    return surface


def _has_screen() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
