"""The mesh: tiles of cores, XY routes, one unicast message per spike and destination core."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.place import Placement

Vector = npt.NDArray[np.int64]
Link = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Mesh:
    """A grid of tiles, numbered by column.

    Attributes
    ----------
    columns, rows, cores_per_tile : int
        Size of the grid, and cores on each tile.
    """

    columns: int
    rows: int
    cores_per_tile: int

    @classmethod
    def of(cls, sheet: Datasheet) -> Mesh:
        """Read the mesh off a datasheet."""
        return cls(*(sheet.int(f"limits.chip.{key}") for key in ("columns", "rows", "cores_per_tile")))

    @property
    def cores(self) -> int:
        """Number of cores of a chip."""
        return self.columns * self.rows * self.cores_per_tile

    def tile(self, core: npt.ArrayLike) -> tuple[Vector, Vector]:
        """Return (x, y) of the tile of a core."""
        number = np.asarray(core, np.int64) // self.cores_per_tile
        return number // self.rows, number % self.rows

    def hops(self, source: npt.ArrayLike, destination: npt.ArrayLike) -> tuple[Vector, Vector]:
        """Return the tile hops (E-W, N-S) between cores."""
        (x0, y0), (x1, y1) = self.tile(source), self.tile(destination)
        return np.abs(x1 - x0), np.abs(y1 - y0)

    def route(self, source: int, destination: int) -> list[Link]:
        """Return the links of the XY route between two cores: x first, then y, so it cannot deadlock."""
        (x, y), (x1, y1) = ((int(a), int(b)) for a, b in (self.tile(source), self.tile(destination)))
        links = []
        while (x, y) != (x1, y1):
            step = (x + int(np.sign(x1 - x)), y) if x != x1 else (x, y + int(np.sign(y1 - y)))
            links.append(((x, y), step))
            x, y = step
        return links


@dataclass(frozen=True)
class Routes:
    """Messages that a spike of each unit causes.

    Attributes
    ----------
    unit, core, synapses, hops_x, hops_y : ndarray of int64, shape (n_messages,)
        Source unit, destination core, synapses served there, tile hops. Inputs enter at their destination (no hops).
    source : ndarray of int64, shape (n_messages,)
        Core of the source; -1 for the host.
    used : ndarray of int64
        Cores that hold neurons.
    """

    unit: Vector
    source: Vector
    core: Vector
    synapses: Vector
    hops_x: Vector
    hops_y: Vector
    mesh: Mesh
    used: Vector

    @classmethod
    def of(cls, placement: Placement, n_inputs: int, sheet: Datasheet) -> Routes:
        """Route every edge of a placement."""
        mesh = Mesh.of(sheet)
        unit, core, synapses = placement.edges.T if placement.edges.size else np.zeros((3, 0), np.int64)
        host = unit < n_inputs
        source = np.where(host, -1, placement.core_of(unit - n_inputs))
        hops_x, hops_y = mesh.hops(np.where(host, core, source), core)
        return cls(unit, source, core, synapses, hops_x, hops_y, mesh, np.flatnonzero(np.diff(placement.start)))

    @property
    def n_cores(self) -> int:
        """Number of cores in use."""
        return self.used.size

    @property
    def n_chips(self) -> int:
        """Number of chips in use, at least 1."""
        return max(np.unique(self.used // self.mesh.cores).size, 1)

    def messages(self, n_units: int) -> tuple[Vector, npt.NDArray[np.int64]]:
        """Return (row, [core, synapses, hops x, hops y]) by source unit, as the window kernels take them."""
        dest = np.stack([self.core, self.synapses, self.hops_x, self.hops_y], axis=1)
        return np.searchsorted(self.unit, np.arange(n_units + 1)).astype(np.int64), dest

    def times(self, sheet: Datasheet) -> npt.NDArray[np.float64]:
        """Return the durations [s] of every price list, columns ``T_*`` of ``engine.py``."""
        tiles = np.unique(self.used // self.mesh.cores_per_tile).size
        rows = []
        for prices in sheet.prices.values():
            t = prices.time
            row = (t.neuron_active, t.neuron_idle, t.spike, t.message_out, t.message_in, t.synop, t.hop_x, t.hop_y)
            rows.append((*row, t.barrier_at(tiles), t.step_floor))
        return np.array(rows)

    def per_unit(self, values: npt.NDArray, n_units: int) -> Vector:
        """Return the sum of ``values`` (one per message) over the messages of each unit."""
        return np.bincount(self.unit, values, n_units).astype(np.int64)

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
        for unit, source, core in zip(self.unit, self.source, self.core, strict=True):
            if source >= 0 and spikes[unit]:
                for link in self.mesh.route(int(source), int(core)):
                    load[link] = load.get(link, 0.0) + float(spikes[unit]) / max(n_ticks, 1)
        return load
