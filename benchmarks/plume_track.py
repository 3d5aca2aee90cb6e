"""Plume tracking: ``python benchmarks/plume_track.py``.

Judges the two spiking trackers (20 seeds of their initial potentials and noise), each without one of its parts (the
one with a memory: 4 seeds), and the baselines, on evaluation worlds that no tuning used, and writes
benchmarks/results/plume_track.json.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from insectbot.controllers.circuits.plume_memory import plume_memory
from insectbot.controllers.circuits.plume_tracker import plume_tracker
from insectbot.controllers.plume_baselines import CastAndSurge, RandomFlight, TrailMemory, Upwind
from insectbot.core.simulator import Simulator
from insectbot.envs.registry import register_envs
from insectbot.loop.episode import run_episode
from insectbot.loop.files import jsonable
from insectbot.seeding import derive, worlds
from insectbot.training.statistics import bootstrap, wilson

ROOT = Path(__file__).parents[1]
ENV_ID = "insectbot/PlumeTrack-v0"
PRESETS = ("constant", "sparse", "once", "many")
N_SEEDS, N_CONTROL_SEEDS, N_WORLDS, WINDOW = 20, 4, 200, 40
EARLIER = {
    "constant": {"random": 0.008, "upwind": 0.483, "cast-and-surge": 0.825},
    "sparse": {"random": 0.025, "upwind": 0.50, "cast-and-surge": 0.55},
    "many": {"random": 0.025, "upwind": 0.075, "cast-and-surge": 0.067},
}
"""Success measured with an earlier simulator of the project, 120 episodes each."""


REMEMBERING = {
    "plume-memory (spiking)": {},
    "plume-memory without smell": {"smell": 0.0},
    "plume-memory, direction of the wind of the moment": {"wind": 10.0, "contact": 0.0},
    "plume-memory, path cells that forget in 20 ms": {"tau_aside": 20.0},
    "plume-memory, ring not turned by own turns": {"efference": 0.0},
}
"""The tracker with a memory, and the same without one of its parts."""


def spiking(seed: int, make: Callable[..., Any] = plume_tracker, **options: Any) -> Any:
    """Return a spiking tracker, compiled."""
    made = make(seed=seed, **options)
    made.attach(Simulator().compile(made.network, seed=seed), WINDOW)
    return made


def judge(make: Callable[[int], Any], seeds: int, preset: str) -> dict[str, Any]:
    """Return rates and means with 95 % intervals; every seed flies in the same evaluation worlds."""
    env = gymnasium.make(ENV_ID, disable_env_checker=True, preset=preset)
    found = []
    for seed in range(seeds):
        controller = make(seed)
        for world in worlds("evaluate", N_WORLDS, 0):
            brain = derive("brain", world, seed)
            found.append(run_episode(env, controller, seed=world, controller_seed=brain, learn=False).metrics)
    columns = {key: np.array([one[key] for one in found], float).reshape(seeds, N_WORLDS) for key in found[0]}
    of_seeds = columns["success"].mean(1)
    # Worlds are shared by all seeds, so the interval is over worlds, of the mean over seeds.
    result: dict[str, Any] = {
        "worlds": N_WORLDS,
        "seeds": seeds,
        "success": bootstrap(columns["success"].mean(0)) if seeds > 1 else wilson(columns["success"].sum(), N_WORLDS),
        "success_of_seeds": [float(of_seeds.min()), float(np.median(of_seeds)), float(of_seeds.max())],
        "strayed": float(columns["strayed"].mean()),
    }
    for key in ("time_home", "detour"):
        values = columns[key][np.isfinite(columns[key])]
        result[key + "_median"] = float(np.median(values)) if values.size else None
    result["in_plume"] = float(columns["in_plume"].mean())
    return result


def remembering(options: dict[str, float]) -> tuple[Callable[[int], Any], int]:
    """Return how the tracker with a memory is made, and with how many seeds it is judged."""
    return lambda seed: spiking(seed, plume_memory, **options), N_CONTROL_SEEDS if options else N_SEEDS


def main() -> None:
    """Judge everything and write the results."""
    register_envs()
    makers: dict[str, tuple[Callable[[int], Any], int]] = {
        **{name: remembering(options) for name, options in REMEMBERING.items()},
        "plume-tracker (spiking)": (spiking, N_SEEDS),
        "plume-tracker without smell": (lambda seed: spiking(seed, smell=0.0), N_SEEDS),
        "plume-tracker, flip-flop without fatigue": (lambda seed: spiking(seed, fatigue=1e-9), N_SEEDS),
        "cast-and-surge": (lambda _: CastAndSurge(), 1),
        "cast-and-surge, speed 0.7": (lambda _: CastAndSurge(0.7), 1),
        "cast-and-surge, wide casts": (lambda _: CastAndSurge(1.0, 7, 95.0, 18, 0), 1),
        "trail-memory (exact own motion)": (lambda _: TrailMemory(), 1),
        "upwind, speed 0.7": (lambda _: Upwind(), 1),
        "upwind, speed 1": (lambda _: Upwind(1.0), 1),
        "random": (lambda _: RandomFlight(), 1),
    }
    rows = []
    for name, (make, seeds) in makers.items():
        for preset in PRESETS:
            rows.append({"controller": name, "preset": preset, **judge(make, seeds, preset)})
            print(name, preset, np.round(rows[-1]["success"], 3).tolist(), flush=True)
    path = ROOT / "benchmarks" / "results" / "plume_track.json"
    path.write_text(json.dumps(jsonable({"earlier": EARLIER, "rows": rows}), indent=1) + "\n")


if __name__ == "__main__":
    main()
