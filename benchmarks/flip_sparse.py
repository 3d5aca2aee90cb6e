"""A cue that changes its meaning, and a single reward: ``python benchmarks/flip_sparse.py [WHAT] [seeds]``.

Trains the scenario ``flip``, and four learners on the preset ``sparse`` (none is told more than the 1 at the target);
judges frozen brains on evaluation worlds, which no training or tuning has seen; prints the tables and keeps them in
benchmarks/results/flip_sparse.json. ``WHAT`` is ``flip``, ``sparse`` or one of the learners; without it, both are done.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from insectbot.controllers.circuits.critic_forager import critic_forager
from insectbot.controllers.circuits.rstdp_forager import rstdp_forager
from insectbot.controllers.circuits.trial_forager import TrialForager
from insectbot.controllers.spiking import SpikingController
from insectbot.core.simulator import Simulator
from insectbot.loop.episode import run_episode
from insectbot.loop.files import jsonable
from insectbot.loop.runfolder import RunFolder
from insectbot.scenario import Scenario, dumps, load, make_env
from insectbot.seeding import derive, worlds
from insectbot.training.evaluate import Entry, evaluate, table
from insectbot.training.experiment import entries
from insectbot.training.online import train
from insectbot.training.statistics import bootstrap, wilson

RESULTS = Path(__file__).parent / "results" / "flip_sparse.json"
BAR = 0.90
DISCOUNT = 0.9985
"""Per step, for the learner that is told once per episode: sooner is better."""


def flip(n: int) -> dict[str, Any]:
    """Train the scenario ``flip``; judge brains of before and after the flip."""
    whole = load("flip", {"training.seeds": n, "record.train": 0})
    after = whole.env.options["flip_after"]
    half = load("flip", {"training.seeds": n, "record.train": 0, "training.episodes": after})
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder.create("flip", dumps(whole), 1, root=folder, command=["benchmarks/flip_sparse.py"])
        before = train(half, run, workers=1)
        results = train(whole, run, workers=1, resume=True)
    name = whole.controller.name
    who, counts = entries(whole, results)
    old = {r.seed: r.weights for r in before}
    judged = evaluate(whole, [*who, Entry("learned before the flip", name, old)], episodes=[*counts, 40], workers=1)
    unflipped = load("flip", {"evaluation.each": {"flip": [False]}})
    was = [
        Entry("learned before the flip", name, old),
        Entry("learned after the flip", name, {r.seed: r.weights for r in results}),
    ]
    curve = np.array([[np.mean([row.metrics["success"] for row in rows]) for rows in r.probes] for r in results])
    later = curve[:, after + 1 :] >= BAR
    back = [int(np.argmax(row)) + 1 if row.any() else None for row in later]
    return {
        "flipped worlds": table(judged),
        "unflipped worlds": table(evaluate(unflipped, was, episodes=40, workers=1)),
        "curve": curve.tolist(),
        "curve_mean": curve.mean(0).round(3).tolist(),
        "episodes_until_back": back,
    }


class TrialError(SpikingController):
    """The forager with an eligibility as long as an episode, told once: return of the episode minus the mean of others.

    REINFORCE (Williams 1992) with node perturbation.
    """

    def __init__(self, seed: int) -> None:
        actor = rstdp_forager(seed=seed, eligibility_decay=0.9995, learning_rate=0.002, antenna_limit=0.2)
        super().__init__(actor.network, actor._encoder, actor._decoder, actor._reward)
        self._steps, self._mean = 0, 0.0

    def learn(self, reward: float, terminated: bool) -> None:
        """Count the step; at the end turn the return into a modulator."""
        self._steps += 1
        if terminated:
            surprise = reward * DISCOUNT**self._steps - self._mean
            self._steps, self._mean = 0, self._mean + 0.1 * surprise
            self._pulse[:] = surprise
            self._due = self._pulse
            self._flush()


LEARNERS: Mapping[str, tuple[Callable[[int], SpikingController], int]] = {
    "rstdp-forager (as is)": (lambda seed: rstdp_forager(seed=seed), 200),
    "rstdp-forager, trace and reward of an episode": (TrialError, 200),
    "critic-forager": (lambda seed: critic_forager(seed=seed), 200),
    "trial-forager": (lambda seed: TrialForager(seed=seed), 200),
}
"""Learner -> how to make it, training episodes."""


def attached(make: Callable[[int], SpikingController], seed: int) -> SpikingController:
    """Return a learner on the ideal chip."""
    brain = make(seed)
    executable: Any = Simulator().compile(brain.network, seed=seed)
    brain.attach(executable, 50)
    return brain


def success(env: Any, brain: SpikingController, seed: int, judged: list[int]) -> tuple[float, float]:
    """Return success and SPT of a frozen brain."""
    results = [
        run_episode(env, brain, seed=w, controller_seed=derive("brain", w, seed), learn=False).metrics for w in judged
    ]
    return float(np.mean([m["success"] for m in results])), float(np.mean([m["SPT"] for m in results]))


def learn_sparse(
    scenario: Scenario,
    make: Callable[[int], SpikingController],
    episodes: int,
    seed: int,
    judged: list[int],
    key: int = 0,
) -> dict[str, Any]:
    """Train one seed and judge it; ``key`` tells sets of training worlds apart."""
    env, test = make_env(scenario, "train"), make_env(scenario, "evaluate")
    brain = attached(make, seed)
    untrained = success(test, brain, seed, judged[:10])[0]
    reached, steps = [], 0
    for episode in range(episodes):
        world = derive("train", key, seed, episode)
        result = run_episode(env, brain, seed=world, controller_seed=derive("brain", world, seed), learn=True)
        reached.append(int(result.metrics["success"]))
        steps += result.steps
    rate, spt = success(test, brain, seed, judged)
    return {"seed": seed, "success": rate, "SPT": spt, "untrained": untrained, "reached": reached, "steps": steps}


def sparse(n: int, labels: Iterable[str]) -> dict[str, Any]:
    """Train and judge learners."""
    scenario = load("sparse")
    judged, found = worlds("evaluate", 50), {}
    for label in labels:
        make, episodes = LEARNERS[label]
        seeds = [learn_sparse(scenario, make, episodes, seed, judged) for seed in range(1, n + 1)]
        rates = [s["success"] for s in seeds]
        found[label] = {
            "n_seeds": n,
            "training_episodes": episodes,
            "training_hours": sum(s["steps"] for s in seeds) * 0.05 / 3600 / n,
            "success": wilson(sum(rates) * len(judged), n * len(judged)),
            "success_by_seed": bootstrap(rates),
            "SPT": bootstrap(s["SPT"] for s in seeds),
            "untrained": wilson(sum(s["untrained"] for s in seeds) * 10, n * 10),
            "seeds_at_bar": sum(r >= BAR for r in rates),
            "seeds": seeds,
        }
        print(label, {k: v for k, v in found[label].items() if k != "seeds"}, np.round(rates, 2).tolist(), flush=True)
    return found


def main(argv: list[str]) -> None:
    """Do what is asked and keep it beside what is there."""
    n = next((int(a) for a in argv if a.isdigit()), 20)
    names = [a for a in argv if not a.isdigit()] or ["flip", "sparse"]
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        if name == "flip":
            kept["flip"] = {"seeds": n} | flip(n)
        else:
            found = kept.get("sparse", {}) | sparse(n, LEARNERS if name == "sparse" else [name])
            kept["sparse"] = {label: found[label] for label in LEARNERS if label in found}
        RESULTS.write_text(json.dumps(jsonable(kept)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
