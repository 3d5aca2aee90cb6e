"""Which delays a file has to hold: those that its reader does not make by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.snn.inputs import CurrentInput
from insectbot.snn.network import Input, Network
from insectbot.snn.nir.dialect import Dialect
from insectbot.snn.nir.timing import Link, align, loops

Ticks = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """Delays to be written per projection (one per synapse, in steps), and the connections that come out of step."""

    written: Mapping[str, Ticks]
    lost: tuple[str, ...]


def schedule(network: Network, dialect: Dialect, beats: set[str], slow: set[str]) -> Schedule:
    """Return the delays to be written.

    A delay of one step is the least there is here, and is written as none: NIR's readers make of none the least that
    their grid has. Readers that cross all layers in one step (``dialect.aligned``) get the rest.

    Parameters
    ----------
    network : Network
        The network.
    dialect : Dialect
        Who will read.
    beats : set of str
        Units that become biases.
    slow : set of str
        Populations that feel a spike one step earlier in the file than here.
    """
    here = {p.name: np.rint(p.delay / network.dt) for p in network.projections}
    if not dialect.aligned:
        return Schedule({name: np.where((t > 1).any(), t, 0.0) for name, t in here.items()}, ())
    together = loops([g.name for g in network.groups], [(p.source, p.target) for p in network.projections])
    written = {}
    for p in network.projections:
        inside = together[p.source] == together[p.target]
        written[p.name] = np.where(here[p.name] > 1, here[p.name] - (not inside), 0.0)
    return Schedule(written, tuple(_out_of_step(network, here, written, beats, slow)))


def _out_of_step(
    network: Network, here: Mapping[str, Ticks], written: Mapping[str, Ticks], beats: set[str], slow: set[str]
) -> list[str]:
    """Return the connections whose spikes would come at another time, beside others, than they do here."""
    used = [p for p in network.projections if p.n_synapses]
    least = align(
        [g.name for g in network.groups], [Link(p.source, p.target, int(written[p.name].min())) for p in used]
    )
    late = {g.name: 0 for g in network.groups if isinstance(g, Input) or g.name in beats}
    analog = {g.name for g in network.inputs if isinstance(g.source, CurrentInput)}
    # How much later each group runs here must be the same along all ways to it.
    steps = [
        (p, (0 if p.source in analog else here[p.name].min() + (p.target in slow)) - t)
        for p, t in zip(used, least.least, strict=True)
    ]
    for _ in network.groups:
        for p, step in steps:
            if p.source in late:
                late.setdefault(p.target, late[p.source] + int(step))
            elif p.target in late:
                late.setdefault(p.source, late[p.target] - int(step))
    return [
        f"timing of projection {p.name!r}"
        for p, step in steps
        if p.source in late and late[p.target] != late[p.source] + int(step)
    ]
