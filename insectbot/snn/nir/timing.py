"""When spikes arrive: simulators that cross all layers in one step, on a core where each connection takes one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A connection between two groups: its shortest delay, in whole steps (0 crosses within the step)."""

    source: str
    target: str
    ticks: int


@dataclass(frozen=True)
class Alignment:
    """How late each group runs, and the delays of the links.

    Attributes
    ----------
    late : dict of str to int
        Steps by which a group's spikes come later here than in the file's simulator.
    least : tuple of int
        Delay of each link in the file's simulator [steps]; 1 instead of 0 inside loops, where nothing can be at once.
    added : tuple of int
        Steps to be added to that, so that all arrives when it should and takes at least one step.
    """

    late: dict[str, int]
    least: tuple[int, ...]
    added: tuple[int, ...]


def align(groups: Sequence[str], links: Sequence[Link]) -> Alignment:
    """Return delays that keep all arrivals in order, by running groups late (retiming).

    Links without delay that form a loop take one step each, as in the recurrent layers of simulators on a grid. Where
    the other delays around a loop are too short for one step per link, its links without delay take one step each, too.
    """
    at_once = [(k.source, k.target) for k in links if k.ticks == 0]
    ticks = _slowed(links, loops(groups, at_once))
    late = _late(groups, links, ticks)
    if late is None:
        ticks = _slowed(links, loops(groups, [(k.source, k.target) for k in links]))
        late = _late(groups, links, ticks)
    if late is None:
        raise AssertionError("loops of links of one step or more can always be timed")
    added = tuple(late[k.target] - late[k.source] for k in links)
    return Alignment(late, tuple(ticks), added)


def _slowed(links: Sequence[Link], loop_of: dict[str, int]) -> list[int]:
    """Return the ticks of links, at least 1 inside a loop."""
    return [max(k.ticks, int(loop_of[k.source] == loop_of[k.target])) for k in links]


def loops(groups: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return a number per group, equal for those that lie on a common loop (and for a group and itself)."""
    after = {g: {b for a, b in edges_ if a == g} for edges_ in [list(edges)] for g in groups}
    reach = {g: set(after[g]) for g in groups}
    for middle in groups:
        for g in groups:
            if middle in reach[g]:
                reach[g] |= reach[middle]
    number = {g: k for k, g in enumerate(groups)}
    return {g: min([number[g], *(number[h] for h in reach[g] if g in reach[h])]) for g in groups}


def _late(groups: Sequence[str], links: Sequence[Link], ticks: Sequence[int]) -> dict[str, int] | None:
    """Return the least lateness with at least one step per link, or None if a loop is too short for that."""
    late = dict.fromkeys(groups, 0)
    for _ in range(len(groups) + 1):
        changed = False
        for link, t in zip(links, ticks, strict=True):
            needed = late[link.source] + 1 - t
            if late[link.target] < needed:
                late[link.target], changed = needed, True
        if not changed:
            return late
    return None
