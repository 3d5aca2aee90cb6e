"""What codes cost and what they lose: ``python benchmarks/code_errors.py``.

Numbers uniform in [0, 1) go through a code and its decoder, with ticks of 1 ms (code_measures.py). Draws
docs/pictures/codes.png and fills the measured table of docs/codes.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from code_measures import CODES, RATE, Cost, Raster, kernel_raster

from insectbot.controllers.encoders import GaussianReceptiveFieldEncoder
from insectbot.snn.codes import (
    BurstInput,
    ISIInput,
    LatencyInput,
    LIFLatencyInput,
    LogLatencyInput,
    OscillationPhaseInput,
    PhaseInput,
    PoissonInput,
    RankOrderInput,
    RegularInput,
    SendOnDeltaInput,
)
from insectbot.snn.encode import encode
from insectbot.view.figure_style import new_figure, styled
from insectbot.view.palette import BLUE, GREEN, HAIRLINE, INK, MUTED, ORANGE, PAPER, PURPLE, SKY, VERMILION, hex_colour

DOCS = Path(__file__).parents[1] / "docs"
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
STYLES = {
    "regular rate": (MUTED, "o", "-"),
    "Poisson rate": (MUTED, "s", "--"),
    "latency": (BLUE, "o", "-"),
    "log latency": (BLUE, "s", "--"),
    "LIF latency": (BLUE, "^", ":"),
    "oscillation": (SKY, "o", "-"),
    "interval": (VERMILION, "o", "-"),
    "bits": (PURPLE, "o", "-"),
    "burst": (VERMILION, "s", "--"),
    "rank order": (SKY, "s", "--"),
    "receptive fields": (GREEN, "o", "-"),
    "send on delta": (ORANGE, "o", "-"),
}
"""Colour, marker and line of each code."""
NUDGES = {
    "oscillation": ("right", -6),
    "latency": ("right", 5),
    "interval": ("left", -9),
    "rank order": ("left", 6),
    "LIF latency": ("right", 0),
}
"""Side and lift [points] of names beside their points."""
STEPS = np.arange(1, 11) / 10
"""The drives of the raster."""
LENGTH = 50


def rasters() -> dict[str, Raster]:
    """Return 50 ms of spikes of the drives .1 to 1.0 in every code, [tick, channel]."""
    drives = np.tile(STEPS, (LENGTH, 1))
    fields = GaussianReceptiveFieldEncoder(10, 8, cutoff=0.15)(STEPS)
    return {
        "regular rate": kernel_raster(RegularInput(RATE), STEPS, LENGTH),
        "Poisson rate": kernel_raster(PoissonInput(RATE), STEPS, LENGTH),
        "latency": encode(LatencyInput(), drives),
        "log latency": encode(LogLatencyInput(), drives),
        "LIF latency": encode(LIFLatencyInput(v_th=0.09), drives),
        "oscillation": encode(OscillationPhaseInput(), drives),
        "rank order": encode(RankOrderInput(interval=4.0), drives),
        "interval": encode(ISIInput(), drives),
        "burst": encode(BurstInput(), drives),
        "bits": encode(PhaseInput(period=48.0), np.tile(STEPS, (48, 1))),
        "send on delta": encode(SendOnDeltaInput(period=50.0, threshold=0.0999), drives),
        "receptive fields": encode(LatencyInput(), np.tile(fields, (LENGTH, 1))),
    }


CAPTIONS = {
    "regular rate": "regular rate: spikes at k / f",
    "Poisson rate": "Poisson rate: on average f",
    "latency": "latency: linear",
    "log latency": "log latency: $-\\tau\\,\\ln x$",
    "LIF latency": "LIF latency: a neuron's own",
    "oscillation": "oscillation: phase in 25 ms",
    "rank order": "rank order: only who is first",
    "interval": "interval: 20 to 2 ms",
    "burst": "burst: count and interval",
    "bits": "bits: 1/2, 1/4, 1/8, ...",
    "send on delta": "send on delta: steps of 0.1",
    "receptive fields": "receptive fields: 8 channels a drive",
}


@styled
def figure(curves: dict[str, list[Cost]], shown: dict[str, Raster]) -> Any:
    """Draw the error curves above, the rasters below."""
    page = new_figure(10.6)
    top, bottom = page.subfigures(2, 1, height_ratios=(1.12, 1.0), hspace=0.04)
    left, right = top.subplots(1, 2, sharey=True)
    for name, costs in curves.items():
        colour, marker, line = STYLES[name]
        look = {"color": hex_colour(colour), "marker": marker, "linestyle": line, "markersize": 4, "linewidth": 1.4}
        errors = [c.error for c in costs]
        left.plot([c.time for c in costs], errors, label=name, **look)
        best = [c for c in costs if c.time <= LENGTH + 1][-1]
        right.plot(best.spikes, best.error, **look)
        side, lift = NUDGES.get(name, ("left", 0))
        right.annotate(
            name,
            (best.spikes, best.error),
            (7 if side == "left" else -7, lift),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=8,
        )
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", ylim=(4e-4, 0.8))
        axes.grid(color=hex_colour(HAIRLINE), linewidth=0.6)
        axes.set_axisbelow(True)
        axes.minorticks_off()
    left.set(xlabel="time per number [ms]", ylabel="round-trip error (root mean square)")
    left.set_title("What a code takes in time ...")
    left.set_xticks((2, 5, 10, 20, 50, 100, 200, 500), ("2", "5", "10", "20", "50", "100", "200", "500"))
    left.minorticks_off()
    right.set(xlabel="spikes per number", xlim=(0.4, 30))
    right.set_title("... and in spikes, within 50 ms")
    right.set_xticks((0.5, 1, 2, 5, 10, 20), ("0.5", "1", "2", "5", "10", "20"))
    right.minorticks_off()
    top.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    _draw_rasters(bottom, shown)
    return page


def _draw_rasters(part: Any, shown: dict[str, Raster]) -> None:
    grid = part.subplots(3, 4, sharex=True, sharey=True)
    part.suptitle("How each code says 0.1 to 1.0", x=0.008, ha="left", fontsize=9, fontweight="bold")
    for axes, (name, raster) in zip(grid.flat, shown.items(), strict=True):
        per_drive = raster.shape[1] // 10
        tick, channel = np.nonzero(raster)
        centre = 0.1 * (channel // per_drive + 1)
        if per_drive > 1:
            centre = centre + 0.085 * ((channel % per_drive + 0.5) / per_drive - 0.5)
            axes.hlines(STEPS + 0.05, -1.5, LENGTH + 0.5, color=hex_colour(HAIRLINE), linewidth=0.6)
        height = 0.072 if per_drive == 1 else 0.028
        axes.vlines(tick, centre - height / 2, centre + height / 2, color=hex_colour(STYLES[name][0]), linewidth=1.6)
        axes.set_title(CAPTIONS[name], fontweight="normal", fontsize=8.5, pad=3, color=hex_colour(INK))
        axes.set(xlim=(-1.5, LENGTH + 0.5), ylim=(0.04, 1.06), xticks=(0, 25, 50), yticks=(0.1, 0.5, 1.0))
        axes.tick_params(length=2)
    for axes in grid[:, 0]:
        axes.set_ylabel("drive x")
    for axes in grid[-1]:
        axes.set_xlabel("time [ms]")


def table(curves: dict[str, list[Cost]]) -> str:
    """Return the measured costs as Markdown."""
    lines = ["| code | " + " | ".join(f"{t} ms" for t in (10, 20, 50, 100)) + " | spikes per number |"]
    lines.append("|---|" + "---|" * 5)
    for name, (measure, _) in CODES.items():
        cells, spikes = [], []
        for time in (10, 20, 50, 100):
            found = next((c for c in curves[name] if round(c.time) == time), None) or _try(measure, time)
            cells.append(
                "-" if found is None else f"{found.error:.2g}" if found.error >= 0.001 else f"{found.error:.1g}"
            )
            spikes += [] if found is None else [found.spikes]
        low, high = min(spikes), max(spikes)
        lines.append(
            f"| {name} | {' | '.join(cells)} | {low:.2g}" + ("" if high < 1.2 * low else f" to {high:.2g}") + " |"
        )
    return "\n".join(lines)


def _try(measure: Any, time: int) -> Cost | None:
    try:
        return measure(time)
    except (StopIteration, ValueError):
        return None


def main() -> None:
    """Measure, draw, and write the table between its marks in docs/codes.md."""
    curves = {name: [measure(time) for time in times] for name, (measure, times) in CODES.items()}
    picture = DOCS / "pictures" / "codes.png"
    picture.parent.mkdir(exist_ok=True)
    figure(curves, rasters()).savefig(picture, dpi=130, facecolor=hex_colour(PAPER))
    text = table(curves)
    print(text)
    page = DOCS / "codes.md"
    if page.exists():
        before, _, rest = page.read_text("utf-8").partition(START)
        after = rest.partition(END)[2]
        page.write_text(f"{before}{START}\n{text}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
