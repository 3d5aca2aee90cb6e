"""The commands and their options; each imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from insectbot.errors import InsectbotError

app = typer.Typer(
    name="insectbot",
    help="Put a spiking brain into a body: closed-loop worlds, online learning, emulated neuromorphic chips.",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RUNS = Path("runs")
INTERRUPTED = 130
MISUSED = 2

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from insectbot import __version__

        print(__version__)
    elif context.invoked_subcommand is None:
        from insectbot.cli.listing import welcome

        welcome()


@app.command("list")
def _list(
    kind: Annotated[str | None, typer.Argument(help="A kind, such as chips; all if none.")] = None,
    as_json: Json = False,
) -> None:
    """List what can be named: scenarios, envs, wrappers, controllers, chips, rules, neurons, synapses, codes."""
    from insectbot.cli.listing import list_names

    list_names(kind, as_json)


@app.command()
def doctor(
    warm: Annotated[bool, typer.Option("--warm", help="Compile all kernels now.")] = False,
    as_json: Json = False,
) -> None:
    """Examine the installation; the last line is "ready"."""
    from insectbot.cli.doctor import doctor as examine

    if not examine(warm, as_json):
        raise typer.Exit(1)


Scenario = Annotated[str, typer.Argument(help="Name (insectbot list scenarios) or path of a .toml file.")]
Chip = Annotated[str | None, typer.Option(help="Backend that runs the network: ideal, loihi, ...")]
Controller = Annotated[str | None, typer.Option(help="Name, package.module:attr or ./file.py:attr of another brain.")]
Preset = Annotated[str | None, typer.Option(help="Variant of the world: smooth, cluttered, dem, ...")]
World = Annotated[str | None, typer.Option(help="Gymnasium id or ./file.py:Env of another world.")]
Learn = Annotated[bool | None, typer.Option("--learn/--frozen", help="Default: learn, but frozen with --weights.")]
Weights = Annotated[str | None, typer.Option(help="Run whose trained weights are taken: folder, scenario or latest.")]
Out = Annotated[Path, typer.Option(help="Folder of all runs.")]
Workers = Annotated[int | None, typer.Option(help="Processes; all processors if not given.")]
Video = Annotated[Path | None, typer.Option(help="Write a film (.mp4 or .gif) instead of opening a window.")]
Seed = Annotated[int, typer.Option(help="Decides worlds, initial weights and all noise.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a scenario value: training.episodes=3.")
]


@app.command()
def run(
    scenario: Scenario,
    episodes: Annotated[int, typer.Option("-n", "--episodes", help="Episodes.")] = 1,
    seed: Seed = 0,
    chip: Chip = None,
    controller: Controller = None,
    preset: Preset = None,
    env: World = None,
    learn: Learn = None,
    realtime: Annotated[bool, typer.Option("--realtime", help="Pace in real time; print late steps.")] = False,
    video: Video = None,
    weights: Weights = None,
    replace: Set = None,
    as_json: Json = False,
    out: Out = RUNS,
) -> None:
    """Run episodes of a scenario, one line each; the brain learns online unless it is frozen."""
    from insectbot.cli.choose import Choice
    from insectbot.cli.run import RunOptions
    from insectbot.cli.run import run as run_scenario

    choice = Choice(scenario, chip, controller, preset, env, tuple(replace or ()))
    if not run_scenario(RunOptions(choice, episodes, seed, learn, realtime, video, as_json, out, weights)):
        raise typer.Exit(INTERRUPTED)


@app.command()
def train(
    scenario: Annotated[str | None, typer.Argument(help="Name or path of a .toml file; none with --resume.")] = None,
    episodes: Annotated[int | None, typer.Option("-n", "--episodes", help="Training episodes per seed.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Number of seeds (8) or a list (1,2,3).")] = None,
    workers: Workers = None,
    resume: Annotated[str | None, typer.Option(metavar="RUN", help="Continue an interrupted run.")] = None,
    bench: Annotated[bool, typer.Option(help="Also run the trained brains on the scenario's chips.")] = True,
    report: Annotated[bool, typer.Option(help="Also write the report.")] = True,
    chip: Chip = None,
    controller: Controller = None,
    preset: Preset = None,
    env: World = None,
    replace: Set = None,
    as_json: Json = False,
    out: Out = RUNS,
) -> None:
    """Train online over seeds, judge frozen on unseen worlds beside controls, bench chips, write a report."""
    from insectbot.cli.choose import Choice
    from insectbot.cli.train import TrainOptions
    from insectbot.cli.train import train as train_scenario

    choice = None if scenario is None else Choice(scenario, chip, controller, preset, env, tuple(replace or ()))
    train_scenario(TrainOptions(choice, episodes, seeds, workers, resume, bench, report, as_json, out))


@app.command()
def play(
    scenario: Scenario,
    episodes: Annotated[int, typer.Option("-n", "--episodes", help="Episodes; 0 plays until the window closes.")] = 0,
    seed: Seed = 0,
    chip: Chip = None,
    controller: Controller = None,
    preset: Preset = None,
    env: World = None,
    learn: Learn = None,
    realtime: Annotated[bool, typer.Option(help="Start in real time.")] = True,
    video: Video = None,
    weights: Weights = None,
    replace: Set = None,
    out: Out = RUNS,
) -> None:
    """Watch a scenario live: world, spikes, weights, reward; h shows the keys."""
    from insectbot.cli.choose import Choice
    from insectbot.cli.play import play as play_scenario
    from insectbot.cli.run import RunOptions

    choice = Choice(scenario, chip, controller, preset, env, tuple(replace or ()))
    play_scenario(RunOptions(choice, episodes, seed, learn, False, video, False, out, weights), realtime)


@app.command()
def bench(
    refs: Annotated[list[str], typer.Argument(metavar="SCENARIO|RUN...", help="Run folders, latest, or scenarios.")],
    chips: Annotated[
        str | None, typer.Option(help="Names separated by commas, or all; options after @: ideal,loihi@weight_bits=4.")
    ] = None,
    bits: Annotated[str | None, typer.Option(help="Also with so many bits per weight: 8,6,4,2,1.")] = None,
    dies: Annotated[int, typer.Option(help="Dies of an analog chip, each with its own mismatch.")] = 1,
    free_running: Annotated[bool, typer.Option("--free-running", help="Also without waiting for the chip.")] = False,
    workers: Workers = None,
    as_json: Json = False,
    out: Out = RUNS,
) -> None:
    """Run the same trained brains on chips: fit, success, latency, energy per decision, spikes in agreement."""
    from insectbot.cli.bench import Variants
    from insectbot.cli.bench import bench as bench_chips

    bench_chips(refs, chips, workers, as_json, out, Variants(bits, dies, free_running))


@app.command()
def report(
    ref: Annotated[str, typer.Argument(metavar="RUN|latest", help="Run folder, or latest.")] = "latest",
    out: Out = RUNS,
) -> None:
    """Write the report of a run, one HTML file, and print its path."""
    from insectbot.cli.bench import report as write_report

    write_report(ref, out)


@app.command()
def export(
    scenario: Scenario,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="brain.nir, or brain.chip with --chip.")],
    weights: Weights = None,
    seed: Seed = 0,
    chip: Annotated[str | None, typer.Option(help="Write what this chip is programmed with: loihi, ...")] = None,
    pure: Annotated[bool, typer.Option("--pure", help="NIR alone, no metadata; refuse what it cannot say.")] = False,
    reader: Annotated[str, typer.Option("--for", help="Who reads it: nir, grid, snntorch or norse.")] = "nir",
    controller: Controller = None,
    replace: Set = None,
    as_json: Json = False,
    out: Out = RUNS,
) -> None:
    """Write a brain as a NIR file, and say what other programs will not find in it; or as a chip's program."""
    from insectbot.cli import export as command
    from insectbot.cli.choose import Choice

    choice = Choice(scenario, controller=controller, replace=tuple(replace or ()))
    if chip is not None:
        command.deploy(choice, path, chip, weights, seed, as_json, out)
    else:
        command.export(choice, path, weights, seed, pure, reader, as_json, out)


