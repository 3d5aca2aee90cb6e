"""``insectbot run``: a few episodes of a scenario, one line each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insectbot.cli.choose import Choice
from insectbot.cli.console import announcing_compilation, print_json, say
from insectbot.cli.folders import FreshRun
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.seeding import MAX_SEED

if TYPE_CHECKING:
    from insectbot.cli.screen import FrameMaker
    from insectbot.loop.clock import Deadlines
    from insectbot.loop.episode import EpisodeResult
    from insectbot.loop.recorder import EpisodeRecorder, Label, Recorder
    from insectbot.protocols import Controller
    from insectbot.scenario import EnvPhase, Scenario
    from insectbot.training.episodes import Row

COLUMNS = {
    "SPT": "SPT {:.2f}",
    "time": "time {:.1f} s",
    "cost_ratio": "cost/optimal {:.2f}",
    "exposure": "exposure {:.2f}",
    "collisions": "collisions {:.0f}",
    "reward": "reward {:.1f}",
    "spikes": "{:.0f} spikes",
    "speed": "{:.0f}x real time",
}
"""Metric -> how an episode's line shows it; a metric that a world does not have is left out."""


@dataclass(frozen=True)
class RunOptions:
    """What ``insectbot run`` was told (see ``insectbot run --help``).

    Attributes
    ----------
    choice : Choice
        Scenario and what replaces parts of it.
    episodes, seed : int
        How many episodes, from which seed.
    learn : bool or None
        True learns, False is frozen; None learns unless trained weights were given.
    realtime : bool
        Pace the loop in real time and print how deadlines were kept.
    video : Path or None
        File for a film of the run.
    as_json : bool
        Print JSON instead of lines.
    out : Path
        Folder of all runs.
    weights : str or None
        Run folder whose trained weights are taken.
    """

    choice: Choice
    episodes: int = 1
    seed: int = 0
    learn: bool | None = None
    realtime: bool = False
    video: Path | None = None
    as_json: bool = False
    out: Path = Path("runs")
    weights: str | None = None

    @property
    def learning(self) -> bool:
        """Whether the run learns."""
        return self.learn if self.learn is not None else self.weights is None


def load_for_run(choice: Choice, learning: bool) -> Scenario:
    """Return the scenario of a free run.

    A learning run takes ``training.options`` (teaching reward, soft walls), but keeps the planner on where the
    world has one, so that SPT can be printed.
    """
    scenario = choice.load()
    options = scenario.training.options
    if not learning or "planner" not in options:
        return scenario
    return choice.load(training__options={k: v for k, v in options.items() if k != "planner"})


class _Run:
    """The world, the brain and the loop of one run."""

    def __init__(self, options: RunOptions) -> None:
        from insectbot.cli.warm import frozen_instead, warm_up
        from insectbot.scenario import control_period, make_controller, make_env

        self.options = options
        self.scenario = load_for_run(options.choice, options.learning)
        with announcing_compilation():
            phase: EnvPhase = "run" if options.learning else "evaluate"
            self.env = make_env(self.scenario, phase)
            self.period = control_period(self.scenario, self.env)
            self.controller = make_controller(self.scenario, self.env, options.seed)
            try:
                warm_up(self.scenario, phase, options.learning)
            except Unsupported as error:  # the chip took the network, so it is learning that it refuses
                raise frozen_instead(error) from error
        if options.weights is not None:
            from insectbot.cli.weights import take_weights

            say(take_weights(self.controller, options.weights, options.seed, options.out))
        self.rows: list[dict[str, Any]] = []
        self.results: list[Row] = []
        self.deadlines: Deadlines | None = None
        self.interrupted = False

    def frame_maker(self) -> FrameMaker:
        """Return what makes the frames of a film."""
        from insectbot.cli.screen import FrameMaker

        return FrameMaker(self.scenario, self.period, self.options.episodes)

    def header(self) -> str:
        """Return one line that says what runs."""
        s = self.scenario
        preset = f" ({s.env.preset})" if s.env.preset else ""
        chip = f" on {s.chip}" if hasattr(self.controller, "network") else ""
        mode = ("learning, " if self.options.learning else "frozen, ") if hasattr(self.controller, "learning") else ""
        return f"{s.name}{preset}: {s.controller.name}{chip}, {mode}seed {self.options.seed}"

    def episodes(self, recorder: Recorder, viewer: Any, on_done: Any) -> None:
        """Run all episodes; Ctrl-C ends them and keeps the finished ones."""
        from insectbot.loop.clock import Clock
        from insectbot.loop.episode import run_episode
        from insectbot.loop.recorder import Label
        from insectbot.seeding import derive

        options, s = self.options, self.scenario
        clock = Clock(self.period) if options.realtime else None
        try:
            for k in range(options.episodes):
                world = derive("run", options.seed, k)
                label = Label("run", options.seed, k, s.env.preset or "", s.controller.name, s.chip)
                record: EpisodeRecorder | None = recorder.episode(label) if k < s.record.run else None
                result = run_episode(
                    self.env,
                    self.controller,
                    seed=world,
                    controller_seed=derive("brain", world, options.seed),
                    learn=options.learning,
                    recorder=record,
                    viewer=viewer,
                    clock=clock,
                )
                self._keep(label, result)
                on_done()
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self.deadlines = clock.deadlines() if clock is not None else None

    def _keep(self, label: Label, result: EpisodeResult) -> None:
        from insectbot.training.episodes import Row

        self.results.append(Row.of(label, result, self.controller))
        self.rows.append(row_of(label, result, self.controller, self.period))


