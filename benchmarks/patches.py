"""Foraging between patches and a nest: ``python benchmarks/patches.py [tune]``.

``tune`` searches the constants of the two Braitenberg vehicles on worlds kept for tuning. Without it, trains and judges
the scenario ``patches`` (20 seeds; worlds that neither training nor tuning has seen) and writes
benchmarks/results/patches.json.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from insectbot.controllers.patches_baselines import FeedingBraitenberg, PatchBraitenberg
from insectbot.loop.episode import run_episode
from insectbot.loop.files import jsonable
from insectbot.loop.runfolder import RunFolder
from insectbot.scenario import dumps, load, make_env
from insectbot.seeding import worlds
from insectbot.training.experiment import run_experiment
from insectbot.training.statistics import Interval, bootstrap

ROOT = Path(__file__).parents[1]
N_WORLDS, N_TRIES = 40, 80


def score(constants: Mapping[str, float]) -> float:
    """Return the food per metre of a vehicle on the tuning worlds."""
    env = make_env(load("patches"), "evaluate")
    vehicle = FeedingBraitenberg(**constants)
    results = [run_episode(env, vehicle, seed=world, learn=False) for world in worlds("tune", N_WORLDS)]
    return float(np.mean([result.metrics["food_per_metre"] for result in results]))


def tune(vehicle: FeedingBraitenberg) -> tuple[float, dict[str, float]]:
    """Climb from the constants of a vehicle by random factors; a brake of 0 stays."""
    rng = np.random.default_rng(0)
    best = {name: float(getattr(vehicle, name)) for name in ("odor", "home", "terrain", "bias", "brake")}
    best["full"] = vehicle.full
    top = score(best)
    for _ in range(N_TRIES):
        other = {name: value * float(np.exp(rng.normal(0.0, 0.35))) for name, value in best.items()}
        other["full"] = min(other["full"], 0.98)
        if (found := score(other)) > top:
            top, best = found, other
    return top, best


def paired(run: RunFolder) -> dict[str, Interval]:
    """Return by how much the trained brains' food per metre (mean of the seeds) exceeds the others', world by world."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in csv.DictReader(run.read_text("metrics.csv").splitlines()):
        if row["phase"] == "evaluate":
            found[row["controller"]][row["world"]].append(float(row["food_per_metre"]))
    trained = found.pop(load("patches").controller.name)
    return {
        name: bootstrap(float(np.mean(trained[world]) - np.mean(values)) for world, values in by_world.items())
        for name, by_world in found.items()
    }


def main() -> None:
    """Tune, or train and judge."""
    if sys.argv[1:2] == ["tune"]:
        for vehicle in (FeedingBraitenberg(), PatchBraitenberg()):
            top, constants = tune(vehicle)
            print(
                f"{type(vehicle).__name__}: {top:.3f} units/m",
                {key: round(value, 3) for key, value in constants.items()},
                flush=True,
            )
        return
    scenario = load("patches")
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder.create(
            scenario.name, dumps(scenario), 1, root=folder, command=["python", "benchmarks/patches.py"]
        )
        summary = run_experiment(scenario, run, workers=1, with_bench=False)
        summary["paired"] = paired(run)
    path = ROOT / "benchmarks" / "results" / "patches.json"
    path.write_text(json.dumps(jsonable(summary), indent=1) + "\n")


if __name__ == "__main__":
    main()
