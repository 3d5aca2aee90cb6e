"""The figure of ``insectbot bench``: what the same brains reach on every chip, and what a decision costs there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from insectbot.view.figure_style import new_figure, styled
from insectbot.view.labels import chip_label
from insectbot.view.palette import HAIRLINE, INK, MUTED, SERIES, hex_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]
_SPREAD = 0.36  # presets of a chip share this height of its row


@styled
def bench_figure(rows: Sequence[Row]) -> Figure:
    """Draw the rows of a bench, one line per chip.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of ``summary.json``, one per chip and preset; see ``insectbot.training.bench.bench``.

    Returns
    -------
    Figure
        Success (or the world's first metric) with its 95 % interval; spikes in agreement with the float network; energy
        and chip time per decision on logarithmic axes, as fast as the chip can (filled) and held to real time (open).
    """
    chips = list(dict.fromkeys(str(row["chip"]) for row in rows))
    presets = list(dict.fromkeys(row["preset"] for row in rows if row["fits"]))
    figure = new_figure(1.5 + 0.34 * len(chips))
    panels: Any = figure.subplots(1, 4, sharey=True, width_ratios=(3, 1.6, 3, 2.4))
    metric = _metric(rows)
    for k, chip in enumerate(chips):
        for row in (row for row in rows if row["chip"] == chip):
            if not row["fits"]:
                where: Any = ("axes fraction", "data")
                panels[0].annotate("cannot run it", (0.02, k), xycoords=where, va="bottom", fontsize=7.5)
                continue
            p = presets.index(row["preset"])
            y = k + _SPREAD * ((p + 0.5) / len(presets) - 0.5)
            _draw(panels, row, metric, y, hex_colour(SERIES[p % len(SERIES)]), p == 0)
    _dress(figure, panels, chips, presets, metric, any(row.get("dagger") for row in rows))
    return figure


def _metric(rows: Sequence[Row]) -> str:
    names = [name for row in rows for name in row.get("metrics") or ()]
    return "success" if "success" in names or not names else names[0]


def _draw(panels: Sequence[Axes], row: Row, metric: str, y: float, colour: str, first: bool) -> None:
    dot: Any = {"color": colour, "markersize": 4.5, "linestyle": "none", "marker": "o"}
    ring: Any = dot | {"markerfacecolor": "none"}
    black: Any = dot | {"color": hex_colour(INK)}
    if metric in row["metrics"]:
        mean, low, high = row["metrics"][metric]
        panels[0].plot([low, high], [y, y], color=colour, linewidth=1.4)
        panels[0].plot([mean], [y], **dot)
    match = row.get("spike_match")
    if first and match is not None and np.isfinite(match):
        panels[1].plot([match], [round(y)], **black)
    fast, paced = (sum((row.get(key) or {}).values()) for key in ("energy_per_decision", "energy_realtime"))
    for value, look in ((paced, ring), (fast, dot)):
        if value > 0:
            panels[2].plot([value], [y], **look)
    time = row.get("chip_time_per_decision")
    if time is not None and np.isfinite(time) and time > 0:
        panels[3].plot([time], [y], **dot)


def _dress(
    figure: Figure, panels: Sequence[Axes], chips: list[str], presets: list[Any], metric: str, dagger: bool
) -> None:
    from matplotlib.lines import Line2D

    mark = " \N{DAGGER}" if dagger else ""
    titles = (f"{metric} [95 %]", "spike match", f"energy per decision{mark} [J]", f"time per decision{mark} [s]")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title)
        axes.grid(axis="y", linewidth=0.6, color=hex_colour(HAIRLINE))
        axes.tick_params(axis="y", length=0)
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(chips)), [chip_label(chip) for chip in chips])
    panels[0].set_ylim(len(chips) - 0.45, -0.55)
    if metric == "success":
        panels[0].set_xlim(-0.03, 1.03)
    panels[1].set_xlim(-0.05, 1.05)
    panels[1].set_xticks([0, 0.5, 1])
    for axes in panels[2:]:
        if axes.lines:
            axes.set_xscale("log")
        else:
            axes.set_xticks([])
            axes.set_xlabel("no chip here has a model of it", color=hex_colour(MUTED))
    colours = [hex_colour(SERIES[p % len(SERIES)]) for p in range(len(presets))]
    shapes = [
        Line2D([], [], color=c, marker="o", markersize=4.5, label=str(p))
        for c, p in zip(colours, presets, strict=True)
        if p is not None
    ]
    ink: dict[str, Any] = {"color": hex_colour(MUTED), "marker": "o", "markersize": 4.5, "linestyle": "none"}
    shapes += [
        Line2D([], [], label="as fast as the chip can", **ink),
        Line2D([], [], label="held to real time", markerfacecolor="none", **ink),
    ]
    if dagger:
        shapes.append(Line2D([], [], linestyle="none", label="\N{DAGGER} rests on memory or assumption"))
    figure.legend(handles=shapes, loc="outside lower center", ncols=len(shapes), columnspacing=1.4)
