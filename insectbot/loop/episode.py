"""One episode: reset, then act, step, learn until the world says it is over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import gymnasium

from insectbot.loop.clock import Clock
from insectbot.protocols import Controller


@dataclass(frozen=True)
class Step:
    """What one control step was; arrays may be reused by the controller, so copy what must last.

    Attributes
    ----------
    index : int
        Number of the step in the episode, from 0.
    observation, action : any
        What the controller saw and did.
    reward : float
        Reward of the action.
    after : any
        Observation after the step.
    terminated, truncated : bool
        Gymnasium's two ends.
    """

    index: int
    observation: Any
    action: Any
    reward: float
    after: Any
    terminated: bool
    truncated: bool


class Observer(Protocol):
    """Sees every step without changing any: a recorder, a viewer, a test.

    For a call of :func:`run_episode`: ``start`` after the resets, ``step`` after each control step, ``end`` last.
    """

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        """See the world and the controller just after their resets."""
        ...

    def step(self, step: Step) -> bool | None:
        """See one step; True stops the episode."""
        ...

    def end(self, result: EpisodeResult) -> None:
        """See the result."""
        ...


@dataclass
class EpisodeResult:
    """What came of one episode.

    Attributes
    ----------
    world : int
        Reset seed of the world.
    steps : int
        Control steps.
    reward : float
        Sum of rewards.
    terminated, truncated, stopped : bool
        How it ended; ``stopped`` means that an observer ended it.
    metrics : dict
        Numbers of the last ``info`` (bool as 0.0 or 1.0; NaN where a metric is not defined).
    wall_time : float
        Duration in reality [s].
    """

    world: int
    steps: int = 0
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    stopped: bool = False
    metrics: dict[str, float] = field(default_factory=dict)
    wall_time: float = 0.0


def numbers(info: Mapping[str, Any]) -> dict[str, float]:
    """Return the scalar numbers of an info dict as floats; None becomes NaN."""
    found = {}
    for key, value in info.items():
        if value is None:
            found[key] = math.nan
        elif isinstance(value, bool | int | float) or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0):
            found[key] = float(value)
    return found


class _Watch:
    """The observers and the clock of an episode as one object."""

    def __init__(self, observers: tuple[Observer | None, ...], clock: Clock | None) -> None:
        self.observers = [o for o in observers if o is not None]
        self.clock = clock

    def __bool__(self) -> bool:
        return bool(self.observers) or self.clock is not None

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        for observer in self.observers:
            observer.start(env, controller, observation)
        if self.clock is not None:
            self.clock.start()

    def step(self, step: Step) -> bool:
        stop = False
        for observer in self.observers:
            stop |= bool(observer.step(step))
        if self.clock is not None:
            self.clock.wait()
        return stop


def set_learning(controller: Controller, learn: bool) -> None:
    """Set the ``learning`` switch of a controller that has one."""
    switch: Any = controller
    if hasattr(switch, "learning"):
        switch.learning = learn


def run_episode(
    env: gymnasium.Env,
    controller: Controller,
    *,
    seed: int,
    learn: bool,
    controller_seed: int | None = None,
    recorder: Observer | None = None,
    viewer: Observer | None = None,
    clock: Clock | None = None,
    options: dict[str, Any] | None = None,
) -> EpisodeResult:
    """Run one episode in the closed loop and return what came of it.

    Parameters
    ----------
    env : gymnasium.Env
        The world.
    controller : Controller
        The brain; its ``learning`` switch, if it has one, is set to ``learn``.
    seed : int
        Reset seed of the world.
    learn : bool
        Whether the controller is told rewards; False is a frozen controller.
    controller_seed : int or None
        Seed of the controller's random streams; None takes ``seed``.
    recorder, viewer : Observer or None
        See every step, in this order; they never change a result.
    clock : Clock or None
        Paces the loop in real time; None runs as fast as it can.
    options : dict or None
        Passed to ``env.reset``.
    """
    set_learning(controller, learn)
    watch = _Watch((recorder, viewer), clock)
    act, step, credit, watched = controller.act, env.step, controller.learn, bool(watch)
    observation, info = env.reset(seed=seed, options=options)
    controller.reset(seed if controller_seed is None else controller_seed)
    watch.start(env, controller, observation)
    index, total, reward = 0, 0.0, 0.0
    terminated = truncated = stop = False
    began = perf_counter()
    while not (terminated or truncated or stop):
        action = act(observation)
        after, gain, terminated, truncated, info = step(action)
        reward = float(gain)
        if learn:
            credit(reward, terminated or truncated)
        total += reward
        if watched:
            stop = watch.step(Step(index, observation, action, reward, after, terminated, truncated))
        observation = after
        index += 1
    wall_time = perf_counter() - began
    stopped = stop and not (terminated or truncated)
    result = EpisodeResult(seed, index, total, terminated, truncated, stopped, numbers(info), wall_time)
    for observer in watch.observers:
        observer.end(result)
    return result
