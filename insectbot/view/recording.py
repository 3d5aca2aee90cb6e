"""Reading ``recording.h5``: what one run kept of its episodes (format: docs/architecture.md, "Recording")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from insectbot.errors import RunFolderError

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class EpisodeData:
    """One recorded episode of n control steps.

    Attributes
    ----------
    key, phase : str
        Name in the file; ``"train"``, ``"evaluate"`` or ``"run"``.
    seed, episode, world : int
        Training seed, number of the episode, reset seed of the world.
    preset, controller, chip : str
        What was run.
    metrics : dict
        Numbers of the end of the episode.
    scene : dict
        The world, with ``roughness`` [ny, nx] and ``obstacles`` [k, 3] where they were recorded.
    pose : ndarray of float32, shape (n + 1, 3)
        x, y [unit of the scene], heading [rad]; first the start.
    observation, action : ndarray of float32, shapes (n, k) and (n, m)
        What the controller saw and did.
    reward, modulator : ndarray of float32, shape (n,)
        Reward of each step; last third factor of the learning rule.
    spike_tick, spike_unit : ndarray of int64 and int32, shape (n_spikes,)
        Tick since the reset and global unit number of each spike.
    weights_before, weights_after : dict of str to ndarray of float32
        Weights by projection, in projection order, at both ends of the episode.
    units : dict of str to slice
        Global unit numbers of each group of the network.
    unit_names : dict of str to list of str
        Names of the units of a group, where the recording has them (root attribute ``unit_names``, JSON).
    dt : float
        Length of a tick [ms].
    control_period : float
        Length of a control step [s].
    """

    key: str
    phase: str = "run"
    seed: int = 0
    episode: int = 0
    world: int = 0
    preset: str = ""
    controller: str = ""
    chip: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    scene: dict[str, Any] = field(default_factory=dict)
    pose: Array = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    observation: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    action: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    reward: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    modulator: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    spike_tick: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    spike_unit: Array = field(default_factory=lambda: np.zeros(0, np.int32))
    weights_before: dict[str, Array] = field(default_factory=dict)
    weights_after: dict[str, Array] = field(default_factory=dict)
    units: dict[str, slice] = field(default_factory=dict)
    unit_names: dict[str, list[str]] = field(default_factory=dict)
    dt: float = 1.0
    control_period: float = 0.05

    @property
    def n_steps(self) -> int:
        """Number of control steps."""
        return max(len(self.pose) - 1, len(self.reward))

    @property
    def duration(self) -> float:
        """Length in world time [s]."""
        return self.n_steps * self.control_period

    @property
    def success(self) -> bool:
        """Whether the metrics say that the target was reached."""
        return bool(self.metrics.get("success") or 0)


@dataclass(frozen=True)
class Recording:
    """An open description of a ``recording.h5``; arrays are read by :meth:`episodes` and :meth:`episode`.

    Attributes
    ----------
    path : Path
        The file.
    scenario, env_id, version : str
        Name of the scenario, id of the world, version of insectbot that wrote the file.
    control_period : float
        Length of a control step [s].
    dt : float
        Length of a tick of the network [ms].
    units : dict of str to slice
        Global unit numbers of each group of the network; empty without a network.
    unit_names : dict of str to list of str
        Names of the units of a group, where there are any.
    keys : tuple of str
        Names of the recorded episodes, in the order of phase, seed and episode.
    """

    path: Path
    scenario: str
    env_id: str
    version: str
    control_period: float
    dt: float
    units: dict[str, slice]
    unit_names: dict[str, list[str]]
    keys: tuple[str, ...]

    @classmethod
    def open(cls, path: Path | str) -> Recording:
        """Read the description of a recording.

        Parameters
        ----------
        path : path
            ``recording.h5`` itself or the run folder that holds it.

        Raises
        ------
        RunFolderError
            The file is missing, is not HDF5, or lacks something.
        """
        path = Path(path)
        path = path / "recording.h5" if path.is_dir() else path
        with _reading(path) as reading:
            root = reading.file.attrs
            units = {name: slice(*map(int, ends)) for name, ends in json.loads(root.get("units", "{}")).items()}
            keys = tuple(sorted(reading.file["episodes"], key=lambda k: _order(reading.file["episodes"][k])))
            return cls(
                path,
                str(root.get("scenario", "")),
                str(root.get("env_id", "")),
                str(root.get("insectbot", "")),
                float(root.get("control_period", 0.05)),
                float(root.get("dt", 1.0)),
                units,
                json.loads(root.get("unit_names", "{}")),
                keys,
            )

    def episode(self, key: str) -> EpisodeData:
        """Read one episode.

        Raises
        ------
        RunFolderError
            There is no such episode, or it is damaged.
        """
        if key not in self.keys:
            raise RunFolderError(f"{self.path}: has no episode {key!r}, it has {', '.join(self.keys) or 'none'}")
        with _reading(self.path) as reading:
            return self._read(key, reading.file["episodes"][key])

    def episodes(self, phase: str | None = None) -> list[EpisodeData]:
        """Read all episodes, or those of one phase.

        Raises
        ------
        RunFolderError
            An episode is damaged.
        """
        with _reading(self.path) as reading:
            found = [self._read(key, reading.file["episodes"][key]) for key in self.keys]
        return [e for e in found if phase is None or e.phase == phase]

    def _read(self, key: str, group: Any) -> EpisodeData:
        a = group.attrs
        scene: dict[str, Any] = json.loads(a.get("scene", "{}"))
        if isinstance(group.get("scene"), h5py.Group):
            scene |= {name: np.asarray(data) for name, data in group["scene"].items()}
        if "marks" in group:
            scene["marks"] = json.loads(group["marks"].asstr()[()])
        arrays: dict[str, Any] = {name: np.asarray(group[name]) for name in _ARRAYS if name in group}
        labels: dict[str, Any] = {name: str(a.get(name, default)) for name, default in _TEXT.items()}
        numbers: dict[str, Any] = {name: int(a.get(name, 0)) for name in ("seed", "episode", "world")}
        return EpisodeData(
            key=key,
            **labels,
            **numbers,
            metrics=json.loads(a.get("metrics", "{}")),
            scene=scene,
            **arrays,
            weights_before=_arrays(group.get("weights_before")),
            weights_after=_arrays(group.get("weights_after")),
            units=self.units,
            unit_names=self.unit_names,
            dt=self.dt,
            control_period=self.control_period,
        )


_ARRAYS = ("pose", "observation", "action", "reward", "modulator", "spike_tick", "spike_unit")
_TEXT = {"phase": "run", "preset": "", "controller": "", "chip": ""}
_PHASES = {"train": 0, "evaluate": 1, "run": 2}


def _order(group: Any) -> tuple[int, int, int]:
    a = group.attrs
    return _PHASES.get(str(a.get("phase", "run")), 3), int(a.get("seed", 0)), int(a.get("episode", 0))


def _arrays(group: Any) -> dict[str, Array]:
    """Read the data sets of a group; HDF5 takes "/" for a folder, so the recorder writes "|" for it."""
    if not isinstance(group, h5py.Group):
        return {}
    return {name.replace("|", "/"): np.asarray(data) for name, data in group.items()}


class _reading:
    """Opens an HDF5 file and turns everything that can be wrong with it into one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> _reading:
        if not self.path.is_file():
            raise RunFolderError(f"{self.path}: no such recording; run with recording switched on")
        try:
            self.file: Any = h5py.File(self.path, "r")
        except OSError as error:
            raise RunFolderError(f"{self.path}: is not a readable HDF5 file (damaged or unfinished)") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.file.close()
        if isinstance(error, KeyError | ValueError | TypeError | OSError) and not isinstance(error, RunFolderError):
            reason = " ".join(str(error).split()).strip("'\"")
            raise RunFolderError(f"{self.path}: the recording is damaged ({reason})") from error


def weight_matrix(name: str, values: npt.ArrayLike, units: Mapping[str, slice]) -> Array | None:
    """Return a dense projection's weights as ``[post, pre]``.

    A recording keeps weights in projection order (by source, then target); the shape follows from the name
    ``"source->target"`` and the sizes of these groups.

    Returns
    -------
    ndarray or None
        None where the name does not tell the groups or the projection is not dense.
    """
    vector = np.asarray(values)
    source, arrow, target = name.partition("->")
    if not arrow or source not in units or target not in units:
        return None
    n_pre, n_post = (units[g].stop - units[g].start for g in (source, target))
    return vector.reshape(n_pre, n_post).T if vector.size == n_pre * n_post else None
