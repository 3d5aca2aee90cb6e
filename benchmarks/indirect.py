"""What light alone can teach: ``python benchmarks/indirect.py``.

Trains the scenario ``indirect`` with 20 seeds, judges it on worlds that no training or tuning has seen, and asks what
the trainer needs: right choices (a yoked control gets as many pulses as strong, elsewhere), a switch for STDP while
behaviour is measured, knowledge of the synapses, a start from positive weights. Writes
benchmarks/results/indirect.json and draws docs/pictures/indirect.png.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from indirect_figure import draw

from insectbot.controllers.circuits.virtual_insect import (
    SIGNS,
    SYNAPSES,
    VirtualInsect,
    light_bench,
    probes,
    virtual_insect,
)
from insectbot.controllers.indirect import IndirectTrainer, PulsePair
from insectbot.controllers.light_bench import LightBench
from insectbot.core.simulator import Simulator
from insectbot.loop.files import jsonable
from insectbot.loop.runfolder import RunFolder
from insectbot.scenario import dumps, load
from insectbot.training.evaluate import Entry, evaluate, table
from insectbot.training.experiment import run_experiment
from insectbot.training.statistics import wilson
from insectbot.view.recording import Recording

ROOT = Path(__file__).parents[1]
SEEDS = range(1, 21)
MOST = 100
"""Pulse pairs, at most: half of what the bar allows."""

Reals = npt.NDArray[np.float64]
Session = Callable[[VirtualInsect, int], Reals]


class Yoked(IndirectTrainer):
    """Gives a pulse pair whenever the trainer would, as strong, but to any synapse and in any direction."""

    def __init__(self, model: IndirectTrainer, seed: int) -> None:
        vars(self).update(vars(model))
        self._rng = np.random.default_rng(seed)

    def choose(self, blame: Reals) -> PulsePair | None:
        """Return a pair of random place and sign."""
        pair = super().choose(blame)
        if pair is None:
            return None
        sensor, motor, sign = (int(self._rng.integers(n)) for n in (4, 2, 2))
        return PulsePair(sensor, motor, pair.lag if sign else -pair.lag)


def weights(insect: VirtualInsect) -> Reals:
    """Return the eight weights; only this file looks at them, no trainer does."""
    return insect.weights()[SYNAPSES].astype(np.float64)


def taught(insect: VirtualInsect, seed: int) -> Reals:
    """Teach by pulse pairs; return the weights after each, shape (pairs + 1, 8)."""
    bench, found = light_bench(insect.executable), [weights(insect)]
    for _ in range(MOST):
        insect.trainer.lesson(bench, 1)
        found.append(weights(insect))
    return np.array(found)


def yoked(insect: VirtualInsect, seed: int) -> Reals:
    """Give random pulse pairs."""
    insect.trainer = Yoked(insect.trainer, seed)
    insect.trainer.lesson(light_bench(insect.executable), MOST)
    return weights(insect)[None]


def always_plastic(insect: VirtualInsect, seed: int) -> Reals:
    """Teach while STDP is never held, not even while behaviour is measured."""
    executable = insect.executable
    executable.learning = True
    bench = LightBench(lambda drive, n: executable.window(drive, n).counts, lambda on: None, 4, 2)
    insect.trainer.lesson(bench, MOST)
    return weights(insect)[None]


def reversed_task(insect: VirtualInsect, seed: int) -> Reals:
    """Teach, then teach the opposite, whose pairs count; return minus the weights, so that the same signs are right."""
    bench = light_bench(insect.executable)
    insect.trainer.lesson(bench, MOST)
    situations, wishes = probes()
    insect.trainer = IndirectTrainer(situations, -wishes, tolerance=15.0)
    insect.trainer.lesson(bench, 2 * MOST)
    return -weights(insect)[None]


STUDY: Mapping[str, tuple[Session, dict[str, Any]]] = {
    "taught": (taught, {}),
    "yoked: pulses at random": (yoked, {}),
    "STDP never held": (always_plastic, {}),
    "start of either sign": (taught, {"w_init": (-1.0, 1.0)}),
    "STDP half as strong": (taught, {"a_plus": 0.004}),
    "STDP twice as strong": (taught, {"a_plus": 0.016}),
    "STDP window 10 ms": (taught, {"tau": 10.0}),
    "STDP window 40 ms": (taught, {"tau": 40.0}),
    "task reversed afterwards": (reversed_task, {}),
}
"""What is tried with every seed, and with which options."""


def study(name: str) -> tuple[dict[str, Any], list[Reals]]:
    """Run one line of :data:`STUDY` with all seeds; return its result and the weights of each seed."""
    session, options = STUDY[name]
    traces, pairs = [], []
    for seed in SEEDS:
        insect = virtual_insect(seed=seed, **options)
        executable: Any = Simulator().compile(insect.network, seed=seed)
        insect.attach(executable, 50)
        traces.append(session(insect, seed))
        pairs.append(insect.trainer.pairs)
    right = [(np.sign(w) == SIGNS).all(axis=1) for w in traces]
    found: dict[str, Any] = {"right": int(sum(r[-1] for r in right)), "of": len(traces), "pairs": pairs}
    found["right_rate"] = wilson(found["right"], found["of"])
    if session is taught:
        # The pair after which all signs are right and stay so.
        found["pairs_to_signs"] = [int(len(r) - np.argmin(r[::-1])) if r[-1] else None for r in right]
    return found, traces


def product(root: Path) -> tuple[dict[str, Any], Recording]:
    """Train, judge and bench the scenario as ``insectbot train indirect`` does, with all seeds."""
    scenario = load("indirect", {"training.seeds": list(SEEDS), "bench.episodes": 50})
    run = RunFolder.create(scenario.name, dumps(scenario), 1, root=root, command=["python", "benchmarks/indirect.py"])
    return run_experiment(scenario, run, workers=1), Recording.open(run.path)


def judged(brains: dict[int, Reals], label: str) -> list[dict[str, Any]]:
    """Judge weights on the first 40 evaluation worlds of each preset."""
    scenario = load("indirect")
    entry = Entry(label, scenario.controller.name, {s: {SYNAPSES: w.astype(np.float32)} for s, w in brains.items()})
    return table(evaluate(scenario, [entry], episodes=40, workers=1))


def main() -> None:
    """Measure, write the results, draw the picture."""
    lines, traces = {}, {}
    for name in STUDY:
        lines[name], traces[name] = study(name)
        print(f"{name:26s} {lines[name]['right']:2d} of {lines[name]['of']} seeds have Braitenberg's signs", flush=True)
    at_random = judged({s: w[-1] for s, w in zip(SEEDS, traces["yoked: pulses at random"], strict=True)}, "yoked")
    with tempfile.TemporaryDirectory() as folder:
        summary, recording = product(Path(folder))
        pairs = load("indirect").controller.options["pairs"]
        draw(ROOT / "docs" / "pictures" / "indirect.png", traces["taught"], summary["learning_curve"], pairs, recording)
    tables = {"evaluation": [*summary["tables"]["evaluation"], *at_random], "bench": summary["tables"]["bench"]}
    result = {"seeds": list(SEEDS), "most_pairs": MOST, "study": lines, "tables": tables}
    result |= {"learning_curve": summary["learning_curve"], "weights": summary["weights"]}
    path = ROOT / "benchmarks" / "results" / "indirect.json"
    path.write_text(json.dumps(jsonable(result), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
