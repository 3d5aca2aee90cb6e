"""What a chip is: a datasheet, and the stages check -> quantise -> place -> program, each of which can be looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from inspect import signature
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from insectbot.chips.datasheet import Datasheet, load
from insectbot.chips.executable import ChipExecutable
from insectbot.chips.free_running import FreeRunning
from insectbot.errors import DoesNotFit, Unsupported
from insectbot.snn.network import Network
from insectbot.snn.neurons import LIF
from insectbot.snn.validate import require_flags, require_whole

Quant = TypeVar("Quant")
Placed = TypeVar("Placed")


class Chip(ABC, Generic[Quant, Placed]):
    """Base of the chips; a subclass is a family of arithmetic, an instance is one chip with its datasheet.

    A subclass gives :meth:`features`, :meth:`limits`, :meth:`quantised`, :meth:`place` and :meth:`program`.

    Parameters
    ----------
    sheet : Datasheet or str, optional
        Datasheet, or the name of a shipped one; default that of the family's first chip.
    prices : str, optional
        Price list for energy and time; default the datasheet's.
    throttle : bool
        Hold every step to at least the real-time step, as in real-time operation, in ``counters()``.
    free_running : bool
        The world does not wait for the chip: see :class:`insectbot.chips.free_running.FreeRunning`.
    die : int, optional
        Of an analog chip: which die, that is the seed of its mismatch; default the seed of :meth:`compile`.

    Attributes
    ----------
    name : str
        Name of the chip.
    fidelity : str
        One paragraph: what it is exact with, what is modelled, what is left out.

    Raises
    ------
    UnknownNameError
        If there is no such datasheet or price list.
    """

    default: ClassVar[str]
    """Name of the family's first chip."""
    fidelity: str
    pacemakers: ClassVar[bool] = False
    """Whether it can run LIF neurons that spike without input, their threshold at or below rest."""

    arguments: dict[str, Any]
    """Options that the chip was made with, but for its datasheet: what a deployment file keeps."""

    def __new__(cls, *args: Any, **arguments: Any) -> Any:
        """Make a chip and remember its options."""
        made = super().__new__(cls)
        made.arguments = {key: value for key, value in arguments.items() if key != "sheet"}
        return made

    def __init__(
        self,
        *,
        sheet: Datasheet | str | None = None,
        prices: str | None = None,
        throttle: bool = False,
        free_running: bool = False,
        die: int | None = None,
    ) -> None:
        self.sheet: Datasheet = sheet if isinstance(sheet, Datasheet) else load(sheet or self.default)
        self.prices = self.sheet.price_list(prices) if prices else self.sheet.default_prices
        for made in type(self).__mro__:
            require_flags(self.name, signature(made.__init__).parameters.values(), self.arguments)
        if die is not None:
            require_whole(self.name, 0, die=die)
        self.throttle, self.free_running, self.die = throttle, free_running, die

    @property
    def name(self) -> str:
        """Name of the chip in scenarios and tables."""
        return self.sheet.name

    @abstractmethod
    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip, one sentence each."""

    @abstractmethod
    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds and that needs no placement to see, one sentence each."""

    @abstractmethod
    def quantised(self, network: Network) -> Quant:
        """Return a network that passed :meth:`features` and :meth:`limits` in the chip's numbers, with a report."""

    @abstractmethod
    def place(self, quant: Quant) -> Placed:
        """Return the placement on cores; raises DoesNotFit naming the resource, the place and by how much."""

    @abstractmethod
    def program(self, network: Network, *, seed: int) -> ChipExecutable:
        """Return an executable of a network that passed the checks.

        ``seed`` is that of the input streams, and of the die of an analog chip unless ``self.die`` gives one.
        """

    def check(self, network: Network) -> list[str]:
        """Return every reason why the chip cannot run a network, one sentence each; empty if it can."""
        found = self._common(network) + self.features(network) + self.limits(network)
        if not found:
            try:
                self.place(self.quantised(network))
            except DoesNotFit as error:
                found.append(str(error))
        return found

    def quantise(self, network: Network) -> Quant:
        """Return the network in the chip's numbers, with its report; raises as :meth:`compile`."""
        self.require(network)
        return self.quantised(network)

    def compile(self, network: Network, *, seed: int = 0) -> Any:
        """Return an executable.

        Parameters
        ----------
        network : Network
            What to run.
        seed : int
            Seed of the input streams until the next ``reset``, and of the die of an analog chip.

        Raises
        ------
        Unsupported
            If a feature of the network does not exist on the chip; the message names all of them.
        DoesNotFit
            If a limit is exceeded; the message names the resource, the place and by how much.
        """
        self.require(network)
        executable = self.program(network, seed=seed)
        return FreeRunning(executable) if self.free_running else executable

    def require(self, network: Network) -> None:
        """Raise Unsupported or DoesNotFit unless a network passes :meth:`features` and :meth:`limits`."""
        features, limits = self._common(network) + self.features(network), self.limits(network)
        if features:
            raise Unsupported("; ".join(features + limits))
        if limits:
            raise DoesNotFit("; ".join(limits))

    def _common(self, network: Network) -> list[str]:
        """Return what no chip has, or only one that says so."""
        found = []
        for p in network.populations:
            where = f"{self.name}: population {p.name!r}"
            if p.background is not None:
                found.append(f"{where}: background spikes do not exist on the chip; use a PoissonInput")
            if isinstance(p.model, LIF) and not self.pacemakers and np.any(np.less_equal(p.model.v_th, p.model.v_rest)):
                found.append(f"{where}: LIF.v_th = {p.model.v_th} must lie above v_rest = {p.model.v_rest}")
        return found
