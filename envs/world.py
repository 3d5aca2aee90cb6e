"""What the two faces of a world (single env, vector env) ask of it: kernels over a packed row, settings, drawing.

A world is one float64 vector, its *row*: body, senses, sums of the episode, settings, random stream. Copying the row
copies the world; a vector of worlds is a matrix of rows. Three jitted kernels move it (see :class:`World`), and both
:class:`insectbot.envs.row_env.RowEnv` and :class:`insectbot.envs.row_vector.RowVectorEnv` call them, so a vector env
equals single envs bit for bit.
"""

from __future__ import annotations

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.errors import ConfigurationError, UnknownNameError

Row = npt.NDArray[np.float64]
Float = npt.NDArray[np.float32]
Data = npt.NDArray[np.float32]

RUNNING, TERMINATED, TRUNCATED, FAILED, NOT_FINITE = 0, 1, 2, 3, -1
"""What a step kernel returns: the episode goes on, ends well, is cut by time, ends badly (terminated as well);
the action was not finite and nothing has changed."""

NO_DATA: Final[Data] = np.zeros((1, 1), np.float32)
"""The ``data`` of a world whose rows hold everything."""


@dataclass(frozen=True)
class Mirror:
    """How left and right are exchanged in a world; each function returns a new array.

    Attributes
    ----------
    row, action, observation : callable
        Array -> its reflection. Reflecting twice gives the array back.
    draws : int
        Row slot that counts the random numbers drawn: chance is not mirrored, so a comparison ends at the next draw.
    """

    row: Callable[[Row], Row]
    action: Callable[[Float], Float]
    observation: Callable[[Float], Float]
    draws: int


class World(ABC):
    """One kind of world: its checked settings, its kernels, and what a picture of it shows.

    A subclass takes its settings as arguments (``preset``, ``time_limit`` and its own), checks them, and sets:

    Attributes
    ----------
    name : str
        Such as ``"insectbot/Foraging"``; error messages begin with it.
    control_period : float
        Time between two actions [s].
    key_slot : int
        Row slot of the random key's high half; the low half follows it.
    step_slot : int
        Row slot that counts the steps of the episode.
    presets : tuple of str
        Names of the variants.
    mirror : Mirror or None
        Exchange of left and right; None for a world without this symmetry.
    observation_space, action_space : Box
        float32 vectors.
    data : ndarray of float32
        Shared by all rows of a world (a map); :data:`NO_DATA` without one. Never written by a kernel.
    reset_kernel : callable
        ``(row, data, obs)``: build the world of the row's key; write the first observation.
    step_kernel : callable
        ``(row, data, action, obs) -> (reward, code)``: advance one control period.
    many_kernel : callable
        ``(rows, data, actions, skip, obs, rewards, codes) -> events``: step every world that is not skipped; return
        how many codes are not RUNNING.
    """

    name: ClassVar[str]
    control_period: ClassVar[float]
    key_slot: ClassVar[int]
    step_slot: ClassVar[int]
    presets: ClassVar[tuple[str, ...]]
    mirror: Mirror | None = None
    observation_space: spaces.Box[np.float32]
    action_space: spaces.Box[np.float32]
    data: Data = NO_DATA
    reset_kernel: Callable[..., Any]
    step_kernel: Callable[..., Any]
    many_kernel: Callable[..., Any]

    @abstractmethod
    def template(self) -> Row:
        """Return a new row as it is before its first reset: settings in place."""

    @abstractmethod
    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode, as the env's page lists them."""

    @abstractmethod
    def scene(self, row: Row) -> dict[str, Any]:
        """Return what there is to draw and to record (the contract is in docs/architecture.md)."""

    @abstractmethod
    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y [unit of the world] and heading [rad, counter-clockwise from east]."""

    @abstractmethod
    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the present observation, for drawing."""

    def overlay(self, row: Row) -> list[dict[str, Any]]:
        """Return the marks of this moment that the scene cannot hold, such as drifting puffs; none by default."""
        return []

    def status(self, row: Row) -> list[str]:
        """Return a short line or two about this moment for the legend, such as ``"food 3.2"``; none by default."""
        return []

    def apply_options(self, row: Row, options: Mapping[str, Any] | None) -> None:
        """Write the options of one reset into the row; a world without any refuses them all.

        Raises
        ------
        UnknownNameError
            For an option that the world does not know.
        """
        for key in options or {}:
            raise UnknownNameError(f"{self.name}: reset option {key!r} is not known, this world takes none")

    def set_key(self, row: Row, rng: np.random.Generator) -> None:
        """Draw the 64-bit key of the next world from ``rng`` into the row."""
        key = rng.bit_generator.random_raw()
        row[self.key_slot], row[self.key_slot + 1] = key >> 32, key & 0xFFFFFFFF

    def time(self, row: Row) -> float:
        """Return the time since the start of the episode [s]."""
        return float(row[self.step_slot]) * self.control_period

    def step_into(self, row: Row, action: Float, obs: Float) -> tuple[float, int]:
        """Step a row without any check or copy; return the reward and the code."""
        return self.step_kernel(row, self.data, action, obs)


def require_known(world: str, value: Any, known: Iterable[str], what: str) -> None:
    """Raise UnknownNameError, with the nearest name, unless ``value`` is one of ``known``."""
    names = list(known)
    if value in names:
        return
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f", did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(f"{world}: {what} {value!r} is not one of {', '.join(names)}{hint}")


def require_number(world: str, what: str, value: Any, low: float, high: float = math.inf) -> float:
    """Return a setting as float.

    Raises
    ------
    ConfigurationError
        Unless it is a number in [low, high].
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value <= high:
        limit = f"at least {low:g}" if math.isinf(high) else f"in [{low:g}, {high:g}]"
        raise ConfigurationError(f"{world}: {what} = {value!r}, must be {limit}")
    return float(value)


def steps_in(world: str, time_limit: Any, period: float) -> int:
    """Return the number of control periods in ``time_limit`` [s], at least one.

    Raises
    ------
    ConfigurationError
        For a limit below one control period or beyond 1e9 s.
    """
    if (
        isinstance(time_limit, bool)
        or not isinstance(time_limit, (int, float, np.number))
        or not period <= time_limit < 1e9
    ):
        raise ConfigurationError(
            f"{world}: time_limit = {time_limit!r} s, must be at least one control period of {period:g} s"
        )
    return round(time_limit / period)
