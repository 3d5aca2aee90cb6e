"""Homing by path integration: ``python benchmarks/path_integration.py``.

Judges the central complex as rates and as spikes, without memory, and the baselines on evaluation worlds that no trial
used, and writes benchmarks/results/path_integration.json. The rate model is also held against numbers of the published
program (Stone et al. 2017, 60 runs each; with its noise on every neuron, none on the senses).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import Any

import gymnasium
import numpy as np

from insectbot.controllers.circuits.central_complex import cx_rate
from insectbot.controllers.circuits.central_complex_lif import cx_lif
from insectbot.controllers.path_baselines import RandomHoming, Straight, VectorMemory
from insectbot.core.simulator import Simulator
from insectbot.envs.registry import register_envs
from insectbot.loop.episode import run_episode
from insectbot.loop.files import jsonable
from insectbot.seeding import derive, worlds
from insectbot.training.statistics import bootstrap, wilson

ROOT = Path(__file__).parents[1]
ENV_ID = "insectbot/PathIntegration-v0"
N_WORLDS = 100
WINDOW = 20
CONTROLS = ("cx-lif, 2 neurons per cell", "cx-lif without memory")
"""Judged on one preset only."""
PUBLISHED = {
    0.0: (0.77, 15.4, 1.25),
    0.1: (1.0, 2.24, 1.166),
    0.2: (0.98, 4.36, 1.44),
    0.3: (0.45, 33.2, 2.23),
    0.4: (0.15, 111.0, 4.79),
}
"""Noise -> success, closest approach, tortuosity of the published program."""


def spiking(**options: Any) -> Any:
    """Return the spiking circuit, compiled."""
    made: Any = cx_lif(**options)
    made.attach(Simulator().compile(made.network, seed=1), WINDOW)
    return made


def tortuosity(covered: Any, axis: int) -> Any:
    """Return L / C of Stone et al. (2017): one over the mean share covered after the straight distance."""
    return 1.0 / np.mean(covered, axis=axis)


def judge(controller: Any, n: int = N_WORLDS, **settings: Any) -> dict[str, Any]:
    """Return rates and means with their 95 % intervals over the first n evaluation worlds."""
    env = gymnasium.make(ENV_ID, disable_env_checker=True, **settings)
    began = thread_time()
    found = [
        run_episode(env, controller, seed=world, controller_seed=derive("brain", world, 1), learn=False).metrics
        for world in worlds("evaluate", n, 0)
    ]
    columns = {key: np.array([one[key] for one in found]) for key in found[0]}
    return {
        "worlds": n,
        **settings,
        "success": wilson(float(columns["success"].sum()), n),
        "closest": bootstrap(columns["closest"]),
        "tortuosity_stone": bootstrap(columns["covered"], tortuosity),
        "tortuosity_median": bootstrap(columns["tortuosity"], np.median),
        "distance": bootstrap(columns["distance"]),
        "seconds_per_run": (thread_time() - began) / n,
    }


def main() -> None:
    """Judge everything and write the results."""
    register_envs()
    makers: dict[str, Callable[[], Any]] = {
        "cx-lif": spiking,
        "cx-lif, 2 neurons per cell": lambda: spiking(copies=2),
        "cx-lif without memory": lambda: spiking(memory_gain=1e-9),
        "cx-rate": cx_rate,
        "random-homing": RandomHoming,
        "straight": Straight,
        "vector-memory (privileged)": VectorMemory,
    }
    result: dict[str, Any] = {"published": [], "presets": [], "outbound": []}

    def add(section: str, name: str, **judged: Any) -> None:
        result[section].append({"controller": name, **judged})
        print(section, name, {k: np.round(v, 3).tolist() for k, v in judged.items() if k != "preset"}, flush=True)

    for name, make in makers.items():
        for preset in ("n10",) if name in CONTROLS else ("n0", "n10", "n20", "n40"):
            add("presets", name, **judge(make(), preset=preset))
    for noise, values in PUBLISHED.items():
        judged = judge(cx_rate(noise), preset="n0")
        add("published", "cx-rate", noise=noise, published=values, **judged)
    for name in ("cx-lif", "cx-rate", "random-homing"):
        for outbound in (400, 5000):
            add("outbound", name, **judge(makers[name](), preset="n10", outbound=outbound))
    path = ROOT / "benchmarks" / "results" / "path_integration.json"
    path.write_text(json.dumps(jsonable(result), indent=1) + "\n")


if __name__ == "__main__":
    main()
