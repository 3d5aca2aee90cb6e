"""The layer-level entry point: raw integers in, activations or potentials out, to replay other emulators' vectors.

Order of operations of :func:`run_layer` (``akida_layers.py`` has the formulas):

1. Border: ``same`` padding puts ``max((ceil(n / stride) - 1) stride + kernel - n, 0)`` cells around the image, the
   smaller half first. They hold 0, or ``padding_value`` in an input layer.
2. Potential, in integers. ``convolutional`` and ``separable`` turn their kernels by 180 degrees (a true convolution);
   ``input`` does not. A separable layer sums each channel with its own kernel, then mixes channels: nothing is rounded
   or cut between the two.
3. A ``dense`` layer reads an image channel by channel, columns before rows, and cuts P once, at the end, to 20 bits.
4. Pooling of potentials: ``max``, with the border of the layer (cells of it do not take part), or ``sum`` over the
   whole image, which BrainChip calls average.
5. Activation: ``step`` is ``floor(16 act_step)``; the quotient is rounded up and saturates at 0 and 2^bits - 1. Without
   activation the potential is returned and the threshold is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from insectbot.chips import akida_layers as k
from insectbot.chips.datasheet import Datasheet, load
from insectbot.errors import ConfigurationError, ShapeError

KINDS = ("dense", "convolutional", "separable", "input")
WEIGHTS = {1: (0, 1), 2: (-1, 1), 4: (-7, 7), 8: (-128, 127)}
"""Bits -> lowest and highest weight."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of Akida 1.0.

    Parameters
    ----------
    kind : {"dense", "convolutional", "separable", "input"}
        Fully connected, convolution, depthwise and pointwise convolution, convolution of an 8-bit image.
    weights : array_like of int
        ``dense``: shape (inputs, units); else (rows, columns, channels, filters), for ``separable`` (rows, columns,
        channels). Range by ``weights_bits``: 0..1, -1..1, -7..7; of ``input`` layers -128..127.
    pointwise : array_like of int, optional
        Of ``separable``: shape (channels, filters).
    threshold : array_like of int
        One per unit, or one for all; 20 bits, signed.
    act_step : array_like of float
        Potential per activation level of 4 bits, 1/16 to 65535; what exceeds whole sixteenths is not used.
    act_bits, weights_bits : int
        1, 2 or 4; ``weights_bits`` is 8 in an input layer.
    activation : bool
        Whether the output is an activation, or the potential.
    stride : tuple of int
        Rows, columns.
    padding : {"same", "valid"}
        Whether the image gets a border.
    padding_value : int
        What the border of an input layer holds.
    pool : {"", "max", "sum"}
        Pooling.
    pool_size, pool_stride : tuple of int
        Rows, columns; of ``max``.

    Raises
    ------
    ConfigurationError
        If a word or a number of bits is not known.
    ShapeError
        If a shape does not fit, or a value is out of range.
    """

    kind: str
    weights: npt.NDArray
    pointwise: npt.NDArray | None = None
    threshold: npt.NDArray = field(default_factory=lambda: np.zeros(1, np.int64))
    act_step: npt.NDArray = field(default_factory=lambda: np.ones(1))
    act_bits: int = 1
    weights_bits: int = 1
    activation: bool = True
    stride: tuple[int, int] = (1, 1)
    padding: str = "same"
    padding_value: int = 0
    pool: str = ""
    pool_size: tuple[int, int] = (2, 2)
    pool_stride: tuple[int, int] = (2, 2)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, KINDS),
            ("padding", self.padding, ("same", "valid")),
            ("pool", self.pool, ("", "max", "sum")),
            ("act_bits", self.act_bits, (1, 2, 4)),
            ("weights_bits", self.weights_bits, (8,) if self.kind == "input" else (1, 2, 4)),
        ):
            if value not in known:
                raise ConfigurationError(f"akida: {name} = {value!r} must be one of {', '.join(map(repr, known))}")
        dims = {"dense": 2, "separable": 3}.get(self.kind, 4)
        weights = np.asarray(self.weights)
        if weights.ndim != dims or (self.kind == "separable") != (self.pointwise is not None):
            raise ShapeError(f"akida: {self.kind}: weights of shape {weights.shape} must have {dims} axes")
        set_ = object.__setattr__
        set_(self, "weights", in_range("weights", weights, *WEIGHTS[self.weights_bits], weights.shape))
        if self.pointwise is not None:
            mix = np.asarray(self.pointwise)
            if mix.ndim != 2 or mix.shape[0] != weights.shape[2]:
                raise ShapeError(f"akida: pointwise: shape {mix.shape} must be ({weights.shape[2]}, filters)")
            set_(self, "pointwise", in_range("pointwise", mix, *WEIGHTS[self.weights_bits], mix.shape))
        sheet = load("akida")
        bound = 1 << (sheet.int("neuron.threshold") - 1)
        set_(self, "threshold", in_range("threshold", self.threshold, -bound, bound - 1, (self.units,)))
        low, high = 1 / k.STEP_ONE, sheet.int("neuron.act_step_max")
        set_(self, "act_step", in_range("act_step", self.act_step, low, high, (self.units,), np.float64))

    @property
    def units(self) -> int:
        """Number of units or filters."""
        return int((self.weights if self.pointwise is None else self.pointwise).shape[-1])

    @property
    def sixteenths(self) -> npt.NDArray[np.int64]:
        """Activation steps as the chip holds them."""
        return np.floor(self.act_step * k.STEP_ONE).astype(np.int64)


def in_range(
    name: str, values: npt.ArrayLike, low: float, high: float, shape: tuple[int, ...], dtype: npt.DTypeLike = np.int64
) -> npt.NDArray:
    """Return values broadcast to a shape; raises ShapeError naming the worst one if it is out of range."""
    try:
        given = np.broadcast_to(np.asarray(values, dtype), shape)
    except ValueError:
        raise ShapeError(f"akida: {name}: shape {np.shape(values)} must be {shape}") from None
    if given.size and not (given.min() >= low and given.max() <= high):
        worst = given.max() if given.min() >= low else given.min()
        raise ShapeError(f"akida: {name} = {worst} must lie in {low}..{high}")
    return np.ascontiguousarray(given)


def run_layers(layers: Sequence[Layer], inputs: npt.ArrayLike, input_bits: int = 4) -> npt.NDArray[np.int64]:
    """Run layers one after the other; arguments as in :func:`run_layer`."""
    out, bits = np.asarray(inputs), input_bits
    for layer in layers:
        out, bits = run_layer(layer, out, bits), layer.act_bits
    return out


def run_layer(layer: Layer, inputs: npt.ArrayLike, input_bits: int = 4) -> npt.NDArray[np.int64]:
    """Run one layer on some frames.

    Parameters
    ----------
    layer : Layer
        The layer.
    inputs : array_like of int, shape (frames, inputs) or (frames, rows, columns, channels)
        Unsigned numbers.
    input_bits : int
        Their bits: 1, 2 or 4; an input layer takes 8, whatever this says.

    Returns
    -------
    ndarray of int64
        Shape (frames, units) of a dense layer, else (frames, rows, columns, filters).

    Raises
    ------
    ShapeError
        If the shape does not fit, or an input is out of range.
    """
    x = np.asarray(inputs)
    bits = 8 if layer.kind == "input" else input_bits
    x = in_range("input", x, 0, (1 << bits) - 1, x.shape)
    potential = _pooled(layer, _dense(layer, x) if layer.kind == "dense" else _image(layer, x))
    if not layer.activation:
        return potential
    out = np.zeros_like(potential)
    flat, result = (a.reshape(-1, layer.units) for a in (potential, out))
    k.activate(flat, layer.threshold, layer.sixteenths, layer.act_bits, result)
    return out


def dense_bounds(sheet: Datasheet) -> tuple[int, int]:
    """Return the lowest and highest potential of a dense layer."""
    half = 1 << (sheet.int("neuron.dense_potential") - 1)
    return -half, half - 1


def border(n: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    """Return (size of the output, cells of border before the image) along one axis."""
    if padding == "valid":
        return (n - kernel) // stride + 1, 0
    out = -(-n // stride)
    return out, max((out - 1) * stride + kernel - n, 0) // 2


def _dense(layer: Layer, x: npt.NDArray) -> npt.NDArray[np.int64]:
    flat = x if x.ndim == 2 else x.transpose(0, 3, 2, 1).reshape(x.shape[0], -1)
    if flat.shape[1] != layer.weights.shape[0]:
        raise ShapeError(f"akida: input of shape {x.shape} must have {layer.weights.shape[0]} values per frame")
    out = np.zeros((flat.shape[0], layer.units), np.int64)
    low, high = dense_bounds(load("akida"))
    k.dense(np.ascontiguousarray(flat), layer.weights, low, high, out)
    return out


def _image(layer: Layer, x: npt.NDArray) -> npt.NDArray[np.int64]:
    weights = layer.weights
    if x.ndim != 4 or x.shape[3] != weights.shape[2]:
        raise ShapeError(f"akida: input of shape {x.shape} must be (frames, rows, columns, {weights.shape[2]})")
    if min(s for s in layer.stride) < 1 or any(s > n for s, n in zip(layer.stride, weights.shape, strict=False)):
        raise ShapeError(f"akida: stride {layer.stride} must lie in 1..{weights.shape[0]}, the size of the kernel")
    (rows, top), (columns, left) = (
        border(x.shape[1 + a], weights.shape[a], layer.stride[a], layer.padding) for a in (0, 1)
    )
    if min(rows, columns) < 1:
        raise ShapeError(f"akida: input of {x.shape[1]} x {x.shape[2]} cells is smaller than the kernel")
    out = np.zeros((x.shape[0], rows, columns, layer.units), np.int64)
    turned = np.ascontiguousarray(weights[::-1, ::-1])
    if layer.kind == "input":
        k.convolve(x, weights, layer.stride, (top, left), layer.padding_value, out)
    elif layer.kind == "convolutional":
        k.convolve(x, turned, layer.stride, (top, left), 0, out)
    else:
        alone = np.zeros((*out.shape[:3], x.shape[3]), np.int64)
        k.depthwise(x, turned, layer.stride, (top, left), alone)
        k.pointwise(alone, layer.pointwise, out)
    return out


def _pooled(layer: Layer, potential: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not layer.pool or potential.ndim != 4:
        return potential
    if layer.pool == "sum":
        return potential.sum(axis=(1, 2), keepdims=True)
    axes = (border(potential.shape[1 + a], layer.pool_size[a], layer.pool_stride[a], layer.padding) for a in (0, 1))
    (rows, top), (columns, left) = axes
    if min(rows, columns) < 1:
        raise ShapeError(f"akida: {potential.shape[1]} x {potential.shape[2]} cells are smaller than the pool")
    out = np.zeros((potential.shape[0], rows, columns, potential.shape[3]), np.int64)
    k.pool_max(potential, layer.pool_size, layer.pool_stride, (top, left), out)
    return out
