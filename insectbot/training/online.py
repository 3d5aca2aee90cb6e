"""Online learning: seeds x episodes in the closed loop, a checkpoint after every episode."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import RunFolderError
from insectbot.loop import checkpoint
from insectbot.loop.episode import run_episode
from insectbot.loop.recorder import Header, Label, Recorder
from insectbot.loop.runfolder import RunFolder
from insectbot.protocols import Controller
from insectbot.scenario import Scenario, control_period, dumps, loads, make_controller, make_env
from insectbot.seeding import derive, worlds
from insectbot.training import world_state
from insectbot.training.episodes import Row, give_weights, weights_of
from insectbot.training.executor import run_jobs
from insectbot.training.progress import Bulletin, Tell, silent

Weights = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class SeedResult:
    """One trained brain.

    Attributes
    ----------
    seed : int
        Training seed.
    episodes : list of Row
        The training episodes.
    probes : list of list of Row
        Entry k: a frozen copy on the validation worlds after k episodes (entry 0: untrained).
    weights : dict
        Final weights by projection.
    initial : dict
        Weights before training.
    """

    seed: int
    episodes: list[Row]
    probes: list[list[Row]]
    weights: Weights
    initial: Weights


@dataclass(frozen=True)
class _Job:
    toml: str
    seed: int
    folder: str
    records: tuple[int, ...]


def fingerprint(scenario: Scenario) -> str:
    """Return a hash of everything that decides how a seed is trained (not how many episodes or seeds)."""
    free = {"training": {"episodes", "seeds"}, "evaluation": True, "record": True, "bench": True}
    kept = scenario.model_dump(exclude={**free, "title": True, "description": True})
    probing = (scenario.evaluation.options, scenario.evaluation.reset)
    return hashlib.sha256(repr((kept, probing)).encode()).hexdigest()


def checkpoint_path(folder: Path, seed: int) -> Path:
    """Return the checkpoint file of a training seed."""
    return folder / "checkpoints" / f"seed_{seed:04d}.npz"


def parts_folder(folder: Path) -> Path:
    """Return the folder of recordings that wait to be merged."""
    return folder / "checkpoints" / "parts"


def _bulletin(folder: Path) -> Path:
    return folder / "checkpoints" / "progress.txt"


def recorded_episodes(scenario: Scenario) -> tuple[int, ...]:
    """Return the training episodes of the first seed that are recorded, spread from the first to the last."""
    n = min(scenario.record.train, scenario.training.episodes)
    return tuple(int(e) for e in np.unique(np.linspace(0, scenario.training.episodes - 1, n).round()))


class _Trainer:
    """One seed: a learner in the training world, a frozen copy in the probe world."""

    def __init__(self, job: _Job) -> None:
        self.job, self.scenario = job, loads(job.toml)
        self.fingerprint = fingerprint(self.scenario)
        self.env = make_env(self.scenario, "train")
        self.probe_env = make_env(self.scenario, "probe", preset=self.scenario.training.preset)
        self.probe_start = world_state.read(self.probe_env)
        self.learner = make_controller(self.scenario, self.env, job.seed)
        self.frozen = make_controller(self.scenario, self.probe_env, job.seed)
        self.initial = weights_of(self.frozen)
        self.probe_worlds = worlds("probe", self.scenario.training.probe_worlds, self.scenario.training.world_seed)
        self.episodes: list[Row] = []
        self.probes: list[list[Row]] = []

    def label(self, phase: str, episode: int) -> Label:
        """Return the label of an episode of this seed."""
        s = self.scenario
        preset = s.training.preset or s.env.preset or ""
        return Label(phase, self.job.seed, episode, preset, s.controller.name, s.chip)

    def probe(self) -> None:
        """Try a frozen copy on the validation worlds; the learner does not notice.

        A world that counts its episodes is probed in the state that the learner's next episode will find.
        """
        give_weights(self.frozen, weights_of(self.learner))
        rows = []
        options = dict(self.scenario.evaluation.reset) or None
        for world in self.probe_worlds:
            brain = derive("brain", world, self.job.seed)
            world_state.write(self.probe_env, *self.probe_start)
            result = run_episode(
                self.probe_env, self.frozen, seed=world, controller_seed=brain, learn=False, options=options
            )
            rows.append(Row.of(self.label("probe", len(self.episodes)), result, self.frozen))
        self.probes.append(rows)

    def train_one(self) -> None:
        """Live and learn for one episode."""
        episode = len(self.episodes)
        world = derive("train", self.scenario.training.world_seed, self.job.seed, episode)
        label = self.label("train", episode)
        brain = derive("brain", world, self.job.seed)
        with contextlib.ExitStack() as stack:
            observer = None
            if episode in self.job.records:
                what, period = self.scenario, control_period(self.scenario, self.env)
                header = Header.of(what.name, what.env.id, period, self.learner, what.record.states)
                path = parts_folder(Path(self.job.folder)) / f"{label.key}.h5"
                observer = stack.enter_context(Recorder(path, header)).episode(label)
            result = run_episode(
                self.env, self.learner, seed=world, controller_seed=brain, learn=True, recorder=observer
            )
        self.episodes.append(Row.of(label, result, self.learner))
        self._pass_episode()

    def _pass_episode(self) -> None:
        """Let one episode pass in the probe world, so that it has seen as many as the training world."""
        world_state.write(self.probe_env, *self.probe_start)
        self.probe_env.reset(seed=0)  # the next reset has its own seed: only what a world counts matters
        self.probe_start = world_state.read(self.probe_env)

    def save(self) -> None:
        """Write the checkpoint of this seed."""
        arrays = {f"controller/{name}": array for name, array in _state(self.learner).items()}
        arrays |= {f"weights/{name}": array for name, array in weights_of(self.learner).items()}
        kept, rest = world_state.read(self.env)
        arrays |= {f"env/{name}": array for name, array in kept.items()}
        meta = {
            "env": rest,
            "fingerprint": self.fingerprint,
            "seed": self.job.seed,
            "episodes": [row.data() for row in self.episodes],
            "probes": [[row.data() for row in rows] for rows in self.probes],
        }
        checkpoint.save(checkpoint_path(Path(self.job.folder), self.job.seed), arrays, meta)

    def post(self) -> None:
        """Tell the parent process how far this seed is."""
        rates = [row.metrics.get("success", float("nan")) for row in self.probes[-1]]
        success = f", success {np.mean(rates):.2f} on validation worlds" if rates else ""
        n = len(self.episodes)
        text = f"seed {self.job.seed}: episode {n} of {self.scenario.training.episodes}{success}"
        Bulletin.post(_bulletin(Path(self.job.folder)), self.job.seed, n, text)

    def load(self, path: Path) -> None:
        """Continue from a checkpoint."""
        found = checkpoint.load(path)
        if found.meta.get("fingerprint") != self.fingerprint or found.meta.get("seed") != self.job.seed:
            raise RunFolderError(f"checkpoint {path} belongs to another scenario: start a new run")
        self.episodes = [Row.from_data(row) for row in found.meta["episodes"]]
        self.probes = [[Row.from_data(row) for row in rows] for rows in found.meta["probes"]]
        _load_state(self.learner, _part(found.arrays, "controller/"))
        world_state.write(self.env, _part(found.arrays, "env/"), found.meta["env"])
        for _ in self.episodes:
            self._pass_episode()


def _part(arrays: dict[str, npt.NDArray], prefix: str) -> dict[str, npt.NDArray]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


def _state(controller: Controller) -> dict[str, npt.NDArray]:
    read: Any = getattr(controller, "state", None)
    return dict(read()) if read is not None else dict(weights_of(controller))


def _load_state(controller: Controller, state: dict[str, npt.NDArray]) -> None:
    write: Any = getattr(controller, "load_state", None)
    if write is not None and hasattr(controller, "state"):
        write(state)
    else:
        give_weights(controller, state)


def trained(run: RunFolder) -> dict[int, Weights]:
    """Return the weights that a run has learned so far: training seed -> projection -> vector.

    Raises
    ------
    RunFolderError
        The run has no checkpoint, or one is damaged.
    """
    paths = sorted((run.path / "checkpoints").glob("seed_*.npz"))
    if not paths:
        raise RunFolderError(f"{run.path} has no trained weights: train it first")
    found = {int(path.stem.removeprefix("seed_")): checkpoint.load(path).arrays for path in paths}
    return {seed: _part(arrays, "weights/") for seed, arrays in found.items()}


def _train_seed(job: _Job) -> SeedResult:
    """Train one seed to the end, from its checkpoint if it has one."""
    trainer = _Trainer(job)
    path = checkpoint_path(Path(job.folder), job.seed)
    if path.exists():
        trainer.load(path)
    else:
        trainer.probe()
        trainer.save()
    trainer.post()
    while len(trainer.episodes) < trainer.scenario.training.episodes:
        trainer.train_one()
        trainer.probe()
        trainer.save()
        trainer.post()
    return SeedResult(job.seed, trainer.episodes, trainer.probes, weights_of(trainer.learner), trainer.initial)


def train(
    scenario: Scenario,
    run: RunFolder,
    *,
    workers: int | None = None,
    progress: Tell = silent,
    resume: bool = False,
) -> list[SeedResult]:
    """Train every seed of a scenario, in parallel over seeds.

    After each episode a frozen copy is tried on ``training.probe_worlds`` validation worlds (the learning curve), in
    the state that the next training episode will find, such as the valence of ``flip``. A checkpoint follows, so
    Ctrl-C and ``kill -9`` lose at most one episode of each running seed; call again with ``resume=True``. The result
    is bit-identical for any number of workers and any interruption.

    Parameters
    ----------
    scenario : Scenario
        What to train.
    run : RunFolder
        Where checkpoints go.
    workers : int or None
        Processes; None takes all processors.
    progress : callable
        Told about each finished episode, from a thread of its own.
    resume : bool
        Continue from the checkpoints of ``run``; False refuses a folder that has any.

    Returns
    -------
    list of SeedResult
        In order of ``training.seeds``.

    Raises
    ------
    RunFolderError
        A checkpoint is damaged or belongs to another scenario, or there are some and ``resume`` is False.
    """
    seeds: Sequence[int] = scenario.training.seeds
    existing = [seed for seed in seeds if checkpoint_path(run.path, seed).exists()]
    if existing and not resume:
        raise RunFolderError(f"{run.path} already holds checkpoints: resume it, or start a new run")
    parts_folder(run.path).mkdir(parents=True, exist_ok=True)
    records = recorded_episodes(scenario)
    toml = dumps(scenario)
    jobs = [_Job(toml, seed, str(run.path), records if seed == seeds[0] else ()) for seed in seeds]
    total = len(jobs) * scenario.training.episodes
    with Bulletin(_bulletin(run.path), "train", total, progress):
        return run_jobs(_train_seed, jobs, workers=workers)
