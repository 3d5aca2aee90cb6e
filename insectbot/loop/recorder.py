"""Streams episodes to HDF5 (format: docs/architecture.md, "Recording"); memory stays bounded."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import gymnasium
import h5py
import numpy as np
import numpy.typing as npt

import insectbot
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.loop.columns import COMPRESSION, FLUSH, Column
from insectbot.loop.episode import EpisodeResult, Step
from insectbot.loop.files import cannot, jsonable
from insectbot.protocols import Controller, Executable, StateRecording

_SMALL = 64


@dataclass(frozen=True)
class Header:
    """What holds for all episodes of a recording.

    Attributes
    ----------
    scenario, env_id : str
        Names.
    control_period : float
        Length of a control step [s].
    dt : float
        Simulation step of the network [ms]; 0 without a network.
    units : dict
        Group of the network -> [first, last + 1] global unit number.
    unit_names : dict
        Group of the network -> names of its units, where the controller names them.
    states : tuple of str
        State variables of the network that are recorded at every tick, as ``"population.variable"``.
    """

    scenario: str
    env_id: str
    control_period: float
    dt: float = 0.0
    units: dict[str, list[int]] = field(default_factory=dict)
    unit_names: dict[str, list[str]] = field(default_factory=dict)
    states: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, scenario: str, env_id: str, control_period: float, controller: Controller, states: Sequence[str] = ()
    ) -> Header:
        """Return the header for a controller, with or without a network."""
        network = getattr(controller, "network", None)
        if network is None:
            return cls(scenario, env_id, control_period)
        units = {name: [s.start, s.stop] for name, s in network.unit_slices().items()}
        names = {group: list(given) for group, given in getattr(controller, "unit_names", {}).items()}
        return cls(scenario, env_id, control_period, network.dt, units, names, tuple(states))


@dataclass(frozen=True)
class Label:
    """Attributes of one recorded episode; ``seed`` is the training seed, ``phase`` "train", "evaluate" or "run"."""

    phase: str
    seed: int
    episode: int
    preset: str
    controller: str
    chip: str

    @property
    def key(self) -> str:
        """Name of the episode's group, which sorts by phase, controller, preset, seed, episode."""
        parts = (self.phase, self.controller, self.preset, f"s{self.seed:04d}", f"e{self.episode:05d}")
        return "_".join("".join(c if c.isalnum() or c in "-." else "-" for c in part) for part in parts if part)


def as_vector(space: gymnasium.Space, value: Any) -> npt.NDArray[np.float32]:
    """Return an observation or action as a flat float32 vector (a number stays one number)."""
    if isinstance(space, gymnasium.spaces.Box | gymnasium.spaces.Discrete | gymnasium.spaces.MultiDiscrete):
        return np.array(value, np.float32).ravel()
    return np.asarray(gymnasium.spaces.flatten(space, value), np.float32)


def _keep_array(group: h5py.Group, name: str, data: npt.NDArray) -> None:
    """Store an array; a large one goes once per file into ``/maps/<hash>``, to which ``name`` is a soft link."""
    if data.size <= _SMALL:
        group.create_dataset(name, data=data)
        return
    shape = f"{data.dtype.str}{data.shape}".encode()
    path = f"/maps/{hashlib.sha256(shape + data.tobytes()).hexdigest()[:16]}"
    if path not in group.file:
        group.file.create_dataset(path, data=data, **COMPRESSION)
    group[name] = h5py.SoftLink(path)


def by_population(states: Sequence[str]) -> dict[str, list[str]]:
    """Return population -> variables of names such as ``"motors.v"``; raises ConfigurationError for other forms."""
    out: dict[str, list[str]] = {}
    for text in states:
        population, dot, name = text.partition(".")
        if not (population and dot and name):
            raise ConfigurationError(f"record.states: {text!r} must be 'population.variable', such as 'motors.v'")
        out.setdefault(population, []).append(name)
    return out


def state_recording(executable: Executable) -> StateRecording:
    """Return the executable, if it can record state variables; raises Unsupported."""
    if not isinstance(executable, StateRecording):
        raise Unsupported("record.states: this chip keeps no state variables; use chip = 'ideal'")
    return executable


def _executable(controller: Controller) -> Executable | None:
    found = getattr(controller, "executable", None)
    return found if isinstance(found, Executable) else None


def _weights(controller: Controller) -> Mapping[str, npt.NDArray]:
    read: Callable[[], Mapping[str, npt.NDArray]] | None = getattr(controller, "weights", None)
    return read() if read is not None else {}


