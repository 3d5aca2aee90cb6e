"""Messages of a placed network: what a spike of each unit sends where, over which links, unicast or multicast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.topology import Link, Mesh, Topology, topology_of

__all__ = ["Link", "Mesh", "Routes", "Traffic"]

Vector = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Routes:
    """Messages that a spike of each unit causes.

    Attributes
    ----------
    unit, core, synapses : ndarray of int64, shape (n_messages,)
        Source unit (sorted), destination core, synapses served there.
    source : ndarray of int64, shape (n_messages,)
        Core of the source; -1 for the host, whose messages enter at their destination.
    hops : ndarray of int64, shape (n_messages, 3)
        Hops along x, along y, from chip to chip: the way of each message, for its time.
    topology : Topology
        The network.
    position : ndarray of int64, shape (n_cores,)
        Place of each core of the placement among the cores of the chip.
    used : ndarray of int64
        Cores of the placement that hold neurons.
    multicast : bool
        Whether a spike takes every link once, however many destinations lie behind it.
    """

    unit: Vector
    source: Vector
    core: Vector
    synapses: Vector
    hops: Vector
    topology: Topology
    position: Vector
    used: Vector
    multicast: bool = False

    @classmethod
    def of(cls, placement: Any, n_inputs: int, sheet: Datasheet) -> Routes:
        """Route every edge of a placement: something with ``edges``, ``core_of``, ``start`` and ``position``."""
        topology = topology_of(sheet)
        position = placement.position
        unit, core, synapses = placement.edges.T if placement.edges.size else np.zeros((3, 0), np.int64)
        host = unit < n_inputs
        source = np.where(host, -1, placement.core_of(unit - n_inputs))
        here = np.where(host, core, source)
        hops = np.stack(topology.hops(position[here], position[core]), axis=1).reshape(-1, 3)
        cast = str(sheet.value("noc.cast", "unicast"))
        used = np.flatnonzero(np.diff(placement.start))
        return cls(unit, source, core, synapses, hops, topology, position, used, cast == "multicast")

    @property
    def hops_x(self) -> Vector:
        """Hops along x of each message."""
        return self.hops[:, 0]

    @property
    def hops_y(self) -> Vector:
        """Hops along y of each message."""
        return self.hops[:, 1]

    @property
    def n_cores(self) -> int:
        """Number of cores in use."""
        return self.used.size

    @property
    def n_chips(self) -> int:
        """Number of chips in use, at least 1."""
        return max(np.unique(self.position[self.used] // self.topology.cores_per_chip).size, 1)

    def messages(self, n_units: int) -> tuple[Vector, npt.NDArray[np.int64]]:
        """Return (row, [core, synapses, hops x, hops y, hops chip]) by source unit, as the window kernels take them."""
        dest = np.concatenate([np.stack([self.core, self.synapses], axis=1), self.hops], axis=1)
        return np.searchsorted(self.unit, np.arange(n_units + 1)).astype(np.int64), dest

    def times(self, sheet: Datasheet) -> npt.NDArray[np.float64]:
        """Return the durations [s] of every price list, columns ``T_*`` of ``engine.py``."""
        tiles = np.unique(self.position[self.used] // self.topology.cores_per_tile).size
        rows = []
        for prices in sheet.prices.values():
            t = prices.time
            row = (t.neuron_active, t.neuron_idle, t.spike, t.message_out, t.message_in, t.synop, t.hop_x, t.hop_y)
            rows.append((*row, t.barrier_at(tiles), t.step_floor, t.hop_chip, t.synop_learn))
        return np.array(rows)

    def per_unit(self, values: npt.NDArray, n_units: int) -> Vector:
        """Return the sum of ``values`` (one per message) over the messages of each unit."""
        return np.bincount(self.unit, values, n_units).astype(np.int64)

    def hops_per_unit(self, n_units: int) -> Vector:
        """Return the hops [x, y, chip] that one spike of each unit causes, shape (n_units, 3)."""
        if not self.multicast:
            return np.stack([self.per_unit(self.hops[:, k], n_units) for k in range(3)], axis=1)
        found = np.zeros((n_units, 3), np.int64)
        for unit, links in self.links.items():
            for link in links:
                found[unit, self.topology.kind(link)] += 1
        return found

    @cached_property
    def links(self) -> dict[int, list[Link]]:
        """Links that a spike of each unit takes; with multicast each once. Made on first use: one entry per hop."""
        found: dict[int, list[Link]] = {}
        on_chip = self.source >= 0
        for unit, source, core in zip(self.unit[on_chip], self.source[on_chip], self.core[on_chip], strict=True):
            way = self.topology.route(int(self.position[source]), int(self.position[core]))
            found.setdefault(int(unit), []).extend(way)
        if self.multicast:
            return {unit: list(dict.fromkeys(links)) for unit, links in found.items()}
        return found

    def link_load(self, spikes: npt.NDArray[np.integer], n_ticks: int) -> dict[Link, float]:
        """Return messages per tick over every link used: {((x, y), (x, y)): load}.

        Parameters
        ----------
        spikes : ndarray of int, shape (n_units,)
            Spikes per unit.
        n_ticks : int
            Ticks in which they were emitted.
        """
        load: dict[Link, float] = {}
        for unit, links in self.links.items():
            if spikes[unit]:
                rate = float(spikes[unit]) / max(n_ticks, 1)
                for link in links:
                    load[link] = load.get(link, 0.0) + rate
        return load

    def traffic(self, spikes: npt.NDArray[np.integer], n_ticks: int, seconds: float, bandwidth: float) -> Traffic:
        """Return what the network carries.

        Parameters
        ----------
        spikes, n_ticks
            As in :meth:`link_load`.
        seconds : float
            Duration of a tick on the chip [s].
        bandwidth : float
            Messages per second that a link carries; infinity where it is not known.
        """
        load = self.link_load(spikes, n_ticks)
        per_unit = self.hops_per_unit(spikes.size)
        senders = int(spikes[np.unique(self.unit[self.source >= 0])].sum())
        hops = float(per_unit.sum(axis=1) @ spikes)
        x, y = self.topology.tile(self.position[self.used])
        return Traffic(
            width=self.topology.width,
            height=self.topology.height,
            nodes=tuple(sorted(set(zip(x.tolist(), y.tolist(), strict=True)))),
            load=load,
            hops_per_spike=hops / senders if senders else 0.0,
            capacity=bandwidth * seconds,
        )


@dataclass(frozen=True)
class Traffic:
    """The load of a network over some ticks.

    Attributes
    ----------
    width, height : int
        Size of the grid of nodes.
    nodes : tuple of (x, y)
        Nodes that hold neurons.
    load : dict
        Link -> messages per tick.
    hops_per_spike : float
        Mean hops of a spike that leaves its core.
    capacity : float
        Messages that a link carries in a tick; infinity where it is not known.
    """

    width: int
    height: int
    nodes: tuple[tuple[int, int], ...]
    load: dict[Link, float]
    hops_per_spike: float
    capacity: float

    @property
    def hottest(self) -> tuple[Link | None, float]:
        """The busiest link and its load; (None, 0) without traffic."""
        if not self.load:
            return None, 0.0
        link = max(self.load, key=lambda key: self.load[key])
        return link, self.load[link]

    @property
    def utilisation(self) -> float:
        """Load of the busiest link over what it carries; above 1 messages queue and ticks grow longer."""
        return self.hottest[1] / self.capacity
