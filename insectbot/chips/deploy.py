"""Deployment files: a placed, quantised network as the integers a chip is programmed with, written and read back.

One HDF5 file holds the chip (its datasheet and options), the network (as NIR), the weights in float as deployed, and
under ``program`` every array that programming the chip writes: registers, synapses, placement, routes. What is read
back runs from these arrays, not from a new quantisation: change an integer in the file and the spikes change.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.catalogue import FAMILIES, make
from insectbot.chips.chip import Chip
from insectbot.chips.datasheet import Datasheet, restored
from insectbot.chips.executable import ChipExecutable
from insectbot.errors import ConfigurationError, RunFolderError, Unsupported
from insectbot.snn import nir
from insectbot.snn.network import Network

SUFFIX = ".chip"
FORMAT = 1


def save(chip: Chip[Any, Any], executable: ChipExecutable, path: Path | str) -> None:
    """Write what the chip is programmed with; the file appears whole or not at all.

    Parameters
    ----------
    chip : Chip
        The chip that compiled the network.
    executable : ChipExecutable
        The network on it, with the weights to deploy.
    path : Path or str
        File; ends in ``.chip``.

    Raises
    ------
    Unsupported
        If the chip's family is a user's own, which the file could not name.
    RunFolderError
        If the file cannot be written.
    """
    import h5py

    target = Path(path)
    if str(chip.sheet["chip.family"].value) not in FAMILIES:
        raise Unsupported(f"{chip.name}: a family of your own cannot be named in a deployment file")
    network = executable.network.with_weights(executable.weights())
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs.update(format=FORMAT, chip=chip.name, arguments=json.dumps(chip.arguments))
            file.create_dataset("datasheet", data=json.dumps({p: asdict(f) for p, f in chip.sheet.figures.items()}))
            file.create_dataset("network.nir", data=_nir_bytes(network))
            for name, weights in executable.weights().items():
                file.create_dataset(f"weights/{name.replace('/', '|')}", data=weights)
            for name, array in executable.programmed().items():
                file.create_dataset(f"program/{name}", data=array, compression="gzip" if array.ndim else None)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunFolderError(f"{target} cannot be written: {error.strerror or error}") from None


def _nir_bytes(network: Network) -> npt.NDArray[np.uint8]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.nir"
        nir.write(network, file)
        return np.frombuffer(file.read_bytes(), np.uint8)


class Deployed:
    """A chip that has been programmed: a backend that runs the network of its file and no other.

    Parameters
    ----------
    path : Path or str
        Deployment file.

    Raises
    ------
    RunFolderError
        If the file is missing or no deployment file.
    """

    def __init__(self, path: Path | str) -> None:
        import h5py

        self.path = Path(path)
        try:
            with h5py.File(self.path, "r") as file:
                if file.attrs["format"] != FORMAT:
                    raise RunFolderError(f"{path}: deployment format {file.attrs['format']} is not {FORMAT}")
                figures = json.loads(_text(file["datasheet"]))
                arguments = json.loads(str(file.attrs["arguments"]))
                self.sheet: Datasheet = restored(str(file.attrs["chip"]), figures)
                self.network = _network(_values(file["network.nir"]))
                self.weights = {k.replace("|", "/"): _values(v) for k, v in _group(file, "weights").items()}
                self.program = {k: _values(v) for k, v in _group(file, "program").items()}
        except (OSError, KeyError, ValueError) as error:
            raise RunFolderError(f"{path} is no deployment file: {' '.join(str(error).split())}") from None
        self.chip = make(self.sheet, **arguments)
        self.name = self.chip.name
        self.prices = self.chip.prices
        self.fidelity = self.chip.fidelity

    def compile(self, network: Network | None = None, *, seed: int = 0) -> DeployedExecutable:
        """Return the programmed chip.

        Parameters
        ----------
        network : Network, optional
            The network that a controller brings; it must have the file's groups and synapses, its weights do not count.
        seed : int
            Seed of the input streams.

        Raises
        ------
        ConfigurationError
            If it is another network.
        """
        if network is not None and _shape(network) != _shape(self.network):
            raise ConfigurationError(
                f"{self.path} was made for network {self.network.name!r}, not for {network.name!r}; export this one"
            )
        return DeployedExecutable(self, self.chip.compile(self.network, seed=seed))


class DeployedExecutable:
    """The network of a deployment file, run from the arrays of the file; its weights cannot be changed."""

    def __init__(self, source: Deployed, executable: ChipExecutable) -> None:
        self._inner, self._source = executable, source
        self._configure()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    @property
    def learning(self) -> bool:
        """Always False where something could learn: a deployed brain is frozen."""
        return False

    @learning.setter
    def learning(self, value: bool) -> None:
        if value and (self.network.n_modulators or any(True for _ in self.network.plastic())):
            raise Unsupported(f"{self._source.path}: a deployed brain is frozen; train it before export")

    @property
    def recording(self) -> bool:
        """Whether windows keep a spike list."""
        return self._inner.recording

    @recording.setter
    def recording(self, value: bool) -> None:
        self._inner.recording = value

    def weights(self) -> dict[str, npt.NDArray]:
        """Return the weights in float as they were deployed."""
        return {name: w.copy() for name, w in self._source.weights.items()}

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Accept the deployed weights and no others; raises ConfigurationError."""
        for name, values in weights.items():
            if name not in self._source.weights or not np.array_equal(values, self._source.weights[name]):
                raise ConfigurationError(f"{self._source.path} holds other weights of {name!r}: export these, too")

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state; what is programmed stays."""
        self._inner.load_state(state)
        self._configure()

    def _configure(self) -> None:
        live = self._inner.programmed()
        for name, array in live.items():
            given = self._source.program.get(name)
            if given is None or given.shape != array.shape:
                raise RunFolderError(f"{self._source.path}: program/{name} is missing or of another shape")
            array[...] = given


def _text(data: Any) -> str:
    return data.asstr()[()]


def _values(data: Any) -> npt.NDArray:
    return np.asarray(data[()])


def _group(file: Any, name: str) -> Mapping[str, Any]:
    return file.get(name, {})


def _network(data: npt.NDArray) -> Network:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.nir"
        file.write_bytes(data.tobytes())
        return nir.load(file).network


def _shape(network: Network) -> tuple[Any, ...]:
    groups = tuple((g.name, g.n) for g in network.groups)
    return groups, tuple((p.name, p.pre.tobytes(), p.post.tobytes()) for p in network.projections)
