"""The tunnel-junction array learns three noisy patterns by itself: ``python benchmarks/ftj_array.py``.

After Boyn et al. 2017, Fig. 4b (nine inputs, five outputs, winner takes all). Twenty seeds, that is dies, initial
weights and orders of pictures; the choice of voltages and times used seeds 100 to 109. Writes
benchmarks/results/ftj_array.json and docs/pictures/ftj_array.png.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from insectbot.chips.ftj_patterns import N_OUTPUTS, PATTERNS, Outcome, learn_patterns
from insectbot.chips.ftj_replay import Junction, Shape, lines, stdp_window
from insectbot.training.statistics import bootstrap, wilson
from insectbot.view.figure_style import new_figure, style, styled
from insectbot.view.palette import BLUE, GREEN, HAIRLINE, INK, MUTED, VERMILION, hex_colour

ROOT = Path(__file__).parents[1]
SEEDS = range(20)
CASES: dict[str, dict[str, Any]] = {
    "5 % wrong pixels": {},
    "without learning": {"learning": False},
    "10 % wrong pixels": {"flip": 0.1},
    "no mismatch, no noise": {"mismatch": 0.0, "noise": 0.0, "write_noise": 0.0},
    "mismatch and noise x 3": {"mismatch": 3.0, "noise": 3.0, "write_noise": 3.0},
}
SHOWN = 0
"""Seed whose weights are drawn: the first."""


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the numbers of one case."""
    means = {
        "distinct": wilson(sum(o.distinct for o in outcomes), len(outcomes)),
        "correlation": bootstrap(float(np.mean(o.correlation)) for o in outcomes),
        "wins": bootstrap(float(np.mean(o.wins)) for o in outcomes),
        "write_energy_nJ": bootstrap(1e9 * o.energy for o in outcomes),
    }
    return {name: np.round(interval, 4).tolist() for name, interval in means.items()} | {
        "failed_seeds": [s for s, o in zip(SEEDS, outcomes, strict=True) if not o.distinct],
        "winners": [list(o.winners) for o in outcomes],
    }


def _spikes(axes: Any) -> None:
    """Draw the two lines of a pair, and the voltage of the junction between them."""
    t, shape, junction = np.arange(-100.0, 900.0, 1.0) + 0.5, Shape.of(), Junction.of()
    pre, post = lines(t, [0.0], shape), lines(t, [150.0], shape)
    for y, hue, label in ((pre, BLUE, "word line"), (post, VERMILION, "column")):
        axes.plot(t, y, color=hex_colour(hue), lw=1.2, label=label)
    axes.plot(t, post - pre, color=hex_colour(INK), lw=1.8, label="junction")
    for v in (junction.v_plus, -junction.v_minus):
        axes.axhline(v, color=hex_colour(MUTED), lw=0.8, ls=(0, (4, 3)))
    axes.text(890, junction.v_plus + 0.04, "threshold", ha="right", fontsize=8, color=hex_colour(MUTED))
    axes.set(xlabel="time [ns]", ylabel="voltage [V]", xlim=(-100, 900), ylim=(-1.2, 1.75))
    axes.legend(loc="upper right", bbox_to_anchor=(1.0, 1.0), ncols=3, columnspacing=1.0, handlelength=1.2)
    axes.set_title("Two spikes, 150 ns apart")


def _window(axes: Any) -> None:
    """Draw the change of conductance by one pair from three states."""
    delays = np.arange(-600.0, 601.0, 5.0)
    axes.axhline(0.0, color=hex_colour(HAIRLINE), lw=1.0)
    axes.axvline(0.0, color=hex_colour(HAIRLINE), lw=1.0)
    for s, hue in ((0.2, BLUE), (0.5, INK), (0.8, GREEN)):
        axes.plot(delays, stdp_window(delays, s), color=hex_colour(hue), lw=1.6, label=f"from s = {s:g}")
    axes.set(xlabel="column after word line [ns]", ylabel="change of G [µS]", xlim=(-600, 600))
    axes.legend(loc="upper left")
    axes.set_title("The window of the device: soft bounds")


