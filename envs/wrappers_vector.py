"""The wrappers of :mod:`insectbot.envs.wrappers` over vector envs: same options, same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium.vector import VectorEnv

from insectbot.envs.wrappers import lag_plan, latency_plan, noise_plan, randomisation_plan
from insectbot.envs.wrappers_faces import PeripheryVectorWrapper
from insectbot.envs.wrappers_settings import Setting


class SensorNoiseVector(PeripheryVectorWrapper):
    """Vector version of :class:`insectbot.envs.wrappers.SensorNoise`; same arguments."""

    def __init__(
        self,
        env: VectorEnv,
        sd: Setting = 0.0,
        *,
        gain: Setting = 1.0,
        offset: Setting = 0.0,
        dropout: Setting = 0.0,
    ) -> None:
        super().__init__(env, noise_plan(sd, gain, offset, dropout))


class SensorLatencyVector(PeripheryVectorWrapper):
    """Vector version of :class:`insectbot.envs.wrappers.SensorLatency`; same arguments."""

    def __init__(self, env: VectorEnv, steps: Setting = 0) -> None:
        super().__init__(env, latency_plan(steps))


class ActuatorLagVector(PeripheryVectorWrapper):
    """Vector version of :class:`insectbot.envs.wrappers.ActuatorLag`; same arguments."""

    def __init__(
        self,
        env: VectorEnv,
        tau: Setting = 0.0,
        *,
        dead_time: Setting = 0,
        dead_zone: Setting = 0.0,
        quantum: Setting = 0.0,
        control_period: float | None = None,
    ) -> None:
        super().__init__(env, lag_plan(tau, dead_time, dead_zone, quantum, control_period))


class DomainRandomisationVector(PeripheryVectorWrapper):
    """Vector version of :class:`insectbot.envs.wrappers.DomainRandomisation`, without ``reset``.

    Parameters
    ----------
    env : VectorEnv
        Worlds.
    control_period : float or None
        Time between two actions [s]; None takes ``env.unwrapped.control_period``.
    **options : Setting
        The ``sensor_`` and ``actuator_`` options of the single wrapper.

    Raises
    ------
    UnknownNameError
        For another option.
    ConfigurationError
        A space is no Box of numbers, or an option is not accepted.
    """

    def __init__(
        self,
        env: VectorEnv,
        *,
        reset: Mapping[str, Setting] | None = None,
        control_period: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(env, randomisation_plan(options, reset, control_period))
