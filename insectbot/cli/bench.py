"""``insectbot bench`` and ``report``: what a finished run is worth, on every chip and on paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
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
    from insectbot.scenario_models import Scenario


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
    """Return ``"ideal,loihi"`` as a list of known chips, ``"all"`` as all of the kit; raises UnknownNameError."""
    from insectbot import plugins

    if text is None:
        return None
    if text.strip() == "all":
        return sorted(plugins.names("chip"), key=lambda name: (name != "ideal", name))
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        plugins.resolve("chip", name)
    if not names:
        raise ConfigurationError(f"--chips {text!r}: give names separated by commas, such as ideal,loihi")
    return names


@dataclass(frozen=True)
class Variants:
    """In which variants every chip is benched, beside as it is.

    Attributes
    ----------
    bits : str or None
        Stored bits per weight, separated by commas; for chips that have the option ``weight_bits``.
    dies : int
        Number of dies of an analog chip, each with its own mismatch; 1 takes that of the brain's seed.
    free_running : bool
        Also let the world run on while the chip decides.
    """

    bits: str | None = None
    dies: int = 1
    free_running: bool = False


def _with_bits(chips: Sequence[str], words: Sequence[str]) -> dict[str, list[str]]:
    """Return the variants of each chip with so many bits per weight; a number that no chip takes is a mistake."""
    from insectbot.scenario import make_backend

    found: dict[str, list[str]] = {chip: [] for chip in chips if hasattr(make_backend(chip), "weight_bits")}
    for word in words:
        refused: list[ConfigurationError] = []
        for chip in found:
            name = f"{chip}@weight_bits={word}"
            try:
                make_backend(name)
                found[chip].append(name)
            except ConfigurationError as error:
                refused.append(error)
        if refused and len(refused) == len(found):
            raise refused[0]
        for error in refused:
            say(f"left out: {error}")
    return found


def expanded(chips: Sequence[str], variants: Variants) -> list[str]:
    """Return the chips and, after each, its variants; ``ideal`` has none.

    Raises
    ------
    ConfigurationError
        A number of bits or dies is not accepted.
    """
    from insectbot.scenario import make_backend

    if variants.dies < 1:
        raise ConfigurationError(f"--dies {variants.dies}: must be at least 1")
    words = [word.strip() for word in (variants.bits or "").split(",") if word.strip()]
    if not all(word.isdecimal() for word in words):
        raise ConfigurationError(f"--bits {variants.bits!r}: must be numbers separated by commas, such as 8,6,4,2,1")
    bits = _with_bits(chips, words) if words else {}
    found = []
    for chip in chips:
        found.append(chip)
        sheet = getattr(make_backend(chip), "sheet", None)
        if sheet is None:
            continue
        found += bits.get(chip, [])
        if "mismatch" in {path.partition(".")[0] for path in sheet.figures}:
            found += [f"{chip}@die={die}" for die in range(1, variants.dies + 1) if variants.dies > 1]
        if variants.free_running:
            found.append(f"{chip}@free_running=true")
    for chip in found:
        make_backend(chip)
    return found


def bench(
    refs: Sequence[str],
    chips: str | None,
    workers: int | None,
    as_json: bool,
    out: Path,
    variants: Variants | None = None,
) -> None:
    """Run the trained brains of runs, or of scenarios' latest runs, on chips; print a table of each, draw a figure.

    Parameters
    ----------
    refs : sequence of str
        Run folders, "latest", or scenarios; a scenario that was never trained is trained first.
    chips : str or None
        Names separated by commas; None takes the scenario's.
    workers : int or None
        Processes.
    as_json : bool
        Print JSON instead of tables: a document for one run, a list of them for several.
    out : Path
        Folder of all runs.
    variants : Variants or None
        Which variants of the chips are benched, too.

    Raises
    ------
    InsectbotError
        A wrong name, scenario or folder.
    """
    if workers is not None and workers < 1:
        raise ConfigurationError(f"--workers {workers}: must be at least 1")
    names = parse_chips(chips)
    chosen = [_Benched.of(ref, names, variants or Variants(), workers, out) for ref in refs]
    documents = []
    for one in chosen:
        rows = one.measured(workers)
        files = _keep_bench(one.run, rows)
        documents.append({"run": one.run.path, "bench": rows})
        if not as_json:
            print_bench(rows)
            print("\n".join(f"{what}: {path}" for what, path in files.items()))
    if as_json:
        print_json(documents[0] if len(documents) == 1 else documents)


@dataclass(frozen=True)
class _Benched:
    """A run whose brains go on chips, all names of which are known."""

    run: RunFolder
    scenario: Scenario
    chips: Sequence[str]

    @staticmethod
    def of(ref: str, names: list[str] | None, variants: Variants, workers: int | None, out: Path) -> _Benched:
        """Find the run, or make it."""
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
        scenario = scenario_of(run, {"bench.chips": names} if names else None)
        return _Benched(run, scenario, expanded(scenario.bench.chips, variants))

    def measured(self, workers: int | None) -> list[dict[str, Any]]:
        """Return the rows of the bench."""
        from insectbot.training.bench import bench as bench_brains
        from insectbot.training.experiment import warm

        brains = brains_of(self.run)
        with announcing_compilation():
            warm(self.scenario, self.chips)
        with telling() as tell:
            rows, _ = bench_brains(self.scenario, brains, chips=self.chips, workers=workers, progress=tell)
        return rows


def _train_for_bench(choice: Choice, options: TrainOptions) -> RunFolder:
    scenario = choice.load()
    with FreshRun(scenario, scenario.training.seeds[0], options.out) as fresh:
        experiment(options, scenario, fresh.folder, fresh.keep)
    return fresh.folder


def _keep_bench(run: RunFolder, rows: list[dict[str, Any]]) -> dict[str, Path]:
    """Put the chip table into the run's summary and report, draw its figure; return what was written."""
    from insectbot.loop.files import atomic
    from insectbot.view.plot_bench import bench_figure
    from insectbot.view.report import write_report

    files = {"run": run.path}
    if run.file("summary.json").exists():
        summary = json.loads(run.read_text("summary.json"))
        summary.setdefault("tables", {})["bench"] = rows
        run.write_json("summary.json", summary)
        files["report"] = write_report(run.path)
    files["figure"] = run.path / "bench.png"
    with atomic(files["figure"]) as temporary:
        bench_figure(rows).savefig(temporary, format="png", facecolor="white")
    return files
