"""A network on one die of many: its number is part of the state, as its mismatch decides the future."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.die import Die
from insectbot.chips.executable import ChipExecutable
from insectbot.snn.network import Network


class DieExecutable(ChipExecutable):
    """Base of the executables of chips of which no two are alike.

    Parameters
    ----------
    chip : Chip
        The chip; it has ``die_of`` and ``mismatch``.
    network : Network
        What to run.
    seed : int
        Seed of the die unless the chip has one.
    """

    def __init__(self, chip: Any, network: Network, seed: int) -> None:
        super().__init__(chip, network)
        self._die: Die = chip.die_of(seed)

    def take_die(self, die: Die) -> None:
        """Program the same network on another die."""
        self._die = die
        self.load(self.quant)

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return the number of the die; a subclass adds its state."""
        return {"die": np.array([self._die.number], np.int64)}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network, with its die; raises ConfigurationError for another's."""
        known = set(state) == set(self.state()) and np.shape(state["die"]) == (1,)
        number = int(state["die"][0]) if known else self._die.number
        if number != self._die.number:
            self.take_die(Die(self.sheet, number, self._chip.mismatch))
        super().load_state(state)
