"""The picture of benchmarks/lasso.py: error over time and over rate, what each chip reaches, and operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from insectbot.view.figure_style import new_figure, style, styled
from insectbot.view.palette import BLUE, GREEN, HAIRLINE, INK, MUTED, ORANGE, RGB, VERMILION, hex_colour

Row = Mapping[str, Any]
LINES: tuple[tuple[str, str, str, RGB], ...] = (
    ("ideal", "reset by subtraction", "ideal, subtraction", INK),
    ("loihi", "reset to zero", "Loihi, reset to zero", VERMILION),
    ("loihi", "in the current", "Loihi, in the current", ORANGE),
    ("loihi", "in the current, two words", "Loihi, in the current, two words", BLUE),
)
SHAPES = {"8x16": "o", "64x128": "s", "256x512": "D"}


def _rows(result: Row, size: str) -> dict[tuple[str, str], Row]:
    rows = next(s for s in result["sizes"] if s["size"] == size)["rows"]
    return {(row["chip"], row["circuit"]): row for row in rows}


def _band(axes: Any, x: Any, triples: Any, colour: RGB, **look: Any) -> None:
    """Draw a mean and its 95 % interval."""
    mean, low, high = np.array(triples).T
    axes.fill_between(x, low, high, color=hex_colour(colour), alpha=0.15, lw=0)
    axes.plot(x, mean, color=hex_colour(colour), lw=1.8, ms=4, **({"marker": "o"} | look))


def _over_time(axes: Any, result: Row, size: str) -> None:
    times, rows = result["times"], _rows(result, size)
    for chip, circuit, label, colour in LINES:
        _band(axes, times, rows[chip, circuit]["error"], colour, label=label)
    axes.plot(times, 1.2 / np.array(times), color=hex_colour(MUTED), lw=1, ls=":", label="1 / T")
    axes.set(xscale="log", yscale="log", xlabel="T: spikes of coefficient 1", ylabel="largest error of a coefficient")
    axes.set_xticks(times, [str(t) for t in times])
    axes.minorticks_off()
    axes.legend(loc="lower left", handlelength=1.6, labelspacing=0.3)
    first, last = next(s for s in result["sizes"] if s["size"] == size)["seeds"]
    axes.set_title(f"Error over time, {size}, {last - first + 1} problems")


def _over_rate(axes: Any, result: Row) -> None:
    looks = {
        ("ideal", "reset to zero"): (VERMILION, {"ls": "--", "markerfacecolor": "none"}, "ideal, reset to zero"),
        ("loihi", "reset to zero"): (VERMILION, {}, "Loihi, reset to zero"),
        ("ideal", "in the current, two words"): (
            BLUE,
            {"ls": "--", "markerfacecolor": "none"},
            "ideal, in the current",
        ),
        ("loihi", "in the current, two words"): (BLUE, {}, "Loihi, in the current, two words"),
    }
    for key, (colour, look, label) in looks.items():
        rows = [row for row in result["resets"] if (row["chip"], row["circuit"]) == key]
        _band(axes, [r["rate_Hz"] for r in rows], [r["error"] for r in rows], colour, label=label, **look)
    axes.set(xscale="log", yscale="log", xlabel="rate of coefficient 1 [Hz]", ylim=(4e-4, 0.4))
    ticks = (1, 10, 100)
    axes.set_xticks(ticks, [f"{t}\n{1_000_000 // t:,} ticks".replace(",", " ") for t in ticks])
    axes.minorticks_off()
    axes.legend(loc="upper left", handlelength=2.2, labelspacing=0.3)
    axes.set_title("Error at T = 1000 over rate, 8x16")


def _chips(axes: Any, result: Row) -> None:
    """Draw what the best circuit of each chip reaches, one line per chip."""
    names, y = _names(result), 0
    for y, name in enumerate(names):
        shown = 0
        for k, (size, shape) in enumerate(SHAPES.items()):
            found = [row for key, row in _rows(result, size).items() if key[0] == name]
            if not found:
                continue
            row = min(found, key=lambda r: r["error"][-1][0])
            mean, low, high = row["error"][-1]
            at, colour = y + 0.22 * (k - 1), hex_colour((BLUE, GREEN, ORANGE)[k])
            axes.plot([low, high], [at, at], color=colour, lw=1.3)
            axes.plot([mean], [at], shape, color=colour, ms=4.5, label=size if y == 0 else None)
            shown += 1
        if not shown:
            axes.annotate("cannot run it", (0.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7.5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(y + 0.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", lw=0.6, color=hex_colour(HAIRLINE))
    axes.set_axisbelow(True)
    axes.set(xscale="log", xlabel="largest error of a coefficient [95 %]")
    axes.legend(loc="lower right", handletextpad=0.2, labelspacing=0.3)
    axes.set_title("Best circuit of each chip at T = 1000")


def _names(result: Row) -> list[str]:
    first = result["sizes"][0]
    ran = list(dict.fromkeys(row["chip"] for row in first["rows"]))
    best = {n: min(r["error"][-1][0] for r in first["rows"] if r["chip"] == n) for n in ran}
    return sorted(ran, key=lambda n: best[n]) + [n for n in first["refused"] if n not in ran]


def _operations(axes: Any, result: Row) -> None:
    """Draw operations against the size of the dictionary, for the error that Loihi reaches."""
    n = [int(s["size"].split("x")[1]) for s in result["sizes"]]
    for label, colour, look, values in _curves(result):
        axes.plot(n, values, color=hex_colour(colour), lw=1.8, ms=4, marker="o", label=label, **look)
    axes.set(xscale="log", yscale="log", xlabel="elements of the dictionary", ylabel="operations")
    axes.set_xticks(n, [str(v) for v in n])
    axes.minorticks_off()
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * 300)
    axes.legend(loc="upper left", handlelength=3.2, labelspacing=0.3)
    axes.set_title("Operations for Loihi's error at T = 1000")


def _curves(result: Row) -> Iterator[tuple[str, RGB, dict[str, Any], list[float]]]:
    key = ("loihi", "in the current, two words")
    rows = [_rows(result, s["size"]) for s in result["sizes"]]
    yield "synaptic operations, Loihi two words", BLUE, {}, [r[key]["synops"][-1] for r in rows]
    zero = ("loihi", "reset to zero")
    yield (
        "synaptic operations, Loihi reset to zero (larger error)",
        VERMILION,
        {},
        [r[zero]["synops"][-1] for r in rows],
    )
    for name, method, dash in (("FISTA", "fista", "--"), ("coordinate descent", "descent", ":")):
        values = [r[key]["multiply_adds_to_this_error"][method][-1] for r in rows]
        yield f"multiply-adds, {name}", INK, {"ls": dash}, values
    both = [s["setup_multiply_adds"] for s in result["sizes"]]
    yield "multiply-adds, D'D and D'x (all methods)", MUTED, {"ls": "-."}, both


@styled
def figure(result: Row) -> Any:
    """Return the picture of a result of benchmarks/lasso.py over all sizes."""
    drawn = new_figure(7.4)
    panels: Any = drawn.subplots(2, 2)
    _over_time(panels[0, 0], result, "64x128")
    _over_rate(panels[0, 1], result)
    _chips(panels[1, 0], result)
    _operations(panels[1, 1], result)
    for axes in panels.flat:
        axes.grid(lw=0.6, color=hex_colour(HAIRLINE))
        axes.set_axisbelow(True)
    return drawn


def draw(result: Row, path: Path) -> None:
    """Write the picture."""
    drawn = figure(result)
    with style():
        drawn.savefig(path, facecolor="white")
