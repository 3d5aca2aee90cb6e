"""The oracle table of AplysiaReflex: model and spiking circuit in every protocol, beside the ranges of the experiments.

``python benchmarks/aplysia_reflex.py [seeds]`` prints it and writes ``benchmarks/results/aplysia_reflex.json`` and
``docs/pictures/aplysia_reflex.png``.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

import numpy as np

from insectbot.loop.episode import run_episode
from insectbot.scenario import load, make_controller, make_env
from insectbot.training.statistics import bootstrap

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "aplysia_reflex.json"
ROWS = (
    ("habituation, 10 s", "habituation", {"interval": 10.0}, 0.0, math.inf),
    ("habituation, 30 s", "habituation", {"interval": 30.0}, 0.25, 0.55),
    ("habituation, 90 s", "habituation", {"interval": 90.0}, 0.0, math.inf),
    ("recovery, 10 min", "recovery", {"delay": 600.0}, 0.4, 0.75),
    ("recovery, 20 min", "recovery", {"delay": 1200.0}, 0.65, 0.9),
    ("recovery, 122 min", "recovery", {"delay": 7320.0}, 0.95, math.inf),
    ("dishabituation", "dishabituation", {}, 0.5, 1.1),
    ("sensitisation, 30 s", "sensitisation", {"delay": 30.0}, 1.2, 2.0),
    ("sensitisation, 1 h", "sensitisation", {"delay": 3600.0}, 0.0, 1.15),
    ("specificity", "specificity", {}, 0.98, 1.02),
    ("conditioning, 1 trial", "conditioning", {"trials": 1}, 1.05, math.inf),
    ("conditioning, 5 trials", "conditioning", {}, 1.3, math.inf),
    ("conditioning, 15 trials", "conditioning", {"trials": 15}, 1.3, math.inf),
    ("contingency", "contingency", {}, 0.0, 1.1),
)
ISIS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
WHO = ("snmn-adpf", "aplysia-reflex")


def ratio(name: str, seed: int, preset: str, learn: bool = True, **settings) -> dict[str, float]:
    """Return the metrics of one animal in one protocol."""
    what = load("aplysia_reflex", {"env.options": settings})
    env = make_env(what, "evaluate", preset=preset)
    animal = make_controller(what, env, seed, name=name)
    return run_episode(env, animal, seed=1, controller_seed=seed, learn=learn).metrics


def table(n: int) -> list[dict]:
    """Return one row per protocol and animal."""
    rows = []
    for label, preset, settings, low, high in ROWS:
        for name in WHO:
            found = [ratio(name, s, preset, **settings) for s in range(1, 2 if name == "snmn-adpf" else n + 1)]
            values = [f["ratio"] for f in found]
            row = {"row": label, "animal": name, "ratio": bootstrap(values), "low": low, "high": high}
            row["in_range"] = sum(low <= v <= high for v in values)
            row["n"] = len(values)
            if "fit" in found[0]:
                row["fit"] = min(f["fit"] for f in found)
            if "gain" in found[0]:
                row["gain"] = bootstrap(f["gain"] for f in found)
            rows.append(row)
            print(
                f"{label:26s} {name:16s} {row['ratio'][0]:.3f} [{row['ratio'][1]:.3f} {row['ratio'][2]:.3f}]  "
                f"range {low:g} to {high:g}: {row['in_range']}/{row['n']}",
                flush=True,
            )
    return rows


def compared(n: int) -> dict:
    """Return the interval profile and blocking over its control, per animal."""
    found: dict = {}
    for name in WHO:
        seeds = range(1, 2 if name == "snmn-adpf" else n + 1)
        index = {x: [ratio(name, s, "conditioning", isi=x)["ratio"] - 1 for s in seeds] for x in ISIS}
        profile = {x: bootstrap(np.array(v) / np.mean(index[0.5])) for x, v in index.items()}
        gains = [[ratio(name, s, p)["ratio"] - 1 for s in seeds] for p in ("blocking", "overshadowing")]
        share = [a / b for a, b in zip(*gains, strict=True)]
        off = ratio(name, 1, "conditioning", learn=False)["ratio"]
        found[name] = {"profile": profile, "blocked_share": bootstrap(share), "plasticity_off": off}
        print(
            name,
            "interval profile",
            {x: round(v[0], 3) for x, v in profile.items()},
            "blocked share",
            np.round(bootstrap(share), 3).tolist(),
            "plasticity off",
            round(off, 3),
            flush=True,
        )
    return found


def figure(rows: list[dict], other: dict) -> None:
    """Draw ratios beside their ranges, the interval profile, and blocking."""
    from insectbot.view.figure_style import new_figure, style
    from insectbot.view.palette import BLUE, GREEN, HAIRLINE, VERMILION, hex_colour

    look = {"snmn-adpf": (BLUE, "model SNMN-ADPF"), "aplysia-reflex": (VERMILION, "spiking circuit, 95 %")}
    with style():
        fig = new_figure(4.6)
        left, right = fig.subplots(1, 2, width_ratios=(1.7, 1.0))
        labels = [r[0] for r in ROWS]
        y = {label: k for k, label in enumerate(labels[::-1])}
        for label, _, _, low, high in ROWS:
            left.barh(y[label], min(high, 2.1) - low, left=low, height=0.72, color=hex_colour(HAIRLINE), zorder=0)
        for row in rows:
            mean, low, high = row["ratio"]
            colour, name = look[row["animal"]]
            at = y[row["row"]] + (0.16 if row["animal"] == "snmn-adpf" else -0.16)
            left.errorbar(
                mean,
                at,
                xerr=[[mean - low], [high - mean]],
                fmt="o",
                ms=4,
                color=hex_colour(colour),
                label=name if row["row"] == labels[0] else None,
            )
        left.set(yticks=list(y.values()), yticklabels=list(y), xlabel="ratio of responses", xlim=(0, 2.1))
        left.set_title("Every protocol, beside the range of the experiments (grey)")
        left.legend(loc="lower right")
        for name, (colour, label) in look.items():
            profile = other[name]["profile"]
            mean = np.array([profile[x][0] for x in ISIS])
            error = np.abs(np.array([profile[x][1:] for x in ISIS]).T - mean)
            right.errorbar(range(len(ISIS)), mean, yerr=error, fmt="o-", ms=4, color=hex_colour(colour), label=label)
        right.set(xticks=range(len(ISIS)), xticklabels=[f"{x:g}" for x in ISIS], xlabel="touch before shock [s]")
        right.set(ylabel="conditioning, 0.5 s = 1")
        right.set_title("Interval")
        text = "\n".join(f"{look[n][1].partition(',')[0]}: blocked to {other[n]['blocked_share'][0]:.2f}" for n in WHO)
        right.text(0.98, 0.75, text, ha="right", transform=right.transAxes, fontsize=8, color=hex_colour(GREEN))
        fig.savefig(ROOT / "docs" / "pictures" / "aplysia_reflex.png", dpi=130, facecolor="white")


def main(n: int) -> None:
    """Run everything, print and keep it."""
    began = time.process_time()
    rows, other = table(n), compared(n)
    RESULTS.write_text(json.dumps({"seeds": n, "rows": rows, "compared": other}, indent=1) + "\n")
    figure(rows, other)
    print(f"{time.process_time() - began:.1f} s of process time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
