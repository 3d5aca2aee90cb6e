"""A world that repeats a script, and stacks of wrappers."""

from __future__ import annotations

import gymnasium
import numpy as np

from insectbot.envs.wrappers import ActuatorLag, DomainRandomisation, SensorLatency, SensorNoise
from insectbot.envs.wrappers_vector import (
    ActuatorLagVector,
    DomainRandomisationVector,
    SensorLatencyVector,
    SensorNoiseVector,
)

ID = "insectbot/Foraging-v0"
LUCK = {
    "sensor_gain": {"normal": [1.0, 0.1]},
    "sensor_sd": {"log_uniform": [0.01, 0.1], "together": True},
    "sensor_latency": {"integers": [0, 3]},
    "actuator_gain": {"uniform": [0.7, 1.0]},
    "actuator_tau": {"uniform": [0.0, 0.3]},
    "actuator_dead_time": {"integers": [0, 2], "together": True},
}


class Mirror(gymnasium.Env):
    """Shows the numbers of a script and keeps what it is told to do; its episodes have 25 steps."""

    def __init__(self, script=None, k=3, dtype=np.float64, high=10.0, period=0.05):
        self.observation_space = gymnasium.spaces.Box(-high, high, (k,), dtype)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (k,), np.float64)
        self.script = np.zeros((26, k)) if script is None else script
        self.told, self.options = [], None
        if period:
            self.control_period = period

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.told, self.options = [], options
        self.shift = int(self.np_random.integers(5))
        return self._show(), {}

    def _show(self):
        return self.script[(len(self.told) + self.shift) % len(self.script)].astype(self.observation_space.dtype)

    def step(self, action):
        self.told.append(action)
        return self._show(), 0.0, False, len(self.told) == 25, {}


def foraging(**kwargs):
    return gymnasium.make(ID, disable_env_checker=True, **({"planner": False} | kwargs))


def stack(env):
    """All wrappers at once, two of a kind among them."""
    env = SensorNoise(env, 0.05, gain=[0.9, 1, 1, 1, 1], dropout=0.1)
    env = ActuatorLag(SensorLatency(SensorNoise(env, 0.02), [0, 1, 2, 3, 4]), [0.2, 0.1], dead_time=1, quantum=0.01)
    return DomainRandomisation(env, **LUCK)


def vector_stack(env):
    env = SensorNoiseVector(env, 0.05, gain=[0.9, 1, 1, 1, 1], dropout=0.1)
    env = SensorLatencyVector(SensorNoiseVector(env, 0.02), [0, 1, 2, 3, 4])
    return DomainRandomisationVector(ActuatorLagVector(env, [0.2, 0.1], dead_time=1, quantum=0.01), **LUCK)
