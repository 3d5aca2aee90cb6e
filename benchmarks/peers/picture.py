"""The comparison as a picture: one panel for each network, bars on a logarithmic scale."""

from __future__ import annotations

import math
from pathlib import Path

from cases import NAMES, OURS, PEERS, Case
from compare import Row
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from table import number

OWN, OTHER, FAINT, INK = "#e07a1f", "#9fb0bd", "#d9e0e5", "#26323a"
_TITLES = {
    "w1": "closed loop from Python",
    "w2": "4000 neurons, 0.32 M synapses",
    "w3": "10 000 neurons, 10 M synapses",
}


def draw(rows: dict[Case, Row], folder: Path) -> None:
    """Write ``peers.png`` and ``peers.svg``."""
    columns = _columns(list(rows))
    height = max(len(column) for column in columns)
    peers = [peer for peer in PEERS if any(peer in row for row in rows.values())]
    figure = Figure(figsize=(0.4 + 3.5 * len(columns), 0.9 + height * (0.95 + 0.27 * len(peers))), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.1)
    axes = figure.subplots(height, len(columns), squeeze=False)
    for c, column in enumerate(columns):
        for r in range(height):
            if r < len(column):
                case = column[r]
                _panel(axes[r][c], case, rows[case], peers, _span(rows, case.unit))
            else:
                axes[r][c].set_axis_off()
    figure.suptitle(
        "Time that one CPU thread needs for the same spiking network (shorter is faster; \u00d7: times insectbot's)",
        x=0.01, ha="left", fontsize=14, fontweight="bold", color=INK,
    )  # fmt: skip
    for kind in ("png", "svg"):
        figure.savefig(folder / f"peers.{kind}", dpi=160, facecolor="white")


def _columns(chosen: list[Case]) -> list[list[Case]]:
    """Return the panels by column: one for each size of W1, one for W2, one for W3."""
    columns: dict[tuple[str, int | None], list[Case]] = {}
    for case in chosen:
        columns.setdefault((case.net, case.n), []).append(case)
    return list(columns.values())


def _span(rows: dict[Case, Row], unit: str) -> tuple[float, float]:
    """Return the axis of all panels with this unit: from a whole decade, to beyond the largest by a label's width."""
    cells = [cell for case, row in rows.items() if case.unit == unit for cell in row.values()]
    low, high = min(cell.low for cell in cells), max(cell.high for cell in cells)
    start = 10.0 ** math.floor(math.log10(low / 1.5))
    return start, high * (high / start) ** 0.4


def _panel(axes: Axes, case: Case, row: Row, peers: list[str], span: tuple[float, float]) -> None:
    """Draw one network: every peer has its line, the fastest on top, those that did not run at the bottom."""
    start, stop = span
    ran = sorted(row, key=lambda peer: row[peer].value)
    order = ran + [peer for peer in peers if peer not in row]
    if case.unit == "RTF":
        axes.axvline(1.0, color=INK, lw=0.9, ls=(0, (4, 3)), alpha=0.6, zorder=1)
    for y, peer in enumerate(order):
        if peer not in row:
            axes.text(start * 1.15, y, "not run", va="center", fontsize=8, color=OTHER, style="italic")
            continue
        cell, own = row[peer], peer == OURS
        axes.barh(y, cell.value - start, left=start, height=0.68, color=OWN if own else OTHER, zorder=2)
        axes.plot([cell.low, cell.high], [y, y], color=INK, lw=1.2, alpha=0.6, zorder=3, solid_capstyle="butt")
        words = number(cell.value) + ("" if own or not cell.ratio else f"   {float(f'{cell.ratio[0]:.2g}'):g}\u00d7")
        axes.text(
            cell.high * 1.18, y, words, va="center", fontsize=8.5, color=INK, zorder=4,
            fontweight="bold" if own else "normal", bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.85},
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(start, stop)
    axes.set_yticks(range(len(order)), [NAMES[p] for p in order], fontsize=9)
    _style(axes, case, order)


def _style(axes: Axes, case: Case, order: list[str]) -> None:
    axes.set_ylim(len(order) - 0.4, -0.6)
    for label, peer in zip(axes.get_yticklabels(), order, strict=True):
        label.set_color(OWN if peer == OURS else INK)
        label.set_fontweight("bold" if peer == OURS else "normal")
    axes.set_title(case.label, loc="left", fontsize=11, fontweight="bold", color=INK, pad=19)
    axes.text(0, 1.045, _TITLES[case.net], transform=axes.transAxes, fontsize=8.5, color=INK, alpha=0.75)
    unit = "µs per control step of 1 ms" if case.unit == "µs" else "CPU s per biological s (1: real time)"
    axes.set_xlabel(unit, fontsize=8.5, color=INK)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8, colors=INK, length=2)
    axes.tick_params(axis="x", which="minor", length=0)
    axes.grid(axis="x", color=FAINT, lw=0.7, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
