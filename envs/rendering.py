"""The picture of a world: ground, obstacles, target, trail, insect. The only module of this room that needs pygame.

:func:`draw_scene` draws into any part of any surface, without a display. :class:`Renderer` serves ``env.render()``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pygame

from insectbot.envs.world import Row, World
from insectbot.errors import DisplayError

Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]] | npt.NDArray[np.floating[Any]]

SIZE: Final = (720, 800)
"""Width and height of a frame of ``env.render()`` [pixels]."""
STRIP: Final = 76
"""Height of the legend below the map [pixels]."""

INK: Final[Colour] = (43, 45, 52)
FAINT: Final[Colour] = (120, 122, 128)
PAPER: Final[Colour] = (250, 249, 246)
ROCK: Final[Colour] = (84, 88, 98)
TARGET: Final[Colour] = (22, 138, 92)
TRAIL: Final[Colour] = (214, 92, 40)
BODY: Final[Colour] = (38, 40, 52)
# Smooth to rough; low to high land; and what an antenna shows from 0 to 1.
GROUND: Final = ((240, 239, 226), (214, 198, 160), (150, 118, 92))
LAND: Final = ((150, 174, 132), (212, 202, 158), (176, 146, 116), (238, 234, 228))
FEELING: Final = ((40, 150, 90), (235, 190, 60), (205, 50, 45))
SENSES: Final = ("rough L", "rough R", "target L", "target R", "body")


def ramp(values: npt.ArrayLike, colours: Sequence[Colour]) -> npt.NDArray[np.float64]:
    """Return colours [..., 3] in 0..255 for values in [0, 1], linear between the given colours."""
    v = np.clip(np.asarray(values, np.float64), 0.0, 1.0)
    at = np.linspace(0.0, 1.0, len(colours))
    return np.stack([np.interp(v, at, [c[k] for c in colours]) for k in range(3)], axis=-1)


def feeling(value: float) -> Colour:
    """Return the colour of a roughness that an antenna feels: green smooth, red rough."""
    red, green, blue = ramp(value, FEELING)
    return int(red), int(green), int(blue)


@cache
def _font(size: int) -> pygame.font.Font:
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame.font.Font(None, size)


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
def _ramp_image(colours: tuple[Colour, ...], width: int, height: int) -> pygame.Surface:
    image = pygame.Surface((width, height))
    for k, colour in enumerate(ramp(np.linspace(0.0, 1.0, width), colours)):
        pygame.draw.line(image, colour.astype(int).tolist(), (k, 0), (k, height))
    return image


def _ground_image(scene: Mapping[str, Any]) -> pygame.Surface:
    """Return one pixel per point of the ground, north up."""
    if "elevation" in scene:
        height = np.asarray(scene["elevation"], np.float64)
        north, east = np.gradient(height, 60.0)
        # Light from the north-west, 45 degrees high (Lambert's cosine law).
        shade = (1.0 - east + north) / (np.sqrt(3.0) * np.sqrt(1.0 + north**2 + east**2))
        low, high = np.percentile(height, (1, 99))
        image = ramp((height - low) / (high - low), LAND) * (0.45 + 0.8 * np.clip(shade, 0.0, 1.0))[..., None]
    else:
        image = ramp(scene["roughness"], GROUND)
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
        image = pygame.transform.smoothscale(_ground_image(self.scene), self.rect.size)
        offset = self.rect.topleft
        here = [(x - offset[0], y - offset[1], r) for x, y, r in self._discs()]
        for x, y, radius in here:
            pygame.draw.aacircle(image, ROCK, (x, y), radius)
            pygame.draw.aacircle(image, (112, 116, 126), (x - 0.12 * radius, y - 0.12 * radius), 0.7 * radius)
        x, y = self.pixel(self.scene["start"][0], self.scene["start"][1])
        x, y = x - offset[0], y - offset[1]
        pygame.draw.aacircle(image, PAPER, (x, y), 6)
        pygame.draw.aacircle(image, INK, (x, y), 6, 2)
        text(image, "start", (x, y + 9), size=17, anchor="midtop", halo=True)
        self._paint_target(image, offset)
        self._paint_scale(image)
        pygame.draw.rect(image, INK, image.get_rect(), 1)
        return image

    def _discs(self) -> list[tuple[float, float, float]]:
        return [(*self.pixel(x, y), radius * self.scale) for x, y, radius in self.scene["obstacles"]]

    def _paint_target(self, image: pygame.Surface, offset: tuple[int, int]) -> None:
        x, y, radius = self.scene["target"]
        px, py = self.pixel(x, y)
        px, py, radius = px - offset[0], py - offset[1], max(radius * self.scale, 7.0)
        halo = pygame.Surface((int(4 * radius) + 1,) * 2, pygame.SRCALPHA)
        for factor, alpha in ((1.9, 40), (1.45, 60), (1.0, 110)):
            pygame.draw.circle(halo, (*TARGET, alpha), halo.get_rect().center, factor * radius)
        image.blit(halo, halo.get_rect(center=(round(px), round(py))))
        pygame.draw.aacircle(image, TARGET, (px, py), radius, 2)
        pygame.draw.aacircle(image, TARGET, (px, py), 4)
        text(image, "target", (px, py + 1.9 * radius), TARGET, 17, "midtop", halo=True)

    def _paint_scale(self, image: pygame.Surface) -> None:
        metres = self.scene.get("metres_per_unit")
        length, label = (100.0, f"100 {self.scene['unit']}") if metres is None else (5000.0 / metres, "5 km")
        width, height = image.get_size()
        bar = length * self.scale
        plate = pygame.Surface((int(bar) + 24, 34), pygame.SRCALPHA)
        plate.fill((*PAPER, 190))
        left, top = width - plate.get_width() - 8, height - plate.get_height() - 8
        image.blit(plate, (left, top))
        y = top + 25
        pygame.draw.line(image, INK, (left + 12, y), (left + 12 + bar, y), 2)
        for end in (left + 12, left + 12 + bar):
            pygame.draw.line(image, INK, (end, y - 4), (end, y + 4), 2)
        text(image, label, (left + 12 + bar / 2, top + 4), size=17, anchor="midtop")
        if metres is not None:
            tip = (width - 26, 16)
            pygame.draw.polygon(
                image, INK, [tip, (tip[0] - 8, tip[1] + 22), (tip[0], tip[1] + 16), (tip[0] + 8, tip[1] + 22)]
            )
            text(image, "N", (tip[0], tip[1] + 25), size=20, anchor="midtop")

    def draw(self, surface: pygame.Surface, pose: npt.ArrayLike, trail: Points, senses: Any = None) -> None:
        """Draw ground, trail and insect; ``senses`` (the observation) colours the antennae."""
        surface.blit(self.backdrop, self.rect)
        clip = surface.get_clip()
        surface.set_clip(self.rect.clip(clip))
        points = [self.pixel(float(p[0]), float(p[1])) for p in trail]
        if len(points) > 1:
            pygame.draw.lines(surface, TRAIL, False, points, 2)
            pygame.draw.aalines(surface, TRAIL, False, points)
        self._draw_insect(surface, np.asarray(pose, np.float64), senses)
        surface.set_clip(clip)

    def _draw_insect(self, surface: pygame.Surface, pose: npt.NDArray[np.float64], senses: Any) -> None:
        x, y = self.pixel(pose[0], pose[1])
        c, s = math.cos(pose[2]), -math.sin(pose[2])
        # The body is drawn larger than it is; the antennae have their true length.
        unit = max(11.0 * self.scale, 5.0)

        def at(forward: float, left: float) -> tuple[float, float]:
            return x + unit * (forward * c + left * s), y + unit * (forward * s - left * c)

        for side in (1.0, -1.0):
            for root, reach in ((0.5, 1.0), (0.0, 0.1), (-0.5, -0.9)):
                knee, foot = at(root + 0.4 * reach, 1.0 * side), at(root + 0.8 * reach, 1.6 * side)
                pygame.draw.aaline(surface, BODY, at(root, 0.3 * side), knee, 2)
                pygame.draw.aaline(surface, BODY, knee, foot, 2)
        for centre, radius in ((-1.0, 0.75), (-0.35, 0.65), (0.35, 0.5), (1.0, 0.5)):
            pygame.draw.aacircle(surface, BODY, at(centre, 0.0), radius * unit)
        pygame.draw.aacircle(surface, (86, 90, 112), at(-1.0, 0.2), 0.25 * unit)
        length, angle = self.scene["antennae"]
        for k, side in enumerate((1.0, -1.0)):
            heading = pose[2] + side * angle
            tip = self.pixel(pose[0] + length * math.cos(heading), pose[1] + length * math.sin(heading))
            colour = BODY if senses is None else feeling(float(senses[k]))
            pygame.draw.aaline(surface, BODY, at(1.3, 0.25 * side), tip, 2)
            pygame.draw.aacircle(surface, BODY, tip, 6)
            pygame.draw.aacircle(surface, colour, tip, 5)


_views: dict[tuple[int, int, int, int], SceneView] = {}


def draw_scene(
    surface: pygame.Surface,
    scene: Mapping[str, Any],
    pose: npt.ArrayLike,
    trail: Points = (),
    *,
    senses: Any = None,
    rect: Any = None,
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
        The observation; its first two entries colour the antennae.
    rect : pygame.Rect or (x, y, width, height), optional
        Part of the surface [pixels].

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
    view.draw(surface, pose, trail, senses)
    return view


def draw_legend(
    surface: pygame.Surface, rect: Any, scene: Mapping[str, Any], senses: Any, status: Sequence[str]
) -> None:
    """Draw the key below the map: lines of status, colours of the ground, bars of the five senses in [0, 1]."""
    box = pygame.Rect(rect)
    for k, line in enumerate(status):
        text(surface, line, (box.left + 4, box.top + 8 + 22 * k), INK, 21)
    left = box.left + 200
    on_map = "elevation" in scene
    text(surface, "elevation" if on_map else "ground", (left, box.top + 8), FAINT)
    surface.blit(_ramp_image(LAND if on_map else GROUND, 90, 14), (left, box.top + 28))
    text(surface, "low" if on_map else "smooth", (left, box.top + 46), FAINT, 16)
    text(surface, "high" if on_map else "rough", (left + 90, box.top + 46), FAINT, 16, "topright")
    for k, (name, value) in enumerate(zip(SENSES, senses, strict=True)):
        x = box.left + 330 + 76 * k
        text(surface, name, (x, box.top + 8), FAINT)
        pygame.draw.rect(surface, (226, 225, 220), (x, box.top + 28, 62, 14))
        colour = TARGET if "target" in name else feeling(float(value))
        pygame.draw.rect(surface, colour, (x, box.top + 28, round(62 * float(value)), 14))
        text(surface, f"{float(value):.2f}", (x, box.top + 46), INK, 16)


class Renderer:
    """Frames of one env: keeps the trail, and the window if there is one.

    Parameters
    ----------
    mode : str
        ``"rgb_array"`` (never opens a display) or ``"human"`` (a window).
    fps : int
        Frames per second of the window.

    Raises
    ------
    DisplayError
        For ``"human"`` where no window can be opened.
    """

    def __init__(self, mode: str, fps: int, name: str = "insectbot") -> None:
        self.mode, self.fps, self.name = mode, fps, name
        self.trail: list[tuple[float, float]] = []
        self._scene: Mapping[str, Any] | None = None
        self._view: SceneView | None = None
        self._window = _open_window() if mode == "human" else None
        self._canvas = pygame.Surface(SIZE)
        self._clock = pygame.time.Clock()

    def new_episode(self) -> None:
        """Forget the trail and the world."""
        self.trail.clear()
        self._view = None

    def draw_world(self, world: World, row: Row) -> npt.NDArray[np.uint8] | None:
        """Draw a row of a world."""
        return self.draw(lambda: world.scene(row), world.pose(row), world.senses(row), world.time(row))

    def draw(
        self, scene: Callable[[], Mapping[str, Any]], pose: npt.NDArray[np.float64], senses: npt.ArrayLike, time: float
    ) -> npt.NDArray[np.uint8] | None:
        """Draw a frame: return it for ``rgb_array`` ([height, width, 3]); show it for ``human``."""
        if self.mode == "human" and self._window is None:
            return None
        width, height = SIZE
        if self._view is None:
            self._view = SceneView(scene(), (16, 12, width - 32, height - STRIP - 16))
        self.trail.append((float(pose[0]), float(pose[1])))
        canvas = self._canvas
        canvas.fill(PAPER)
        self._view.draw(canvas, pose, self.trail, senses)
        target = self._view.scene["target"]
        distance = math.hypot(target[0] - pose[0], target[1] - pose[1])
        metres = self._view.scene.get("metres_per_unit")
        away = f"{distance:.0f} {self._view.scene['unit']}" if metres is None else f"{distance * metres / 1000:.1f} km"
        status = (f"time {time:.2f} s", f"target {away}")
        draw_legend(canvas, (16, height - STRIP + 2, width - 32, STRIP), self._view.scene, senses, status)
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


def _open_window() -> pygame.Surface:
    cause = "there is no display"
    try:
        pygame.display.init()
        # Without any display SDL silently falls back to a window that nobody sees, unless it was asked for.
        if os.environ.get("SDL_VIDEODRIVER") or pygame.display.get_driver() not in ("offscreen", "dummy"):
            window = pygame.display.set_mode(SIZE)
            pygame.display.set_caption("insectbot/Foraging-v0")
            return window
    except pygame.error as error:
        cause = str(error)
    pygame.display.quit()
    raise DisplayError(
        f"insectbot/Foraging: render_mode='human' cannot open a window ({cause}); use render_mode='rgb_array'"
    )
