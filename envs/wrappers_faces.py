"""The two faces of a wrapper: over a single env and over a vector env, with the same numbers.

A wrapper of your own that only needs other arithmetic can be any ``gymnasium.Wrapper``; these bases add what the
built-in ones share: per-channel options, ranges, random streams by seed, and state for checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper

from insectbot.envs.wrappers_periphery import Periphery, Plan
from insectbot.envs.wrappers_settings import Array, plain
from insectbot.errors import ConfigurationError

_ONE = np.ones(1, np.bool_)


def _label(env: Any, name: str) -> str:
    """Return a label that no wrapper of the same name below has."""
    depth = 0
    while env is not None:
        depth += isinstance(env, PeripheryWrapper | PeripheryVectorWrapper) and env.plan.name == name
        env = getattr(env, "env", None)
    return f"{name}.{depth}"


def _below(env: Any, name: str) -> Any:
    """Return the outermost method of this name in a stack of wrappers, or None."""
    while env is not None and not hasattr(env, name):
        env = getattr(env, "env", None)
    return None if env is None else getattr(env, name)


def _joined(own: Mapping[str, npt.NDArray], label: str, env: Any) -> dict[str, Any]:
    """Return a wrapper's state and that of what it wraps as one flat dict."""
    read = _below(env, "get_state")
    below = read() if read is not None else {}
    rest = dict(below) if isinstance(below, Mapping) else {"": below}
    return {**rest, **{f"{label}.{name}": array for name, array in own.items()}}


def _parted(state: Mapping[str, Any], label: str, env: Any) -> dict[str, Any]:
    """Return a wrapper's part of :func:`_joined`, and give the rest to what it wraps."""
    own = {name[len(label) + 1 :]: value for name, value in state.items() if name.startswith(f"{label}.")}
    rest = {name: value for name, value in state.items() if not name.startswith(f"{label}.")}
    write = _below(env, "set_state")
    if write is not None and rest:
        write(rest[""] if rest.keys() == {""} else rest)
    return own


