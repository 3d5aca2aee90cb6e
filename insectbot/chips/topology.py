"""Networks of a chip or board: which links a message takes between two nodes. Grids, tori, SpiNNaker's hexagons, trees.

A node is an (x, y) pair. Hops come in three kinds that are priced apart: along x, along y, and from chip to chip.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.errors import ConfigurationError

Vector = npt.NDArray[np.int64]
Node = tuple[int, int]
Link = tuple[Node, Node]
HOP_X, HOP_Y, HOP_CHIP = range(3)


class Topology(ABC):
    """Base: cores sit on nodes, ``cores_per_tile`` on each; node numbers run along y first (columns, as on Loihi).

    Attributes
    ----------
    columns, rows : int
        Size of the grid of nodes of one chip.
    cores_per_tile : int
        Cores on a node.
    chip_columns, chip_rows : int
        Grid of chips.
    """

    columns: int
    rows: int
    cores_per_tile: int
    chip_columns: int = 1
    chip_rows: int = 1

    @property
    def cores(self) -> int:
        """Number of cores of the grid of nodes: of a chip, or of a board whose nodes are chips."""
        return self.columns * self.rows * self.cores_per_tile

    @property
    def cores_per_chip(self) -> int:
        """Number of cores that are powered together."""
        return self.cores

    @property
    def width(self) -> int:
        """Number of columns of nodes of the whole system."""
        return self.columns * self.chip_columns

    @property
    def height(self) -> int:
        """Number of rows of nodes of the whole system."""
        return self.rows * self.chip_rows

    def tile(self, core: npt.ArrayLike) -> tuple[Vector, Vector]:
        """Return (x, y) of the node of a core, in the grid of the whole system; chips are numbered by column, too."""
        chip, inside = np.divmod(np.asarray(core, np.int64), self.cores)
        number = inside // self.cores_per_tile
        x = chip // self.chip_rows * self.columns + number // self.rows
        return x, chip % self.chip_rows * self.rows + number % self.rows

    def kind(self, link: Link) -> int:
        """Return what a link costs: HOP_X, HOP_Y, or HOP_CHIP where it leaves a chip."""
        (x0, y0), (x1, y1) = link
        if x0 // self.columns != x1 // self.columns or y0 // self.rows != y1 // self.rows:
            return HOP_CHIP
        return HOP_X if x0 != x1 else HOP_Y

    @abstractmethod
    def hops(self, source: npt.ArrayLike, destination: npt.ArrayLike) -> tuple[Vector, Vector, Vector]:
        """Return the hops (x, y, chip to chip) between cores."""

    @abstractmethod
    def route(self, source: int, destination: int) -> list[Link]:
        """Return the links between two cores, in order; as many as there are hops."""


@dataclass(frozen=True)
class Mesh(Topology):
    """A grid, routed along x first, then y, so that it cannot deadlock.

    Attributes
    ----------
    torus : bool
        Whether the far ends are joined.
    """

    columns: int
    rows: int
    cores_per_tile: int
    chip_columns: int = 1
    chip_rows: int = 1
    torus: bool = False

    @classmethod
    def of(cls, sheet: Datasheet) -> Mesh:
        """Read the mesh off a datasheet."""
        return cls(
            columns=sheet.int("limits.chip.columns"),
            rows=sheet.int("limits.chip.rows"),
            cores_per_tile=sheet.int("limits.chip.cores_per_tile"),
            chip_columns=int(sheet.value("limits.board.columns", 1)),
            chip_rows=int(sheet.value("limits.board.rows", 1)),
            torus=bool(sheet.value("noc.torus", 0)),
        )

    def _step(self, a: int, b: int, size: int) -> int:
        if a == b:
            return 0
        direct = b - a
        if self.torus and abs(direct) * 2 > size:
            return -1 if direct > 0 else 1
        return 1 if direct > 0 else -1

    def hops(self, source: npt.ArrayLike, destination: npt.ArrayLike) -> tuple[Vector, Vector, Vector]:
        """Return the hops (x, y, chip to chip) between cores."""
        (x0, y0), (x1, y1) = self.tile(source), self.tile(destination)
        along = []
        for a, b, size in ((x0, x1, self.width), (y0, y1, self.height)):
            d = np.abs(b - a)
            along.append(np.minimum(d, size - d) if self.torus else d)
        if self.chip_columns * self.chip_rows == 1:
            return along[0], along[1], np.zeros_like(along[0] + along[1])
        out_x, out_y = np.abs(x1 // self.columns - x0 // self.columns), np.abs(y1 // self.rows - y0 // self.rows)
        return along[0] - out_x, along[1] - out_y, out_x + out_y

    def route(self, source: int, destination: int) -> list[Link]:
        """Return the links between two cores: x first, then y."""
        (x, y), (x1, y1) = ((int(a), int(b)) for a, b in (self.tile(source), self.tile(destination)))
        links = []
        while (x, y) != (x1, y1):
            step = self._step(x, x1, self.width)
            to = ((x + step) % self.width, y) if step else (x, (y + self._step(y, y1, self.height)) % self.height)
            links.append(((x, y), to))
            x, y = to
        return links


@dataclass(frozen=True)
class Hexagons(Topology):
    """SpiNNaker's triangular torus: six links per chip; a chip is a node. Steps are E, N and NE (both at once).

    Furber et al. 2013. A shortest path in these three directions: the diagonal first, then the straight rest.
    """

    columns: int
    rows: int
    cores_per_tile: int
    chip_columns: int = 1
    chip_rows: int = 1

    @classmethod
    def of(cls, sheet: Datasheet) -> Hexagons:
        """Read the board off a datasheet: every chip is a node of the grid of chips."""
        return cls(sheet.int("limits.board.columns"), sheet.int("limits.board.rows"), sheet.int("limits.chip.cores"))

    @property
    def cores_per_chip(self) -> int:
        """Number of cores of a node, which is a chip."""
        return self.cores_per_tile

    def kind(self, link: Link) -> int:
        """Return HOP_CHIP: every link joins two chips."""
        return HOP_CHIP

    def _offset(self, x0: Vector, y0: Vector, x1: Vector, y1: Vector) -> tuple[Vector, Vector]:
        """Return the shortest (dx, dy) on the torus: the length of (dx, dy) is max(|dx|, |dy|, |dx - dy|)."""
        best_x, best_y = (x1 - x0) % self.columns, (y1 - y0) % self.rows
        length = _hex_length(best_x, best_y)
        for wrap_x, wrap_y in ((self.columns, 0), (0, self.rows), (self.columns, self.rows)):
            dx, dy = (x1 - x0) % self.columns - wrap_x, (y1 - y0) % self.rows - wrap_y
            shorter = _hex_length(dx, dy) < length
            best_x, best_y = np.where(shorter, dx, best_x), np.where(shorter, dy, best_y)
            length = _hex_length(best_x, best_y)
        return best_x, best_y

    def hops(self, source: npt.ArrayLike, destination: npt.ArrayLike) -> tuple[Vector, Vector, Vector]:
        """Return the hops between cores; all go from chip to chip."""
        (x0, y0), (x1, y1) = self.tile(source), self.tile(destination)
        length = _hex_length(*self._offset(x0, y0, x1, y1))
        return np.zeros_like(length), np.zeros_like(length), length

    def route(self, source: int, destination: int) -> list[Link]:
        """Return the links between two cores."""
        (x, y), (x1, y1) = self.tile(source), self.tile(destination)
        dx, dy = (int(v) for v in self._offset(x, y, x1, y1))
        x, y = int(x), int(y)
        links = []
        while dx or dy:
            both = dx * dy > 0
            step_x = int(np.sign(dx)) if both or dx else 0
            step_y = int(np.sign(dy)) if both or not dx else 0
            to = ((x + step_x) % self.columns, (y + step_y) % self.rows)
            links.append(((x, y), to))
            (x, y), dx, dy = to, dx - step_x, dy - step_y
        return links


def _hex_length(dx: npt.NDArray, dy: npt.NDArray) -> Vector:
    return np.maximum(np.maximum(np.abs(dx), np.abs(dy)), np.abs(dx - dy)).astype(np.int64)


@dataclass(frozen=True)
class Tree(Topology):
    """A binary tree over cores (Neurogrid): up to the common ancestor, then down. A node is (position, level).

    Hops up count as x, hops down as y.
    """

    leaves: int
    columns: int = 1
    rows: int = 1
    cores_per_tile: int = 1
    chip_columns: int = 1
    chip_rows: int = 1

    @property
    def cores(self) -> int:
        """Number of leaves."""
        return self.leaves

    @property
    def width(self) -> int:
        """Number of leaves, side by side."""
        return self.leaves

    @property
    def height(self) -> int:
        """Number of levels, the leaves included."""
        return max(self.leaves - 1, 1).bit_length() + 1

    @classmethod
    def of(cls, sheet: Datasheet) -> Tree:
        """Read the number of leaves off a datasheet."""
        return cls(sheet.int("limits.chip.cores"))

    def tile(self, core: npt.ArrayLike) -> tuple[Vector, Vector]:
        """Return (position, 0): cores are the leaves."""
        x = np.asarray(core, np.int64)
        return x, np.zeros_like(x)

    def kind(self, link: Link) -> int:
        """Return HOP_X for up, HOP_Y for down."""
        return HOP_X if link[1][1] > link[0][1] else HOP_Y

    def hops(self, source: npt.ArrayLike, destination: npt.ArrayLike) -> tuple[Vector, Vector, Vector]:
        """Return (levels up, levels down, 0)."""
        different = np.asarray(source, np.int64) ^ np.asarray(destination, np.int64)
        levels = np.zeros_like(different)
        while different.any():
            levels += different > 0
            different = different >> 1
        return levels, levels.copy(), np.zeros_like(levels)

    def route(self, source: int, destination: int) -> list[Link]:
        """Return the links up to the common ancestor and down again."""
        up, level, a, b = [], 0, int(source), int(destination)
        down: list[Link] = []
        while a != b:
            up.append(((a, level), (a >> 1, level + 1)))
            down.append(((b >> 1, level + 1), (b, level)))
            a, b, level = a >> 1, b >> 1, level + 1
        return up + down[::-1]


TOPOLOGIES = {"mesh": Mesh, "hexagons": Hexagons, "tree": Tree}


def topology_of(sheet: Datasheet) -> Topology:
    """Return the network of a datasheet: ``noc.topology`` is ``mesh`` (default), ``hexagons`` or ``tree``.

    Raises
    ------
    ConfigurationError
        For another word.
    """
    word = str(sheet.value("noc.topology", "mesh"))
    if word not in TOPOLOGIES:
        raise ConfigurationError(
            f"datasheet {sheet.name!r}: noc.topology = {word!r} must be one of {', '.join(TOPOLOGIES)}"
        )
    return TOPOLOGIES[word].of(sheet)
