"""Plain-Python oracle of Akida's layers, and of spikes as counts on them, written from the published description."""

import math
from fractions import Fraction

import numpy as np

HALF = 1 << 19


def activation(p, threshold, act_step, bits):
    """Return the level of a potential: how many steps it is above the threshold, rounded up."""
    step = Fraction(math.floor(Fraction(float(act_step)) * 16), 16)
    level = math.ceil(Fraction(int(p) - int(threshold)) / (step * 2 ** (4 - bits)))
    return max(0, min(level, 2**bits - 1))


def same(n, kernel, stride):
    """Return (outputs, cells of border at the low end) along one axis."""
    out = math.ceil(n / stride)
    return out, max((out - 1) * stride + kernel - n, 0) // 2


def valid(n, kernel, stride):
    return (n - kernel) // stride + 1, 0


def cell(image, row, column, channel, fill):
    rows, columns = len(image), len(image[0])
    if 0 <= row < rows and 0 <= column < columns:
        return int(image[row][column][channel])
    return fill


def weighted(image, weights, row, column, channel, fill, turned):
    """Return the sum over a kernel [rows][columns] at a place of one channel."""
    kh, kw = len(weights), len(weights[0])
    total = 0
    for i in range(kh):
        for j in range(kw):
            w = weights[kh - 1 - i][kw - 1 - j] if turned else weights[i][j]
            total += cell(image, row + i, column + j, channel, fill) * int(w)
    return total


def potentials(kind, image, weights, pointwise, stride, padding, fill):
    """Return potentials [row][column][filter] of one image."""
    find = same if padding == "same" else valid
    kh, kw, channels = weights.shape[:3]
    (rows, top), (columns, left) = find(len(image), kh, stride[0]), find(len(image[0]), kw, stride[1])
    out = []
    for r in range(rows):
        line = []
        for c in range(columns):
            at = (r * stride[0] - top, c * stride[1] - left)
            if kind == "separable":
                alone = [weighted(image, weights[:, :, k], *at, k, 0, True) for k in range(channels)]
                line.append([sum(a * int(w) for a, w in zip(alone, mix, strict=True)) for mix in pointwise.T])
                continue
            turned = kind == "convolutional"
            line.append(
                [
                    sum(weighted(image, weights[:, :, k, f], *at, k, fill, turned) for k in range(channels))
                    for f in range(weights.shape[3])
                ]
            )
        out.append(line)
    return out


def pooled(p, pool, size, stride, padding):
    """Return pooled potentials [row][column][filter]."""
    if not pool:
        return p
    filters = range(len(p[0][0]))
    if pool == "sum":
        return [[[sum(x[f] for line in p for x in line) for f in filters]]]
    find = same if padding == "same" else valid
    (rows, top), (columns, left) = find(len(p), size[0], stride[0]), find(len(p[0]), size[1], stride[1])
    out = []
    for r in range(rows):
        line = []
        for c in range(columns):
            at_row, at_column = r * stride[0] - top, c * stride[1] - left
            inside = [
                p[i][j]
                for i in range(max(at_row, 0), min(at_row + size[0], len(p)))
                for j in range(max(at_column, 0), min(at_column + size[1], len(p[0])))
            ]
            line.append([max(x[f] for x in inside) for f in filters])
        out.append(line)
    return out


def layer(facts, arrays, x):
    """Return the output of a layer for frames ``x``; ``facts`` as in the committed vectors."""
    weights, pointwise = arrays["weights"], arrays.get("pointwise")
    found = []
    for frame in x:
        if facts["kind"] == "dense":
            sums = [sum(int(a) * int(w) for a, w in zip(frame, column, strict=True)) for column in weights.T]
            p = [[[max(-HALF, min(s, HALF - 1)) for s in sums]]]
        else:
            p = potentials(
                facts["kind"], frame, weights, pointwise, facts["stride"], facts["padding"], facts["padding_value"]
            )
            p = pooled(p, facts["pool"], facts.get("pool_size"), facts.get("pool_stride"), facts["padding"])
        if facts["activation"]:
            units = list(zip(arrays["threshold"], arrays["act_step"], strict=True))
            p = [
                [[activation(v, t, s, facts["act_bits"]) for v, (t, s) in zip(x, units, strict=True)] for x in line]
                for line in p
            ]
        found.append(p[0][0] if facts["kind"] == "dense" else p)
    return np.array(found)


def spikes_in_frame(y, frame):
    """Return the offsets of y spikes that are spread evenly over a frame, the last one at its end."""
    return [math.ceil(Fraction(i * frame, y)) - 1 for i in range(1, y + 1)]


def network(layers, inputs, frame):
    """Run counts through dense layers (weights, threshold, sixteenths, cap).

    ``inputs`` [ticks, n] are 0 or 1; returns spikes [ticks][unit] of all layers side by side, and what was lost.
    """
    ticks, n = len(inputs), sum(layer[0].shape[1] for layer in layers)
    spikes = [[0] * n for _ in range(ticks)]
    lost = {"clipped": 0, "saturated": 0, "cut": 0, "dropped": 0, "synops": 0, "frames": 0}
    for start in range(0, ticks - frame + 1, frame):
        lost["frames"] += 1
        counts = [sum(int(inputs[t][i]) for t in range(start, start + frame)) for i in range(len(inputs[0]))]
        lost["clipped"] += sum(max(c - 15, 0) for c in counts)
        x, first = [min(c, 15) for c in counts], 0
        for weights, threshold, sixteenths, cap in layers:
            y = []
            lost["synops"] += sum(v != 0 for v in x) * weights.shape[1]
            for j in range(weights.shape[1]):
                raw = sum(v * int(w) for v, w in zip(x, weights[:, j], strict=True))
                p = max(-HALF, min(raw, HALF - 1))
                lost["saturated"] += p != raw
                level = math.ceil(Fraction(16 * (p - int(threshold[j])), int(sixteenths[j])))
                lost["cut"] += level > 15
                level = max(0, min(level, 15))
                given = min(level, int(cap[j]))
                lost["dropped"] += level - given
                for k in spikes_in_frame(given, frame):
                    if start + frame + k < ticks:
                        spikes[start + frame + k][first + j] += 1
                y.append(level)
            x, first = y, first + weights.shape[1]
    return np.array(spikes), lost
