"""NIR's linear nodes as sparse maps of flattened signals, and the shapes they make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.nir.entries import Entries

Shape = tuple[int, ...]
LINEAR = ("Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay")
"""Types of the nodes without state."""


def number(where: str, value: Any) -> npt.NDArray[np.float64]:
    """Return a parameter as finite float64 array, or raise ShapeError."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all():
        raise ShapeError(f"{where}: must be finite numbers")
    return array


def shape_of(kind: str, where: str, node: Any, given: Shape | None) -> tuple[Shape, Shape] | None:
    """Return (input, output) shape of a linear node, or None if that needs the shape of its input.

    Parameters
    ----------
    kind, where, node : str, str, object
        Type, name in errors, and the node.
    given : tuple of int or None
        Shape of what comes in, if known.
    """
    if kind in ("Affine", "Linear"):
        weight = np.shape(node.weight)
        if len(weight) < 2:
            raise ShapeError(f"{where}: weight of shape {weight} must be [out, in]")
        return (*weight[:-2], weight[-1]), weight[:-1]
    if kind in ("Scale", "Delay"):
        own = np.shape(node.scale if kind == "Scale" else node.delay)
        if math.prod(own) == 1:
            return None if given is None else (given, given)
        return own, own
    if kind == "Flatten":
        own = shape_from(node.input_type.get("input")) if given is None else given
        return None if own is None else (own, _flattened(own, int(node.start_dim), int(node.end_dim)))
    if kind.startswith("Conv"):
        return _conv_shapes(where, node, given)
    if given is None:
        return None
    if len(given) != 3:
        raise ShapeError(f"{where}: takes [channel, y, x], not shape {given}")
    kernel, stride, padding = (_each(where, getattr(node, k), 2) for k in ("kernel_size", "stride", "padding"))
    return given, (given[0], *_strided(where, given[1:], kernel, stride, padding, (1, 1)))


def entries_of(kind: str, where: str, node: Any, taken: Shape, made: Shape) -> Entries:
    """Return the map of a linear node (without its bias) for input and output shapes as :func:`shape_of` gives them."""
    size = (math.prod(made), math.prod(taken))
    if kind in ("Affine", "Linear"):
        weight = number(f"{where}: weight", node.weight)
        blocks = weight.reshape(-1, *weight.shape[-2:])
        block, post, pre = found = np.nonzero(blocks)
        return Entries.of(size, block * blocks.shape[1] + post, block * blocks.shape[2] + pre, blocks[found])
    if kind == "Scale":
        return Entries.diagonal(spread(f"{where}: scale", node.scale, size[0]))
    if kind == "Delay":
        delay = spread(f"{where}: delay", node.delay, size[0])
        if (delay < 0).any():
            raise ConfigurationError(f"{where}: a delay of {delay.min():g} must not be negative")
        return Entries.diagonal(np.ones(size[0]), delay)
    if kind == "Flatten":
        return Entries.diagonal(np.ones(size[0]))
    if kind.startswith("Conv"):
        return _convolution(where, node, taken, made)
    return _pool(kind, where, node, taken, made)


def bias_of(kind: str, where: str, node: Any, made: Shape) -> npt.NDArray[np.float64] | None:
    """Return the constant that a linear node adds to its output, or None for none."""
    if kind == "Affine":
        return spread(f"{where}: bias", node.bias, math.prod(made))
    if kind.startswith("Conv") and node.bias is not None:
        bias = spread(f"{where}: bias", node.bias, made[0])
        return np.repeat(bias, math.prod(made[1:]))
    return None


def spread(where: str, value: Any, n: int) -> npt.NDArray[np.float64]:
    """Return a parameter as ``n`` numbers; one number serves all."""
    flat = number(where, value).ravel()
    if flat.size not in (1, n):
        raise ShapeError(f"{where}: {flat.size} values for {n} units")
    return np.array(np.broadcast_to(flat, n))


def shape_from(value: Any) -> Shape | None:
    """Return a shape of a NIR type (None if undefined)."""
    return None if value is None else tuple(int(n) for n in np.atleast_1d(np.asarray(value)))


def _flattened(shape: Shape, start: int, end: int) -> Shape:
    n = len(shape)
    start, end = min(start % n if n else 0, n), (end % n if n else 0)
    return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])


def _each(where: str, value: Any, n: int) -> tuple[int, ...]:
    """Return an int or sequence of ints as ``n`` ints."""
    flat = np.asarray(value).ravel()
    if flat.size not in (1, n) or flat.dtype.kind not in "iuf":
        raise ShapeError(f"{where}: {value!r} must be {n} whole numbers")
    return tuple(int(v) for v in np.broadcast_to(flat, n))


