"""What lies between brain and world in a batch of worlds: senses, actuators, and the random streams that disturb them.

A single env is a batch of one, so single and vector wrappers give the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import wrappers_kernels as k
from insectbot.envs.wrappers_settings import ACTUATORS, ANY, SENSES, Array, Limits, Range, Setting, checked
from insectbot.errors import ConfigurationError, ShapeError

Bool = npt.NDArray[np.bool_]
Options = Mapping[str, tuple[str, Setting]]


@dataclass(frozen=True)
class Plan:
    """What a wrapper was asked to do, not yet checked.

    Attributes
    ----------
    name : str
        Of the wrapper; messages begin with it, and it keeps random streams of different wrappers apart.
    senses, actuators : mapping
        Parameter -> (name of the option, its setting); empty for a wrapper that leaves this side alone.
    reset : mapping
        Reset option of the world -> range.
    control_period : float or None
        Time between two actions [s]; None asks the world.
    """

    name: str
    senses: Options = field(default_factory=dict)
    actuators: Options = field(default_factory=dict)
    reset: Mapping[str, Setting] = field(default_factory=dict)
    control_period: float | None = None


class _Side:
    """Parameters and memory of one side, senses or actuators, of a batch of ``n`` worlds."""

    what: str
    limits: Mapping[str, Limits]

    def __init__(self, name: str, space: Any, n: int, options: Options) -> None:
        if not isinstance(space, spaces.Box) or space.dtype.kind not in "iuf":
            raise ConfigurationError(f"{name}: the {self.what} space is {space}, must be a Box of numbers")
        self.name, self.shape, self.dtype = name, space.shape, space.dtype
        self.whole = space.dtype.kind in "iu"
        self.bounds = np.array([space.low.ravel(), space.high.ravel()], np.float64)
        base = np.tile([[one.neutral] for one in self.limits.values()], self.bounds.shape[1])
        self.ranges: dict[str, tuple[int, Range]] = {}
        delay = 0.0
        for row, (parameter, limit) in enumerate(self.limits.items()):
            if parameter in options:
                label, setting = options[parameter]
                found = checked(f"{name}: {label}", setting, limit, space.shape)
                if isinstance(found, Range):
                    self.ranges[label] = row, found
                else:
                    base[row] = found
                if limit.whole:
                    delay = found.highest if isinstance(found, Range) else float(found.max(initial=0.0))
        neutral = np.array([[one.neutral] for one in self.limits.values()])
        self.idle = not self.ranges and bool((base == neutral).all())
        self.parameters = np.tile(base, (n, 1, 1))
        self.steps = np.zeros(n, np.int64)
        self.history = np.zeros((n, int(delay) + 1, base.shape[1]))

    def begin(self, i: int, drawn: Mapping[str, Array]) -> None:
        """Start an episode of world ``i`` with the numbers drawn for it."""
        self.steps[i] = 0
        for label, (row, _) in self.ranges.items():
            self.parameters[i, row] = drawn[label]

    def memory(self) -> dict[str, npt.NDArray]:
        """Return what an episode has left here so far, by name."""
        return {} if self.idle else {f"{self.what}.history": self.history, f"{self.what}.steps": self.steps}

    def batch(self, values: npt.NDArray) -> Array:
        """Return a batch of values as a new float64 array [world, channel]."""
        n = self.steps.size
        if values.shape != (n, *self.shape) or values.dtype.kind not in "biuf":
            shown = f"has shape {values.shape[1:]}" if values.dtype.kind in "biuf" else f"is {values.tolist()}"
            raise ShapeError(f"{self.name}: the {self.what} {shown}, must be numbers of shape {self.shape}")
        return np.array(values, np.float64).reshape(n, -1)


class _Senses(_Side):
    what, limits = "observation", SENSES


class _Actuators(_Side):
    what, limits = "action", ACTUATORS

    def __init__(self, plan: Plan, space: Any, n: int, period: float | None) -> None:
        super().__init__(plan.name, space, n, plan.actuators)
        self.state = np.zeros((n, self.bounds.shape[1]))
        given = plan.control_period
        if given is not None and (isinstance(given, bool) or not isinstance(given, int | float) or not given > 0.0):
            raise ConfigurationError(f"{plan.name}: control_period = {given!r}, must be above 0 s")
        self.period = float(given or period or 0.0)
        lagging = self.parameters[:, k.SHARE].any() or any(row == k.SHARE for row, _ in self.ranges.values())
        if lagging and not self.period:
            raise ConfigurationError(
                f"{plan.name}: {plan.actuators['tau'][0]} is in seconds, but the world has no control_period: "
                "give the option control_period [s]"
            )
        for i in range(n):
            self._settle(i)

    def _settle(self, i: int) -> None:
        """Turn the time constants of world ``i`` into shares of the way per step."""
        k.approach(self.parameters[i, k.SHARE].copy(), self.period, self.parameters[i, k.SHARE])

    def begin(self, i: int, drawn: Mapping[str, Array]) -> None:
        super().begin(i, drawn)
        if any(row == k.SHARE for row, _ in self.ranges.values()):
            self._settle(i)

    def memory(self) -> dict[str, npt.NDArray]:
        return {} if self.idle else {**super().memory(), "action.state": self.state}


class Periphery:
    """Senses and actuators of ``n`` worlds, disturbed as a plan says.

    Every world has a *root*, which its last seed decides (or the operating system, before any), and a count of its
    episodes since. Noise and drawn parameters are functions of root, episode, step and channel, so they take nothing
    from the world's own random stream, and nothing from each other.

    Parameters
    ----------
    plan : Plan
        What to do.
    observation_space, action_space : Space
        Of one world.
    n : int
        Number of worlds.
    period : float or None
        The world's own control period [s], if it has one.
    label : str
        Keeps the random streams of stacked wrappers apart.

    Raises
    ------
    ConfigurationError
        A space is no Box of numbers, or an option is not accepted.
    """

    def __init__(
        self, plan: Plan, observation_space: Any, action_space: Any, n: int, period: float | None, label: str
    ) -> None:
        self.label = label
        self._senses = _Senses(plan.name, observation_space, n, plan.senses) if plan.senses else None
        self._actuators = _Actuators(plan, action_space, n, period) if plan.actuators else None
        self._sides = [side for side in (self._senses, self._actuators) if side is not None and not side.idle]
        self._reset = {name: _reset_range(plan, name, value) for name, value in plan.reset.items()}
        self._roots = np.array([k.hashed(np.random.SeedSequence().entropy) for _ in range(n)], np.uint64)
        self._episodes = np.full(n, -1, np.int64)
        self._keys = np.zeros(n, np.uint64)

    def begin(self, i: int, seed: int | None) -> None:
        """Start an episode of world ``i``: the first after ``seed``, or without a seed the next one."""
        if seed is not None:
            self._roots[i], self._episodes[i] = k.hashed(self.label, int(seed)), -1
        self._episodes[i] += 1
        self._settle(i)

    def _settle(self, i: int) -> None:
        """Set everything that root and episode of a world decide."""
        self._keys[i] = self._key(i, "noise")
        drawn = self.drawn(i)
        for side in self._sides:
            side.begin(i, drawn)

    def _key(self, i: int, purpose: str) -> np.uint64:
        return k.hashed(purpose, int(self._roots[i]), int(self._episodes[i]))

    def drawn(self, i: int = 0) -> dict[str, Array]:
        """Return what is drawn for the present episode of world ``i``: option -> one number per channel."""
        ranges = {name: one for side in self._sides for name, (_, one) in side.ranges.items()}
        return {name: one.draw(self._key(i, name)) for name, one in ranges.items()}

    def reset_options(self, i: int = 0) -> dict[str, float | int]:
        """Return the reset options drawn for the present episode of world ``i``."""
        found = {name: (one, one.draw(self._key(i, f"reset.{name}"))[0]) for name, one in self._reset.items()}
        return {name: int(value) if one.kind == "integers" else float(value) for name, (one, value) in found.items()}

    def observe(self, raw: npt.NDArray, live: Bool, last: npt.NDArray | None = None) -> npt.NDArray:
        """Return what the brains get of a batch of observations; rows that are not live are those of ``last``."""
        side = self._senses
        if side is None or side.idle:
            return raw
        x = side.batch(raw)
        out = np.empty_like(x) if last is None else np.array(last, np.float64).reshape(x.shape)
        k.sense(x, live, side.parameters, side.history, side.steps, self._keys, side.bounds, side.whole, out)
        return out.reshape(raw.shape).astype(raw.dtype)

    def act(self, raw: Any, one: bool = False) -> Any:
        """Return what the bodies get of a batch of actions, or of ``one`` action.

        Raises
        ------
        ShapeError
            The actions have the wrong shape, or are not finite; nothing has changed then.
        """
        side = self._actuators
        if side is None or side.idle:
            return raw
        try:
            actions = np.asarray(raw)
        except ValueError as error:
            raise ShapeError(f"{side.name}: the action is {raw!r}, must be numbers of shape {side.shape}") from error
        u = side.batch(actions[None] if one else actions)
        out = np.empty_like(u)
        bad = k.move(u, side.parameters, side.history, side.state, side.steps, side.bounds, side.whole, out)
        if bad >= 0:
            raise ShapeError(f"{side.name}: the action is {u[bad].tolist()}, must be finite numbers")
        return out.reshape(actions.shape).astype(side.dtype)

    def state(self) -> dict[str, npt.NDArray]:
        """Return copies of everything that decides the future."""
        return {name: array.copy() for name, array in self._memory().items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`state` returned; raises ShapeError for the state of something else."""
        memory = self._memory()
        for name, array in memory.items():
            if np.shape(state.get(name, 0.0)) != array.shape:
                raise ShapeError(f"{self.label}: the state has no {name!r} of shape {array.shape}, it is not its own")
        self._roots[:], self._episodes[:] = state["roots"], state["episodes"]
        for i in np.flatnonzero(self._episodes >= 0):
            self._settle(int(i))
        for name, array in memory.items():
            array[:] = state[name]

    def _memory(self) -> dict[str, npt.NDArray]:
        memory: dict[str, npt.NDArray] = {"roots": self._roots, "episodes": self._episodes}
        for side in self._sides:
            memory |= side.memory()
        return memory


def _reset_range(plan: Plan, name: str, value: Setting) -> Range:
    where = f"{plan.name}: reset.{name}"
    found = checked(where, value, ANY, ())
    if not isinstance(found, Range):
        raise ConfigurationError(f"{where} = {value!r}, must be a range such as {{ uniform = [0, 1] }}")
    return found
