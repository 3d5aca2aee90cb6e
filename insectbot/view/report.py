"""The report of a run: one HTML page that holds everything it shows and reaches for nothing outside."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from typing import Any

from insectbot.errors import RunFolderError
from insectbot.view.markup import Html, join, mapping, number, safe, tag
from insectbot.view.report_figures import (
    bench_section,
    learning_section,
    mesh_section,
    raster_section,
    trajectory_section,
    weight_section,
)
from insectbot.view.report_style import CSS
from insectbot.view.report_tables import RESULT_NOTE, chip_table, environment_table, result_table
from insectbot.view.run_data import RunData

_PAGE = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$css</style>
</head>
<body>
<main>
$body
</main>
</body>
</html>
"""
)


def write_report(run_folder: Path | str) -> Path:
    """Write ``report.html`` into a run folder.

    Sections whose files are missing or damaged are replaced by a sentence that says so.

    Parameters
    ----------
    run_folder : path
        A run folder (docs/architecture.md, "Run folder").

    Returns
    -------
    Path
        The page, written under a temporary name and renamed.

    Raises
    ------
    RunFolderError
        The folder is not a run folder, or cannot be written to.
    """
    run = RunData.load(run_folder)
    page = render(run)
    path = run.path / "report.html"
    temporary = path.with_name(f".report.{os.getpid()}.tmp")
    try:
        temporary.write_text(page, "utf-8", errors="replace")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunFolderError(f"{path}: cannot write the report ({error.strerror or error})") from error
    return path


def render(run: RunData) -> str:
    """Return the page for what a run folder holds."""
    sections: list[tuple[str, Callable[[RunData], Html], str, bool]] = [
        ("Results", _results, "summary.json", bool(run.rows)),
        ("Learning curve", learning_section, "summary.json", bool(mapping(run.summary.get("learning_curve")))),
        ("Paths through the terrain", trajectory_section, "recording.h5", bool(run.episodes)),
        ("Spikes", raster_section, "recording.h5", any(e.spike_tick.size for e in run.episodes)),
        ("Weights", weight_section, "recording.h5", _has_weights(run)),
        ("Chips", _chips, "summary.json", bool(run.bench)),
        ("Repeat it", _repeat, "command.txt", bool(run.command)),
        ("Environment", environment_table, "environment.json", bool(run.environment)),
    ]
    body = [_header(run)]
    for title, make, source, there in sections:
        content = _attempt(make, run) if there else _absent(run, source)
        body.append(tag("section", tag("h2", title), content))
    body.append(_footer(run))
    return _PAGE.substitute(title=safe(_title(run)), css=CSS, body=join(body))


def _has_weights(run: RunData) -> bool:
    return bool(run.summary.get("weights")) or any(e.weights_after for e in run.episodes)


def _attempt(make: Callable[[RunData], Html], run: RunData) -> Html:
    """Make a section; data that it cannot draw becomes a sentence, the other sections stay."""
    try:
        return make(run)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return tag(
            "p", f"This section could not be made: the data are not of the expected form ({reason}).", **_MISSING
        )


_MISSING = {"class_": "missing"}


def _absent(run: RunData, source: str) -> Html:
    reason = run.problems.get(source, f"{source} holds nothing for this section")
    return tag("p", f"Left out: {reason}.", **_MISSING)


def _title(run: RunData) -> str:
    return str(run.summary.get("title") or run.scenario.get("title") or run.summary.get("scenario") or run.path.name)


def _header(run: RunData) -> Html:
    kicker = " \N{MIDDLE DOT} ".join(
        str(part) for part in (run.summary.get("scenario"), run.path.resolve().name) if part
    )
    about = run.scenario.get("description")
    return tag(
        "header",
        tag("p", kicker, class_="kicker"),
        tag("h1", _title(run)),
        tag("p", result_sentence(run), class_="result"),
        tag("p", about, class_="note") if about else "",
    )