def row_of(label: Label, result: EpisodeResult, controller: Controller, period: float) -> dict[str, Any]:
    """Return the numbers of an episode that has just ended; ``speed`` is in times real time."""
    from insectbot.training.episodes import Row

    speed = result.steps * period / max(result.wall_time, 1e-9)
    return Row.of(label, result, controller).flat() | {"wall_time": result.wall_time, "speed": speed}


def episode_line(row: Mapping[str, Any], number: int, total: int) -> str:
    """Return the line of one episode."""
    width = len(str(total))
    parts = [f"ep {number:>{width}}/{total}"]
    if "success" in row:
        parts.append("success" if row["success"] else "failure")
    return "  ".join(parts + [text.format(row[key]) for key, text in COLUMNS.items() if _is_number(row.get(key))])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def summarise(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return mean, standard deviation and number of episodes of every metric where it is defined."""
    summary = {}
    for key in ("success", *COLUMNS):
        values = [float(row[key]) for row in rows if _is_number(row.get(key))]
        if values:
            sd = statistics.stdev(values) if len(values) > 1 else math.nan
            summary[key] = {"mean": statistics.fmean(values), "sd": sd, "n": len(values)}
    return summary


def summary_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the summary as text: successes counted, the rest mean +- sd."""
    summary = summarise(rows)
    parts = []
    if "success" in summary:
        parts.append(f"success {sum(bool(row.get('success')) for row in rows)}/{len(rows)}")
    for key, text in COLUMNS.items():
        if key in summary:
            mean, sd = summary[key]["mean"], summary[key]["sd"]
            before, _, after = text.partition("{")
            form, _, unit = after.partition("}")
            spread = "" if math.isnan(sd) else f" \N{PLUS-MINUS SIGN} {format(sd, form[1:])}"
            parts.append(f"{before}{format(mean, form[1:])}{spread}{unit}")
    return [f"mean \N{PLUS-MINUS SIGN} sd of {len(rows)}: {', '.join(parts)}"] if rows else []


def run(options: RunOptions) -> bool:
    """Run episodes, print them, keep them in a run folder; return False if Ctrl-C ended it.

    Raises
    ------
    InsectbotError
        A wrong option, scenario or plugin; nothing is left behind unless an episode was finished.
    """
    from insectbot.cli.screen import filming
    from insectbot.loop.recorder import Header, Recorder

    if options.episodes < 1:
        raise ConfigurationError(f"-n {options.episodes}: must be at least 1 episode")
    if not 0 <= options.seed <= MAX_SEED:
        raise ConfigurationError(f"--seed {options.seed}: must be from 0 to {MAX_SEED}")
    this = _Run(options)
    quiet = options.as_json
    with ExitStack() as stack:
        fresh = stack.enter_context(FreshRun(this.scenario, options.seed, options.out))
        what = this.scenario
        header = Header.of(what.name, what.env.id, this.period, this.controller, what.record.states)
        recorder = stack.enter_context(Recorder(fresh.folder.file("recording.h5"), header))
        film = stack.enter_context(filming(options.video, this.frame_maker(), options.learning))
        if not quiet:
            print(this.header(), flush=True)

        def on_done() -> None:
            fresh.keep()
            if not quiet:
                print(episode_line(this.rows[-1], len(this.rows), options.episodes), flush=True)

        try:
            this.episodes(recorder, film, on_done)
        finally:
            if this.rows:
                _write(this, fresh)
        if not this.rows:
            raise KeyboardInterrupt
    path = fresh.folder.path
    if quiet:
        print_json(_document(this, path))
        return not this.interrupted
    for line in summary_lines(this.rows):
        print(line)
    if this.deadlines is not None:
        print(f"real time: {this.deadlines}")
    if options.video is not None:
        print(f"video: {options.video} ({options.video.stat().st_size / 1e6:.1f} MB)")
    print(f"run: {path}")
    if this.interrupted:
        say(f"interrupted after {len(this.rows)} of {options.episodes} episodes: the finished ones are kept")
    return not this.interrupted


def _write(this: _Run, fresh: FreshRun) -> None:
    from insectbot.training.evaluate import table

    s = this.scenario
    fresh.folder.write_csv("metrics.csv", this.rows)
    document = {
        "scenario": s.name,
        "title": s.title or s.name,
        "seeds": [this.options.seed],
        "tables": {"evaluation": table(this.results), "bench": []},
        "learning_curve": None,
        "wall_seconds": sum(row["wall_time"] for row in this.rows),
    }
    fresh.folder.write_json("summary.json", document)


def _document(this: _Run, path: Path) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "scenario": this.scenario.name,
        "controller": this.scenario.controller.name,
        "chip": this.scenario.chip,
        "learning": this.options.learning,
        "seed": this.options.seed,
        "control_period": this.period,
        "episodes": this.rows,
        "summary": summarise(this.rows),
        "deadlines": asdict(this.deadlines) if this.deadlines is not None else None,
        "video": this.options.video,
        "run": path,
        "interrupted": this.interrupted,
    }
