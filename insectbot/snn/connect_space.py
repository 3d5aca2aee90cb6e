"""Connection rules for units that lie somewhere: distance-dependent probability, convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.connect import Connector, Sizes, matrix, probability, whole
from insectbot.snn.validate import require_positive
from insectbot.snn.values import floats

KERNELS = ("gaussian", "exponential")


@dataclass(frozen=True, eq=False)
class DistanceDependent(Connector):
    """Every pair independently, with a probability that falls with the distance d of its units.

    ``p = p_max exp(-d^2 / (2 sigma^2))`` (gaussian) or ``p = p_max exp(-d / sigma)`` (exponential).

    Parameters
    ----------
    source_positions, target_positions : array_like, shape (n_units, n_dimensions)
        Where the units lie [any unit of length], one row per unit.
    sigma : float
        Width of the kernel [same unit], > 0.
    p_max : float
        Probability at distance 0, in [0, 1].
    kernel : {"gaussian", "exponential"}
        Shape of the kernel.
    extent : sequence of float or None
        Period of each dimension [same unit], > 0: space is a torus, distances go the short way; None for open space.
    self_connections : bool
        Whether a unit may connect to itself, where source and target are the same group.
    """

    source_positions: npt.ArrayLike
    target_positions: npt.ArrayLike
    sigma: float
    p_max: float = 1.0
    kernel: str = "gaussian"
    extent: Sequence[float] | None = None
    self_connections: bool = True

    def __post_init__(self) -> None:
        owner = "DistanceDependent"
        floats(self, "sigma")
        require_positive(owner, sigma=self.sigma)
        if self.kernel not in KERNELS:
            raise ConfigurationError(f"{owner}.kernel = {self.kernel!r}: must be 'gaussian' or 'exponential'")
        source, target = (
            matrix(f"{owner}.{name}", getattr(self, name), 2, "(n_units, n_dimensions)")
            for name in ("source_positions", "target_positions")
        )
        if source.shape[1] != target.shape[1]:
            raise ShapeError(
                f"{owner}: source_positions have {source.shape[1]} dimensions, target_positions {target.shape[1]}, "
                "must be equal"
            )
        extent = self.extent
        if extent is not None:
            extent = tuple(matrix(f"{owner}.extent", extent, 1, "(n_dimensions,)").tolist())
            if len(extent) != source.shape[1] or min(extent) <= 0:
                raise ConfigurationError(f"{owner}.extent = {extent}: must be {source.shape[1]} numbers above 0")
        values = {"source_positions": source, "target_positions": target, "extent": extent}
        values["p_max"] = probability(f"{owner}.p_max", self.p_max)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def check(self, sizes: Sizes) -> None:
        """Raise ShapeError unless there is a position for every unit."""
        for name, n in (("source", sizes.n_source), ("target", sizes.n_target)):
            found = len(np.asarray(getattr(self, f"{name}_positions")))
            if found != n:
                raise ShapeError(f"{sizes.where}: {found} {name}_positions for {n} {name} units, must be equal")


@dataclass(frozen=True, eq=False)
class Convolution(Connector):
    """A 2-D convolution (cross-correlation, as in artificial networks): weights from a kernel, shared over positions.

    Units of both groups are numbered channel by channel, row by row: ``unit = (channel * height + y) * width + x``.
    Each synapse has its own copy of its kernel entry, zeros included; learning does not keep copies equal.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of the source, each >= 1.
    kernel : array_like, shape (out_channels, in_channels, kernel_height, kernel_width)
        Weights.
    stride : int or (int, int)
        Step between positions (vertical, horizontal), >= 1.
    padding : int or (int, int)
        Rim of absent units around the source (vertical, horizontal), >= 0.
    """

    shape: tuple[int, int, int]
    kernel: npt.ArrayLike
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] = 0

    def __post_init__(self) -> None:
        owner = "Convolution"
        shape = _numbers(f"{owner}.shape", self.shape, 3, 1)
        stride, padding = (
            _numbers(f"{owner}.{name}", getattr(self, name), 2, least)
            for name, least in (("stride", 1), ("padding", 0))
        )
        kernel = matrix(f"{owner}.kernel", self.kernel, 4, "(out, in, height, width)")
        if kernel.shape[1] != shape[0]:
            raise ShapeError(f"{owner}.kernel has {kernel.shape[1]} input channels, the source {shape[0]}")
        values = {"shape": shape, "kernel": kernel, "stride": stride, "padding": padding}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if min(self.output_shape) < 1:
            raise ShapeError(f"{owner}.kernel of {kernel.shape[2:]} is larger than the padded source of {shape[1:]}")

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the target."""
        kernel, pairs = np.shape(self.kernel), zip(np.ravel(self.stride), np.ravel(self.padding), strict=True)
        sides = [
            (n + 2 * int(pad) - k) // int(step) + 1
            for n, k, (step, pad) in zip(self.shape[1:], kernel[2:], pairs, strict=True)
        ]
        return int(kernel[0]), sides[0], sides[1]

    def weights(self) -> npt.NDArray[np.float64]:
        """Return the flat kernel."""
        return np.ravel(np.asarray(self.kernel, np.float64))

    def check(self, sizes: Sizes) -> None:
        """Raise ShapeError unless the groups have as many units as the shapes say."""
        for name, n, shape in (("source", sizes.n_source, self.shape), ("target", sizes.n_target, self.output_shape)):
            if n != np.prod(shape):
                raise ShapeError(f"{sizes.where}: {name} has {n} units, Convolution needs {np.prod(shape)} = {shape}")

    def count(self, sizes: Sizes) -> int:
        """Return the number of synapses."""
        out, into, *kernel = np.shape(self.kernel)
        total = out * into
        for axis in (0, 1):
            first = np.arange(self.output_shape[1 + axis]) * np.ravel(self.stride)[axis] - np.ravel(self.padding)[axis]
            touched = first[:, None] + np.arange(kernel[axis])
            total *= int(((touched >= 0) & (touched < self.shape[1 + axis])).sum())
        return total


def _numbers(what: str, values: Any, n: int, least: int) -> tuple[int, ...]:
    values = (values,) * n if np.ndim(values) == 0 and n == 2 else values
    if np.ndim(values) != 1 or len(values) != n:
        raise ConfigurationError(f"{what} = {values!r}: must be {n} whole numbers")
    return tuple(whole(what, value, least) for value in values)
