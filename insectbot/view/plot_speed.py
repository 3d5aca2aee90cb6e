"""The figure of ``insectbot speed``: every measured figure beside its bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from insectbot.loop.files import atomic
from insectbot.view.figure_style import new_figure, style
from insectbot.view.palette import GREEN, INK, ORANGE, hex_colour


def plot_speed(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw how far each figure is on the good side of its bar, as a PNG.

    Parameters
    ----------
    rows : sequence of mapping
        With ``what``, ``figure``, ``limit``, ``unit``, ``at_most``, ``reached``.
    path : Path
        File to write.
    """
    with style():
        figure = new_figure(0.9 + 0.27 * len(rows))
        axes = figure.add_subplot()
        y = np.arange(len(rows))[::-1]
        gains = np.array([r["limit"] / r["figure"] if r["at_most"] else r["figure"] / r["limit"] for r in rows])
        colours = [hex_colour(GREEN if r["reached"] else ORANGE) for r in rows]
        axes.barh(y, gains - 1.0, left=1.0, height=0.62, color=colours)
        axes.set_xscale("log", base=2)
        low, high = min(0.5, gains.min() / 1.6), max(2.0, gains.max() * 2.6)
        axes.set_xlim(low, high)
        axes.axvline(1.0, color=hex_colour(INK), linewidth=1.0)
        axes.set_yticks(y, [r["what"] for r in rows])
        axes.tick_params(axis="y", length=0)
        ticks = 2.0 ** np.arange(np.ceil(np.log2(low)), np.floor(np.log2(high)) + 1)
        axes.set_xticks(ticks, [f"{t:g}x" for t in ticks])
        for k, r in enumerate(rows):
            sign = "\N{LESS-THAN OR EQUAL TO}" if r["at_most"] else "\N{GREATER-THAN OR EQUAL TO}"
            text = f"{r['figure']:.3g} {r['unit']} ({sign} {r['limit']:g})"
            axes.annotate(text, (max(gains[k], 1.0), y[k]), (4, 0), textcoords="offset points", va="center", fontsize=7)
        axes.set_xlabel("times better than the bar")
        axes.set_title("insectbot speed: measured here, beside the project's bars")
        figure.set_facecolor("white")
        with atomic(path) as temporary:
            figure.savefig(temporary, format="png", facecolor="white")
