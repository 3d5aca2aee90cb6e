"""The world on the window, drawn by ``insectbot.envs.rendering`` so that it looks the same everywhere, and its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from insectbot.view.canvas import SMALL, Box, Canvas
from insectbot.view.frame import Frame
from insectbot.view.palette import GROUND, HAIRLINE, INK, LAND, MUTED, OBSTACLE, PANEL, TARGET, TRAIL, ramp

_NEEDED = ("extent", "target", "start")
_MOST_POINTS = 1200


class WorldPainter:
    """Draws the world of a frame; what a scene does not say gets a neutral value."""

    def __init__(self) -> None:
        self._given: Any = None
        self._scene: dict[str, Any] = {}

    def draw(self, canvas: Canvas, box: Box, frame: Frame) -> None:
        """Draw the frame's world into a box, or a sentence where there is nothing to draw."""
        missing = [name for name in _NEEDED if name not in frame.scene]
        pose = np.asarray(frame.pose, float).ravel()
        if missing or pose.size != 3 or not np.isfinite(pose).all():
            note = f"the scene has no {missing[0]}" if frame.scene and missing else "this environment has no scene()"
            canvas.fill(box, PANEL, 6)
            canvas.frame(box)
            canvas.text(box.x + box.w / 2, box.y + box.h / 2, note, colour=MUTED, align="center", width=box.w - 20)
            return
        from insectbot.envs.rendering import draw_scene

        sensed = np.asarray(frame.observation, float).ravel()
        trail = thin(np.asarray(frame.trail, float).reshape(len(np.asarray(frame.trail)), -1))
        senses = sensed if sensed.size >= 2 else None
        draw_scene(canvas.surface, self._complete(frame.scene), pose, trail, senses=senses, rect=tuple(box))

    def _complete(self, scene: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the scene with everything that drawing reads; the same object for the same scene."""
        if scene is not self._given:
            neutral = {"unit": "", "roughness": np.zeros((2, 2)), "obstacles": np.zeros((0, 3)), "antennae": (0.0, 0.0)}
            self._given, self._scene = scene, {**neutral, **scene}
        return self._scene


def thin(trail: np.ndarray, most: int = _MOST_POINTS) -> np.ndarray:
    """Return at most about ``most`` points of a trail [k, ...], always with both ends, without points that are NaN."""
    trail = trail[np.isfinite(trail).all(axis=tuple(range(1, trail.ndim)))]
    if len(trail) <= most:
        return trail
    return trail[np.unique(np.linspace(0, len(trail) - 1, most).astype(int))]


def draw_key(canvas: Canvas, box: Box, scene: Mapping[str, Any]) -> None:
    """Draw the legend of the world: trail, obstacle and the colours of the ground."""
    if any(name not in scene for name in _NEEDED):
        return
    y, x = box.y + box.h // 2, box.x
    canvas.ring(x + 6, y, 6, INK, 2)
    x += 18 + canvas.text(x + 18, y, "start", SMALL, MUTED) + 18
    canvas.ring(x + 6, y, 6, TARGET, 2)
    canvas.disc(x + 6, y, 2, TARGET)
    x += 18 + canvas.text(x + 18, y, "target", SMALL, MUTED) + 18
    canvas.polyline([(x, y), (x + 18, y)], TRAIL, 2)
    x += 24 + canvas.text(x + 24, y, "trail", SMALL, MUTED) + 18
    if len(np.asarray(scene.get("obstacles", ()))):
        canvas.disc(x + 6, y, 5, OBSTACLE)
        canvas.text(x + 18, y, "obstacle", SMALL, MUTED)
    on_map = "elevation" in scene
    bar = Box(box.right - 46 - 90, y - 5, 90, 10)
    canvas.image(bar, ramp(np.linspace(0, 1, bar.w)[None].repeat(bar.h, 0), LAND if on_map else GROUND))
    canvas.frame(bar, HAIRLINE)
    canvas.text(bar.x - 8, y, "low" if on_map else "smooth", SMALL, MUTED, align="right")
    canvas.text(bar.right + 8, y, "high" if on_map else "rough", SMALL, MUTED)