def _image(axes: Any, values: np.ndarray, title: str, colour: str) -> Any:
    """Draw nine values as a picture."""
    shown = axes.imshow(values.reshape(3, 3), cmap="cividis", vmin=0.0, vmax=1.0)
    axes.set(xticks=(), yticks=())
    axes.set_title(title, loc="center", fontsize=8.5, fontweight="normal", color=colour)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return shown


def _weights(figure: Any, outcome: Outcome, seed: int) -> None:
    """Draw the weights of all outputs before and after."""
    names = {o: ("row", "column", "diagonal")[k] for k, o in enumerate(outcome.winners)}
    axes = figure.subplots(2, N_OUTPUTS)
    image = None
    for k in range(N_OUTPUTS):
        _image(axes[0, k], outcome.before[k], f"output {k + 1}", hex_colour(INK))
        colour = hex_colour(VERMILION if k in names else MUTED)
        image = _image(axes[1, k], outcome.after[k], names.get(k, "spare"), colour)
    axes[0, 0].set_ylabel("before")
    axes[1, 0].set_ylabel("after")
    bar = figure.colorbar(image, ax=axes, shrink=0.7, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("weight")
    figure.suptitle(f"45 junctions, 90 noisy pictures, seed {seed}", x=0.02, ha="left", fontsize=9, fontweight="bold")


def _bars(axes: Any, results: dict[str, Any]) -> None:
    """Draw how many seeds found three outputs, by case."""
    for k, (name, case) in enumerate(results.items()):
        mean, low, high = case["distinct"]
        hue = hex_colour(MUTED if name == "without learning" else VERMILION)
        axes.errorbar(mean, -k, xerr=[[mean - low], [high - mean]], fmt="o", ms=5, color=hue)
        axes.text(1.04, -k, f"{round(mean * len(SEEDS))} of {len(SEEDS)}", va="center", fontsize=8)
    axes.set(yticks=-np.arange(len(results)), yticklabels=list(results), xlim=(-0.03, 1.22), xticks=(0, 0.5, 1))
    axes.set(xlabel="seeds with an output per pattern, 95 %", ylim=(-len(results) + 0.5, 0.5))
    axes.set_title("Twenty dies")


@styled
def figure(results: dict[str, Any], outcome: Outcome) -> None:
    """Draw the picture."""
    whole = new_figure(6.2)
    halves: Any = whole.subfigures(2, 1, hspace=0.04)
    left, right = halves[0].subplots(1, 2)
    _spikes(left)
    _window(right)
    weights, bars = halves[1].subfigures(1, 2, width_ratios=(1.25, 1.0))
    _weights(weights, outcome, SHOWN)
    _bars(bars.subplots(), results)
    with style():
        whole.savefig(ROOT / "docs" / "pictures" / "ftj_array.png", facecolor="white")


def main() -> None:
    """Run all cases, write the numbers, draw the picture."""
    results: dict[str, Any] = {}
    kept: dict[str, list[Outcome]] = {}
    for name, options in CASES.items():
        kept[name] = [learn_patterns(seed, **options) for seed in SEEDS]
        results[name] = summary(kept[name])
        rate, low, high = results[name]["distinct"]
        r, energy = results[name]["correlation"][0], results[name]["write_energy_nJ"][0]
        print(f"{name}: {rate:.2f} [{low:.2f} {high:.2f}] distinct, correlation {r:.3f}, {energy:.2f} nJ", flush=True)
    rows = {"patterns": PATTERNS.astype(int).tolist(), "seeds": list(SEEDS)} | results
    text = ",\n".join(f" {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    (ROOT / "benchmarks" / "results" / "ftj_array.json").write_text(f"{{\n{text}\n}}\n", "utf-8")
    figure(results, kept[next(iter(CASES))][SHOWN])


if __name__ == "__main__":
    main()
