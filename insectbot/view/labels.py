"""Names as they are shown: units ``antennae left``, ``motors 1``; chips ``tiny.toml`` without their folder."""

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


def chip_label(chip: str) -> str:
    """Return the name of a chip, with its options but without the folder of its file."""
    file, at, options = chip.partition("@")
    return file.replace("\\", "/").rpartition("/")[2] + at + options
