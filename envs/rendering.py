"""Frames of ``env.render()``: the scene, and below it the legend. Needs pygame.

:func:`draw_scene` draws into any part of any surface, without a display. :class:`Renderer` serves ``env.render()``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pygame

from insectbot.envs.marks import Marks, legend_of, paint_swatch
from insectbot.envs.paint import (
    BAR,
    FAINT,
    GROUND,
    INK,
    LAND,
    PAPER,
    ROCK,
    SENSE,
    TARGET,
    feeling,
    ramp_image,
    text,
    text_width,
)
from insectbot.envs.scene_view import SceneView, draw_scene
from insectbot.envs.world import Row, World
from insectbot.errors import DisplayError

__all__ = ["ROCK", "SIZE", "STRIP", "TARGET", "Renderer", "SceneView", "draw_legend", "draw_scene"]

SIZE: Final = (720, 800)
"""Width and height of a frame of ``env.render()`` [pixels]."""
STRIP: Final = 76
"""Height of the legend below the map [pixels], without the lines that marks or many senses add."""
_ROW: Final = 24
_MOST_BARS: Final = 12


def strip_height(scene: Mapping[str, Any], overlay: Marks = ()) -> int:
    """Return the height that the legend of a scene needs [pixels]."""
    lines = len(_entry_lines(_entries(scene, overlay), SIZE[0] - 40))
    return STRIP + _ROW * lines + (54 if len(scene.get("senses", ())) > _beside(scene) else 0)


def _beside(scene: Mapping[str, Any]) -> int:
    """Return how many sense bars fit beside status and ground."""
    return 5 if _has_ground(scene) else 6


def _has_ground(scene: Mapping[str, Any]) -> bool:
    return "elevation" in scene or "roughness" in scene


def _entries(scene: Mapping[str, Any], overlay: Marks) -> list[tuple[str, Mapping[str, Any]]]:
    return legend_of([*scene.get("marks", ()), *overlay])


def _entry_lines(entries: Sequence[tuple[str, Mapping[str, Any]]], width: int) -> list[list[Any]]:
    """Break legend entries into lines of at most ``width`` pixels."""
    lines: list[list[Any]] = []
    left = math.inf
    for label, mark in entries:
        need = 20 + text_width(label) + 22
        if left + need > width:
            lines.append([])
            left = 0.0
        lines[-1].append((left, label, mark))
        left += need
    return lines


def draw_legend(
    surface: pygame.Surface,
    rect: Any,
    scene: Mapping[str, Any],
    senses: Any,
    status: Sequence[str],
    overlay: Marks = (),
) -> None:
    """Draw the key below the map: lines of status, colours of the ground, bars of the senses, signs of the marks."""
    box = pygame.Rect(rect)
    many = len(scene.get("senses", ())) > _beside(scene)
    for k, line in enumerate(status):
        across, down = divmod(k, 2) if many else (0, k)  # senses below leave room for two lines
        text(surface, line, (box.left + 4 + 300 * across, box.top + 8 + 22 * down), INK, 21)
    left = box.left + 200
    if _has_ground(scene):
        on_map = "elevation" in scene
        text(surface, "elevation" if on_map else "ground", (left, box.top + 8), FAINT)
        surface.blit(ramp_image(LAND if on_map else GROUND, 90, 14), (left, box.top + 28))
        text(surface, "low" if on_map else "smooth", (left, box.top + 46), FAINT, 16)
        text(surface, "high" if on_map else "rough", (left + 90, box.top + 46), FAINT, 16, "topright")
        left += 130
    n = len(scene.get("senses", ()))
    top = box.top + 8
    if not many:
        _draw_bars(surface, (left, top, 76.0), scene, senses)
        top += 62
    else:
        draw = _draw_bars if n <= _MOST_BARS else _draw_columns
        draw(surface, (box.left + 4, top + 56, (box.width - 8) / n), scene, senses)
        top += 116
    for line in _entry_lines(_entries(scene, overlay), box.width - 8):
        for x, label, mark in line:
            paint_swatch(surface, mark, box.left + 4 + x, top + 7)
            text(surface, label, (box.left + 24 + x, top), INK)
        top += _ROW


def _ranges(scene: Mapping[str, Any]) -> tuple[npt.NDArray[np.float64], ...]:
    """Return the least and the greatest value of every sense."""
    n = len(scene.get("senses", ()))
    return tuple(np.broadcast_to(np.asarray(v, float), (n,)) for v in scene.get("sense_range", (0.0, 1.0)))


def _draw_columns(
    surface: pygame.Surface, place: tuple[float, float, float], scene: Mapping[str, Any], senses: Any
) -> None:
    """Draw one upright column per sense, ``pitch`` pixels apart, and as many names as there is room for."""
    left, top, pitch = place
    lows, highs = _ranges(scene)
    values = np.asarray(senses, float).ravel()
    free = left
    for k, name in enumerate(scene["senses"]):
        x, wide, tall = left + pitch * k, max(2, round(pitch - 2)), 34
        pygame.draw.rect(surface, BAR, (x, top, wide, tall))
        a, b = sorted(round(tall * min(max((v - lows[k]) / (highs[k] - lows[k]), 0.0), 1.0)) for v in (0.0, values[k]))
        pygame.draw.rect(surface, TARGET if "target" in name else SENSE, (x, top + tall - b, wide, max(1, b - a)))
        if x >= free:
            text(surface, name, (x, top + tall + 4), FAINT, 15)
            free = x + text_width(name) * 0.75 + 12


def _draw_bars(
    surface: pygame.Surface, place: tuple[float, float, float], scene: Mapping[str, Any], senses: Any
) -> None:
    """Draw one bar per sense from (left, top) on, ``pitch`` pixels apart."""
    left, top, pitch = place
    names = list(scene.get("senses", ()))
    lows, highs = _ranges(scene)
    wide = pitch - 14
    for k, name in enumerate(names):
        value = float(np.asarray(senses, float).ravel()[k])
        share = min(max((value - lows[k]) / (highs[k] - lows[k]), 0.0), 1.0)
        x = left + pitch * k
        text(surface, name, (x, top), FAINT, 18 if pitch >= 70 else 15)
        pygame.draw.rect(surface, BAR, (x, top + 20, wide, 14))
        zero = min(max(-lows[k] / (highs[k] - lows[k]), 0.0), 1.0)
        colour = TARGET if "target" in name else feeling(value) if "rough" in name or name == "body" else SENSE
        a, b = sorted((zero * wide, share * wide))
        pygame.draw.rect(surface, colour, (x + round(a), top + 20, max(1, round(b - a)), 14))
        text(surface, f"{value:.2f}", (x, top + 38), INK, 16)


class Renderer:
    """Frames of one env: keeps the trail, and the window if there is one.

    Parameters
    ----------
    mode : str
        ``"rgb_array"`` (never opens a display) or ``"human"`` (a window).
    fps : int
        Frames per second of the window.
    name : str
        Name of the world, for the title of the window.

    Raises
    ------
    DisplayError
        For ``"human"`` where no window can be opened.
    """

    def __init__(self, mode: str, fps: int, name: str = "insectbot") -> None:
        self.mode, self.fps, self.name = mode, fps, name
        self.trail: list[tuple[float, float]] = []
        self._strip = STRIP
        self._view: SceneView | None = None
        self._window = _open_window(name) if mode == "human" else None
        self._canvas = pygame.Surface(SIZE)
        self._clock = pygame.time.Clock()

    def new_episode(self) -> None:
        """Forget the trail and the world."""
        self.trail.clear()
        self._view = None

    def draw_world(self, world: World, row: Row) -> npt.NDArray[np.uint8] | None:
        """Draw a frame of a row: return it for ``rgb_array`` ([height, width, 3]); show it for ``human``."""
        if self.mode == "human" and self._window is None:
            return None
        width, height = SIZE
        overlay = world.overlay(row)
        if self._view is None:
            scene = world.scene(row)
            self._strip = strip_height(scene, overlay)
            self._view = SceneView(scene, (16, 12, width - 32, height - self._strip - 16))
        scene, pose = self._view.scene, world.pose(row)
        self.trail.append((float(pose[0]), float(pose[1])))
        canvas = self._canvas
        canvas.fill(PAPER)
        senses = world.senses(row)
        self._view.draw(canvas, pose, self.trail, senses, overlay)
        strip = (16, height - self._strip + 2, width - 32, self._strip)
        draw_legend(canvas, strip, scene, senses, _status(world, row, scene, pose), overlay)
        if self._window is None:
            return np.ascontiguousarray(np.transpose(pygame.surfarray.pixels3d(canvas), (1, 0, 2)))
        self._show(canvas)
        return None

    def _show(self, canvas: pygame.Surface) -> None:
        assert self._window is not None
        self._window.blit(canvas, (0, 0))
        pygame.display.flip()
        self._clock.tick(self.fps)
        if any(event.type == pygame.QUIT for event in pygame.event.get()):
            # The episode goes on without its window.
            self.close()

    def close(self) -> None:
        """Close the window, if any."""
        if self._window is not None:
            self._window = None
            pygame.display.quit()


def _status(world: World, row: Row, scene: Mapping[str, Any], pose: npt.NDArray[np.float64]) -> list[str]:
    """Return the two lines left below the map: time, and how far the target is."""
    lines = [f"time {world.time(row):.2f} s"]
    if "target" in scene:
        distance = math.hypot(scene["target"][0] - pose[0], scene["target"][1] - pose[1])
        metres = scene.get("metres_per_unit")
        away = f"{distance:.0f} {scene['unit']}" if metres is None else f"{distance * metres / 1000:.1f} km"
        lines.append(f"target {away}")
    return [*lines, *world.status(row)]


def _open_window(name: str) -> pygame.Surface:
    cause = "there is no display"
    try:
        pygame.display.init()
        # Without any display SDL silently falls back to a window that nobody sees, unless it was asked for.
        if os.environ.get("SDL_VIDEODRIVER") or pygame.display.get_driver() not in ("offscreen", "dummy"):
            window = pygame.display.set_mode(SIZE)
            pygame.display.set_caption(name)
            return window
    except pygame.error as error:
        cause = str(error)
    pygame.display.quit()
    raise DisplayError(f"{name}: render_mode='human' cannot open a window ({cause}); use render_mode='rgb_array'")
