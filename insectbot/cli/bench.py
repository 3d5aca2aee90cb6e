"""``insectbot bench`` and ``report``: what a finished run is worth, on every chip and on paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insectbot.cli.choose import Choice
from insectbot.cli.console import announcing_compilation, print_json, say
from insectbot.cli.folders import FreshRun, open_run
from insectbot.cli.tables import print_bench
from insectbot.cli.train import TrainOptions, experiment, telling
from insectbot.cli.weights import brains_of, find_trained, latest_trained, scenario_of
from insectbot.errors import ConfigurationError, RunFolderError

if TYPE_CHECKING:
    from insectbot.loop.runfolder import RunFolder


def report(ref: str, out: Path) -> None:
    """Write the report of a run and print its path.

    Raises
    ------
    RunFolderError
        There is no such run, or nothing in it to report.
    """
    from insectbot.view.report import write_report

    run = open_run(ref, out)
    if not any(run.file(name).exists() for name in ("recording.h5", "summary.json", "metrics.csv")):
        raise RunFolderError(f"{run.path} holds no recording and no metrics: nothing to report")
    print(write_report(run.path))


def parse_chips(text: str | None) -> list[str] | None:
    """Return ``"ideal,loihi"`` as a list of known chips; raises UnknownNameError."""
    from insectbot import plugins

    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        plugins.resolve("chip", name)
    if not names:
        raise ConfigurationError(f"--chips {text!r}: give names separated by commas, such as ideal,loihi")
    return names


def bench(ref: str, chips: str | None, workers: int | None, as_json: bool, out: Path) -> None:
    """Run the trained brains of a run, or of a scenario's latest run, on chips; print one table.

    Parameters
    ----------
    ref : str
        Run folder, "latest", or scenario; a scenario that was never trained is trained first.
    chips : str or None
        Names separated by commas; None takes the scenario's.
    workers : int or None
        Processes.
    as_json : bool
        Print JSON instead of a table.
    out : Path
        Folder of all runs.

    Raises
    ------
    InsectbotError
        A wrong name, scenario or folder.
    """
    from insectbot.training.bench import bench as bench_brains
    from insectbot.training.experiment import warm

    if workers is not None and workers < 1:
        raise ConfigurationError(f"--workers {workers}: must be at least 1")
    names = parse_chips(chips)
    if ref == "latest" or Path(ref).is_dir():
        run = find_trained(ref, out)
    else:
        choice = Choice(ref)
        found = latest_trained(choice.load().name, out)
        if found is None:
            say(f"no trained run of {ref} in {out}: training it first")
            options = TrainOptions(choice, workers=workers, with_bench=False, with_report=False, out=out)
            found = _train_for_bench(choice, options)
        run = found
    brains = brains_of(run)
    scenario = scenario_of(run, {"bench.chips": names} if names else None)
    with announcing_compilation():
        warm(scenario, scenario.bench.chips)
    with telling() as tell:
        rows, _ = bench_brains(scenario, brains, workers=workers, progress=tell)
    _keep_bench(run, rows)
    if as_json:
        print_json({"run": run.path, "bench": rows})
        return
    print_bench(rows)
    print(f"run: {run.path}")


def _train_for_bench(choice: Choice, options: TrainOptions) -> RunFolder:
    scenario = choice.load()
    with FreshRun(scenario, scenario.training.seeds[0], options.out) as fresh:
        experiment(options, scenario, fresh.folder, fresh.keep)
    return fresh.folder


def _keep_bench(run: RunFolder, rows: list[dict[str, Any]]) -> None:
    """Put the chip table into the run's summary, where the report finds it."""
    if run.file("summary.json").exists():
        summary = json.loads(run.read_text("summary.json"))
        summary.setdefault("tables", {})["bench"] = rows
        run.write_json("summary.json", summary)
