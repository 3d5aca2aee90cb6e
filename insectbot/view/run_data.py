"""What a run folder holds, read with tolerance: a part that is missing or damaged is told about, not fatal."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from insectbot.errors import RunFolderError
from insectbot.view.recording import EpisodeData, Recording

_EXPECTED = ("summary.json", "metrics.csv", "environment.json", "command.txt", "scenario.toml", "recording.h5")


@dataclass
class RunData:
    """The parts of a run folder; a part that is not there is empty and has an entry in ``problems``.

    Attributes
    ----------
    path : Path
        The folder.
    summary, environment, scenario : dict
        Contents of ``summary.json``, ``environment.json`` and ``scenario.toml``.
    command, scenario_text : str
        Contents of ``command.txt`` and ``scenario.toml``.
    metrics : list of dict
        Rows of ``metrics.csv``.
    episodes : list of EpisodeData
        Recorded episodes.
    problems : dict of str to str
        File name -> one sentence on what is wrong with it.
    """

    path: Path
    summary: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    scenario: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    scenario_text: str = ""
    metrics: list[dict[str, str]] = field(default_factory=list)
    episodes: list[EpisodeData] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path | str) -> RunData:
        """Read a run folder.

        Raises
        ------
        RunFolderError
            The folder does not exist or holds none of a run's files.
        """
        path = Path(folder)
        if not path.is_dir():
            raise RunFolderError(f"{path}: no such run folder; start a run with: insectbot train foraging")
        if not any((path / name).is_file() for name in _EXPECTED):
            raise RunFolderError(f"{path}: is not a run folder, it holds none of {', '.join(_EXPECTED)}")
        data = cls(path)
        data.summary = data._json("summary.json")
        data.environment = data._json("environment.json")
        data.command = data._text("command.txt").strip()
        data.scenario_text = data._text("scenario.toml").strip()
        try:
            data.scenario = tomllib.loads(data.scenario_text)
        except tomllib.TOMLDecodeError as error:
            data.problems["scenario.toml"] = f"scenario.toml is not valid TOML ({error})"
        data.metrics = list(csv.DictReader(data._text("metrics.csv").splitlines()))
        try:
            data.episodes = Recording.open(path / "recording.h5").episodes()
        except RunFolderError as error:
            missing = not (path / "recording.h5").is_file()
            data.problems["recording.h5"] = "recording.h5 is not there" if missing else str(error)
        return data

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows of the evaluation table."""
        return _table(self.summary, "evaluation")

    @property
    def bench(self) -> list[dict[str, Any]]:
        """Rows of the chip table."""
        return _table(self.summary, "bench")

    @property
    def learner(self) -> str:
        """Name of the trained controller: the scenario's, else that of the first row."""
        section = self.scenario.get("controller")
        named = section.get("name") if isinstance(section, Mapping) else None
        return str(named or next((row.get("controller", "") for row in self.rows), ""))

    def row(self, controller: str, preset: str | None = None) -> dict[str, Any] | None:
        """Return the first evaluation row of a controller (and preset)."""
        for row in self.rows:
            if row.get("controller") == controller and preset in (None, row.get("preset")):
                return row
        return None

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text("utf-8")
        except FileNotFoundError:
            self.problems[name] = f"{name} is not there"
        except (OSError, UnicodeDecodeError) as error:
            self.problems[name] = f"{name} cannot be read ({' '.join(str(error).split())})"
        return ""

    def _json(self, name: str) -> dict[str, Any]:
        text = self._text(name)
        if not text:
            return {}
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            self.problems[name] = f"{name} is not valid JSON ({error})"
            return {}
        if not isinstance(value, dict):
            self.problems[name] = f"{name} is not a JSON object"
            return {}
        return value


def _table(summary: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    tables = summary.get("tables")
    rows = tables.get(name) if isinstance(tables, Mapping) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
