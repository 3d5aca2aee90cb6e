"""The folder of one run: ``runs/<scenario>/<date>_<time>_s<seed>/``."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from insectbot.errors import RunFolderError
from insectbot.loop import files

_PACKAGES = ("insectbot", "numpy", "numba", "gymnasium", "h5py", "pydantic", "joblib", "matplotlib", "pygame-ce")


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git() -> dict[str, Any] | None:
    """Return commit and dirtiness of the checkout that insectbot runs from; None if it is installed."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return None

    def ask(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10
        ).stdout.strip()

    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return {"commit": ask("rev-parse", "HEAD"), "changed": bool(ask("status", "--porcelain", "-uno"))}
    return None


def environment() -> dict[str, Any]:
    """Return what a result depends on: versions of Python and packages, processor, state of the checkout."""
    versions = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": _cpu(),
        "cpu_count": os.cpu_count(),
        "versions": versions,
        "git": _git(),
    }


class RunFolder:
    """A run folder on disk; make it with :meth:`create` or :meth:`open`.

    Attributes
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(
        cls,
        scenario: str,
        toml: str,
        seed: int,
        *,
        root: Path | str = "runs",
        command: Sequence[str] | None = None,
    ) -> RunFolder:
        """Create a new run folder, complete or not at all, and point ``latest`` to it.

        Parameters
        ----------
        scenario : str
            Name of the scenario, the folder's parent.
        toml : str
            The resolved scenario.
        seed : int
            First seed, part of the folder's name.
        root : Path or str
            Folder of all runs.
        command : sequence of str or None
            Command line to repeat the run; None takes this process's.

        Raises
        ------
        RunFolderError
            The folder cannot be written.
        """
        parent = Path(root) / scenario
        name = f"{datetime.now():%Y-%m-%d_%H%M%S}_s{seed}"
        draft = parent / f".{name}.{os.getpid()}.tmp"
        arguments = ["insectbot", *sys.argv[1:]] if command is None else command
        try:
            (draft / "checkpoints").mkdir(parents=True)
            files.write_text(draft / "scenario.toml", toml)
            files.write_text(draft / "command.txt", shlex.join(arguments) + "\n")
            files.write_json(draft / "environment.json", environment())
            path, n = parent / name, 2
            while path.exists():
                path, n = parent / f"{name}-{n}", n + 1
            os.rename(draft, path)
            cls._point(parent / "latest", path.name)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise files.cannot("written", parent, error) from error
        return cls(path)

    @staticmethod
    def _point(link: Path, target: str) -> None:
        temporary = link.with_name(f".latest.{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target, target_is_directory=True)
        os.replace(temporary, link)

    @classmethod
    def open(cls, ref: Path | str, *, root: Path | str = "runs") -> RunFolder:
        """Open an existing run folder.

        Parameters
        ----------
        ref : Path or str
            The folder, a scenario's folder (its latest run), or ``"latest"`` (the newest run of all).
        root : Path or str
            Folder of all runs, for ``"latest"``.

        Raises
        ------
        RunFolderError
            There is no such run.
        """
        path = Path(ref)
        if str(ref) == "latest" and not path.exists():
            runs = [link.resolve() for link in Path(root).glob("*/latest") if link.exists()]
            if not runs:
                raise RunFolderError(f"there is no run in {root}: start one with: insectbot train foraging")
            path = max(runs, key=lambda run: run.name)
        if not (path / "scenario.toml").is_file() and (path / "latest").exists():
            path = path / "latest"
        if not (path / "scenario.toml").is_file():
            raise RunFolderError(f"{ref} is not a run folder: it has no scenario.toml")
        return cls(path.resolve())

    def file(self, name: str) -> Path:
        """Return the path of a file in the folder, there or not."""
        return self.path / name

    def read_text(self, name: str) -> str:
        """Return the text of a file; raises RunFolderError."""
        try:
            return self.file(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise files.cannot("read", self.file(name), error) from error

    def write_text(self, name: str, text: str) -> None:
        """Write a text file atomically; raises RunFolderError."""
        files.write_text(self.file(name), text)

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file atomically, NaN as null; raises RunFolderError."""
        files.write_json(self.file(name), value)

    def write_csv(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a CSV file atomically; raises RunFolderError."""
        files.write_csv(self.file(name), rows)
