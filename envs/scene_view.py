"""A scene fitted into a rectangle of any surface; no display is needed. Needs pygame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pygame

from insectbot.envs.bodies import draw_body
from insectbot.envs.marks import Marks, paint_marks
from insectbot.envs.paint import GROUND, INK, LAND, PAPER, ROCK, TARGET, TRAIL, ramp, round_length, text

Points = Sequence[tuple[float, float]] | npt.NDArray[np.floating[Any]]


def _ground_image(scene: Mapping[str, Any]) -> pygame.Surface | None:
    """Return one pixel per point of the ground, north up; None for a scene without one."""
    if "elevation" in scene:
        height = np.asarray(scene["elevation"], np.float64)
        north, east = np.gradient(height, 60.0)
        # Light from the north-west, 45 degrees high (Lambert's cosine law).
        shade = (1.0 - east + north) / (np.sqrt(3.0) * np.sqrt(1.0 + north**2 + east**2))
        low, high = np.percentile(height, (1, 99))
        image = ramp((height - low) / (high - low), LAND) * (0.45 + 0.8 * np.clip(shade, 0.0, 1.0))[..., None]
    elif "roughness" in scene:
        image = ramp(scene["roughness"], GROUND)
    else:
        return None
    pixels = np.ascontiguousarray(np.clip(image[::-1], 0, 255).astype(np.uint8))
    ny, nx = pixels.shape[:2]
    return pygame.image.frombuffer(pixels.tobytes(), (nx, ny), "RGB")


class SceneView:
    """A scene fitted into a rectangle: the backdrop is drawn once, then blitted.

    Parameters
    ----------
    scene : mapping
        What ``env.unwrapped.scene()`` returned.
    rect : pygame.Rect or (x, y, width, height)
        Where to draw the map [pixels]; the aspect ratio of the arena is kept.
    """

    def __init__(self, scene: Mapping[str, Any], rect: Any) -> None:
        self.scene = scene
        box = pygame.Rect(rect)
        x0, x1, y0, y1 = scene["extent"]
        self.scale = min(box.width / (x1 - x0), box.height / (y1 - y0))
        width, height = round((x1 - x0) * self.scale), round((y1 - y0) * self.scale)
        self.rect = pygame.Rect(box.centerx - width // 2, box.centery - height // 2, width, height)
        self.backdrop = self._paint()

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a place of the world."""
        x0, _, _, y1 = self.scene["extent"]
        return self.rect.left + (x - x0) * self.scale, self.rect.top + (y1 - y) * self.scale

    def _paint(self) -> pygame.Surface:
        ground = _ground_image(self.scene)
        image = pygame.transform.smoothscale(ground, self.rect.size) if ground else pygame.Surface(self.rect.size)
        if ground is None:
            image.fill(GROUND[0])
        for x, y, radius in np.asarray(self.scene.get("obstacles", ()), float).reshape(-1, 3):
            px, py = self._inside(x, y)
            radius *= self.scale
            pygame.draw.aacircle(image, ROCK, (px, py), radius)
            pygame.draw.aacircle(image, (112, 116, 126), (px - 0.12 * radius, py - 0.12 * radius), 0.7 * radius)
        paint_marks(image, self.scene.get("marks", ()), self._inside, self.scale)
        if "start" in self.scene:
            x, y = self._inside(*self.scene["start"][:2])
            pygame.draw.aacircle(image, PAPER, (x, y), 6)
            pygame.draw.aacircle(image, INK, (x, y), 6, 2)
            text(image, "start", (x, y + 9), size=17, anchor="midtop", halo=True)
        if "target" in self.scene:
            self._paint_target(image)
        self._paint_scale(image)
        pygame.draw.rect(image, INK, image.get_rect(), 1)
        return image

    def _inside(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a place on the backdrop."""
        px, py = self.pixel(float(x), float(y))
        return px - self.rect.left, py - self.rect.top

    def _paint_target(self, image: pygame.Surface) -> None:
        x, y, radius = self.scene["target"]
        px, py = self._inside(x, y)
        radius = max(radius * self.scale, 7.0)
        halo = pygame.Surface((int(4 * radius) + 1,) * 2, pygame.SRCALPHA)
        for factor, alpha in ((1.9, 40), (1.45, 60), (1.0, 110)):
            pygame.draw.circle(halo, (*TARGET, alpha), halo.get_rect().center, factor * radius)
        image.blit(halo, halo.get_rect(center=(round(px), round(py))))
        pygame.draw.aacircle(image, TARGET, (px, py), radius, 2)
        pygame.draw.aacircle(image, TARGET, (px, py), 4)
        text(image, "target", (px, py + 1.9 * radius), TARGET, 17, "midtop", halo=True)

    def _paint_scale(self, image: pygame.Surface) -> None:
        metres = self.scene.get("metres_per_unit")
        bar, label = scale_bar(self.scene)
        bar *= self.scale
        width, height = image.get_size()
        plate = pygame.Surface((max(int(bar), 60) + 24, 34), pygame.SRCALPHA)
        plate.fill((*PAPER, 190))
        left, top = width - plate.get_width() - 8, height - plate.get_height() - 8
        image.blit(plate, (left, top))
        y, middle = top + 25, left + plate.get_width() / 2
        pygame.draw.line(image, INK, (middle - bar / 2, y), (middle + bar / 2, y), 2)
        for end in (middle - bar / 2, middle + bar / 2):
            pygame.draw.line(image, INK, (end, y - 4), (end, y + 4), 2)
        text(image, label, (middle, top + 4), size=17, anchor="midtop")
        if metres is not None:
            tip = (width - 26, 16)
            pygame.draw.polygon(
                image, INK, [tip, (tip[0] - 8, tip[1] + 22), (tip[0], tip[1] + 16), (tip[0] + 8, tip[1] + 22)]
            )
            text(image, "N", (tip[0], tip[1] + 25), size=20, anchor="midtop")

    def draw(
        self, surface: pygame.Surface, pose: npt.ArrayLike, trail: Points, senses: Any = None, overlay: Marks = ()
    ) -> None:
        """Draw ground, trail, the marks of the moment, and the body; ``senses`` (the observation) colours it."""
        surface.blit(self.backdrop, self.rect)
        clip = surface.get_clip()
        surface.set_clip(self.rect.clip(clip))
        for part in pieces(trail, self.scene["extent"]):
            points = [self.pixel(float(p[0]), float(p[1])) for p in part]
            if len(points) > 1:
                pygame.draw.lines(surface, TRAIL, False, points, 2)
                pygame.draw.aalines(surface, TRAIL, False, points)
        paint_marks(surface, overlay, self.pixel, self.scale)
        draw_body(surface, self.scene, np.asarray(pose, np.float64), senses, self.pixel)
        surface.set_clip(clip)


def pieces(trail: Points, extent: Sequence[float]) -> list[npt.NDArray[np.floating[Any]]]:
    """Return a trail cut where it leaves a torus at one side and comes in at the other."""
    if len(trail) < 2:
        return []
    points = np.asarray(trail, np.float64)
    far = np.abs(np.diff(points[:, :2], axis=0)) > 0.5 * np.array([extent[1] - extent[0], extent[3] - extent[2]])
    return np.split(points, np.flatnonzero(far.any(1)) + 1)


def scale_bar(scene: Mapping[str, Any]) -> tuple[float, str]:
    """Return the length of a scale bar of a scene [units of the scene] and its label."""
    x0, x1, _, _ = scene["extent"]
    metres = scene.get("metres_per_unit")
    if metres is None:
        length = round_length(0.16 * (x1 - x0))
        return length, f"{length:g} {scene.get('unit', '')}".strip()
    length = round_length(0.16 * (x1 - x0) * metres)
    return length / metres, f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"


_views: dict[tuple[int, int, int, int], SceneView] = {}


def draw_scene(
    surface: pygame.Surface,
    scene: Mapping[str, Any],
    pose: npt.ArrayLike,
    trail: Points = (),
    *,
    senses: Any = None,
    rect: Any = None,
    overlay: Marks = (),
) -> SceneView:
    """Draw a world into ``rect`` of ``surface`` (default: all of it).

    Parameters
    ----------
    surface : pygame.Surface
        Where to draw; no display is needed.
    scene : mapping
        What ``env.unwrapped.scene()`` returned. Pass the same object for every frame of a world: its ground is
        painted once for each rectangle and then reused.
    pose : array_like of float, shape (3,)
        x, y, heading [rad].
    trail : sequence of (x, y)
        Places passed so far.
    senses : array_like of float, optional
        The observation; it colours antennae or rays.
    rect : pygame.Rect or (x, y, width, height), optional
        Part of the surface [pixels].
    overlay : sequence of mapping
        Marks of this moment, as ``env.unwrapped.overlay()`` returns them.

    Returns
    -------
    SceneView
        Its ``pixel(x, y)`` tells where a place of the world is on the surface.
    """
    box = surface.get_rect() if rect is None else pygame.Rect(rect)
    key = (box.x, box.y, box.width, box.height)
    view = _views.get(key)
    if view is None or view.scene is not scene:
        view = _views[key] = SceneView(scene, box)
    view.draw(surface, pose, trail, senses, overlay)
    return view
