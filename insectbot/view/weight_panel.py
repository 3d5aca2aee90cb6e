"""The weight panel of the window: bars for a few synapses, coloured matrices for many; before and now."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from insectbot.view.canvas import SMALL, Box, Canvas
from insectbot.view.frame import Frame
from insectbot.view.history import History, nice_bound
from insectbot.view.labels import unit_label
from insectbot.view.palette import HAIRLINE, INK, MUTED, NEGATIVE, PANEL, POSITIVE, mix, signed

_MOST_BARS = 24
_MOST_IMAGES = 4


@dataclass(frozen=True)
class _Cluster:
    """The synapses onto one unit: a title, a label, the value before and the value now per bar."""

    title: str
    labels: list[str]
    before: npt.NDArray
    now: npt.NDArray


def draw_weights(canvas: Canvas, box: Box, frame: Frame, history: History) -> None:
    """Draw all weights: their value now, and a mark where they were in the first frame."""
    weights = {name: np.asarray(values, float).ravel() for name, values in frame.weights.items()}
    few = sum(v.size for v in weights.values()) <= _MOST_BARS
    inside = canvas.panel(box, "Weights", "bar: now, line: at the start" if few else "at the start | now")
    if not weights:
        canvas.text(inside.x + inside.w / 2, inside.y + inside.h / 2, "none", colour=MUTED, align="center")
        return
    before = {name: history.before.get(name, values) for name, values in weights.items()}
    bound = nice_bound(np.concatenate([*weights.values(), *before.values()]))
    if few:
        _draw_bars(canvas, inside, _clusters(weights, before, frame, history), bound)
    else:
        _draw_matrices(canvas, inside, weights, before, history, bound)


def _clusters(weights: dict, before: dict, frame: Frame, history: History) -> list[_Cluster]:
    """Gather the synapses of all projections by the unit they end on."""
    groups = dict(frame.groups) or history.groups
    sizes = {name: units.stop - units.start for name, units in groups.items()}

    def unit(group: str, index: int) -> str:
        return unit_label(group, index, frame.unit_names, sizes.get(group))

    found: dict[str, list[tuple[str, float, float]]] = {}
    for name, now in weights.items():
        source, target, pre, post = history.synapses.get(name, ("", "", None, None))
        for k, value in enumerate(now):
            if pre is None or post is None:
                title, label = name, str(k)
            else:
                title, label = unit(target, int(post[k])), unit(source, int(pre[k]))
            found.setdefault(title, []).append((label, float(before[name][k]), float(value)))
    return [
        _Cluster(title, [r[0] for r in rows], np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))
        for title, rows in found.items()
    ]


def _draw_bars(canvas: Canvas, inside: Box, clusters: list[_Cluster], bound: float) -> None:
    plot = inside.inset(34, 14, 0, 26)
    zero = plot.y + plot.h / 2
    for level, text in ((bound, f"{bound:g}"), (0.0, "0"), (-bound, f"\N{MINUS SIGN}{bound:g}")):
        y = zero - level / bound * plot.h / 2
        canvas.line(plot.x, y, plot.right, y, MUTED if level == 0 else HAIRLINE)
        canvas.text(plot.x - 8, y, text, SMALL, MUTED, align="right")
    n_bars = sum(len(c.labels) for c in clusters)
    gap = 24
    pitch = (plot.w - gap * (len(clusters) - 1)) / n_bars
    left = float(plot.x)
    for cluster in clusters:
        wide = pitch * len(cluster.labels)
        title = f"\N{RIGHTWARDS ARROW} {cluster.title}"
        canvas.text(left + wide / 2, inside.y + 1, title, SMALL, INK, bold=True, align="center", width=int(wide))
        for k in range(len(cluster.labels)):
            x = left + pitch * (k + 0.5)
            _draw_bar(canvas, x, zero, min(26, int(pitch * 0.6)), plot.h / 2 / bound, cluster.before[k], cluster.now[k])
        _draw_sources(canvas, left, plot.bottom + 9, pitch, cluster.labels)
        left += wide + gap


def _draw_bar(canvas: Canvas, x: float, zero: float, width: int, scale: float, before: float, now: float) -> None:
    """Draw one weight: a bar from zero to its value now and a line at its value before."""
    height = max(1, round(abs(now) * scale))
    top = round(zero - height) if now >= 0 else round(zero)
    canvas.fill(Box(round(x - width / 2), top, width, height), POSITIVE if now >= 0 else NEGATIVE, 2)
    y = round(zero - before * scale)
    canvas.line(x - width / 2 - 4, y, x + width / 2 + 3, y, INK)


def _draw_sources(canvas: Canvas, left: float, y: int, pitch: float, labels: list[str]) -> None:
    """Write the names of the sources under their bars, in two lines: a group once for all its units, then the units."""
    start = 0
    for group, members in groupby(labels, lambda label: label.rpartition(" ")[0]):
        units = [label.rpartition(" ")[2] for label in members]
        middle = left + pitch * (start + len(units) / 2)
        canvas.text(middle, y, group, SMALL - 2, MUTED, align="center", width=max(10, int(pitch * len(units)) + 2))
        for k, unit in enumerate(units, start):
            x, at = left + pitch * (k + 0.5), y + (12 if group else 0)
            canvas.text(x, at, unit, SMALL - 2, MUTED, align="center", width=max(10, int(pitch) + 2))
        start += len(units)


def _draw_matrices(canvas: Canvas, inside: Box, weights: dict, before: dict, history: History, bound: float) -> None:
    shown = sorted(weights, key=lambda name: -weights[name].size)[:_MOST_IMAGES]
    wide = (inside.w - 20 * (len(shown) - 1)) // len(shown)
    for k, name in enumerate(shown):
        area = Box(inside.x + k * (wide + 20), inside.y + 14, wide, inside.h - 32)
        label = name.replace("->", " \N{RIGHTWARDS ARROW} ")
        canvas.text(area.x + wide / 2, inside.y + 2, label, SMALL, INK, bold=True, align="center", width=wide)
        half = (wide - 8) // 2
        for side, values in enumerate((before[name], weights[name])):
            place = Box(area.x + side * (half + 8), area.y, half, area.h)
            canvas.image(place, weight_image(values, history.synapses.get(name), bound))
            canvas.frame(place, mix(HAIRLINE, INK, 0.3))
    legend = f"blue \N{MINUS SIGN}{bound:g}, white 0, orange +{bound:g}; rows: targets, columns: sources"
    if len(weights) > len(shown):
        legend += f"; {len(weights) - len(shown)} more projections"
    canvas.text(inside.x, inside.bottom - 4, legend, SMALL, MUTED, width=inside.w)


def weight_image(values: npt.NDArray, synapses: tuple | None, bound: float, most: int = 400) -> npt.NDArray[np.uint8]:
    """Return weights as an image uint8 [post, pre, 3]; absent synapses are grey.

    Parameters
    ----------
    values : ndarray, shape (n_synapses,)
        Weights in projection order.
    synapses : tuple or None
        ``(source, target, pre, post)``; None folds the vector into a square.
    bound : float
        Weight of the full colour.
    most : int
        Largest matrix side; of larger ones every n-th row and column is drawn.
    """
    if synapses is None:
        side = int(np.ceil(np.sqrt(max(1, values.size))))
        matrix = np.full(side * side, np.nan)
        matrix[: values.size] = values
        matrix = matrix.reshape(side, side)
    else:
        pre, post = synapses[2], synapses[3]
        matrix = np.full((int(post.max()) + 1, int(pre.max()) + 1), np.nan)
        matrix[post, pre] = values
    matrix = matrix[:: -(-matrix.shape[0] // most), :: -(-matrix.shape[1] // most)]
    image = signed(matrix, bound)
    image[np.isnan(matrix)] = mix(HAIRLINE, PANEL, 0.5)
    return image
