"""Projections as NIR nodes: a matrix or a scale, a Delay before or behind it, or just an edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.network import Projection

Floats = npt.NDArray[np.float64]
LARGEST = 2**31
"""Most bytes of one matrix: NIR has no sparse ones."""


@dataclass(frozen=True)
class Wire:
    """Nodes in a row, by name, from a source to a target; none where an edge says it all."""

    nodes: tuple[tuple[str, Any], ...]


def wires(
    projection: Projection, shape: tuple[int, int], factor: Floats, delay: Floats, bias: Floats | None
) -> Iterator[Wire]:
    """Yield the rows of nodes of a projection: one, or one per delay if the delays are those of single synapses.

    Parameters
    ----------
    projection : Projection
        The synapses.
    shape : (int, int)
        Sizes of target and source.
    factor : ndarray
        What multiplies its weights, per target neuron.
    delay : ndarray
        Delays to be written, per synapse [the file's unit].
    bias : ndarray or None
        Constant to be added, per target neuron.
    """
    pre, post, name = projection.pre, projection.post, projection.name
    weight = projection.weight
    if (factor != 1.0).any():
        weight = weight.astype(np.float64) * factor[post]
    before, behind = _each(delay, pre, shape[1]), _each(delay, post, shape[0])
    if before is not None:
        yield Wire((*_delay(name, before), *_map(name, shape, pre, post, weight, bias)))
    elif behind is not None:
        yield Wire((*_map(name, shape, pre, post, weight, bias), *_delay(name, behind)))
    else:
        for number, value in enumerate(np.unique(delay)):
            own, some = f"{name}.{number}", delay == value
            row = _map(own, shape, pre[some], post[some], weight[some], None if number else bias)
            yield Wire((*_delay(own, np.full(shape[1], value)), *row))


def constant(name: str, n_source: int, bias: Floats) -> Wire:
    """Return a node that takes nothing from a source of ``n_source`` units and adds a constant."""
    import nir

    return Wire(((name, nir.Affine(weight=np.zeros((bias.size, n_source), np.float32), bias=bias)),))


def _each(delay: Floats, unit: npt.NDArray[np.int32], n: int) -> Floats | None:
    """Return one delay per unit, 0 for units without synapses, or None if a unit has several."""
    found = np.zeros(n)
    found[unit] = delay
    return found if (found[unit] == delay).all() else None


def _delay(name: str, delay: Floats) -> tuple[tuple[str, Any], ...]:
    import nir

    return ((f"{name}.delay", nir.Delay(delay=delay)),) if delay.any() else ()


def _map(
    name: str,
    shape: tuple[int, int],
    pre: npt.NDArray[np.int32],
    post: npt.NDArray[np.int32],
    weight: npt.NDArray[Any],
    bias: Floats | None,
) -> tuple[tuple[str, Any], ...]:
    import nir

    if bias is None and shape[0] == shape[1] and (pre == post).all():
        scale = np.zeros(shape[0], weight.dtype)
        np.add.at(scale, pre, weight)
        return () if (scale == 1.0).all() else ((name, nir.Scale(scale=scale)),)
    if shape[0] * shape[1] * weight.itemsize > LARGEST:
        raise ConfigurationError(
            f"projection {name!r}: as a matrix of {shape[0]} x {shape[1]}, the only form that NIR has, it takes "
            f"{shape[0] * shape[1] * weight.itemsize / 2**30:.0f} GiB; the limit is {LARGEST / 2**30:.0f} GiB"
        )
    matrix = np.zeros(shape, weight.dtype)
    np.add.at(matrix, (post, pre), weight)
    return ((name, nir.Linear(weight=matrix) if bias is None else nir.Affine(weight=matrix, bias=bias)),)
