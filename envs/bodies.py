"""The bodies that live in the worlds: insect, moth, robot, animal. Needs pygame."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pygame

from insectbot.envs.marks import Pixel
from insectbot.envs.paint import BODY, PAPER, feeling

Pose = npt.NDArray[np.float64]
_Local = Callable[[float, float], tuple[float, float]]

_WING: Final = (150, 132, 104)


def draw_body(surface: pygame.Surface, scene: Mapping[str, Any], pose: Pose, senses: Any, pixel: Pixel) -> None:
    """Draw the body of a scene (key ``body``; an insect where the scene only has ``antennae``) at a pose.

    Parameters
    ----------
    surface : pygame.Surface
        Where to draw.
    scene : mapping
        What ``env.unwrapped.scene()`` returned.
    pose : ndarray, shape (3,)
        x, y, heading [rad].
    senses : array_like or None
        The observation: colours antennae (its first two entries) and rays (its first entries).
    pixel : callable
        Place of the world -> pixel.
    """
    body: Mapping[str, Any] = scene.get("body") or {"kind": "insect"}
    kind = body.get("kind", "insect")
    if kind == "none":
        return
    x, y = pixel(float(pose[0]), float(pose[1]))
    scale = abs(pixel(float(pose[0]) + 1.0, 0.0)[0] - x)
    least = 5.0 if kind == "insect" else 9.0
    unit = max(float(body.get("radius", 11.0 if kind == "insect" else 0.0)) * scale, least)
    c, s = math.cos(pose[2]), -math.sin(pose[2])

    def at(forward: float, left: float) -> tuple[float, float]:
        return x + unit * (forward * c + left * s), y + unit * (forward * s - left * c)

    if kind == "robot":
        _robot(surface, body, pose, senses, pixel, at, unit)
    elif kind == "animal":
        pygame.draw.aacircle(surface, BODY, (x, y), unit)
    elif kind == "moth":
        _wings(surface, at)
        _trunk(surface, at, unit)
    else:
        _legs(surface, at)
        _trunk(surface, at, unit)
    reach = body.get("antennae") or scene.get("antennae")
    if reach and kind in ("insect", "moth") and reach[0] > 0:
        _antennae(surface, reach, pose, senses, pixel, at)


def _legs(surface: pygame.Surface, at: _Local) -> None:
    for side in (1.0, -1.0):
        for root, reach in ((0.5, 1.0), (0.0, 0.1), (-0.5, -0.9)):
            knee, foot = at(root + 0.4 * reach, 1.0 * side), at(root + 0.8 * reach, 1.6 * side)
            pygame.draw.aaline(surface, BODY, at(root, 0.3 * side), knee, 2)
            pygame.draw.aaline(surface, BODY, knee, foot, 2)


def _wings(surface: pygame.Surface, at: _Local) -> None:
    for side in (1.0, -1.0):
        fore = [at(0.6, 0.2 * side), at(0.1, 2.0 * side), at(-0.9, 1.7 * side), at(-0.3, 0.2 * side)]
        pygame.draw.polygon(surface, _WING, fore)
        pygame.draw.aalines(surface, BODY, True, fore)


def _trunk(surface: pygame.Surface, at: _Local, unit: float) -> None:
    for centre, radius in ((-1.0, 0.75), (-0.35, 0.65), (0.35, 0.5), (1.0, 0.5)):
        pygame.draw.aacircle(surface, BODY, at(centre, 0.0), radius * unit)
    pygame.draw.aacircle(surface, (86, 90, 112), at(-1.0, 0.2), 0.25 * unit)


def _antennae(surface: pygame.Surface, reach: Any, pose: Pose, senses: Any, pixel: Pixel, at: _Local) -> None:
    length, angle = reach
    for k, side in enumerate((1.0, -1.0)):
        heading = pose[2] + side * angle
        tip = pixel(pose[0] + length * math.cos(heading), pose[1] + length * math.sin(heading))
        colour = BODY if senses is None else feeling(float(senses[k]))
        pygame.draw.aaline(surface, BODY, at(1.3, 0.25 * side), tip, 2)
        pygame.draw.aacircle(surface, BODY, tip, 6)
        pygame.draw.aacircle(surface, colour, tip, 5)


def _robot(
    surface: pygame.Surface,
    body: Mapping[str, Any],
    pose: Pose,
    senses: Any,
    pixel: Pixel,
    at: _Local,
    unit: float,
) -> None:
    rays = list(body.get("rays", ()))
    radius, reach = float(body.get("radius", 0.0)), float(body.get("range", 0.0))
    for k, angle in enumerate(rays):
        heading = pose[2] + float(angle)
        c, s = math.cos(heading), math.sin(heading)
        near = pixel(pose[0] + radius * c, pose[1] + radius * s)
        far = pixel(pose[0] + (radius + reach) * c, pose[1] + (radius + reach) * s)
        value = float(senses[k]) if senses is not None and len(senses) > k else 0.0
        pygame.draw.aaline(surface, feeling(value), near, far, 2)
    pygame.draw.aacircle(surface, BODY, at(0.0, 0.0), unit)
    pygame.draw.aacircle(surface, (86, 90, 112), at(0.0, 0.0), 0.82 * unit)
    for side in (1.0, -1.0):
        wheel = [at(0.35, 0.7 * side), at(0.35, 0.95 * side), at(-0.35, 0.95 * side), at(-0.35, 0.7 * side)]
        pygame.draw.polygon(surface, BODY, wheel)
    pygame.draw.polygon(surface, PAPER, [at(0.8, 0.0), at(0.35, 0.3), at(0.35, -0.3)])
