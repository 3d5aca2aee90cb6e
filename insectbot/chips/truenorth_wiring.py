"""Lines: what every synapse needs of the crossbars, as (target neuron, source unit, delay, axon type, copy)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.loihi_wiring import blocks, sizes
from insectbot.chips.truenorth_quantise import QuantNetwork
from insectbot.chips.truenorth_values import TYPES

Vector = npt.NDArray[np.int64]
COPY_BITS, TYPE_BITS, DELAY_BITS = 10, 2, 4
KEY_BITS = 40
"""Bits of an axon in a sort key: unit, delay, type, copy; the target neuron is above them."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Crossbar entries of a network by target neuron.

    Attributes
    ----------
    row : ndarray of int64, shape (n_neurons + 1,)
        Entries ``row[j]`` to ``row[j + 1]`` are those of neuron j.
    number : ndarray of int32
        Number of the axon that an entry needs: entries of one number share an axon where they share a core.
    unit, delay, kind : ndarray
        Source unit, delay [ticks] and type of each numbered axon.
    """

    row: Vector
    number: npt.NDArray[np.int32]
    unit: Vector
    delay: Vector
    kind: Vector


def lines_of(quant: QuantNetwork) -> Lines:
    """Return the lines of a quantised network; generated synapses are drawn block by block.

    Entries of one target with the same source, delay and type take one copy each of the axon, so that binary synapses
    add up.
    """
    network = quant.network
    slices, n = network.unit_slices(), sizes(network)
    parts = [np.zeros(0, np.int64)]
    for q in quant.projections:
        p = q.projection
        first, onto = slices[p.source].start, slices[p.target].start - network.n_inputs
        for block in blocks(p, n[p.source], n[p.target], network.dt):
            integers = q.integers(block.weight)
            counts = q.table.counts(integers)
            delay = np.minimum(block.ticks, q.ticks[1])
            key = (block.pre.astype(np.int64) + first) << DELAY_BITS | delay
            target = (block.post.astype(np.int64) + onto) << KEY_BITS
            for g in range(TYPES):
                some = np.flatnonzero(counts[:, g])
                line = target[some] | (key[some] << TYPE_BITS | g) << COPY_BITS
                parts.append(np.repeat(line, counts[some, g]))
    return _numbered(parts, network.n_neurons)


def _numbered(parts: list[Vector], n_neurons: int) -> Lines:
    line = np.concatenate(parts)
    parts.clear()
    line.sort()
    # The copy is the position within a run of equal lines.
    begin = np.flatnonzero(np.diff(line, prepend=-1))
    line += np.minimum(np.arange(line.size) - np.repeat(begin, np.diff(begin, append=line.size)), (1 << COPY_BITS) - 1)
    row = np.searchsorted(line, np.arange(n_neurons + 1) << KEY_BITS).astype(np.int64)
    line &= (1 << KEY_BITS) - 1
    axons, number = np.unique(line, return_inverse=True)
    unit = axons >> (COPY_BITS + TYPE_BITS + DELAY_BITS)
    delay = axons >> (COPY_BITS + TYPE_BITS) & ((1 << DELAY_BITS) - 1)
    return Lines(row, number.astype(np.int32), unit, delay, axons >> COPY_BITS & (TYPES - 1))
