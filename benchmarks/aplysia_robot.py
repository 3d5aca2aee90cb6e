"""The table of AplysiaRobot: one trial of ten minutes per seed, learning or not, beside controllers without a brain.

``python benchmarks/aplysia_robot.py [seeds]`` prints it and writes ``benchmarks/results/aplysia_robot.json``. Worlds
are evaluation worlds, on which nothing was tuned. A trial passes if it ends (last two minutes) with no more collisions
per minute than the bar of its preset, and on no fewer cells than Braitenberg's vehicle, whose sensors are not swapped.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from insectbot.loop.episode import EpisodeResult, Step, run_episode
from insectbot.protocols import Controller
from insectbot.scenario import load, make_controller, make_env
from insectbot.seeding import worlds
from insectbot.training.statistics import bootstrap, wilson

RESULTS = Path(__file__).parent / "results" / "aplysia_robot.json"
BARS = {"open": 0.5, "cylinders": 1.0, "swap": 1.0, "swap-cylinders": 1.0}
"""Preset -> most collisions per minute in the last two minutes."""
STDP = "aplysia-srm1-stdp"
HALF = 6000
"""Step of the swap."""
HIDDEN = 1.2
SHOWN = ("collisions_first", "collisions_last", "coverage", "coverage_last")


@dataclass(frozen=True)
class Row:
    """A line of the table: a controller, its options, and whether it learns to the end."""

    name: str
    learn: bool = False
    frozen_at_half: bool = False
    options: dict[str, Any] = field(default_factory=dict)


WHO = {
    "straight": Row("straight"),
    "random-walk": Row("random-walk"),
    "obstacle-braitenberg": Row("obstacle-braitenberg"),
    "aplysia-srm1, plasticity off": Row("aplysia-srm1"),
    "aplysia-srm1, learning": Row("aplysia-srm1", True),
    "the same, frozen at minute 5": Row("aplysia-srm1", True, frozen_at_half=True),
    "the same, sides not alike": Row("aplysia-srm1", True, options={"mirror": False}),
    "aplysia-srm1-stdp, learning": Row(STDP, True),
}


class Half:
    """Notes the modulating weights at minute 5, and stops learning there if asked to."""

    def __init__(self, controller: Any, freeze: bool) -> None:
        self.controller, self.freeze = controller, freeze
        self.weights: list[list[float]] = []

    def _note(self) -> None:
        self.weights.append(np.ravel(self.controller.weights()["sensors->terminals"]).tolist())

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        """Nothing to see yet."""

    def step(self, step: Step) -> None:
        """See one step."""
        if step.index == HALF - 1:
            self._note()
            if self.freeze:
                self.controller.learning = False

    def end(self, result: EpisodeResult) -> None:
        """Note the weights at the end."""
        self._note()


def trial(preset: str, row: Row, seed: int, world: int) -> tuple[dict[str, float], list[list[float]]]:
    """Return the metrics of one trial, and the modulating weights at minute 5 and at its end."""
    what = load("aplysia_robot", {"env.preset": preset, "evaluation.presets": [preset]})
    env = make_env(what, "evaluate", preset=preset)
    controller = make_controller(what, env, seed, name=row.name, options=row.options)
    half = Half(controller, row.frozen_at_half) if hasattr(controller, "weights") else None
    result = run_episode(env, controller, seed=world, controller_seed=seed, learn=row.learn, recorder=half)
    return result.metrics, half.weights if half else []


def crossed(weights: list[float]) -> bool:
    """Return whether each sensor brakes the other side's wheel more than its own (left->left, ... right->right)."""
    return weights[1] < weights[0] and weights[2] < weights[3]


def inhibition(weights: list[float]) -> tuple[float, float]:
    """Return the strongest inhibition by the left and by the right sensor."""
    n = len(weights) // 2
    return min(weights[:n]), min(weights[n:])


def judge(preset: str, found: list, learns: bool, floor: float) -> dict[str, Any]:
    """Return what a line of the table says of its trials."""
    last = np.array([m["collisions_last"] for m, _ in found])
    cells = np.array([m["coverage_last"] for m, _ in found])
    said: dict[str, Any] = {
        "metrics": {m: bootstrap(f[0][m] for f in found) for m in SHOWN},
        "worst_last": last.max(),
        "standing": int((cells <= 0.02).sum()),
        "passes": int(((last <= BARS[preset]) & (cells >= floor)).sum()),
    }
    said["pass_rate"] = wilson(said["passes"], len(found))
    if learns:
        ends = [w[-1] for _, w in found]
        said["weights_half"], said["weights"] = [w[0] for _, w in found], ends
        said["modulation_negative"] = sum(max(inhibition(w)) < 0 for w in ends)
        said["sum_negative"] = sum(max(inhibition(w)) < -HIDDEN for w in ends)
        if len(ends[0]) == 4:
            said["crossed_half"] = sum(crossed(w) for w in said["weights_half"])
            said["crossed"] = sum(crossed(w) for w in ends)
    return said


def main(n: int) -> None:
    """Run all trials, print and keep the table."""
    rows, floors = [], {}
    order = sorted(WHO.items(), key=lambda item: item[0] != "obstacle-braitenberg")
    for preset in BARS:
        place = preset.replace("swap-", "").replace("swap", "open")
        for label, row in order:
            found = [trial(preset, row, seed, world) for seed, world in enumerate(worlds("evaluate", n), 1)]
            if label == "obstacle-braitenberg" and place == preset:
                floors[place] = float(np.mean([m["coverage_last"] for m, _ in found]))
            said = judge(preset, found, row.learn, floors[place])
            rows.append({"preset": preset, "controller": label, "seeds": n} | said)
            cells = "  ".join(f"{m} {v[0]:.2f} [{v[1]:.2f} {v[2]:.2f}]" for m, v in said["metrics"].items())
            counts = "  ".join(f"{k} {v}" for k, v in said.items() if isinstance(v, int | float))
            print(f"{preset:15s} {label:30s} {cells}  {counts}", flush=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    RESULTS.write_text(f'{{"seeds": {n}, "rows": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
