"""The commands and their options; each imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
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
    """List what can be named: scenarios, envs, controllers, chips, rules."""
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


@app.command()
def check(
    ref: Annotated[str, typer.Argument(help="Name, path or file.py:attribute of a chip, controller, env or scenario.")],
    scenario: Annotated[str, typer.Option(help="Scenario in whose world a controller is tried.")] = "foraging",
    as_json: Json = False,
) -> None:
    """Test whether a chip, controller, env or scenario keeps its contract."""
    from insectbot.cli.checking import check as check_ref

    if not check_ref(ref, scenario, as_json):
        raise typer.Exit(1)


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
