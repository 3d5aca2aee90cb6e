"""A world and a brain small enough to know every number of them."""

import os
import time
from typing import ClassVar

import gymnasium
import numpy as np

from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection


class LineEnv(gymnasium.Env):
    """A point on a line walks to a target at +1; it starts where the seed says.

    Observation: position. Action: velocity in [-1, 1]; 20 steps at most.
    """

    metadata: ClassVar = {"render_modes": []}

    def __init__(self, preset="plain", gain=0.1, planner=True, period=0.05, render_mode=None):
        self.observation_space = gymnasium.spaces.Box(-5, 5, (1,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
        self.control_period = period
        self.preset, self.gain = preset, gain
        self.x, self.time, self.path = 0.0, 0, 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.time, self.path = float(self.np_random.uniform(-1, 0.5)), 0, 0.0
        return self._observe(), {}

    def _observe(self):
        return np.array([self.x], np.float32)

    @property
    def pose(self):
        return np.array([self.x, 0.0, 0.0])

    def scene(self):
        return {
            "extent": (-5.0, 5.0, -1.0, 1.0),
            "unit": "mm",
            "roughness": np.zeros((2, 3), np.float32),
            "obstacles": np.zeros((0, 3)),
            "target": [1.0, 0.0, 0.1],
            "start": [self.x, 0.0, 0.0],
            "antennae": (0.1, 0.6),
        }

    def step(self, action):
        before = self.x
        move = self.gain * float(np.clip(np.asarray(action).ravel()[0], -1, 1))
        self.x += move
        self.path += abs(move)
        self.time += 1
        success = bool(self.x >= 1)
        truncated = not success and self.time >= 20
        info = {}
        if success or truncated:
            ratio = 1.5 if success else float("nan")
            info = {"success": success, "time": self.time * 0.05, "path": self.path, "exposure": 0.25}
            info |= {"collisions": 0, "T_opt": ratio, "T_ratio": ratio, "SPT": 0.5 * success}
        return self._observe(), self.x - before, success, truncated, info


class Learner:
    """Moves with velocity ``w``; each reward is a push, smaller with age: ``w += rate * (r + noise) / (1 + age)``."""

    def __init__(self, seed=0, rate=0.05):
        self.w = np.float32(0.1 + 0.01 * seed)
        self.rate, self.learning, self.modulator, self.age = rate, True, 0.0, 0
        self.rng = np.random.default_rng(0)

    def reset(self, seed):
        self.rng = np.random.default_rng(seed)

    def act(self, observation):
        time.sleep(float(os.environ.get("LOOP_FAKES_NAP", 0)))
        self.age += 1
        return np.array([self.w], np.float32)

    def learn(self, reward, terminated):
        self.modulator = reward + 0.5 * abs(self.rng.normal())
        self.w = np.float32(self.w + self.rate * self.modulator / (1 + self.age / 1000))

    def weights(self):
        return {"w": np.array([self.w], np.float32)}

    def set_weights(self, weights):
        self.w = np.float32(weights["w"][0])

    def state(self):
        return {**self.weights(), "age": np.array([self.age])}

    def load_state(self, state):
        self.set_weights(state)
        self.age = int(state["age"][0])


def tiny_network(dt=1.0, n=2):
    return Network(
        inputs=(Input("sense", 1, PoissonInput(200.0)),),
        populations=(Population("motor", n, LIF()),),
        projections=(Projection.dense("sense", "motor", np.full((n, 1), 0.4), delay=dt),),
        outputs=("motor",),
        dt=dt,
        name="tiny",
    )


class Spiking(Learner):
    """A controller with a network; speed is the number of spikes of a window."""

    def __init__(self, seed=0, dt=1.0):
        super().__init__(seed)
        self.network = tiny_network(dt)

    def attach(self, executable, n_ticks):
        self.executable, self.n_ticks = executable, n_ticks

    def reset(self, seed):
        super().reset(seed)
        self.executable.reset(seed)

    def act(self, observation):
        self.executable.learning = False
        readout = self.executable.window(np.array([0.8], np.float32), self.n_ticks)
        return np.array([readout.counts.sum()], np.float32)

    def learn(self, reward, terminated):
        self.modulator = reward

    def weights(self):
        return self.executable.weights()

    def set_weights(self, weights):
        self.executable.set_weights(weights)

    def state(self):
        return self.executable.state()

    def load_state(self, state):
        self.executable.load_state(state)


def follow(observation):
    """Full speed to the right."""
    return [1.0]
