"""Everything a scenario asks for: train, evaluate with all controls, bench the chips, write the run folder."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from insectbot.errors import DoesNotFit, Unsupported
from insectbot.loop.episode import EpisodeResult, Step, run_episode
from insectbot.loop.files import jsonable
from insectbot.loop.recorder import Header, Recorder
from insectbot.loop.runfolder import RunFolder
from insectbot.protocols import Controller
from insectbot.scenario import Scenario, control_period, make_controller, make_env
from insectbot.seeding import derive
from insectbot.training.bench import bench
from insectbot.training.episodes import Row
from insectbot.training.evaluate import Entry, evaluate, table
from insectbot.training.online import SeedResult, parts_folder, train
from insectbot.training.progress import Progress, Tell, silent
from insectbot.training.summary import summarise_run

UNTRAINED = "untrained"
"""Label of the network before training."""


class _FewSteps:
    """Stops an episode after three steps: enough to compile everything."""

    def start(self, env: Any, controller: Controller, observation: Any) -> None:
        """See nothing."""

    def step(self, step: Step) -> bool:
        """Stop after the third step."""
        return step.index >= 2

    def end(self, result: EpisodeResult) -> None:
        """See nothing."""


def warm(scenario: Scenario, chips: Sequence[str] = ()) -> float:
    """Compile every kernel of a scenario here, so that workers find them in the cache; return the seconds it took.

    Parameters
    ----------
    scenario : Scenario
        Its world, its controller on its chip, and its baselines are each run for three steps.
    chips : sequence of str
        More chips to compile for; one that cannot run the network is left out.
    """
    began = perf_counter()
    seed, name = scenario.training.seeds[0], scenario.controller.name
    trained = {(name, chip) for chip in (scenario.chip, *chips)}
    others = {(baseline, scenario.chip) for baseline in scenario.evaluation.baselines}
    for learn, who in ((True, {(name, scenario.chip)}), (False, trained | others)):
        env = make_env(scenario, "train" if learn else "evaluate", preset=None if learn else scenario.presets[0])
        for controller, chip in sorted(who):
            with contextlib.suppress(DoesNotFit, Unsupported):
                brain = make_controller(scenario, env, seed, name=controller, chip=chip)
                run_episode(env, brain, seed=derive("tune", 0), learn=learn, viewer=_FewSteps())
        plan = getattr(env.unwrapped, "optimal_path", None)
        if not learn and plan is not None:
            plan()
        env.close()
    return perf_counter() - began


def entries(scenario: Scenario, results: Sequence[SeedResult]) -> tuple[list[Entry], list[int]]:
    """Return who is judged and on how many worlds: trained, untrained, baselines."""
    section, name = scenario.evaluation, scenario.controller.name
    found = [Entry(name, name, {r.seed: r.weights for r in results})]
    counts = [section.episodes]
    if section.untrained and any(r.weights for r in results):
        found.append(Entry(UNTRAINED, name, {r.seed: {} for r in results}))
        counts.append(min(section.episodes, section.untrained_episodes or section.episodes))
    for baseline in dict.fromkeys(section.baselines):
        if baseline != name:
            found.append(Entry(baseline, baseline, options={}))
            counts.append(section.episodes)
    return found, counts


def _merge_recordings(scenario: Scenario, run: RunFolder, seed: int) -> None:
    """Make ``recording.h5`` from the parts (and from an earlier recording of this run)."""
    parts = sorted(parts_folder(run.path).glob("*.h5"))
    if not parts:
        return
    env = make_env(scenario, "train")
    controller = make_controller(scenario, env, seed)
    header = Header.of(scenario.name, scenario.env.id, control_period(scenario, env), controller)
    target = run.file("recording.h5")
    with Recorder(target, header) as recorder:
        for path in ([target] if target.exists() else []) + parts:
            recorder.merge(path)
    shutil.rmtree(parts_folder(run.path), ignore_errors=True)
    env.close()


def _rows(results: Sequence[SeedResult], judged: Sequence[Row], on_chips: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the lines of ``metrics.csv``; episodes that the bench took over from the evaluation appear once."""
    trained = [row for r in results for row in r.episodes]
    probed = [row for r in results for probe in r.probes for row in probe]
    known = {id(row) for row in judged}
    fresh = [row for row in on_chips if id(row) not in known]
    return [row.flat() for row in (*trained, *probed, *judged, *fresh)]


def run_experiment(
    scenario: Scenario,
    run: RunFolder,
    *,
    workers: int | None = None,
    progress: Tell = silent,
    resume: bool = False,
    with_bench: bool = True,
) -> dict[str, Any]:
    """Train, evaluate, bench; write ``metrics.csv``, ``summary.json`` and ``recording.h5``; return the summary.

    Parameters
    ----------
    scenario : Scenario
        What to do.
    run : RunFolder
        Where it goes.
    workers : int or None
        Processes; None takes all processors.
    progress : callable
        Told what is done.
    resume : bool
        Continue from the checkpoints in ``run``.
    with_bench : bool
        Also run the trained brains on the scenario's chips.

    Raises
    ------
    InsectbotError
        Anything the user can mend; checkpoints stay.
    """
    began = perf_counter()
    seconds = warm(scenario, scenario.bench.chips if with_bench else ())
    progress(Progress("compile", 1, 1, f"kernels ready in {seconds:.1f} s"))
    results = train(scenario, run, workers=workers, progress=progress, resume=resume)
    who, counts = entries(scenario, results)
    parts: Path | None = parts_folder(run.path) if scenario.record.evaluate else None
    record = scenario.record.evaluate
    judged = evaluate(scenario, who, episodes=counts, workers=workers, progress=progress, record=record, parts=parts)
    benched: list[dict[str, Any]] = []
    on_chips: list[Row] = []
    if with_bench and any(row.counters for row in judged if row.label.controller == scenario.controller.name):
        brains = {r.seed: r.weights for r in results}
        benched, on_chips = bench(scenario, brains, workers=workers, progress=progress, known=judged)
    run.write_csv("metrics.csv", _rows(results, judged, on_chips))
    _merge_recordings(scenario, run, results[0].seed)
    summary = jsonable(summarise_run(scenario, results, table(judged), benched, perf_counter() - began))
    run.write_json("summary.json", summary)
    return summary
