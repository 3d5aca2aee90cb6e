"""Datasheets: every figure of a chip with its unit, source and evidence, loaded from TOML into frozen records."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from insectbot.errors import ConfigurationError, UnknownNameError

EVIDENCE = ("read", "read-2", "ran", "memory", "assumed")
DAGGER = "†"
_REQUIRED = ("value", "unit", "evidence", "source")
_SI = {"pJ": 1e-12, "nJ": 1e-9, "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "mW": 1e-3, "V": 1.0, "nm": 1e-9}
_ENERGY = ("synop", "synop_learn", "neuron_active", "neuron_idle", "spike", "message", "hop_x", "hop_y")
_ENERGY += ("host_byte", "static_chip", "static_host")
_OPTIONAL = ("static_core", "hop_chip")
_TIME = ("synop", "synop_learn", "neuron_active", "neuron_idle", "spike", "message_out", "message_in")
_TIME += ("hop_x", "hop_y", "barrier", "step_floor")


@dataclass(frozen=True)
class Figure:
    """One figure of a datasheet.

    Attributes
    ----------
    value : number, str or list of pairs
        The figure in its ``unit``; a table is a list of (argument, value) pairs.
    unit : str
        Unit as printed in the source; ``"1"`` for a plain number, ``"text"`` for a word.
    evidence : str
        One of :data:`EVIDENCE`.
    source : str
        Where the figure comes from.
    low, high : float or None
        Band of published values.
    """

    value: Any
    unit: str
    evidence: str
    source: str
    low: float | None = None
    high: float | None = None

    @property
    def dagger(self) -> str:
        """A dagger if the figure is memory or assumption, else nothing."""
        return DAGGER if self.evidence in ("memory", "assumed") else ""

    @property
    def si(self) -> float:
        """The figure in its SI unit (J, s, W, V, m)."""
        return float(self.value) * _SI.get(self.unit, 1.0)

    def __str__(self) -> str:
        unit = "" if self.unit in ("1", "text") else f" {self.unit}"
        return f"{self.value}{unit}{self.dagger}"


@dataclass(frozen=True)
class EnergyPrices:
    """Marginal energies [J] per event, and static powers [W] per chip and, where charged apart, per core in use."""

    synop: float
    synop_learn: float
    neuron_active: float
    neuron_idle: float
    spike: float
    message: float
    hop_x: float
    hop_y: float
    host_byte: float
    static_chip: float
    static_host: float
    static_core: float = 0.0
    hop_chip: float = 0.0


@dataclass(frozen=True)
class TimePrices:
    """Durations [s] per event, the barrier as (tiles, seconds) pairs, and the shortest step [s]."""

    synop: float
    synop_learn: float
    neuron_active: float
    neuron_idle: float
    spike: float
    message_out: float
    message_in: float
    hop_x: float
    hop_y: float
    barrier: tuple[tuple[float, float], ...]
    step_floor: float
    hop_chip: float = 0.0

    def barrier_at(self, n_tiles: int) -> float:
        """Return the barrier time [s] for a number of active tiles, linear between the published points."""
        tiles, seconds = zip(*self.barrier, strict=True)
        return float(np.interp(n_tiles, tiles, seconds))


@dataclass(frozen=True)
class PriceList:
    """What events cost; one run can be priced under several lists."""

    name: str
    energy: EnergyPrices
    time: TimePrices


@dataclass(frozen=True)
class Datasheet:
    """A chip as data.

    Attributes
    ----------
    name : str
        Name of the chip.
    figures : mapping of str to Figure
        Every figure by its dotted path, such as ``"limits.core.axons_in"``.
    prices : mapping of str to PriceList
        Price lists by name.
    """

    name: str
    figures: Mapping[str, Figure]
    prices: Mapping[str, PriceList]

    def __getitem__(self, path: str) -> Figure:
        if path not in self.figures:
            raise UnknownNameError(f"datasheet {self.name!r} has no figure {path!r}; known: {', '.join(self.figures)}")
        return self.figures[path]

    def value(self, path: str, default: Any) -> Any:
        """Return the value of a figure, or ``default`` where the sheet does not give it."""
        return self.figures[path].value if path in self.figures else default

    def int(self, path: str) -> int:
        """Return a figure as a whole number."""
        return int(self[path].value)

    @property
    def default_prices(self) -> PriceList:
        """The price list that ``chip.prices`` names."""
        return self.price_list(str(self["chip.prices"].value))

    def price_list(self, name: str) -> PriceList:
        """Return a price list by name."""
        if name not in self.prices:
            raise UnknownNameError(f"{self.name}: no price list {name!r}; known: {', '.join(self.prices)}")
        return self.prices[name]

    def table(self) -> list[tuple[str, str, str]]:
        """Return rows (path, figure with unit and dagger, source) for a report."""
        return [(path, str(figure), figure.source) for path, figure in self.figures.items()]


def _leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, node in tree.items():
        where = f"{path}.{key}" if path else key
        if isinstance(node, dict) and not set(node) & set(_REQUIRED):
            yield from _leaves(node, where)
        else:
            yield where, node


def _figure(sheet: str, path: str, leaf: Any) -> Figure:
    if not isinstance(leaf, dict):
        raise ConfigurationError(f"datasheet {sheet!r}: {path} = {leaf!r} must be a table with {', '.join(_REQUIRED)}")
    missing = [key for key in _REQUIRED if leaf.get(key) in (None, "")]
    if missing:
        raise ConfigurationError(f"datasheet {sheet!r}: {path} lacks {', '.join(missing)}")
    if leaf["evidence"] not in EVIDENCE:
        known = ", ".join(EVIDENCE)
        raise ConfigurationError(f"datasheet {sheet!r}: {path}.evidence = {leaf['evidence']!r} must be one of {known}")
    unknown = sorted(set(leaf) - {*_REQUIRED, "low", "high"})
    if unknown:
        raise ConfigurationError(f"datasheet {sheet!r}: {path} has the unknown entry {unknown[0]!r}")
    return Figure(**leaf)


def _prices(sheet: str, name: str, figures: Mapping[str, Figure]) -> PriceList:
    for kind, keys in (("energy", _ENERGY), ("time", _TIME)):
        for key in keys:
            if f"prices.{name}.{kind}.{key}" not in figures:
                raise ConfigurationError(f"datasheet {sheet!r}: price list {name!r} lacks {kind}.{key}")
    given = [key for key in (*_ENERGY, *_OPTIONAL) if f"prices.{name}.energy.{key}" in figures]
    energy = {key: figures[f"prices.{name}.energy.{key}"].si for key in given}
    keys = [key for key in (*_TIME, "hop_chip") if key != "barrier" and f"prices.{name}.time.{key}" in figures]
    time: dict[str, Any] = {key: figures[f"prices.{name}.time.{key}"].si for key in keys}
    barrier = figures[f"prices.{name}.time.barrier"]
    scale = _SI[barrier.unit]
    time["barrier"] = tuple((float(tiles), float(value) * scale) for tiles, value in barrier.value)
    return PriceList(name, EnergyPrices(**energy), TimePrices(**time))


def parse(text: str, name: str) -> Datasheet:
    """Build a datasheet from TOML text.

    Raises
    ------
    ConfigurationError
        If the text is not TOML, or a figure lacks its unit, evidence or source.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"datasheet {name!r} is not valid TOML: {error}") from error
    base = tree.get("chip", {}).pop("base", None) if isinstance(tree.get("chip"), dict) else None
    figures = dict(load(str(base)).figures) if base is not None else {}
    figures |= {path: _figure(name, path, leaf) for path, leaf in _leaves(tree)}
    lists = {path.split(".")[1]: None for path in figures if path.startswith("prices.")}
    return Datasheet(name, figures, {key: _prices(name, key, figures) for key in lists})


