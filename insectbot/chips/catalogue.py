"""The chips by name: every shipped datasheet, and a user's own, with the arithmetic of its family.

``getattr(catalogue, "loihi-64")`` makes a chip, so that a chip's name is a plugin target like any other.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from insectbot.chips import datasheet
from insectbot.chips.chip import Chip
from insectbot.chips.datasheet import Datasheet
from insectbot.errors import ConfigurationError

FAMILIES: Final = {
    "akida_layers": "insectbot.chips.akida:Akida",
    "cuba_int": "insectbot.chips.loihi:Loihi",
    "crossbar_int": "insectbot.chips.truenorth:TrueNorth",
    "s1615": "insectbot.chips.spinnaker:SpiNNaker",
    "adex_analog": "insectbot.chips.brainscales:BrainScaleS2",
    "adex_wafer": "insectbot.chips.brainscales1:BrainScaleS1",
    "qif_analog": "insectbot.chips.neurogrid:Neurogrid",
    "dpi_analog": "insectbot.chips.dynapse:Dynapse",
    "nls_device": "insectbot.chips.ftj:FTJArray",
}
"""Arithmetic -> the class that emulates it."""


def make(sheet: Datasheet, **options: Any) -> Chip[Any, Any]:
    """Return the chip of a datasheet.

    Parameters
    ----------
    sheet : Datasheet
        Its ``chip.family`` is one of :data:`FAMILIES`.
    **options
        Arguments of the family, such as ``weight_bits``.

    Raises
    ------
    ConfigurationError
        If the family is not known.
    """
    family = str(sheet["chip.family"].value)
    if family not in FAMILIES:
        raise ConfigurationError(
            f"datasheet {sheet.name!r}: chip.family = {family!r} must be one of {', '.join(FAMILIES)}, or your own as "
            "./file.py:Class"
        )
    module, _, attribute = FAMILIES[family].partition(":")
    return getattr(importlib.import_module(module), attribute)(sheet=sheet, **options)


def chip(name: str, **options: Any) -> Chip[Any, Any]:
    """Return a shipped chip by name, such as ``chip("loihi", weight_bits=4)``; raises UnknownNameError."""
    return make(datasheet.load(name), **options)


def from_file(path: Path | str, **options: Any) -> Chip[Any, Any]:
    """Return a user's chip from its datasheet file; raises UnknownNameError or ConfigurationError."""
    return make(datasheet.read(path), **options)


def __getattr__(name: str) -> Callable[..., Chip[Any, Any]]:
    if name in datasheet.names():

        def make_this(**options: Any) -> Chip[Any, Any]:
            return chip(name, **options)

        make_this.__doc__ = str(datasheet.load(name)["chip.summary"].value)
        return make_this
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