def result_sentence(run: RunData) -> str:
    """Return the result in one sentence, with the controls that make it mean something."""
    row = run.row(run.learner)
    if row is None:
        return "This run has no evaluation yet, so there is no result to report."
    metrics = mapping(row.get("metrics"))
    success, score = metrics.get("success"), _score(row)
    if not isinstance(success, list | tuple) or len(success) != 3:
        return f"{run.learner} was evaluated on {number(row.get('n_episodes'), 0)} episodes."
    episodes = run.summary.get("training_episodes")
    trained = isinstance(episodes, int) and episodes > 0
    world = " ".join(word for word in ("unseen" if trained else "", str(row.get("preset") or "")) if word)
    text = f"{run.learner} succeeds in {_percent(success)} of {f'{world} worlds'.strip()}"
    if score is not None:
        text += f" {_scored(score, run)}"
    if trained:
        seeds, failed = row.get("n_seeds"), row.get("n_failed_seeds")
        text += f" after {number(episodes, 0)} training episode{'s' if episodes != 1 else ''}"
        text += f" ({number(seeds, 0)} seed{'s' if seeds != 1 else ''}, {number(failed, 0)} failed)"
    else:
        text += f" (episodes: {number(row.get('n_episodes'), 0)})"
    return f"{text}{_controls(run, row)}."


def _controls(run: RunData, row: dict[str, Any]) -> str:
    """Return the comparison with the untrained network and with the best other controller."""
    parts = []
    preset = row.get("preset")
    untrained = run.row("untrained", preset)
    before = mapping(untrained and untrained.get("metrics")).get("success")
    if before:
        parts.append(f"the untrained network in {_percent(before)}")
    rivals = [
        r for r in run.rows if r.get("preset") == preset and r.get("controller") not in (run.learner, "untrained")
    ]
    scored = [(_score(r), r.get("controller")) for r in rivals if r.get("controller") != "planner"]
    sign = -1.0 if _by_cost(run) else 1.0
    best = max(((sign * s, s, name) for s, name in scored if s is not None), default=None)
    if best:
        parts.append(f"the best control without a map, {best[2]}, reaches it {_scored(best[1], run)}")
    return "; " + "; ".join(parts) if parts else ""


def _by_cost(run: RunData) -> bool:
    """Return whether the worlds of a run count a cost: then that is the score, and time is not."""
    return any(mapping(r.get("metrics")).get("cost_ratio") for r in run.rows)


def _score(row: Mapping[str, Any]) -> float | None:
    """Return the mean of what a controller is compared by: cost over the best route's, else SPT."""
    metrics = mapping(row.get("metrics"))
    value = metrics.get("cost_ratio") or metrics.get("SPT")
    if not isinstance(value, list | tuple) or not value or not isinstance(value[0], int | float):
        return None
    return float(value[0])


def _scored(score: float, run: RunData) -> str:
    if _by_cost(run):
        return f"at {number(score)} times the cost of the best route"
    return f"with an SPT of {number(score)}"


def _percent(value: Any) -> str:
    mean, low, high = (number(v, 0, 100.0) for v in value)
    return f"{mean} % [{low}\N{EN DASH}{high}]"


def _results(run: RunData) -> Html:
    return join([result_table(run), tag("p", RESULT_NOTE, class_="note")])


def _chips(run: RunData) -> Html:
    first = str(run.bench[0].get("chip", "the first chip"))
    text = (
        "The same trained brains in the same worlds on every chip. Loss: percentage points of success lost against "
        f"{first}. A decision is one control step. Energy (its terms: static + events + host), chip "
        "time and ticks per second are the chip's, by its model, as fast as it can run; in real time every tick is "
        "held to its length in the world, and static power, paid for all that time, dominates. The host latency is "
        "the median of what emulating one decision took here."
    )
    return join([tag("p", text, class_="note"), bench_section(run), chip_table(run), mesh_section(run)])


def _repeat(run: RunData) -> Html:
    parts = [tag("pre", run.command)]
    if run.scenario_text:
        parts.append(
            tag("details", tag("summary", "The scenario in full (scenario.toml)"), tag("pre", run.scenario_text))
        )
    return join(parts)


def _footer(run: RunData) -> Html:
    wall = run.summary.get("wall_seconds")
    took = f"The run took {number(wall, 0)} s. " if isinstance(wall, int | float) else ""
    version = mapping(run.environment.get("versions")).get("insectbot")
    by = f"Written by insectbot {version}. " if version else "Written by insectbot. "
    kept = f"metrics.csv holds all {len(run.metrics)} episodes." if run.metrics else ""
    return tag("footer", tag("p", f"{took}{by}{kept}", class_="note"))
