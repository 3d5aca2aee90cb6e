"""Plain-Python oracle of input codes: one channel at a time, one tick at a time, arguments handed over by name."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache

import numpy as np

from insectbot.protocols import Readout


@cache
def names(function):
    """Return the names a function takes, and those after its return."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    value = [node for node in ast.walk(tree) if isinstance(node, ast.Return)][-1].value
    returned = value.elts if isinstance(value, ast.Tuple) else [value]
    return tuple(inspect.signature(function).parameters), tuple(node.id for node in returned)


def call(function, table):
    """Call a model function with what the table holds, and write into the table what it returns."""
    takes, gives = names(function)
    result = function(**{name: table[name] for name in takes})
    for name, value in zip(gives, result if len(gives) > 1 else [result], strict=True):
        table[name] = value


class NaiveCode:
    """A group of channels with one code; lives from window to window like the core."""

    def __init__(self, code, n, dt=1.0):
        self.functions, self.frame_ticks, self.tick = code.functions(), round(code.period / dt), 0
        fixed = {**code.values(), **code.coefficients(dt), "dt": dt}
        self.tables = []
        for channel in range(n):
            per_channel = {k: float(v[channel]) if getattr(v, "ndim", 0) else float(v) for k, v in fixed.items()}
            self.tables.append({**per_channel, **code.states})

    def window(self, drive, n_ticks):
        """Return the spikes (tick, channel) of a window."""
        x = [float(d) for d in drive]
        spikes = []
        for _ in range(n_ticks):
            k = self.tick % self.frame_ticks
            for c, table in enumerate(self.tables):
                table["x"], table["k"] = min(max(x[c], 0.0), 1.0), float(k)
                if k == 0 and "frame" in self.functions:
                    table["rank"] = float(sum(o > x[c] or (o == x[c] and j < c) for j, o in enumerate(x)))
                    call(self.functions["frame"], table)
                call(self.functions["emit"], table)
                if table["spike"]:
                    spikes.append((self.tick, c))
            self.tick += 1
        return spikes


def readouts(spikes, window):
    """Yield the readout of each window of a raster of shape (n_ticks, n), as an output population would give it."""
    n = spikes.shape[1]
    last, interval = np.full(n, -1), np.full(n, -1, np.int32)
    for start in range(0, len(spikes), window):
        part = spikes[start : start + window]
        for tick, row in enumerate(part, start):
            interval = np.where(row & (last >= 0), tick - last, interval).astype(np.int32)
            last = np.where(row, tick, last)
        first = np.where(part.any(axis=0), part.argmax(axis=0), -1).astype(np.int32)
        yield Readout(part.sum(axis=0).astype(np.int32), first, interval)


def decoded(decoder, spikes, window, dt=1.0):
    """Return the values that a decoder says after each window, shape (n_windows, n)."""
    decoder.set_window(window * dt)
    return np.array([decoder.values(readout).copy() for readout in readouts(spikes, window)])
