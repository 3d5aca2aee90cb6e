"""Frozen brains on worlds that no training has seen; the same worlds for every controller and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.loop.episode import run_episode
from insectbot.loop.recorder import Header, Label, Recorder
from insectbot.scenario import Scenario, control_period, dumps, loads, make_controller, make_env
from insectbot.seeding import derive, worlds
from insectbot.training.episodes import Row, give_weights
from insectbot.training.executor import run_jobs
from insectbot.training.progress import Progress, Tell, silent
from insectbot.training.statistics import FAILED_BELOW, per_seed, summarise

_CHUNK = 50
"""Worlds per job: coarse enough to hide what a job costs, fine enough to fill all processors."""


@dataclass(frozen=True)
class Entry:
    """One line of a table: a controller on a chip, with one brain per seed.

    Attributes
    ----------
    label : str
        Name in the table.
    name : str
        Controller name or reference.
    brains : mapping of int to dict
        Training seed -> weights by projection; empty weights take the initial ones of that seed.
    options : mapping or None
        Options of the controller; None takes the scenario's if the name is the scenario's.
    chip : str or None
        None takes the scenario's.
    """

    label: str
    name: str
    brains: Mapping[int, Mapping[str, npt.NDArray]] = field(default_factory=lambda: {0: {}})
    options: Mapping[str, Any] | None = None
    chip: str | None = None


@dataclass(frozen=True)
class _Job:
    toml: str
    label: str
    name: str
    options: Mapping[str, Any] | None
    chip: str
    preset: str | None
    seed: int
    weights: Mapping[str, npt.NDArray]
    first: int
    worlds: tuple[int, ...]
    record: int
    part: str | None


def evaluation_worlds(scenario: Scenario, n: int | None = None) -> list[int]:
    """Return the reset seeds of the evaluation worlds; the first m of n are the same for every n."""
    count = scenario.evaluation.episodes if n is None else n
    return worlds("evaluate", count, scenario.evaluation.world_seed)


def _evaluate_job(job: _Job) -> list[Row]:
    scenario = loads(job.toml)
    env = make_env(scenario, "evaluate", preset=job.preset)
    controller = make_controller(scenario, env, job.seed, name=job.name, options=job.options, chip=job.chip)
    give_weights(controller, job.weights)
    chip = job.chip if hasattr(controller, "network") else ""
    learn, recorder = scenario.evaluation.learn, None
    if job.part is not None:
        header = Header.of(scenario.name, scenario.env.id, control_period(scenario, env), controller)
        recorder = Recorder(Path(job.part), header)
    rows = []
    for episode, world in enumerate(job.worlds, job.first):
        label = Label("evaluate", job.seed, episode, job.preset or "", job.label, chip)
        observer = recorder.episode(label) if recorder is not None and episode < job.record else None
        brain = derive("brain", world, job.seed)
        options = scenario.evaluation.reset_options(episode)
        if learn:
            give_weights(controller, job.weights)  # what an episode taught must not reach the next
        result = run_episode(
            env, controller, seed=world, controller_seed=brain, learn=learn, recorder=observer, options=options
        )
        rows.append(Row.of(label, result, controller))
    if recorder is not None:
        recorder.close()
    env.close()
    return rows


def _jobs(
    scenario: Scenario, entry: Entry, presets: Sequence[str | None], episodes: int, record: int, parts: Path | None
) -> list[_Job]:
    chip = entry.chip or scenario.chip
    seeds = evaluation_worlds(scenario, episodes)
    common = (dumps(scenario), entry.label, entry.name, entry.options, chip)
    recorded = next(iter(entry.brains))
    jobs = []
    for preset, (seed, weights), first in product(presets, entry.brains.items(), range(0, episodes, _CHUNK)):
        part = None
        if parts is not None and record and seed == recorded and first == 0:
            key = Label("evaluate", seed, first, preset or "", entry.label, chip).key
            part = str(parts / f"{key}_{chip}.h5")
        some = tuple(seeds[first : first + _CHUNK])
        jobs.append(_Job(*common, preset, seed, weights, first, some, record, part))
    return jobs


def evaluate(
    scenario: Scenario,
    entries: Sequence[Entry],
    *,
    presets: Sequence[str | None] | None = None,
    episodes: int | Sequence[int] | None = None,
    workers: int | None = None,
    progress: Tell = silent,
    record: int = 0,
    parts: Path | None = None,
    stage: str = "evaluate",
) -> list[Row]:
    """Evaluate frozen brains: every entry x preset x seed on the same worlds.

    Parameters
    ----------
    scenario : Scenario
        The world and how to judge.
    entries : sequence of Entry
        Whom to judge.
    presets : sequence or None
        Presets; None takes the scenario's.
    episodes : int, sequence of int or None
        Worlds per preset, one number or one per entry; None takes the scenario's.
    workers : int or None
        Processes; None takes all processors. The result does not depend on it.
    progress : callable
        Told about each finished piece.
    record : int
        Episodes recorded per entry and preset (first seed, first worlds; 50 at most).
    parts : Path or None
        Folder for these recordings; None records nothing.
    stage : str
        Name of the stage for ``progress``.

    Returns
    -------
    list of Row
        In order of entries, presets, seeds, worlds.
    """
    counts = episodes if isinstance(episodes, Sequence) else [episodes or scenario.evaluation.episodes] * len(entries)
    chosen = scenario.presets if presets is None else presets
    if parts is not None:
        parts.mkdir(parents=True, exist_ok=True)
    jobs = [j for e, n in zip(entries, counts, strict=True) for j in _jobs(scenario, e, chosen, n, record, parts)]
    done: list[int] = []

    def tell(index: int, rows: list[Row]) -> None:
        done.append(index)
        job = jobs[index]
        success = np.mean([row.metrics.get("success", np.nan) for row in rows])
        where = f"{job.preset or ''} on {rows[0].label.chip}" if rows[0].label.chip else job.preset or ""
        text = f"{job.label} {where}, seed {job.seed}: success {success:.2f}"
        progress(Progress(stage, len(done), len(jobs), text))

    return [row for rows in run_jobs(_evaluate_job, jobs, workers=workers, on_result=tell) for row in rows]


def table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows of ``summary.json``: one per controller, chip and preset, in order of appearance.

    The chip is empty for a controller without a network.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.label.controller, row.label.chip, row.label.preset), []).append(row)
    found = []
    for (controller, chip, preset), members in groups.items():
        pairs = [(row.label.seed, {**row.metrics, "reward": row.reward}) for row in members]
        success = per_seed(pairs, "success")
        failed = sum(rate < FAILED_BELOW for rate in success)
        found.append(
            {
                "controller": controller,
                "preset": preset,
                "chip": chip,
                "n_seeds": len(success),
                "n_failed_seeds": failed,
                "n_episodes": len(members),
                "metrics": summarise(pairs),
                "per_seed_success": success,
            }
        )
    return found
