"""The ``akida_layers`` family: Akida 1.0's integer layers as numba kernels. No state survives a frame.

Of a layer with unsigned inputs x (1, 2 or 4 bits; 8 for images) and integer weights w, for every unit:

    P = sum of x * w                                            int32; a dense layer cuts P to 20 bits
    y = clip(ceil(16 (P - threshold) / (step 2^(4 - bits))), 0, 2^bits - 1)       step = floor(16 act_step)
    y = P                                                       without activation: the threshold is not used

Measured on BrainChip's software backend (package ``akida`` 2.19.3), which differs from the data sheet in four ways: the
activation step counts in whole sixteenths, dense potentials saturate at 20 bits, a layer without activation ignores its
threshold, and average pooling is the sum over the image (the division belongs to threshold and step).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.jit import kernel

STEP_ONE = 16
"""Sixteenths of an activation step of 1."""
FULL_BITS = 4
"""Bits of the widest activation."""


@kernel(error_model="numpy")
def activation(potential: Any, threshold: Any, step: Any, bits: Any) -> Any:
    """Return the activation of a potential; all are int64, ``step`` counts in sixteenths.

    The ceiling is exact: -floor(-a / b) in integers.
    """
    unit = step << (FULL_BITS - bits)
    value = -((-STEP_ONE * (potential - threshold)) // unit)
    return min(max(value, np.int64(0)), (np.int64(1) << bits) - 1)


@kernel(error_model="numpy")
def dense(x: Any, weight: Any, low: Any, high: Any, out: Any) -> None:
    """Add the potentials of a dense layer to ``out`` [frames, units], then cut them to low..high; zeros cost nothing.

    ``x`` is [frames, n], ``weight`` [n, units].
    """
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            value = np.int64(x[b, i])
            if value != 0:
                for j in range(weight.shape[1]):
                    out[b, j] += value * np.int64(weight[i, j])
        for j in range(weight.shape[1]):
            out[b, j] = min(max(out[b, j], low), high)


@kernel(error_model="numpy")
def convolve(x: Any, weight: Any, stride: Any, before: Any, fill: Any, out: Any) -> None:
    """Add the cross-correlation of ``x`` [frames, h, w, c] with ``weight`` [kh, kw, c, f] to ``out``.

    ``stride`` and ``before`` (cells of border above and to the left) are (rows, columns); the border holds ``fill``.
    """
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for di in range(weight.shape[0]):
                    for dj in range(weight.shape[1]):
                        row, column = i * stride[0] + di - before[0], j * stride[1] + dj - before[1]
                        inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
                        for c in range(x.shape[3]):
                            value = np.int64(x[b, row, column, c]) if inside else np.int64(fill)
                            if value != 0:
                                for f in range(weight.shape[3]):
                                    out[b, i, j, f] += value * np.int64(weight[di, dj, c, f])


@kernel(error_model="numpy")
def depthwise(x: Any, weight: Any, stride: Any, before: Any, out: Any) -> None:
    """Add the cross-correlation of every channel with a kernel of its own, ``weight`` [kh, kw, c], to ``out``."""
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for di in range(weight.shape[0]):
                    for dj in range(weight.shape[1]):
                        row, column = i * stride[0] + di - before[0], j * stride[1] + dj - before[1]
                        if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                            for c in range(x.shape[3]):
                                out[b, i, j, c] += np.int64(x[b, row, column, c]) * np.int64(weight[di, dj, c])


@kernel(error_model="numpy")
def pointwise(x: Any, weight: Any, out: Any) -> None:
    """Add the mix of the channels of every cell, ``weight`` [c, f], to ``out``."""
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for c in range(x.shape[3]):
                    for f in range(weight.shape[1]):
                        out[b, i, j, f] += x[b, i, j, c] * np.int64(weight[c, f])


@kernel(error_model="numpy")
def pool_max(x: Any, size: Any, stride: Any, before: Any, out: Any) -> None:
    """Write the largest potential of every pool to ``out``; cells of the border do not take part."""
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                first_row, first_column = i * stride[0] - before[0], j * stride[1] - before[1]
                for f in range(out.shape[3]):
                    row, column = max(first_row, 0), max(first_column, 0)
                    best = x[b, row, column, f]
                    for r in range(row, min(first_row + size[0], x.shape[1])):
                        for c in range(column, min(first_column + size[1], x.shape[2])):
                            best = max(best, x[b, r, c, f])
                    out[b, i, j, f] = best


@kernel(error_model="numpy")
def activate(potential: Any, threshold: Any, step: Any, bits: Any, out: Any) -> None:
    """Write the activations of potentials [cells, units] to ``out``."""
    for i in range(potential.shape[0]):
        for j in range(potential.shape[1]):
            out[i, j] = activation(potential[i, j], threshold[j], step[j], np.int64(bits))
