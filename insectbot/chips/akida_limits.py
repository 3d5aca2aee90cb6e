"""What the AKD1000 accepts of a layer, as the mapper of ``akida`` 2.19.3 says in its strict mode."""

from __future__ import annotations

from collections.abc import Sequence

from insectbot.chips.akida_replay import Layer, border
from insectbot.chips.datasheet import Datasheet


def layer_limits(layer: Layer, shape: Sequence[int], sheet: Datasheet, followed: bool = True) -> list[str]:
    """Return every reason why the chip cannot hold a layer, one sentence each; empty if it can.

    Parameters
    ----------
    layer : Layer
        The layer.
    shape : sequence of int
        Shape of one input frame: (inputs,) or (rows, columns, channels).
    sheet : Datasheet
        Limits.
    followed : bool
        Whether a convolution comes next.
    """
    where = f"{sheet.name}: {layer.kind} layer"
    if layer.kind == "dense":
        n, most = int(layer.weights.shape[0]), sheet.int("limits.np.inputs")
        return [f"{where}: inputs {n} > {most}"] if n > most else []
    found = _kernel(layer, where, sheet)
    if not layer.weights.any() and layer.kind != "convolutional":
        found.append(f"{where}: all weights are 0")
    if layer.kind == "input":
        return found + _image(layer, shape, where, sheet)
    if layer.padding != "same":
        found.append(f"{where}: padding {layer.padding!r} does not exist on the chip; use 'same'")
    if layer.kind == "separable" and layer.weights_bits not in sheet["limits.separable.weight_bits"].value:
        found.append(f"{where}: weights of {layer.weights_bits} bit must have 2 or 4")
    if layer.pool == "max":
        if not followed:
            found.append(f"{where}: max pooling must be followed by a convolution")
        found += _pool(layer, where, sheet.int("limits.convolution.pool_max"))
    return found


def _kernel(layer: Layer, where: str, sheet: Datasheet) -> list[str]:
    rows, columns = layer.weights.shape[:2]
    table = {"input": "input", "separable": "separable"}.get(layer.kind, "convolution")
    sizes = sheet[f"limits.{table}.kernels"].value
    found = []
    if rows != columns or rows not in sizes:
        found.append(f"{where}: kernel {rows} x {columns} must be square, of {', '.join(map(str, sizes))}")
    most = sheet.int("limits.input.stride_max" if layer.kind == "input" else "limits.convolution.stride_max")
    if max(layer.stride) > most:
        found.append(f"{where}: stride {max(layer.stride)} > {most}")
    if layer.kind != "input":
        if layer.stride[0] != layer.stride[1]:
            found.append(f"{where}: strides {layer.stride} must be equal")
        only = sheet.int("limits.convolution.stride_kernel")
        if max(layer.stride) == most and rows != only:
            found.append(f"{where}: stride {most} is only for kernels of {only}, not of {rows}")
    return found


def _pool(layer: Layer, where: str, most: int) -> list[str]:
    found = []
    if max(layer.pool_size) > most:
        found.append(f"{where}: pool of {max(layer.pool_size)} > {most}")
    if layer.kind == "input":
        if layer.pool_stride != layer.pool_size:
            found.append(f"{where}: stride {layer.pool_stride} of the pool must be its size {layer.pool_size}")
    else:
        for what, (rows, columns) in (("size", layer.pool_size), ("stride", layer.pool_stride)):
            if rows != columns:
                found.append(f"{where}: {what} {rows} x {columns} of the pool must be square")
    return found


def _image(layer: Layer, shape: Sequence[int], where: str, sheet: Datasheet) -> list[str]:
    rows, columns, channels = shape
    least, most = sheet.int("limits.input.size_min"), sheet.int("limits.input.columns_max")
    found = []
    if rows < least:
        found.append(f"{where}: rows {rows} < {least}")
    if not least <= columns <= most:
        found.append(f"{where}: columns {columns} must lie in {least}..{most}")
    needed = layer.weights.shape[1] + layer.stride[1]
    if layer.padding == "valid" and columns < needed:
        found.append(f"{where}: columns {columns} < {needed}, kernel and stride, without a border")
    if channels not in sheet["limits.input.channels"].value:
        found.append(f"{where}: channels {channels} must be 1 or 3")
    else:
        filters = dict(sheet[f"limits.input.filters_{channels}"].value)
        limit = filters.get(layer.weights.shape[0], layer.units)
        if layer.units > limit:
            found.append(f"{where}: filters {layer.units} > {limit}")
    if not layer.activation:
        found.append(f"{where}: an input layer without activation does not exist on the chip")
    if layer.pool == "sum":
        found.append(f"{where}: pooling over the whole image does not exist in an input layer")
    elif layer.pool == "max":
        found += _pool(layer, where, sheet.int("limits.input.pool_max"))
        out, _ = border(columns, layer.weights.shape[1], layer.stride[1], layer.padding)
        pooled, _ = border(out, layer.pool_size[1], layer.pool_stride[1], layer.padding)
        if pooled < 2:
            found.append(f"{where}: {pooled} columns are left by max pooling, at least 2 must be")
    return found
