"""A network in integers that learns: its weights need room up to the bounds of their rules."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from insectbot.chips.executable import ChipExecutable
from insectbot.errors import DoesNotFit, Unsupported
from insectbot.snn.network import Network


class LearningExecutable(ChipExecutable):
    """Base of the executables that quantise anew, with room to learn, when ``learning`` is first set.

    Until then scales follow the weights, as for a frozen network. A subclass gives :meth:`reload` and :attr:`learns`
    beside what :class:`ChipExecutable` asks for.

    Parameters
    ----------
    chip : Chip
        The chip; its ``quantised`` takes ``learning``.
    network : Network
        What to run.
    refused : list of str
        What of the learning rules the chip cannot say.
    """

    def __init__(self, chip: Any, network: Network, refused: list[str]) -> None:
        super().__init__(chip, network)
        self._refused = refused
        self._roomy = False

    @property
    @abstractmethod
    def learns(self) -> bool:
        """Whether anything in the network learns, so that it needs room."""

    @abstractmethod
    def reload(self, quant: Any) -> None:
        """Program other weights; the state of neurons moves to their scale, what learning remembers stays."""

    def wishes(self) -> list[str]:
        """Return what of the learning rules the chip cannot say, as text."""
        return list(self._refused)

    def set_learning(self, value: bool) -> None:
        """Switch learning; the first time with room for it."""
        if value and not self._roomy and self.learns:
            self._roomy = True
            try:
                self.reload(self._chip.quantised(self.network.with_weights(self._weights), learning=True))
            except (Unsupported, DoesNotFit):
                self._roomy = False
                raise
        super().set_learning(value)

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name and quantise anew; the state of neurons moves to the new scale.

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        """
        checked = self.network.checked_weights(weights)
        self._take_learned()
        network = self.network.with_weights(self._weights | checked)
        self._chip.require(network)
        self.reload(self._chip.quantised(network, learning=self._roomy))
        self._weights |= checked
        self._learned = False
