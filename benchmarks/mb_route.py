"""Route memory by the mushroom body: ``python benchmarks/mb_route.py``.

On each of 20 layouts that no tuning has seen, one brain is led along the route once, then judged on five starts, beside
the same brain without the trip, a walk straight on, a random walk, and a perfect memory of all views. Writes
benchmarks/results/mb_route.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium

from insectbot.controllers.baselines import CorrelatedRandomWalk
from insectbot.controllers.circuits.mb_route import mb_route
from insectbot.controllers.mb_views import StraightOn, ViewMemory
from insectbot.core.simulator import Simulator
from insectbot.envs.registry import register_envs
from insectbot.loop.episode import EpisodeResult, run_episode
from insectbot.loop.files import jsonable
from insectbot.seeding import worlds
from insectbot.training.statistics import bootstrap

ROOT = Path(__file__).parents[1]
LAYOUTS = range(20)
"""Tuning used layouts from 1000 on."""
N_STARTS = 5
METRICS = ("success", "along", "deviation", "deviation_most", "time", "collisions")


def make(layout: int, **settings: Any) -> gymnasium.Env:
    """Return the world of a layout."""
    return gymnasium.make("insectbot/Foraging-v0", preset="route", layout=layout, disable_env_checker=True, **settings)


def brain(seed: int) -> Any:
    """Return a naive mushroom body, compiled."""
    made: Any = mb_route(seed=seed)
    made.attach(Simulator().compile(made.network, seed=seed), 50)
    return made


def judge(layout: int) -> dict[str, list[EpisodeResult]]:
    """Return the episodes of every controller on one layout."""
    env, memory, learned = make(layout), ViewMemory(), brain(layout)
    memory.bind(env)
    run_episode(make(layout, guided=True), learned, seed=layout, learn=True)
    controllers: dict[str, Any] = {
        "mb-route": learned,
        "mb-route without the trip": brain(layout),
        "straight on": StraightOn(),
        "random walk": CorrelatedRandomWalk(),
        "all views (privileged)": memory,
    }
    starts = worlds("evaluate", N_STARTS, layout)
    return {
        name: [run_episode(env, controller, seed=start, learn=False) for start in starts]
        for name, controller in controllers.items()
    }


def main() -> None:
    """Judge all; write the means over layouts with their 95 % intervals."""
    register_envs()
    found = [judge(layout) for layout in LAYOUTS]
    table = {
        name: {
            metric: bootstrap(sum(one.metrics[metric] for one in by[name]) / N_STARTS for by in found)
            for metric in METRICS
        }
        for name in found[0]
    }
    by_layout = [sum(one.metrics["success"] for one in by["mb-route"]) / N_STARTS for by in found]
    result = {"layouts": len(found), "starts": N_STARTS, "controllers": table, "success_by_layout": by_layout}
    path = ROOT / "benchmarks" / "results" / "mb_route.json"
    path.write_text(json.dumps(jsonable(result), indent=1) + "\n")


if __name__ == "__main__":
    main()