@app.command()
def speed(
    as_json: Json = False,
    repeats: Annotated[int, typer.Option(help="Times that each figure is measured; the median counts.")] = 3,
    full: Annotated[bool, typer.Option("--full", help="Also every world and chip, 10 M synapses, threads.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for speed.json and speed.png.")] = None,
    realtime: Annotated[float | None, typer.Option(help="Hold 10 000 plastic neurons to 1 ms for so many s.")] = None,
    peers: Annotated[bool, typer.Option("--peers", help="Run beside NEST, Brian2, ANNarchy, torch SNNs.")] = False,
    peer_python: Annotated[str | None, typer.Option(help="Python that has the peers installed.")] = None,
    show_kernel: Annotated[bool, typer.Option("--show-kernel", help="Print the forager's kernel.")] = False,
) -> None:
    """Measure how fast worlds, core, chips and the closed loop are here, beside the bars and beside peers."""
    from insectbot.cli import speed as command

    if show_kernel:
        command.show_kernel()
    elif peers:
        command.peers(peer_python, repeats)
    elif realtime is not None:
        command.realtime(realtime, as_json)
    else:
        command.speed(as_json, repeats, full=full, out=out)


@app.command()
def check(
    ref: Annotated[
        str, typer.Argument(help="Name, path or file.py:attribute of a chip, controller, env, scenario or model.")
    ],
    scenario: Annotated[str | None, typer.Option(help="In whose world a controller is tried; default its own.")] = None,
    as_json: Json = False,
) -> None:
    """Test whether a chip, controller, env, scenario or model keeps its contract."""
    from insectbot.cli.checking import check as check_ref

    if not check_ref(ref, scenario, as_json):
        raise typer.Exit(1)


@app.command()
def new(
    kind: Annotated[str, typer.Argument(metavar="env|controller|chip", help="What to begin.")],
    name: Annotated[str, typer.Argument(help="Name of the file, such as glow_worm.")],
) -> None:
    """Write a working one-file env, controller or chip to start from, here in this folder."""
    from insectbot.cli.new import new as write_starter

    steps = write_starter(kind, name)
    print("written; try next:")
    for line in steps:
        print(f"  {line}")


def one_line(error: BaseException) -> str:
    """Return an error as one line of text."""
    text = getattr(error, "format_message", lambda: str(error))()
    return " ".join(text.split()) or type(error).__name__


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str or None
        Words after ``insectbot``; None takes those of the process.

    Returns
    -------
    int
        0 when what was asked was done, 1 when a check failed, 2 on a mistake of the user, 130 on Ctrl-C.
    """
    usage_error: type[Exception] = typer.BadParameter.__mro__[2]  # click's root error, wherever this typer keeps click
    try:
        status = app(args=arguments, standalone_mode=False)
        return status if isinstance(status, int) else 0
    except typer.Exit as stop:
        return stop.exit_code
    except (InsectbotError, usage_error) as error:
        print(f"insectbot: {one_line(error)}", file=sys.stderr)
        return MISUSED
    except (KeyboardInterrupt, typer.Abort):
        print("insectbot: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone: no output is wanted any more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
