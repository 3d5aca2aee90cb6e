"""The oracle table of AplysiaReflex: model and spiking circuit in every protocol, beside the ranges of the experiments.

``python benchmarks/aplysia_reflex.py [seeds]`` prints it and writes ``benchmarks/results/aplysia_reflex.json`` and
``docs/pictures/aplysia_reflex.png``. The constants of the animals were chosen on brain seeds from 1000 on, the
table has seeds from 1 on. A range of None to None is not judged: habituation must be monotone in the interval.
"""

from __future__ import annotations

import json
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
    ("habituation, 10 s", "habituation", {"interval": 10.0}, None, None),
    ("habituation, 30 s", "habituation", {"interval": 30.0}, 0.25, 0.55),
    ("habituation, 90 s", "habituation", {"interval": 90.0}, None, None),
    ("recovery, 10 min", "recovery", {"delay": 600.0}, 0.4, 0.75),
    ("recovery, 20 min", "recovery", {"delay": 1200.0}, 0.65, 0.9),
    ("recovery, 122 min", "recovery", {"delay": 7320.0}, 0.95, None),
    ("dishabituation", "dishabituation", {}, 0.5, 1.1),
    ("sensitisation, 30 s", "sensitisation", {"delay": 30.0}, 1.2, 2.0),
    ("sensitisation, 1 h", "sensitisation", {"delay": 3600.0}, None, 1.15),
    ("specificity", "specificity", {}, 0.98, 1.02),
    ("conditioning, 1 trial", "conditioning", {"trials": 1}, 1.05, None),
    ("conditioning, 5 trials", "conditioning", {}, 1.3, None),
    ("conditioning, 15 trials", "conditioning", {"trials": 15}, 1.3, None),
    ("unpaired", "unpaired", {}, 0.9, 1.1),
    ("contingency", "contingency", {}, None, 1.1),
)
ISIS = (-1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
WHO = ("snmn-adpf", "aplysia-reflex")


def seeds_of(name: str, n: int) -> range:
    """Return the brain seeds of an animal: the model has no chance in it."""
    return range(1, 2 if name == "snmn-adpf" else n + 1)


def inside(value: float, low: float | None, high: float | None) -> bool:
    """Return whether a value lies in a range, open where there is no bound."""
    return (low is None or value >= low) and (high is None or value <= high)


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
            found = [ratio(name, s, preset, **settings) for s in seeds_of(name, n)]
            values = [f["ratio"] for f in found]
            row = {"row": label, "animal": name, "ratio": bootstrap(values), "low": low, "high": high}
            row["in_range"] = sum(inside(v, low, high) for v in values)
            row["n"] = len(values)
            if "fit" in found[0]:
                row["fit"] = min(f["fit"] for f in found)
            if "gain" in found[0]:
                row["gain"] = bootstrap(f["gain"] for f in found)
            rows.append(row)
            print(
                f"{label:26s} {name:16s} {row['ratio'][0]:.3f} [{row['ratio'][1]:.3f} {row['ratio'][2]:.3f}]  "
                f"range {low} to {high}: {row['in_range']}/{row['n']}",
                flush=True,
            )
    return rows


def compared(n: int) -> dict:
    """Return the interval profile and blocking over its control, per animal."""
    found: dict = {}
    for name in WHO:
        seeds = seeds_of(name, n)
        index = {x: [ratio(name, s, "conditioning", isi=x)["ratio"] - 1 for s in seeds] for x in ISIS}
        profile = {x: bootstrap(np.array(v) / np.mean(index[0.5])) for x, v in index.items()}
        gains = [[ratio(name, s, p)["ratio"] - 1 for s in seeds] for p in ("blocking", "overshadowing")]
        share = [a / b for a, b in zip(*gains, strict=True)]
        off = bootstrap(ratio(name, s, "conditioning", learn=False)["ratio"] for s in seeds)
        found[name] = {"profile": profile, "blocked_share": bootstrap(share), "plasticity_off": off}
        found[name]["blocked_below_0.15"] = sum(s <= 0.15 for s in share)
        print(
            name,
            "interval profile",
            {x: round(v[0], 3) for x, v in profile.items()},
            "blocked share",
            np.round(bootstrap(share), 3).tolist(),
            "plasticity off",
            np.round(off, 3).tolist(),
            flush=True,
        )
    return found


def day() -> dict[str, float]:
    """Return the process time of a protocol of 24 h [ms]: of the world alone, and with each animal."""
    what = load("aplysia_reflex")
    env = make_env(what, "evaluate", preset="conditioning")
    spent = {}
    for name in ("world", *WHO):
        animal = None if name == "world" else make_controller(what, env, 1, name=name)
        times = []
        for seed in range(6):
            observation, _ = env.reset(seed=seed)
            if animal:
                animal.reset(seed)
            began, truncated, still = time.thread_time(), False, np.zeros(1, np.float32)
            while not truncated:
                observation, _, _, truncated, _ = env.step(animal.act(observation) if animal else still)
            times.append(1e3 * (time.thread_time() - began))
        spent[name] = round(float(np.median(times)), 3)
    print("a day in ms of process time", spent, flush=True)
    return spent


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
            if (low, high) == (None, None):
                continue
            start, end = low or 0.0, min(high or 2.1, 2.1)
            left.barh(y[label], end - start, left=start, height=0.72, color=hex_colour(HAIRLINE), zorder=0)
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
        right.set_title("Interval; blocking")
        right.bar(ISIS.index(1.0), 0.5, bottom=0.1, width=0.6, color=hex_colour(HAIRLINE), zorder=0)
        shares = "\n".join(f"{look[n][1].partition(',')[0]}: {other[n]['blocked_share'][0]:.2f}" for n in WHO)
        text = f"blocked, of its control\n(at most 0.15)\n{shares}"
        right.text(0.98, 0.75, text, ha="right", transform=right.transAxes, fontsize=8, color=hex_colour(GREEN))
        fig.savefig(ROOT / "docs" / "pictures" / "aplysia_reflex.png", dpi=130, facecolor="white")


def main(n: int) -> None:
    """Run everything, print and keep it."""
    began = time.thread_time()
    rows, other = table(n), compared(n)
    kept = {"seeds": n, "rows": rows, "compared": other, "day_ms": day()}
    RESULTS.write_text(json.dumps(kept, indent=1, allow_nan=False) + "\n")
    figure(rows, other)
    print(f"{time.thread_time() - began:.1f} s of process time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
