"""Marks: discs, rings, lines, cells, arrows and words by which a world says what its picture shows. Needs pygame."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pygame

from insectbot.envs.paint import FAINT, INK, Colour, text

Pixel = Callable[[float, float], tuple[float, float]]
Marks = Sequence[Mapping[str, Any]]


def colour_of(mark: Mapping[str, Any]) -> Colour:
    """Return the colour of a mark."""
    red, green, blue = mark.get("colour", FAINT)
    return int(red), int(green), int(blue)


def paint_marks(surface: pygame.Surface, marks: Marks, pixel: Pixel, scale: float) -> None:
    """Draw marks in order.

    Parameters
    ----------
    surface : pygame.Surface
        Where to draw.
    marks : sequence of mapping
        See docs/architecture.md for the keys.
    pixel : callable
        Place of the world -> pixel of the surface.
    scale : float
        Pixels per unit of the world.
    """
    for mark in marks:
        alpha = int(mark.get("alpha", 255))
        if alpha >= 255:
            _paint(surface, mark, pixel, scale)
        else:
            layer = pygame.Surface(surface.get_size(), pygame.SRCALPHA)
            _paint(layer, mark, pixel, scale)
            layer.set_alpha(alpha)
            surface.blit(layer, (0, 0))


def _paint(surface: pygame.Surface, mark: Mapping[str, Any], pixel: Pixel, scale: float) -> None:
    points = [pixel(float(x), float(y)) for x, y in np.asarray(mark["xy"], float).reshape(-1, 2)]
    shape, colour = mark["shape"], colour_of(mark)
    sizes = np.broadcast_to(np.asarray(mark.get("size", 0.0), float), (len(points),)) * scale
    if shape == "disc":
        for (x, y), radius in zip(points, sizes, strict=True):
            pygame.draw.aacircle(surface, colour, (x, y), max(float(radius), 2.0))
    elif shape == "ring":
        for (x, y), radius in zip(points, sizes, strict=True):
            pygame.draw.aacircle(surface, colour, (x, y), max(float(radius), 4.0), 2)
    elif shape == "cells":
        for (x, y), edge in zip(points, sizes, strict=True):
            side = math.ceil(edge)
            surface.fill(colour, pygame.Rect(round(x - edge / 2), round(y - edge / 2), side, side))
    elif shape == "line" and len(points) > 1:
        pygame.draw.lines(surface, colour, False, points, int(mark.get("width", 2)))
    elif shape == "arrow" and len(points) == 2:
        _arrow(surface, points[0], points[1], colour)
    elif shape == "text" and points:
        ink = colour if "colour" in mark else INK
        text(surface, str(mark.get("text", "")), points[0], ink, 18, "center", halo=True)


def _arrow(surface: pygame.Surface, tail: tuple[float, float], tip: tuple[float, float], colour: Colour) -> None:
    dx, dy = tip[0] - tail[0], tip[1] - tail[1]
    length = math.hypot(dx, dy)
    if length < 1.0:
        return
    ux, uy = dx / length, dy / length
    head = min(10.0, 0.5 * length)
    root = (tip[0] - head * ux, tip[1] - head * uy)
    pygame.draw.line(surface, colour, tail, root, 2)
    side = (-0.5 * head * uy, 0.5 * head * ux)
    pygame.draw.polygon(
        surface, colour, [tip, (root[0] + side[0], root[1] + side[1]), (root[0] - side[0], root[1] - side[1])]
    )


def legend_of(marks: Marks) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (label, mark) of every label once, in order."""
    found: dict[str, Mapping[str, Any]] = {}
    for mark in marks:
        if mark.get("label"):
            found.setdefault(str(mark["label"]), mark)
    return list(found.items())


def paint_swatch(surface: pygame.Surface, mark: Mapping[str, Any], x: float, y: float) -> None:
    """Draw a mark's sign for the legend, 14 pixels wide, centred at height ``y``, its left end at ``x``."""
    colour, shape = colour_of(mark), mark["shape"]
    if shape == "ring":
        pygame.draw.aacircle(surface, colour, (x + 7, y), 6, 2)
    elif shape == "cells":
        surface.fill(colour, pygame.Rect(round(x + 1), round(y - 6), 12, 12))
        pygame.draw.rect(surface, INK, pygame.Rect(round(x + 1), round(y - 6), 12, 12), 1)
    elif shape == "line":
        pygame.draw.line(surface, colour, (x, y), (x + 14, y), 3)
    elif shape == "arrow":
        _arrow(surface, (x, y), (x + 14, y), colour)
    else:
        pygame.draw.aacircle(surface, colour, (x + 7, y), 6)
