"""Run folders as the command line makes them: checked early, undone when nothing came of a run."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insectbot.loop.runfolder import RunFolder
    from insectbot.scenario_models import Scenario


def open_run(ref: str, root: Path) -> RunFolder:
    """Return a run by folder, by scenario name (its latest run), or the "latest" of all.

    Raises
    ------
    RunFolderError
        There is no such run.
    """
    from insectbot.loop.runfolder import RunFolder

    inside = root / ref
    return RunFolder.open(inside if not Path(ref).exists() and inside.is_dir() else ref, root=root)


class FreshRun:
    """A new run folder that disappears again if an error ends the block before :meth:`keep`.

    So a mistake leaves nothing half-written, and ``latest`` still points where it did.

    Parameters
    ----------
    scenario : Scenario
        What will run.
    seed : int
        First seed.
    root : Path
        Folder of all runs.
    """

    def __init__(self, scenario: Scenario, seed: int, root: Path) -> None:
        self.scenario, self.seed, self.root = scenario, seed, root
        self._link = root / scenario.name / "latest"
        self._previous: str | None = None
        self._kept = False

    def __enter__(self) -> FreshRun:
        from insectbot.loop.runfolder import RunFolder
        from insectbot.scenario import dumps

        with suppress(OSError):
            self._previous = os.readlink(self._link)
        self._made = [folder for folder in (self._link.parent, self.root) if not folder.exists()]
        self.folder: RunFolder = RunFolder.create(self.scenario.name, dumps(self.scenario), self.seed, root=self.root)
        return self

    def keep(self) -> None:
        """Say that there is something worth keeping."""
        self._kept = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None or self._kept:
            return
        shutil.rmtree(self.folder.path, ignore_errors=True)
        with suppress(OSError):
            self._link.unlink()
            if self._previous is not None:
                self._link.symlink_to(self._previous, target_is_directory=True)
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()
