"""The panels on the right of the window: spikes, reward and modulator, sensors and actions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from insectbot.view.canvas import SMALL, Box, Canvas
from insectbot.view.frame import Frame
from insectbot.view.history import RASTER_SECONDS, TRACE_SECONDS, History, nice_bound
from insectbot.view.palette import BLUE, HAIRLINE, INK, MUTED, PANEL, PURPLE, RGB, SERIES, mix

LABEL_WIDTH = 92
_MOST_BARS = 8


def shares(counts: Sequence[int], total: int, least: int) -> list[int]:
    """Split ``total`` pixels into rows by the root of the counts, each at least ``least`` where they all fit."""
    if not counts:
        return []
    roots = np.sqrt(np.asarray(counts, float))
    rows = np.maximum(roots / roots.sum() * total, min(least, total / len(counts)))
    edges = np.rint(np.cumsum(rows / rows.sum() * total)).astype(int)
    return np.diff(edges, prepend=0).tolist()


def draw_raster(canvas: Canvas, box: Box, frame: Frame, history: History) -> None:
    """Draw the spikes of the last two seconds, one band per group, with mean rates."""
    inside = canvas.panel(box, "Spikes", f"last {RASTER_SECONDS:g} s, mean rate per unit")
    groups = dict(frame.groups) or history.groups
    if not groups:
        _empty(canvas, inside, "no network")
        return
    plot = inside.inset(LABEL_WIDTH, 0, 62, 22)
    age, unit = history.spikes(frame.time)
    window = min(RASTER_SECONDS, frame.time) or RASTER_SECONDS
    _time_axis(canvas, plot, RASTER_SECONDS, 0.5)
    heights = shares([s.stop - s.start for s in groups.values()], plot.h, 18)
    top = plot.y
    for k, ((name, units), height) in enumerate(zip(groups.items(), heights, strict=True)):
        band = Box(plot.x, top + 1, plot.w, max(1, height - 3))
        mine = (unit >= units.start) & (unit < units.stop)
        n = units.stop - units.start
        colour = SERIES[k % len(SERIES)]
        canvas.image(band, events(age[mine], unit[mine] - units.start, n, band.w, band.h, colour))
        middle = band.y + band.h / 2
        canvas.text(inside.x, middle, name, SMALL, mix(colour, INK, 0.35), bold=True, width=LABEL_WIDTH - 12)
        rate = int(mine.sum()) / n / window
        canvas.text(inside.right, middle, f"{rate:.0f} Hz", SMALL, MUTED, align="right")
        top += height


def events(
    age: npt.NDArray, row: npt.NDArray, n_rows: int, width: int, height: int, colour: RGB
) -> npt.NDArray[np.uint8]:
    """Return a raster as an image: a column per moment (now at the right), units from bottom to top.

    Parameters
    ----------
    age : ndarray
        Age of each spike [s].
    row : ndarray of int
        Unit of each spike, 0 to ``n_rows - 1``.
    n_rows, width, height : int
        Number of units; size [pixel].
    colour : RGB
        Colour of a spike.
    """
    ground = mix(colour, PANEL, 0.94)
    if n_rows > height:
        return _density(age, row, n_rows, width, height, colour, ground)
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ground
    x = np.clip(((1 - age / RASTER_SECONDS) * (width - 1)).astype(int), 0, width - 1)
    y0 = ((n_rows - 1 - row) * height / n_rows).astype(int)
    tall = max(1, int(height / n_rows) - (1 if height / n_rows >= 4 else 0))
    for k in range(tall):
        image[np.minimum(y0 + k, height - 1), x] = colour
    return image


def _density(
    age: npt.NDArray, row: npt.NDArray, n_rows: int, width: int, height: int, colour: RGB, ground: RGB
) -> npt.NDArray[np.uint8]:
    """Return spikes per cell of 2 x 2 pixels as shades, where units are finer than pixels."""
    cells = (max(1, height // 2), max(1, width // 2))
    span = ((0, n_rows), (0, RASTER_SECONDS))
    counts = np.histogram2d(n_rows - 1 - row, RASTER_SECONDS - age, cells, span)[0]
    share = np.clip(counts / max(1.0, 1.5 * float(np.quantile(counts, 0.95))), 0, 1)[..., None]
    small = np.asarray(ground) * (1 - share) + np.asarray(colour) * share
    rows, columns = (np.minimum(np.arange(n) // 2, m - 1) for n, m in zip((height, width), cells, strict=True))
    return small.astype(np.uint8)[rows][:, columns]


def draw_traces(canvas: Canvas, box: Box, frame: Frame, history: History) -> None:
    """Draw reward and modulator over the last ten seconds."""
    inside = canvas.panel(box, "Reward and modulator", f"last {TRACE_SECONDS:g} s")
    traces = history.traces()
    plot = inside.inset(LABEL_WIDTH, 0, 62, 22)
    half = plot.h // 2
    _time_axis(canvas, plot, TRACE_SECONDS, 2.5)
    rows = (("reward", 1, BLUE, last(frame.reward)), ("modulator", 2, PURPLE, last(frame.modulator)))
    for k, (name, column, colour, value) in enumerate(rows):
        row = Box(plot.x, plot.y + k * half, plot.w, half - 4)
        bound = nice_bound(traces[:, column])
        zero = row.y + row.h / 2
        canvas.line(row.x, zero, row.right, zero)
        roomy = row.h >= 28
        canvas.text(inside.x, zero - 7 * roomy, name, SMALL, colour, bold=True)
        if roomy:
            canvas.text(inside.x, zero + 7, f"\N{PLUS-MINUS SIGN}{bound:g}", SMALL, MUTED)
        if len(traces) > 1:
            x = row.right - (frame.time - traces[:, 0]) / TRACE_SECONDS * row.w
            y = zero - np.nan_to_num(traces[:, column]) / bound * (row.h / 2 - 1)
            canvas.polyline(np.column_stack([x, y]), colour)
        canvas.text(inside.right, zero, number(value, "+.2f"), SMALL, INK, align="right")


def draw_signals(canvas: Canvas, box: Box, frame: Frame) -> None:
    """Draw the observation (bars over the range of each sense) and the action (bars from -1 to 1)."""
    inside = canvas.panel(box, "Senses and action")
    gap = 28
    half = (inside.w - gap) // 2
    sensed = np.asarray(frame.observation, float).ravel()
    done = np.asarray(frame.action, float).ravel()
    left = Box(inside.x, inside.y, half, inside.h)
    right = Box(inside.x + half + gap, inside.y, half, inside.h)
    low, high = frame.scene.get("sense_range", (0.0, 1.0))
    spans = np.column_stack([np.broadcast_to(np.asarray(v, float), sensed.shape) for v in (low, high)])
    _bars(canvas, left, sensed, [*frame.observation_names], "o", BLUE, spans)
    _bars(canvas, right, done, [*frame.action_names], "a", INK, np.tile((-1.0, 1.0), (done.size, 1)))


def _bars(
    canvas: Canvas, box: Box, values: npt.NDArray, names: list[str], letter: str, colour: RGB, spans: npt.NDArray
) -> None:
    if not values.size:
        _empty(canvas, box, "none")
        return
    low, high = spans.T
    shares = np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1)
    zeros = np.clip(-low / (high - low), 0, 1)
    if values.size > _MOST_BARS:
        shade = np.asarray(PANEL) * (1 - shares[None, :, None]) + np.asarray(colour) * shares[None, :, None]
        area = Box(box.x, box.y, box.w, max(8, box.h - 20))
        canvas.image(area, shade.astype(np.uint8))
        canvas.frame(area)
        canvas.text(box.x, box.bottom - 6, f"{values.size} values, {low.min():g} to {high.max():g}", SMALL, MUTED)
        return
    names += [f"{letter}{k}" for k in range(len(names), values.size)]
    pitch = min(20.0, box.h / values.size)
    wide = max(canvas.text_width(n, SMALL) for n in names[: values.size]) + 12
    track = Box(box.x + min(wide, 100), box.y, box.w - min(wide, 100) - 46, 9)
    for k, value in enumerate(values):
        y = box.y + pitch * (k + 0.5)
        canvas.text(box.x, y, names[k], SMALL, INK, width=min(wide, 100) - 8)
        canvas.fill(Box(track.x, round(y) - 4, track.w, 9), mix(HAIRLINE, PANEL, 0.55), 2)
        zero, end = track.x + track.w * zeros[k], track.x + track.w * shares[k]
        canvas.fill(Box(round(min(zero, end)), round(y) - 4, max(1, round(abs(end - zero))), 9), colour, 2)
        if low[k] < 0:
            canvas.line(zero, y - 6, zero, y + 6, MUTED)
        canvas.text(box.right, y, number(value), SMALL, MUTED, align="right")


def _time_axis(canvas: Canvas, plot: Box, seconds: float, spacing: float) -> None:
    y = plot.bottom + 3
    canvas.line(plot.x, y, plot.right - 1, y, MUTED)
    count = round(seconds / spacing)
    for k in range(count + 1):
        x = plot.x + (plot.w - 1) * k / count
        canvas.line(x, y, x, y + 4, MUTED)
        value = spacing * k - seconds
        text = "now" if k == count else number(value, "g") + (" s" if k == 0 else "")
        canvas.text(x, y + 13, text, SMALL, MUTED, align="center")


def last(values: npt.ArrayLike) -> float:
    """Return a number, or the last one of an array (0 for an empty one)."""
    flat = np.asarray(values, float).ravel()
    return float(flat[-1]) if flat.size else 0.0


def number(value: float, form: str = ".2f") -> str:
    """Return a number as text, with a minus sign as long as a plus."""
    return format(value, form).replace("-", "\N{MINUS SIGN}")


def _empty(canvas: Canvas, box: Box, note: str) -> None:
    canvas.text(box.x + box.w / 2, box.y + box.h / 2, note, colour=MUTED, align="center")