def restored(name: str, figures: Mapping[str, Mapping[str, Any]]) -> Datasheet:
    """Return a datasheet from its figures by path, as ``dataclasses.asdict`` gives them."""
    known = {path: Figure(**figure) for path, figure in figures.items()}
    lists = dict.fromkeys(path.split(".")[1] for path in known if path.startswith("prices."))
    return Datasheet(name, known, {key: _prices(name, key, known) for key in lists})


def names() -> list[str]:
    """Return the names of the shipped datasheets."""
    folder = resources.files("insectbot.chips.datasheets")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


@cache
def load(name: str) -> Datasheet:
    """Return the shipped datasheet of a chip.

    Parameters
    ----------
    name : str
        Name of a file in ``chips/datasheets``, such as ``"loihi"``.

    Raises
    ------
    UnknownNameError
        If there is no such datasheet; the message lists those there are.
    """
    if name not in names():
        raise UnknownNameError(f"datasheet {name!r} is not known; known: {', '.join(names())}")
    folder = resources.files("insectbot.chips.datasheets")
    return parse((folder / f"{name}.toml").read_text(encoding="utf-8"), name)


def read(path: Path | str) -> Datasheet:
    """Return a user's datasheet; its name is that of the file.

    A datasheet with ``[chip] base = "loihi"`` takes over every figure of that shipped one which it does not give.

    Raises
    ------
    UnknownNameError
        If the file cannot be read, or the base is not known.
    ConfigurationError
        If it is no datasheet.
    """
    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not text"
        raise UnknownNameError(f"chip file {str(path)!r} cannot be read: {cause}") from None
    return parse(text, file.stem)
