"""The world on the window, drawn by ``insectbot.envs.rendering`` so that it looks the same everywhere, and its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from insectbot.view.canvas import SMALL, Box, Canvas
from insectbot.view.frame import Frame
from insectbot.view.palette import GROUND, HAIRLINE, INK, LAND, MUTED, OBSTACLE, PANEL, TARGET, TRAIL, ramp

_NEEDED = ("extent",)
_MOST_POINTS = 1200


class WorldPainter:
    """Draws the world of a frame."""

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
        draw_scene(canvas.surface, frame.scene, pose, trail, senses=senses, rect=tuple(box), overlay=frame.overlay)


def thin(trail: np.ndarray, most: int = _MOST_POINTS) -> np.ndarray:
    """Return at most about ``most`` points of a trail [k, ...], always with both ends, without points that are NaN."""
    trail = trail[np.isfinite(trail).all(axis=tuple(range(1, trail.ndim)))]
    if len(trail) <= most:
        return trail
    return trail[np.unique(np.linspace(0, len(trail) - 1, most).astype(int))]


def draw_key(canvas: Canvas, box: Box, scene: Mapping[str, Any], overlay: Sequence[Mapping[str, Any]] = ()) -> None:
    """Draw the legend of the world: start, target, trail, obstacle, the marks, and the colours of the ground."""
    if any(name not in scene for name in _NEEDED):
        return
    ground = "elevation" in scene or "roughness" in scene
    right = _draw_ground(canvas, box, "elevation" in scene) if ground else box.right
    y, x = box.y + box.h // 2, box.x
    for label, paint in _entries(canvas, scene, overlay):
        wide = 20 + canvas.text_width(label, SMALL)
        if x + wide > right:
            break
        paint(x, y)
        canvas.text(x + 18, y, label, SMALL, MUTED)
        x += wide + 16


def _entries(canvas: Canvas, scene: Mapping[str, Any], overlay: Sequence[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Return (label, painter of its sign at x, y) of everything in the picture."""
    from insectbot.envs.marks import legend_of, paint_swatch

    def target(x: float, y: float) -> None:
        canvas.ring(x + 6, y, 6, TARGET, 2)
        canvas.disc(x + 6, y, 2, TARGET)

    found: list[tuple[str, Any]] = []
    if "start" in scene:
        found.append(("start", lambda x, y: canvas.ring(x + 6, y, 6, INK, 2)))
    if "target" in scene:
        found.append(("target", target))
    found.append(("trail", lambda x, y: canvas.polyline([(x, y), (x + 14, y)], TRAIL, 2)))
    if len(np.asarray(scene.get("obstacles", ()))):
        found.append(("obstacle", lambda x, y: canvas.disc(x + 6, y, 5, OBSTACLE)))
    for label, mark in legend_of([*scene.get("marks", ()), *overlay]):
        found.append((label, lambda x, y, mark=mark: paint_swatch(canvas.surface, mark, x, y)))
    return found


def _draw_ground(canvas: Canvas, box: Box, on_map: bool) -> int:
    """Draw the colours of the ground at the right end; return where they begin."""
    y = box.y + box.h // 2
    bar = Box(box.right - 46 - 90, y - 5, 90, 10)
    canvas.image(bar, ramp(np.linspace(0, 1, bar.w)[None].repeat(bar.h, 0), LAND if on_map else GROUND))
    canvas.frame(bar, HAIRLINE)
    canvas.text(bar.x - 8, y, "low" if on_map else "smooth", SMALL, MUTED, align="right")
    canvas.text(bar.right + 8, y, "high" if on_map else "rough", SMALL, MUTED)
    return bar.x - 60
