"""The table of AplysiaRobot: one trial of ten minutes per seed, learning or not, beside controllers without a brain.

``python benchmarks/aplysia_robot.py [seeds]`` prints it and writes ``benchmarks/results/aplysia_robot.json``. Worlds
are evaluation worlds, on which nothing was tuned.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from insectbot.loop.episode import run_episode
from insectbot.scenario import load, make_controller, make_env
from insectbot.seeding import worlds
from insectbot.training.statistics import bootstrap

RESULTS = Path(__file__).parent / "results" / "aplysia_robot.json"
PRESETS = ("open", "cylinders", "swap", "swap-cylinders")
WHO = {
    "straight": ("straight", False),
    "random-walk": ("random-walk", False),
    "obstacle-braitenberg": ("obstacle-braitenberg", False),
    "aplysia-srm1, plasticity off": ("aplysia-srm1", False),
    "aplysia-srm1, learning": ("aplysia-srm1", True),
}
SHOWN = ("collisions_first", "collisions_last", "coverage", "coverage_last")
HIDDEN = 1.2


def trial(preset: str, name: str, learn: bool, seed: int, world: int):
    """Return the metrics of one trial, and the modulating weights at its end."""
    what = load("aplysia_robot", {"env.preset": preset, "evaluation.presets": [preset]})
    env = make_env(what, "evaluate", preset=preset)
    controller = make_controller(what, env, seed, name=name)
    result = run_episode(env, controller, seed=world, controller_seed=seed, learn=learn)
    weights = controller.weights()["sensors->terminals"].tolist() if hasattr(controller, "weights") else None
    return result.metrics, weights


def main(n: int) -> None:
    """Run all trials, print and keep the table."""
    rows = []
    for preset in PRESETS:
        for label, (name, learn) in WHO.items():
            found = [trial(preset, name, learn, seed, world) for seed, world in enumerate(worlds("evaluate", n), 1)]
            metrics = {m: bootstrap(f[0][m] for f in found) for m in SHOWN}
            rows.append({"preset": preset, "controller": label, "seeds": n, "metrics": metrics})
            rows[-1]["worst_last"] = max(f[0]["collisions_last"] for f in found)
            rows[-1]["standing"] = sum(f[0]["coverage_last"] <= 0.02 for f in found)
            if learn:
                rows[-1]["weights"] = [f[1] for f in found]
                rows[-1]["modulation_negative"] = sum(bool(np.all(np.array(f[1]) < 0)) for f in found)
                rows[-1]["sum_negative"] = sum(bool(np.all(HIDDEN + np.array(f[1]) < 0)) for f in found)
            cells = "  ".join(f"{m} {v[0]:.2f} [{v[1]:.2f} {v[2]:.2f}]" for m, v in metrics.items())
            print(f"{preset:15s} {label:30s} {cells}  standing {rows[-1]['standing']}", flush=True)
            if learn:
                print(
                    " " * 47 + f"weights below 0: {rows[-1]['modulation_negative']}, "
                    f"hidden + modulation below 0: {rows[-1]['sum_negative']} of {n}"
                )
    RESULTS.write_text(json.dumps({"seeds": n, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
