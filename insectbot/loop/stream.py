"""Long simulations streamed to disk: spikes and state variables, whatever their length, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np

import insectbot
from insectbot.errors import ConfigurationError
from insectbot.loop.columns import Column
from insectbot.loop.files import cannot
from insectbot.loop.recorder import state_recording
from insectbot.protocols import Executable, Readout, Vector

MEMORY = 1 << 26
"""Bytes that the values of one piece of a window may take."""


class Stream:
    """Runs windows of an executable and writes what happens in them to an HDF5 file; recording changes no result.

    The file holds ``spike_tick`` (i8) and ``spike_unit`` (i4), and for every state variable
    ``states/<population>.<name>``, one row per recorded tick; root attributes ``dt`` [ms], ``every`` (ticks between
    rows); the attributes of ``units`` are the populations' unit numbers. It gets its name when it is closed. Long
    windows are run in pieces, which gives the same bits.

    Parameters
    ----------
    executable : Executable
        A compiled network.
    path : Path or str
        File to write.
    variables : mapping of str to sequence of str
        Population -> state variables; empty for spikes only.
    every : int
        Ticks from one recorded row to the next, >= 1.
    spikes : bool
        Whether spikes are recorded.

    Raises
    ------
    ConfigurationError
        If ``every`` is below 1, or a population or variable is unknown.
    RunFolderError
        If the file cannot be written.

    Examples
    --------
    >>> with Stream(executable, "run.h5", {"motors": ["v"]}) as stream:  # doctest: +SKIP
    ...     stream.window(drive, 600_000)
    """

    def __init__(
        self,
        executable: Executable,
        path: Path | str,
        variables: Mapping[str, Sequence[str]] | None = None,
        *,
        every: int = 1,
        spikes: bool = True,
    ) -> None:
        if every < 1:
            raise ConfigurationError(f"Stream: every = {every}, must be at least 1")
        self._executable, self._every, self._spikes = executable, every, spikes
        self._variables = {k: list(v) for k, v in (variables or {}).items()}
        network = executable.network
        if self._variables:
            state_recording(executable).record(self._variables)
        width = sum(network.population(p).n * len(names) for p, names in self._variables.items())
        width = 4 * width + (12 * (network.n_neurons + network.n_inputs) if spikes else 0)
        self._piece = max(1, MEMORY // max(width, 1))
        self._was, executable.recording = executable.recording, spikes
        self.path = Path(path)
        self._temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.file = h5py.File(self._temporary, "w")
        except OSError as error:
            raise cannot("written", self.path, error) from error
        units = {name: [s.start, s.stop] for name, s in network.unit_slices().items()}
        self.file.attrs.update({"dt": network.dt, "every": every, "insectbot": insectbot.__version__})
        self.file.create_group("units").attrs.update(units)
        self._columns: dict[str, Column] = {}
        self._ticks = 0

    def window(self, drive: Vector, n_ticks: int, modulators: Vector | None = None) -> Readout:
        """Run a window of any length and record it; counts and first spikes are those of the whole window."""
        n = self._executable.network.n_outputs
        counts, first, interval = np.zeros(n, np.int32), np.full(n, -1, np.int32), np.full(n, -1, np.int32)
        done = 0
        while done < n_ticks or not done:
            size = min(self._piece, n_ticks - done)
            r = self._executable.window(drive, size, None if done else modulators)
            new = (first < 0) & (r.first >= 0)
            first[new] = r.first[new] + done
            counts += r.counts
            interval[:] = r.interval
            if not size:
                break
            self._keep(size)
            done += size
        return Readout(counts, first, interval)

    def _keep(self, size: int) -> None:
        if self._spikes:
            ticks, units = self._executable.spikes()
            self._append("spike_tick", "i8", ticks)
            self._append("spike_unit", "i4", units)
        if self._variables:
            offset = -self._ticks % self._every
            for (population, name), values in state_recording(self._executable).states().items():
                self._append(f"states/{population}.{name}", values.dtype.str, values[offset :: self._every])
        self._ticks += size
        for column in self._columns.values():
            column.flush()

    def _append(self, name: str, dtype: str, rows: np.ndarray) -> None:
        if name not in self._columns:
            self._columns[name] = Column(self.file, name, dtype)
        self._columns[name].append(rows)

    def close(self) -> None:
        """Stop recording and give the file its name; raises RunFolderError."""
        if not self.file:
            return
        self._executable.recording = self._was
        if self._variables:
            state_recording(self._executable).record({})
        try:
            self.file.close()
            os.replace(self._temporary, self.path)
        except OSError as error:
            raise cannot("written", self.path, error) from error

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None or self._ticks:
            self.close()
            return
        self.file.close()
        self._temporary.unlink(missing_ok=True)