class PeripheryWrapper(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Base of the single wrappers; the spaces stay as they are.

    Parameters
    ----------
    env : Env
        World, or another wrapper.
    plan : Plan
        What to do.
    **options
        The arguments of the subclass, as it was called: they go into ``env.spec``.

    Raises
    ------
    ConfigurationError
        A space is no Box of numbers, or an option is not accepted.
    """

    def __init__(self, env: gymnasium.Env, plan: Plan, **options: Any) -> None:
        RecordConstructorArgs.__init__(self, **{name: plain(value) for name, value in options.items()})
        gymnasium.Wrapper.__init__(self, env)
        self.plan = plan
        period = getattr(env.unwrapped, "control_period", None)
        label = _label(env, plan.name)
        self._periphery = Periphery(plan, env.observation_space, env.action_space, 1, period, label)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode: draw what is drawn anew; actuators are at rest and no sense has a past."""
        self._periphery.begin(0, seed)
        drawn = self._periphery.reset_options()
        obs, info = self.env.reset(seed=seed, options={**drawn, **(options or {})} if drawn else options)
        return self._seen(obs), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act through the actuators, observe through the senses.

        Raises
        ------
        ShapeError
            The action has the wrong shape or is not finite.
        """
        obs, reward, terminated, truncated, info = self.env.step(self._periphery.act(action, one=True))
        return self._seen(obs), reward, terminated, truncated, info

    def _seen(self, obs: Any) -> Any:
        return self._periphery.observe(np.asarray(obs)[None], _ONE)[0] if self.plan.senses else obs

    def drawn(self) -> dict[str, Array]:
        """Return what was drawn for this episode: option -> one number per channel."""
        return self._periphery.drawn()

    def get_state(self) -> dict[str, Any]:
        """Return the state of the world below, if it keeps any, and of this wrapper."""
        return _joined(self._periphery.state(), self._periphery.label, self.env)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`get_state` returned; raises ShapeError for the state of another stack."""
        self._periphery.restore(_parted(state, self._periphery.label, self.env))


class PeripheryVectorWrapper(VectorWrapper[Any, Any, Any, Any, Any]):
    """Base of the vector wrappers: world i of ``reset(seed=s)`` equals the single wrapper with ``reset(seed=s + i)``.

    Parameters
    ----------
    env : VectorEnv
        Worlds, or another vector wrapper; any autoreset mode.
    plan : Plan
        What to do; without ``reset``, since worlds that reset themselves take no options.

    Raises
    ------
    ConfigurationError
        A space is no Box of numbers, or an option is not accepted.
    """

    def __init__(self, env: VectorEnv, plan: Plan) -> None:
        super().__init__(env)
        if plan.reset:
            raise ConfigurationError(f"{plan.name}: reset options cannot be drawn in a vector env, leave reset out")
        self.plan = plan
        n, period = env.num_envs, getattr(env.unwrapped, "control_period", None)
        label = _label(env, plan.name)
        self._periphery = Periphery(plan, env.single_observation_space, env.single_action_space, n, period, label)
        self._mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        self._all = np.ones(n, np.bool_)
        self._ended = np.zeros(n, np.bool_)
        self._last: npt.NDArray = np.zeros(env.observation_space.shape or (n,), env.observation_space.dtype)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start episodes in all worlds, or in those of ``options["reset_mask"]``."""
        mask = (options or {}).get("reset_mask", self._all)  # read first: Gymnasium takes it out of the dict
        obs, infos = self.env.reset(seed=seed, options=options)
        n = self.num_envs
        seeds = [None] * n if seed is None else seed
        if isinstance(seed, int | np.integer):
            seeds = [int(seed) + i for i in range(n)]
        for i in np.flatnonzero(mask):
            self._periphery.begin(int(i), seeds[i])
        self._ended = self._ended & ~mask
        return self._seen(obs, mask), infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Act through the actuators of every world, observe through its senses.

        Raises
        ------
        ShapeError
            The actions have the wrong shape or are not finite.
        """
        waiting = self._ended if self._mode is AutoresetMode.NEXT_STEP else ~self._all
        obs, rewards, terminated, truncated, infos = self.env.step(self._periphery.act(actions))
        for i in np.flatnonzero(waiting):
            self._periphery.begin(int(i), None)
        self._ended = np.asarray(terminated) | np.asarray(truncated)
        if self._mode is AutoresetMode.SAME_STEP and self._ended.any():
            obs, infos = self._same_step(np.asarray(obs), self._ended, infos)
        else:
            obs = self._seen(obs, self._all)
        return obs, rewards, terminated, truncated, infos

    def _same_step(self, obs: npt.NDArray, ended: npt.NDArray, infos: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Sense the last observation of the worlds that ended, then the first of their next episode."""
        final, finals = obs.copy(), infos["final_obs"].copy()
        for i in np.flatnonzero(ended):
            final[i] = finals[i]
        final = self._seen(final, self._all)
        for i in np.flatnonzero(ended):
            finals[i] = final[i].copy()
            self._periphery.begin(int(i), None)
        if not self.plan.senses:
            return obs, infos
        return self._seen(np.where(ended.reshape(-1, *[1] * (obs.ndim - 1)), obs, final), ended), {
            **infos,
            "final_obs": finals,
        }

    def _seen(self, obs: Any, live: npt.NDArray) -> Any:
        if not self.plan.senses:
            return obs
        self._last = self._periphery.observe(np.asarray(obs), live, self._last)
        return self._last.copy()

    def drawn(self, index: int = 0) -> dict[str, Array]:
        """Return what was drawn for the episode of one world: option -> one number per channel."""
        return self._periphery.drawn(index)

    def get_state(self) -> dict[str, Any]:
        """Return the state of the worlds below, if they keep any, and of this wrapper."""
        own = {**self._periphery.state(), "ended": self._ended.copy(), "last": self._last.copy()}
        return _joined(own, self._periphery.label, self.env)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`get_state` returned; raises ShapeError for the state of another stack."""
        own = _parted(state, self._periphery.label, self.env)
        self._periphery.restore(own)
        self._ended, self._last = np.array(own["ended"]), np.array(own["last"])
