"""Names of units as they are shown: ``antennae left``, ``motors 1``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def unit_label(group: str, index: int, names: Mapping[str, Sequence[str]], n: int | None = None) -> str:
    """Return how one unit of a group is called in pictures.

    Parameters
    ----------
    group : str
        Name of an input or population.
    index : int
        Number of the unit in its group, from 0.
    names : mapping of str to sequence of str
        Names of single units by group; a unit without a name is numbered.
    n : int, optional
        Number of units of the group; a group of one is called by its own name alone.
    """
    given = names.get(group, ())
    if index < len(given):
        return given[index] if given[index].split()[:1] == [group] else f"{group} {given[index]}"
    return group if n == 1 else f"{group} {index}"
