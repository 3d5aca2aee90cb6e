"""What the live window shows in one frame, and what its keys ask for. No pygame here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, math.inf)
"""Times real time that the ``+`` and ``-`` keys walk through; infinity is "as fast as it can"."""


@dataclass
class Frame:
    """State of world, brain and loop after one control step.

    Attributes
    ----------
    scene : mapping
        The world as ``env.unwrapped.scene()`` gives it; empty for an environment without one.
    overlay : sequence of mapping
        Marks of this moment, as ``env.unwrapped.overlay()`` returns them.
    pose : array_like, shape (3,)
        x, y [unit of the scene], heading [rad].
    trail : array_like, shape (k, 2) or (k, 3)
        Where the body has been in this episode, oldest first.
    observation, action : array_like, flat
        What the controller saw and did.
    observation_names, action_names : sequence of str
        Labels; missing ones become ``o0, o1`` and ``a0, a1``.
    spike_tick, spike_unit : array_like of int
        Ticks since the reset and global unit numbers of the spikes since the last frame.
    groups : mapping of str to slice
        Global unit numbers of the groups; empty takes those of the network given to ``Viewer.open``.
    unit_names : mapping of str to sequence of str
        Names of the units of a group, such as ``{"motors": ("left", "right")}``; missing ones are numbered.
    dt : float
        Length of a tick [ms]; a network given to ``Viewer.open`` overrides it.
    weights : mapping of str to array_like
        Present weights by projection, in projection order.
    reward, modulator : float or array_like
        Reward of the step and last third factor of the learning rule; or those of all steps since the last frame,
        oldest first. Only then does the window know the sum of an episode of which it does not see every step.
    step, episode : int
        Control steps done in the episode; number of the episode.
    n_episodes : int or None
        How many episodes there will be, if it is known.
    time : float
        World time since the start of the episode [s].
    metrics : mapping
        Metrics so far, shown in the status line (numbers only).
    title, subtitle : str
        Heading of the window: scenario; controller, chip, preset.
    mode : str
        ``"learning"`` or ``"frozen"``.
    speed : float
        Times real time that is asked for; infinity for no pacing.
    paused : bool
        Whether the loop stands still.
    late : int
        Steps that missed their deadline so far.
    """

    scene: Mapping[str, Any] = field(default_factory=dict)
    overlay: Sequence[Mapping[str, Any]] = ()
    pose: npt.ArrayLike = (0.0, 0.0, 0.0)
    trail: npt.ArrayLike = field(default_factory=lambda: np.zeros((0, 2)))
    observation: npt.ArrayLike = ()
    action: npt.ArrayLike = ()
    observation_names: Sequence[str] = ()
    action_names: Sequence[str] = ()
    spike_tick: npt.ArrayLike = ()
    spike_unit: npt.ArrayLike = ()
    groups: Mapping[str, slice] = field(default_factory=dict)
    unit_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dt: float = 1.0
    weights: Mapping[str, npt.ArrayLike] = field(default_factory=dict)
    reward: npt.ArrayLike = 0.0
    modulator: npt.ArrayLike = 0.0
    step: int = 0
    episode: int = 1
    n_episodes: int | None = None
    time: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    title: str = "insectbot"
    subtitle: str = ""
    mode: str = "frozen"
    speed: float = 1.0
    paused: bool = False
    late: int = 0


@dataclass(frozen=True)
class Commands:
    """What the user has asked for since the last poll.

    Attributes
    ----------
    quit, next_episode, single_step, toggle_learning, screenshot : bool
        Pressed since the last poll.
    paused : bool
        Whether the loop should stand still: the switch's present state.
    speed : float
        Times real time: the present setting, infinity for as fast as it can.
    """

    quit: bool = False
    next_episode: bool = False
    single_step: bool = False
    toggle_learning: bool = False
    screenshot: bool = False
    paused: bool = False
    speed: float = 1.0


def faster(speed: float) -> float:
    """Return the next higher of :data:`SPEEDS` (the highest stays)."""
    return next((s for s in SPEEDS if s > speed), SPEEDS[-1])


def slower(speed: float) -> float:
    """Return the next lower of :data:`SPEEDS` (the lowest stays)."""
    return next((s for s in reversed(SPEEDS) if s < speed), SPEEDS[0])


def speed_text(speed: float) -> str:
    """Return a speed as text: ``"2x"``, ``"max"``."""
    return "max" if math.isinf(speed) else f"{speed:g}\N{MULTIPLICATION SIGN}"
