"""What long work tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One piece of work is done.

    Attributes
    ----------
    stage : str
        "compile", "train", "evaluate" or "bench".
    done, total : int
        Pieces of this stage.
    text : str
        What was done, for a line of output.
    """

    stage: str
    done: int
    total: int
    text: str


Tell = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Tell nobody."""
