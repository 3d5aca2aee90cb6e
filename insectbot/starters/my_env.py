"""MyEnv: a light-seeking vehicle on a plane. A starter of ``insectbot new env``: change it into your own world."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs.row_env import RowEnv
from insectbot.envs.row_vector import RowVectorEnv
from insectbot.envs.world import NOT_FINITE, RUNNING, TERMINATED, TRUNCATED, Row, World, require_known, steps_in
from insectbot.jit import kernel
from insectbot.randomness import uniform

# A world is one row of numbers. Give each a name, and the kernels below stay readable.
X, Y, HEADING, LIGHT_X, LIGHT_Y, LEFT, RIGHT, STEP, MAX_STEPS, KEY_HIGH, KEY_LOW = range(11)
PERIOD = 0.05  # s between two actions
SPEED, TURN, ARENA, NEAR = 0.5, 4.0, 2.0, 0.1  # m/s, rad/s, m, m


@kernel
def sense(row: Any, obs: Any) -> None:
    """Write what two eyes see, 45 degrees to each side: brighter ahead and near the light."""
    dx, dy = row[LIGHT_X] - row[X], row[LIGHT_Y] - row[Y]
    bearing = math.atan2(dy, dx) - row[HEADING]
    gain = 1.0 / (1.0 + math.hypot(dx, dy))
    row[LEFT] = gain * (0.5 + 0.5 * math.cos(bearing - math.pi / 4))
    row[RIGHT] = gain * (0.5 + 0.5 * math.cos(bearing + math.pi / 4))
    obs[0], obs[1] = row[LEFT], row[RIGHT]


@kernel
def reset(row: Any, data: Any, obs: Any) -> None:
    """Draw a new world from the row's random key."""
    key = (np.uint64(row[KEY_HIGH]) << np.uint64(32)) | np.uint64(row[KEY_LOW]) | np.uint64(1)
    row[X], row[Y] = 0.0, 0.0
    row[HEADING] = 2.0 * math.pi * uniform(key, 0, 0)
    angle = 2.0 * math.pi * uniform(key, 0, 1)
    row[LIGHT_X], row[LIGHT_Y] = 1.5 * math.cos(angle), 1.5 * math.sin(angle)
    row[STEP] = 0.0
    sense(row, obs)


@kernel
def step(row: Any, data: Any, action: Any, obs: Any) -> Any:
    """Move for one period; return the reward and whether the episode goes on."""
    left, right = float(action[0]), float(action[1])
    if not (math.isfinite(left) and math.isfinite(right)):
        return 0.0, NOT_FINITE
    left, right = min(max(left, -1.0), 1.0), min(max(right, -1.0), 1.0)
    before = math.hypot(row[LIGHT_X] - row[X], row[LIGHT_Y] - row[Y])
    row[HEADING] += 0.5 * (right - left) * TURN * PERIOD
    row[X] = min(max(row[X] + 0.5 * (left + right) * SPEED * PERIOD * math.cos(row[HEADING]), -ARENA), ARENA)
    row[Y] = min(max(row[Y] + 0.5 * (left + right) * SPEED * PERIOD * math.sin(row[HEADING]), -ARENA), ARENA)
    row[STEP] += 1.0
    sense(row, obs)
    after = math.hypot(row[LIGHT_X] - row[X], row[LIGHT_Y] - row[Y])
    if after < NEAR:
        return before - after + 1.0, TERMINATED
    return before - after, TRUNCATED if row[STEP] >= row[MAX_STEPS] else RUNNING


@kernel
def step_many(rows: Any, data: Any, actions: Any, skip: Any, obs: Any, rewards: Any, codes: Any) -> int:
    """Step every world that is not skipped; return how many codes are not RUNNING."""
    events = 0
    for i in range(rows.shape[0]):
        rewards[i], codes[i] = 0.0, RUNNING
        if not skip[i]:
            rewards[i], codes[i] = step(rows[i], data, actions[i], obs[i])
            events += codes[i] != RUNNING
    return events


class MyWorld(World):
    """Settings, kernels and picture of the world; arguments as in :class:`MyEnv`."""

    name = "MyEnv"
    control_period = PERIOD
    key_slot, step_slot = KEY_HIGH, STEP
    presets = ("plane",)
    reset_kernel, step_kernel, many_kernel = staticmethod(reset), staticmethod(step), staticmethod(step_many)

    def __init__(self, preset: str = "plane", *, time_limit: float = 30.0) -> None:
        require_known(self.name, preset, self.presets, "preset")
        self.max_steps = steps_in(self.name, time_limit, PERIOD)
        self.observation_space = spaces.Box(0.0, 1.0, (2,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def template(self) -> Row:
        """Return a row with the settings in place."""
        row = np.zeros(11)
        row[MAX_STEPS] = self.max_steps
        return row

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return what ``info`` holds at the end of an episode."""
        return {"success": code == TERMINATED, "time": self.time(row)}

    def scene(self, row: Row) -> dict[str, Any]:
        """Return what there is to draw; more keys are explained in docs/architecture.md."""
        return {
            "extent": (-ARENA, ARENA, -ARENA, ARENA),
            "unit": "m",
            "start": np.zeros(3),
            "target": np.array([row[LIGHT_X], row[LIGHT_Y], NEAR]),
            "senses": ("eye L", "eye R"),
            "actions": ("wheel L", "wheel R"),
            "body": {"kind": "robot", "radius": 0.08},
        }

    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y [m] and heading [rad]."""
        return row[:3].copy()

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the present observation."""
        return row[LEFT : RIGHT + 1].copy()


class MyEnv(RowEnv):
    """A vehicle with two eyes and two wheels looks for a light.

    Parameters
    ----------
    preset : str
        ``"plane"``.
    time_limit : float
        Longest episode [s].
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.
    """

    control_period = PERIOD
    presets = MyWorld.presets

    def __init__(self, preset: str = "plane", *, time_limit: float = 30.0, render_mode: str | None = None) -> None:
        super().__init__(MyWorld(preset, time_limit=time_limit), render_mode)


class MyVectorEnv(RowVectorEnv):
    """Many vehicles in one call."""

    world_class = MyWorld
    control_period = PERIOD
