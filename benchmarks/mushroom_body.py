"""Odor learning by the mushroom body: ``python benchmarks/mushroom_body.py``.

Trains and judges the scenario ``odors`` (20 seeds; worlds that neither training nor tuning has seen), then lets every
seed live through two more episodes in which sugar and bitter change places, and writes
benchmarks/results/mushroom_body.json.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from insectbot.controllers.circuits.mushroom_body import mb_kc2000
from insectbot.core.simulator import Simulator
from insectbot.envs.registry import register_envs
from insectbot.loop.episode import EpisodeResult, run_episode
from insectbot.loop.files import jsonable
from insectbot.loop.runfolder import RunFolder
from insectbot.scenario import dumps, load
from insectbot.seeding import derive, worlds
from insectbot.training.experiment import run_experiment
from insectbot.training.statistics import Interval, bootstrap

ROOT = Path(__file__).parents[1]
SEEDS = range(1, 21)
N_WORLDS, BEFORE, AFTER = 5, 2, 3


def choices(results: list[EpisodeResult]) -> float:
    """Return the share of rewarded visits among all visits of some episodes."""
    good, bad = (sum(result.metrics[key] for result in results) for key in ("visits_good", "visits_bad"))
    return good / max(good + bad, 1.0)


def reversal(seed: int) -> dict[str, list[float]]:
    """Return the choice index of kind 0 by episode of one brain, learning, then after the change, with frozen tests.

    ``life`` is of the episodes in which it learns, ``frozen`` of tests on new worlds before, between and after; both
    count visits to the kind that is rewarded at that time.
    """
    env = gymnasium.make("insectbot/Foraging-v0", preset="odors", disable_env_checker=True)
    brain: Any = mb_kc2000(seed=seed)
    brain.attach(Simulator().compile(brain.network, seed=seed), 50)
    found: dict[str, list[float]] = {"life": [], "frozen": []}
    for episode in range(BEFORE + AFTER):
        options = {"good": int(episode >= BEFORE)}
        world = derive("train", 1, seed, episode)
        found["life"].append(choices([run_episode(env, brain, seed=world, learn=True, options=options)]))
        if episode in (BEFORE - 1, BEFORE + AFTER - 1):
            tests = [
                run_episode(env, brain, seed=w, learn=False, options=options) for w in worlds("evaluate", N_WORLDS)
            ]
            found["frozen"].append(choices(tests))
    return found


def main() -> None:
    """Train and judge; write the result."""
    register_envs()
    scenario = load("odors")
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder.create(
            scenario.name, dumps(scenario), 1, root=folder, command=["python", "benchmarks/mushroom_body.py"]
        )
        summary = run_experiment(scenario, run, workers=1, with_bench=False)
    by_seed = [reversal(seed) for seed in SEEDS]
    table: dict[str, list[Interval]] = {
        kind: [bootstrap(column) for column in np.array([found[kind] for found in by_seed]).T.tolist()]
        for kind in ("life", "frozen")
    }
    summary["reversal"] = {**table, "frozen_by_seed": [found["frozen"] for found in by_seed]}
    path = ROOT / "benchmarks" / "results" / "mushroom_body.json"
    path.write_text(json.dumps(jsonable(summary), indent=1) + "\n")


if __name__ == "__main__":
    main()
