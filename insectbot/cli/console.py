"""What commands print: tables, JSON and progress on the right stream."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 160
"""Columns of a table when the output is no terminal: wide enough that no cell is cut."""


def console(*, stderr: bool = False) -> Console:
    """Return a console for the present stdout or stderr."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def is_narrow(columns: int) -> bool:
    """Return whether what is printed on stdout has fewer than so many columns."""
    return console().width < columns


def say(text: str) -> None:
    """Print a line for the human on stderr, where it disturbs no pipe."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout; what is not a number becomes null."""
    print(json.dumps(plain(value), indent=2))


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: mappings, lists, strings, finite numbers and null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Sequence):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", right: Sequence[str] = ()
) -> None:
    """Print a table on stdout.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequence of str
        Cells; text is taken literally.
    title : str
        A line above.
    right : sequence of str
        Headings of the columns that hold numbers.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.pad_edge, table.collapse_padding = False, True
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=column == columns[0])
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


@contextmanager
def announcing_compilation() -> Iterator[None]:
    """Say on stderr when numba compiles a kernel inside this block, and how long that took.

    Kernels that come from the cache are loaded without a word.
    """
    from numba.core import event

    class _Announcer(event.Listener):
        depth = 0
        began = 0.0
        seconds = 0.0

        def on_start(self, event: event.Event) -> None:
            if self.depth == 0:
                if self.seconds == 0.0:
                    print("compiling kernels (first run only) ... ", end="", file=sys.stderr, flush=True)
                self.began = time.perf_counter()
            self.depth += 1

        def on_end(self, event: event.Event) -> None:
            self.depth -= 1
            if self.depth == 0:
                self.seconds += time.perf_counter() - self.began

    announcer = _Announcer()
    with event.install_listener("numba:compile", announcer):
        try:
            yield
        finally:
            if announcer.seconds:
                say(f"{announcer.seconds:.1f} s")


@contextmanager
def progress_bar(description: str) -> Iterator[Any]:
    """Yield ``update(done, total, note)``: a bar on stderr, or plain lines where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield _plain_lines(description)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def update(done: int, total: int, note: str = "", what: str = description) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, note=note)
            bar.update(tasks[what], completed=done, total=total, note=note)

        yield update


def _plain_lines(description: str) -> Any:
    """Return an ``update`` that prints a line at every tenth part and at the end."""
    printed: dict[str, int] = {}

    def update(done: int, total: int, note: str = "", what: str = description) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth > printed.get(what, 0):
            printed[what] = tenth
            say(f"{what}: {done}/{total}  {note}".rstrip())

    return update
