"""The few types that everything passes through (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from insectbot.snn.network import Network

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]
Vector = Sequence[float] | npt.NDArray
"""What a window takes: numbers in a list, tuple or array."""


@dataclass(frozen=True)
class Readout:
    """Spikes of the output neurons in one window. The arrays are reused: copy what must outlive the next window.

    Attributes
    ----------
    counts : ndarray of int32, shape (n_outputs,)
        Number of spikes.
    first : ndarray of int32, shape (n_outputs,)
        Tick of the first spike, counted from the start of the window; -1 for none.
    interval : ndarray of int32, shape (n_outputs,)
        Ticks between the last two spikes (of this or earlier windows); -1 if there were fewer than two.
    """

    counts: Int
    first: Int
    interval: Int


@dataclass(frozen=True)
class Usage:
    """How much of one resource a network uses, and where: ``Usage("axons_in", 12, 4096, "core 3")``."""

    resource: str
    used: float
    limit: float | None
    where: str = ""


@dataclass(frozen=True)
class Energy:
    """Energy in its three terms [J]: static power times time, events, host input and output."""

    static: float
    events: float
    host: float

    @property
    def total(self) -> float:
        """Sum of the three terms [J]."""
        return self.static + self.events + self.host


@dataclass(frozen=True)
class Counters:
    """What happened since the last ``reset``.

    Attributes
    ----------
    windows, ticks, input_spikes, spikes, synops, weight_updates : int
        Counts of control windows, simulation steps, input spikes, neuron spikes, synaptic deliveries
        and changed weights.
    soft_failures : mapping of str to int
        Saturations, dropped or late spikes, by name; empty where none can happen.
    energy : Energy or None
        None where the backend has no energy model (``ideal``).
    chip_time : float or None
        Time the chip would have taken [s]; None where there is no timing model.
    energy_realtime : Energy or None
        Energy with every step held to real time, so that static power counts for as long as the world takes; None
        where there is no timing model.
    """

    windows: int
    ticks: int
    input_spikes: int
    spikes: int
    synops: int
    weight_updates: int
    soft_failures: Mapping[str, int]
    energy: Energy | None = None
    chip_time: float | None = None
    energy_realtime: Energy | None = None


@runtime_checkable
class Executable(Protocol):
    """A compiled network: state, one jitted call per window.

    ``learning`` switches plasticity and exploration noise together; False is a frozen network.
    ``recording`` switches the spike list that :meth:`spikes` returns; it never changes results.
    """

    network: Network
    learning: bool
    recording: bool

    def window(self, drive: Vector, n_ticks: int, modulators: Vector | None = None) -> Readout:
        """Run ``n_ticks`` steps with a constant drive [0, 1]; modulator pulses act before the first step."""
        ...

    def reset(self, seed: int) -> None:
        """Clear all dynamic state and counters and restart the random streams; weights stay."""
        ...

    def weights(self) -> dict[str, Float]:
        """Return a copy of every projection's weights, in projection order."""
        ...

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name."""
        ...

    def spikes(self) -> tuple[npt.NDArray[np.int64], Int]:
        """Return (tick, unit) of every spike of the last window; ticks count from the reset, units are global."""
        ...

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future, as named arrays."""
        ...

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        ...

    @property
    def usage(self) -> tuple[Usage, ...]:
        """Resources used and their limits."""
        ...

    def counters(self) -> Counters:
        """Return the counts since the last reset."""
        ...


@runtime_checkable
class StateRecording(Protocol):
    """What an executable offers that can record state variables."""

    def record(self, variables: Mapping[str, Sequence[str]]) -> None:
        """Choose the state variables that every window keeps, by population; an empty mapping stops it."""
        ...

    def states(self) -> dict[tuple[str, str], npt.NDArray]:
        """Return (population, variable) -> values after each tick of the last window, shape (n_ticks, n)."""
        ...


class Backend(Protocol):
    """Compiles networks. The core and every chip are backends.

    Attributes
    ----------
    name : str
        Name in scenarios and tables, such as ``"ideal"`` or ``"loihi"``.
    fidelity : str
        One paragraph: what it is bit-exact with, what is modelled, what is left out.
    """

    name: str
    fidelity: str

    def compile(self, network: Network, *, seed: int = 0) -> Executable:
        """Return an executable; raises DoesNotFit or Unsupported, naming the cause."""
        ...


@runtime_checkable
class Controller(Protocol):
    """From observation to action. A plain function ``observation -> action`` is wrapped into one."""

    def reset(self, seed: int) -> None:
        """Start an episode."""
        ...

    def act(self, observation: Any) -> Any:
        """Return the action for one observation."""
        ...

    def learn(self, reward: float, terminated: bool) -> None:
        """Take the reward of the last action; ``terminated`` is True on the last step of an episode."""
        ...
