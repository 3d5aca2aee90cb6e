"""What long work tells while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


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


class Bulletin:
    """A file to which workers append what they have done, and that is told on while they work.

    Used as a context manager around the work; lines are ``seed episodes text``.

    Parameters
    ----------
    path : Path
        File; removed at the end.
    stage : str
        Stage for :class:`Progress`.
    total : int
        Episodes over all seeds.
    tell : callable
        Told from a thread of its own, at most a few times per second.
    """

    def __init__(self, path: Path, stage: str, total: int, tell: Tell) -> None:
        self.path, self.stage, self.total, self.tell = path, stage, total, tell
        self._done: dict[int, int] = {}
        self._offset = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @staticmethod
    def post(path: Path, seed: int, episodes: int, text: str) -> None:
        """Append a line; short appends of several processes do not mix."""
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{seed} {episodes} {text}\n")

    def __enter__(self) -> Bulletin:
        self.path.unlink(missing_ok=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._read()
        self.path.unlink(missing_ok=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self._read()

    def _read(self) -> None:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            file.seek(self._offset)
            news = file.read()
        whole = news[: news.rfind("\n") + 1]
        self._offset += len(whole.encode())
        for line in whole.splitlines():
            seed, episodes, text = line.split(" ", 2)
            self._done[int(seed)] = int(episodes)
            self.tell(Progress(self.stage, sum(self._done.values()), self.total, text))
