"""``insectbot train``: long work, its progress, and what came of it."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from insectbot.cli.choose import Choice, parse_seeds
from insectbot.cli.console import announcing_compilation, print_json, progress_bar, say
from insectbot.cli.folders import FreshRun
from insectbot.cli.tables import print_bench, print_evaluation
from insectbot.cli.warm import warm_up
from insectbot.cli.weights import find_trained, scenario_of, trained_seeds
from insectbot.errors import ConfigurationError, RunFolderError

if TYPE_CHECKING:
    from insectbot.loop.runfolder import RunFolder
    from insectbot.scenario_models import Scenario
    from insectbot.training.progress import Progress


@dataclass(frozen=True)
class TrainOptions:
    """What ``insectbot train`` was told (see ``insectbot train --help``).

    Attributes
    ----------
    choice : Choice or None
        Scenario and what replaces parts of it; None when a run is resumed.
    episodes : int or None
        Training episodes per seed.
    seeds : str or None
        "8" or "1,2,3".
    workers : int or None
        Processes; None takes all processors.
    resume : str or None
        Run folder to continue.
    with_bench, with_report : bool
        Also run the chips; also write the report.
    as_json : bool
        Print JSON instead of tables.
    out : Path
        Folder of all runs.
    """

    choice: Choice | None
    episodes: int | None = None
    seeds: str | None = None
    workers: int | None = None
    resume: str | None = None
    with_bench: bool = True
    with_report: bool = True
    as_json: bool = False
    out: Path = Path("runs")

    @property
    def overrides(self) -> dict[str, Any]:
        """Key paths of the scenario that the options replace."""
        given = {"training__episodes": self.episodes, "training__seeds": parse_seeds(self.seeds)}
        return {key: value for key, value in given.items() if value is not None}


@contextmanager
def remembered_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield whether Ctrl-C came: Python drops a KeyboardInterrupt that is raised inside a finaliser."""
    came = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        signal.default_int_handler(number, frame)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def telling() -> Iterator[Callable[[Progress], None]]:
    """Yield what long work may tell its progress to."""
    with progress_bar("train") as update, remembered_interrupt() as interrupted:

        def tell(progress: Progress) -> None:
            if interrupted() and threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            if progress.stage == "compile":
                return
            update(progress.done, progress.total, progress.text, progress.stage)

        yield tell


def _to_resume(options: TrainOptions) -> tuple[Scenario, RunFolder]:
    """Return scenario and folder of an interrupted run.

    Raises
    ------
    RunFolderError
        There is nothing to resume.
    """
    run = find_trained(str(options.resume), options.out)
    if not trained_seeds(run):
        raise RunFolderError(f"{run.path} has no checkpoints: only runs of insectbot train can be resumed")
    overrides = {key.replace("__", "."): value for key, value in options.overrides.items()}
    if run.file("summary.json").exists() and not overrides:
        raise RunFolderError(f"{run.path} is finished: train it longer with -n, or start a new run")
    return scenario_of(run, overrides), run


def train(options: TrainOptions) -> None:
    """Train, evaluate, bench and report; print the tables.

    Raises
    ------
    InsectbotError
        A wrong option, scenario or folder; nothing is left behind unless training had begun.
    KeyboardInterrupt
        Ctrl-C, after saying how to resume.
    """
    if options.workers is not None and options.workers < 1:
        raise ConfigurationError(f"--workers {options.workers}: must be at least 1")
    with ExitStack() as stack:
        if options.resume is not None:
            scenario, run = _to_resume(options)
            keep: Callable[[], None] = _nothing
        else:
            if options.choice is None:
                raise ConfigurationError("train: name a scenario (insectbot list scenarios), or give --resume RUN")
            scenario = options.choice.load(**options.overrides)
            fresh = stack.enter_context(FreshRun(scenario, scenario.training.seeds[0], options.out))
            run, keep = fresh.folder, fresh.keep
        summary = experiment(options, scenario, run, keep)
        keep()
    report = _report(run.path) if options.with_report else None
    if options.as_json:
        print_json({**summary, "run": run.path, "report": report})
        return
    print_evaluation(summary["tables"]["evaluation"])
    if summary["tables"]["bench"]:
        print_bench(summary["tables"]["bench"])
    print(f"{summary['wall_seconds']:.0f} s in all")
    if report is not None:
        print(f"report: {report}")
    print(f"run: {run.path}")


def _report(folder: Path) -> Path:
    from insectbot.view.report import write_report

    return write_report(folder)


def _nothing() -> None:
    """Do nothing: a resumed run is kept anyway."""


def _described(s: Scenario) -> str:
    seeds, n = s.training.seeds, s.training.episodes
    return f"{s.name}: {s.controller.name} on {s.chip} learns online, {len(seeds)} seeds x {n} episodes"


def experiment(options: TrainOptions, scenario: Scenario, run: RunFolder, keep: Callable[[], None]) -> dict[str, Any]:
    """Run the experiment; on Ctrl-C keep the checkpoints and say how to go on."""
    from insectbot.training.experiment import run_experiment, warm

    chips = scenario.bench.chips if options.with_bench else ()
    with announcing_compilation():
        warm_up(scenario, "train", learn=True)  # says why, where the scenario's own chip cannot learn
        warm(scenario, chips)
    keep()
    say(f"{_described(scenario)}\nrun: {run.path}")
    try:
        with telling() as tell:
            return run_experiment(
                scenario,
                run,
                workers=options.workers,
                progress=tell,
                resume=options.resume is not None,
                with_bench=options.with_bench,
            )
    except KeyboardInterrupt:
        where = shlex.quote(str(run.path))
        say(f"interrupted: finished episodes are kept; resume: insectbot train --resume {where}")
        raise