class EpisodeRecorder:
    """Records one episode into one group; an :class:`~insectbot.loop.episode.Observer`."""

    def __init__(self, group: h5py.Group, label: Label, states: Sequence[str] = ()) -> None:
        self.group, self._states = group, tuple(states)
        self.group.attrs.update(asdict(label))
        self._columns: dict[str, Column] = {}
        self._rows = 0
        self.complete = False

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        """Keep the scene and the weights, and switch the spike list on."""
        self._env, self._world, self._controller = env, env.unwrapped, controller
        self._executable = _executable(controller)
        if self._executable is not None:
            self._was_recording, self._executable.recording = self._executable.recording, True
            if self._states:
                state_recording(self._executable).record(by_population(self._states))
        self._keep_scene()
        self._keep_weights("weights_before")
        self._append("pose", "f4", self._pose())

    def step(self, step: Step) -> None:
        """Append one control step."""
        self._append("observation", "f4", as_vector(self._env.observation_space, step.observation))
        self._append("action", "f4", as_vector(self._env.action_space, step.action))
        self._append("reward", "f4", np.float32(step.reward))
        self._append("modulator", "f4", np.float32(getattr(self._controller, "modulator", 0.0)))
        self._append("pose", "f4", self._pose())
        if self._executable is not None:
            ticks, units = self._executable.spikes()
            self._column("spike_tick", "i8").append(ticks)
            self._column("spike_unit", "i4").append(units)
            if self._states:
                for (population, name), values in state_recording(self._executable).states().items():
                    self._column(f"states/{population}.{name}", values.dtype.str).append(values)
        self._rows += 1
        if self._rows % FLUSH == 0:
            self._flush()

    def end(self, result: EpisodeResult) -> None:
        """Write what is left, the metrics and the weights after the episode."""
        if self._executable is None:
            self._column("spike_tick", "i8").append(np.empty(0, np.int64))
            self._column("spike_unit", "i4").append(np.empty(0, np.int32))
        else:
            self._executable.recording = self._was_recording
            if self._states:
                state_recording(self._executable).record({})
        self._flush()
        self._keep_weights("weights_after")
        outcome = {"steps": result.steps, "reward": result.reward, **result.metrics}
        self.group.attrs["metrics"] = json.dumps(jsonable(outcome))
        self.group.attrs["world"] = result.world
        self.complete = True

    def _pose(self) -> npt.NDArray[np.float32]:
        """Return (x, y, heading); NaN for a world without a pose."""
        return np.array(getattr(self._world, "pose", (np.nan,) * 3), np.float32)

    def _column(self, name: str, dtype: str) -> Column:
        if name not in self._columns:
            self._columns[name] = Column(self.group, name, dtype)
        return self._columns[name]

    def _append(self, name: str, dtype: str, row: Any) -> None:
        self._column(name, dtype).append(np.asarray(row)[None])

    def _flush(self) -> None:
        for column in self._columns.values():
            column.flush()

    def _keep_scene(self) -> None:
        describe = getattr(self._world, "scene", None)
        scene = dict(describe()) if describe is not None else {}
        arrays = {k: v for k, v in scene.items() if k == "obstacles" or _is_table(v)}
        for name, array in arrays.items():
            del scene[name]
            data = np.asarray(array)
            _keep_array(self.group, f"scene/{name}", data.astype(np.float32) if data.dtype.kind == "f" else data)
        # An attribute holds 64 KiB at most, and a world may have thousands of marks.
        if marks := scene.pop("marks", None):
            self.group.create_dataset("marks", data=json.dumps(jsonable(marks)))
        self.group.attrs["scene"] = json.dumps(jsonable(scene))

    def _keep_weights(self, name: str) -> None:
        """Keep all weights; a "/" in a projection's name becomes "|", since HDF5 reads it as a folder."""
        group = self.group.create_group(name)
        for projection, weights in _weights(self._controller).items():
            group.create_dataset(projection.replace("/", "|"), data=np.asarray(weights, np.float32))


def _is_table(value: Any) -> bool:
    """Return whether a value has two dimensions or more; what is ragged, such as ``(0, [1, 2])``, has none."""
    try:
        return np.ndim(value) >= 2
    except ValueError:
        return False


class Recorder:
    """A recording file: whole when closed, under a temporary name before; complete episodes survive an error.

    Parameters
    ----------
    path : Path or None
        File, ends in ``.h5``; None records in memory.
    header : Header
        What holds for all episodes.

    Raises
    ------
    RunFolderError
        The file cannot be written.
    """

    def __init__(self, path: Path | None, header: Header) -> None:
        self.path, self._states = path, header.states
        self._episodes: list[EpisodeRecorder] = []
        try:
            if path is None:
                self.file = h5py.File("recording.h5", "w", driver="core", backing_store=False)
            else:
                self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
                self.file = h5py.File(self._temporary, "w")
        except OSError as error:
            raise cannot("written", path or "recording", error) from error
        maps = {"units": json.dumps(header.units), "unit_names": json.dumps(header.unit_names)}
        self.file.attrs.update(
            {**asdict(header), **maps, "states": list(header.states), "insectbot": insectbot.__version__}
        )
        self.file.create_group("episodes")

    def episode(self, label: Label) -> EpisodeRecorder:
        """Return the observer of one episode."""
        recorder = EpisodeRecorder(self.file.create_group(f"episodes/{label.key}"), label, self._states)
        self._episodes.append(recorder)
        return recorder

    def merge(self, path: Path) -> None:
        """Copy all episodes of another recording into this one; an episode that is here already is replaced."""
        try:
            with h5py.File(path, "r") as other:
                for name in list(cast(h5py.Group, other["maps"])) if "maps" in other else ():
                    if f"maps/{name}" not in self.file:
                        other.copy(f"maps/{name}", self.file, f"maps/{name}")
                for key in list(cast(h5py.Group, other["episodes"])):
                    if f"episodes/{key}" in self.file:
                        del self.file[f"episodes/{key}"]
                    other.copy(f"episodes/{key}", self.file, f"episodes/{key}")
        except (OSError, KeyError) as error:
            raise cannot("merged into the recording", path, error) from error

    def close(self) -> None:
        """Drop incomplete episodes and give the file its name; raises RunFolderError."""
        if not self.file:
            return
        for episode in self._episodes:
            if not episode.complete:
                del self.file[str(episode.group.name)]
        try:
            self.file.close()
            if self.path is not None:
                os.replace(self._temporary, self.path)
        except OSError as error:
            raise cannot("written", self.path or "recording", error) from error

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None or any(episode.complete for episode in self._episodes):
            self.close()
            return
        self.file.close()
        if self.path is not None:
            self._temporary.unlink(missing_ok=True)
