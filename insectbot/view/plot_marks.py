"""Marks of a scene in matplotlib: the same discs, rings, lines, cells, arrows and words as in the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from insectbot.view.palette import MUTED, hex_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_marks(axes: Axes, marks: Sequence[Mapping[str, Any]]) -> None:
    """Draw marks in order; each label once enters the legend of the axes.

    Parameters
    ----------
    axes : Axes
        Where to draw, in units of the world.
    marks : sequence of mapping
        See docs/architecture.md for the keys.
    """
    known: set[str] = set()
    for mark in marks:
        label = str(mark.get("label", ""))
        _draw(axes, mark)
        if label and label not in known:
            known.add(label)
            sign = {"line": "_", "cells": "s", "arrow": ">"}.get(str(mark["shape"]), "o")
            hollow: Any = {"markerfacecolor": "none"} if mark["shape"] == "ring" else {}
            axes.plot([], [], sign, color=_colour(mark), label=label, **hollow)


def _colour(mark: Mapping[str, Any]) -> str:
    red, green, blue = mark.get("colour", MUTED)
    return hex_colour((int(red), int(green), int(blue)))


def _draw(axes: Axes, mark: Mapping[str, Any]) -> None:
    from matplotlib.collections import EllipseCollection, PatchCollection
    from matplotlib.patches import Rectangle

    points = np.asarray(mark["xy"], float).reshape(-1, 2)
    sizes = np.broadcast_to(np.asarray(mark.get("size", 0.0), float), (len(points),))
    look: Any = {"alpha": float(mark.get("alpha", 255)) / 255, "color": _colour(mark)}
    shape = mark["shape"]
    if shape in ("disc", "ring"):
        if shape == "ring":
            look = {**look, "facecolor": "none", "edgecolor": look.pop("color"), "linewidth": 1.4}
        axes.add_collection(
            EllipseCollection(
                2 * sizes,
                2 * sizes,
                np.zeros(len(points)),
                units="xy",
                offsets=points,
                offset_transform=axes.transData,
                **look,
            )
        )
    elif shape == "cells":
        squares = [Rectangle((x - s / 2, y - s / 2), s, s) for (x, y), s in zip(points, sizes, strict=True)]
        axes.add_collection(PatchCollection(squares, linewidth=0, **look))
    elif shape == "line":
        axes.plot(points[:, 0], points[:, 1], lw=1.4, **look)
    elif shape == "arrow" and len(points) == 2:
        axes.annotate("", points[1], points[0], arrowprops={"arrowstyle": "-|>", **look})
    elif shape == "text":
        axes.text(points[0, 0], points[0, 1], str(mark.get("text", "")), ha="center", va="center", fontsize=7.5, **look)