def _conv_settings(where: str, node: Any) -> tuple[Shape, Shape, tuple[int, ...], Shape]:
    """Return stride, dilation, padding before each dimension, and kernel."""
    kernel = np.shape(node.weight)[2:]
    n = len(kernel)
    stride, dilation = _each(where, node.stride, n), _each(where, node.dilation, n)
    word = _word(node.padding)
    if word == "valid":
        return stride, dilation, (0,) * n, kernel
    if word == "same":
        if any(s != 1 for s in stride):
            raise ConfigurationError(f"{where}: padding 'same' needs a stride of 1, not {stride}")
        return stride, dilation, tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)), kernel
    return stride, dilation, _each(where, node.padding, n), kernel


def _word(padding: Any) -> str | None:
    """Return a padding that is a word."""
    text = padding.decode() if isinstance(padding, bytes) else padding
    return text if isinstance(text, str) else None


def _conv_shapes(where: str, node: Any, given: Shape | None) -> tuple[Shape, Shape] | None:
    stride, dilation, padding, kernel = _conv_settings(where, node)
    channels = np.shape(node.weight)[1] * int(node.groups)
    space = shape_from(node.input_shape)
    if given is not None and len(given) > len(kernel) + 1:
        given = given[-1 - len(kernel) :]  # exporters leave dimensions of batch or time in front
    if given is None or len(given) != len(kernel) + 1:
        if space is None:
            return None
        given = (channels, *(space if len(space) == len(kernel) else space * len(kernel)))
    if given[0] != channels:
        raise ShapeError(f"{where}: takes {channels} channels, but shape {given} comes in")
    out = given[1:] if _word(node.padding) == "same" else _strided(where, given[1:], kernel, stride, padding, dilation)
    return given, (np.shape(node.weight)[0], *out)


def _strided(
    where: str, space: Shape, kernel: Sequence[int], stride: Shape, padding: Sequence[int], dilation: Shape
) -> Shape:
    each = zip(space, kernel, stride, padding, dilation, strict=True)
    out = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in each)
    if min(out) < 1:
        raise ShapeError(f"{where}: a kernel of {tuple(kernel)} does not fit into {space}")
    return out


def _places(
    taken: Shape, made: Shape, kernel: Sequence[int], stride: Shape, padding: Sequence[int], dilation: Shape
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (index in the output, in the kernel, in the input) of all pairs within one channel's space."""
    grid = np.indices((*made[1:], *kernel)).reshape(2 * len(kernel), -1)
    out, tap = grid[: len(kernel)], grid[len(kernel) :]
    fixed = (np.array(v)[:, None] for v in (stride, padding, dilation))
    step, before, spacing = fixed
    source = out * step - before + tap * spacing
    inside = ((source >= 0) & (source < np.array(taken[1:])[:, None])).all(axis=0)
    pairs = ((out, made[1:]), (tap, tuple(kernel)), (source, taken[1:]))
    found = [np.asarray(np.ravel_multi_index(tuple(index[:, inside]), shape), np.int64) for index, shape in pairs]
    return found[0], found[1], found[2]


def _convolution(where: str, node: Any, taken: Shape, made: Shape) -> Entries:
    weight = number(f"{where}: weight", node.weight)
    stride, dilation, padding, kernel = _conv_settings(where, node)
    to, tap, by = _places(taken, made, kernel, stride, padding, dilation)
    n_out, per_group = weight.shape[:2]
    if n_out % int(node.groups):
        raise ShapeError(f"{where}: {n_out} output channels in {node.groups} groups")
    channel, within = (a.ravel()[:, None] for a in np.indices((n_out, per_group)))
    source = channel // (n_out // int(node.groups)) * per_group + within
    post = channel * math.prod(made[1:]) + to
    pre = source * math.prod(taken[1:]) + by
    values = weight.reshape(n_out, per_group, -1)[channel, within, tap]
    return Entries.of((math.prod(made), math.prod(taken)), post, pre, values)


def _pool(kind: str, where: str, node: Any, taken: Shape, made: Shape) -> Entries:
    kernel, stride, padding = (_each(where, getattr(node, k), 2) for k in ("kernel_size", "stride", "padding"))
    to, _, by = _places(taken, made, kernel, stride, padding, (1, 1))
    channel = np.arange(made[0])[:, None]
    value = 1.0 if kind == "SumPool2d" else 1.0 / math.prod(kernel)
    post, pre = channel * math.prod(made[1:]) + to, channel * math.prod(taken[1:]) + by
    return Entries.of((math.prod(made), math.prod(taken)), post, pre, np.full(post.shape, value))
