"""Several threads, same bits: each owns a range of every population and the synapses that end there.

Sums into a neuron keep their order, since every thread walks all spikes of a tick in the order of their units.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from insectbot.core.part import Part
from insectbot.core.structure import Structure
from insectbot.errors import Unsupported
from insectbot.snn.network import Network


def threadable(structure: Structure, network: Network) -> None:
    """Raise Unsupported, naming the cause, if a network cannot be shared by threads."""
    for population in network.populations:
        if structure.precise and getattr(population.model, "precise", False):
            raise Unsupported(f"threads: population {population.name!r} has precise spike times; use threads = 1")
    for plan, projection in zip(structure.projections, network.projections, strict=True):
        if plan.rule == "perturb":
            raise Unsupported(
                f"threads: NodePerturbation of {projection.name!r} needs all its neurons; use threads = 1"
            )
        if plan.graded:
            raise Unsupported(f"threads: graded projection {projection.name!r} needs threads = 1")


def join_parts(parts: Sequence[Part], network: Network) -> None:
    """Let parts see the same drive, readout and spike lists."""
    first = parts[0]
    for name in ("drive", "modulators", "counts", "first", "interval", "last", "sync"):
        for part in parts[1:]:
            part.share(name, first.arrays[name])
    for k in range(len(network.populations)):
        widths = [high - low for low, high in (p.parts[k] for p in parts)]
        lists = [np.zeros(1 + n, np.int32) for n in widths for _ in range(2)]
        table = np.array([a.ctypes.data for a in lists], np.int64)
        for part in parts:
            part.share(f"p{k}_lists", table)
            part.kept += lists
    for part in parts:
        part.link()


def projection_order(parts: Sequence[Part], k: int) -> npt.NDArray[np.int64]:
    """Return where each synapse of projection ``k``, in projection order, stands in the parts' rows put end to end."""
    sources, delays, starts, sizes = [], [], [], []
    offset = 0
    for part in parts:
        segment, start, delay = (part.arrays[f"s{k}_{name}"] for name in ("segment", "start", "delay"))
        sources.append(np.repeat(np.arange(segment.size - 1), np.diff(segment)))
        n = sources[-1].size
        delays.append(delay[:n])
        starts.append(offset + start[:n])
        sizes.append(np.diff(start[: n + 1]))
        offset += int(start[n])
    source, delay, begin, size = (np.concatenate(x) for x in (sources, delays, starts, sizes))
    order = np.lexsort((delay, source))  # stable: parts stay in the order of their targets
    begin, size = begin[order], size[order]
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    return np.repeat(begin, size) + within
