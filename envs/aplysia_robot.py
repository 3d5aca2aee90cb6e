"""The Gymnasium env ``insectbot/AplysiaRobot-v0``: a small robot with eight infrared sensors learns not to bump."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import aplysia_robot_kernels as k
from insectbot.envs.row_env import RowEnv
from insectbot.envs.row_vector import RowVectorEnv
from insectbot.envs.world import Float, Mirror, Row, World, require_known, require_number, steps_in
from insectbot.errors import ConfigurationError

PRESETS: Final = {"open": (0, False), "cylinders": (8, False), "swap": (0, True), "swap-cylinders": (8, True)}
"""Preset -> number of posts, whether left and right sensors are swapped."""
REWARDS: Final = {"phi": (1.0, 0.0, -1.0), "local": (0.0, -1.0, -1.0)}
"""Reward -> weights of Phi, of approach, of contact."""
SENSES: Final = ("IR L160", "IR L80", "IR L45", "IR L10", "IR R10", "IR R45", "IR R80", "IR R160", "contact")


def _mirror_row(row: Row) -> Row:
    found = row.copy()
    for slot in (k.Y, k.START + 1):
        found[slot] = k.ARENA - row[slot]
    found[k.POST_Y : k.POST_Y + k.MAX_POSTS] = k.ARENA - row[k.POST_Y : k.POST_Y + k.MAX_POSTS]
    for slot in (k.HEADING, k.SIN, k.START + 2):
        found[slot] = -row[slot]
    found[k.IR : k.IR + k.N_IR] = row[k.IR : k.IR + k.N_IR][::-1]
    for first in (k.CELLS, k.CELLS_LAST):
        cells = np.array([int(row[first + c // 50]) >> c % 50 & 1 for c in range(k.GRID * k.GRID)])
        flipped = cells.reshape(k.GRID, k.GRID)[::-1].ravel()
        for n in range(k.N_CELL_SLOTS):
            found[first + n] = float(sum(int(bit) << i for i, bit in enumerate(flipped[50 * n : 50 * n + 50])))
    return found


def _mirror_action(action: Float) -> Float:
    return action[::-1].copy()


def _mirror_observation(observation: Float) -> Float:
    return np.concatenate([observation[: k.N_IR][::-1], observation[k.N_IR :]])


class AplysiaRobotWorld(World):
    """The world of :class:`AplysiaRobotEnv`; the arguments are explained there."""

    name = "insectbot/AplysiaRobot"
    control_period = k.CONTROL_PERIOD
    key_slot, step_slot = k.KEY_HIGH, k.STEP
    presets = tuple(PRESETS)
    mirror = Mirror(_mirror_row, _mirror_action, _mirror_observation, k.DRAWS)
    reset_kernel = staticmethod(k.reset)
    step_kernel = staticmethod(k.step)
    many_kernel = staticmethod(k.step_many)

    def __init__(
        self,
        preset: str = "open",
        *,
        reward: str = "phi",
        swap_after: float = 300.0,
        raw: bool = False,
        time_limit: float = 600.0,
    ) -> None:
        require_known(self.name, preset, PRESETS, "preset")
        require_known(self.name, reward, REWARDS, "reward")
        self.posts, swaps = PRESETS[preset]
        self.swap_after = require_number(self.name, "swap_after", swap_after, 0.0) if swaps else math.inf
        self.raw, self.weights = bool(raw), REWARDS[reward]
        self.max_steps = steps_in(self.name, time_limit, self.control_period)
        high = np.array([k.RAW_MAX if self.raw else 1.0] * k.N_IR + [1.0], np.float32)
        self.observation_space = spaces.Box(np.zeros(k.N_IR + 1, np.float32), high, dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def template(self) -> Row:
        """Return a row with the settings in place."""
        row = np.zeros(k.SIZE)
        row[k.MAX_STEPS], row[k.N_POSTS], row[k.RAW] = self.max_steps, self.posts, self.raw
        row[k.SWAP_STEP] = round(self.swap_after / self.control_period) if math.isfinite(self.swap_after) else math.inf
        row[k.WEIGHT_PHI : k.WEIGHT_CONTACT + 1] = self.weights
        row[k.WISH : k.WISH + 3] = math.nan
        return row

    def apply_options(self, row: Row, options: Mapping[str, Any] | None) -> None:
        """Take ``start`` [x, y, heading]; raises UnknownNameError or ConfigurationError."""
        for key, value in (options or {}).items():
            require_known(self.name, key, ("start",), "reset option")
            try:
                x, y, heading = (float(v) for v in value)
            except (TypeError, ValueError):
                x = y = heading = math.nan
            low, high = k.RADIUS, k.ARENA - k.RADIUS
            if not (low <= x <= high and low <= y <= high and math.isfinite(heading)):
                raise ConfigurationError(
                    f"{self.name}: reset option start = {value!r}, must be [x, y, heading] with x and y from {low:g} "
                    f"to {high:g} mm"
                )
            row[k.WISH : k.WISH + 3] = x, y, math.remainder(heading, 2.0 * math.pi)

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        minutes = float(row[k.STEP]) / k.MINUTE
        first, last = min(minutes, 1.0), min(minutes, 2.0)
        return {
            "collisions_per_min": float(row[k.COLLISIONS]) / minutes,
            "collisions_first": float(row[k.COLLISIONS_FIRST]) / first,
            "collisions_last": float(row[k.COLLISIONS_LAST]) / last,
            "phi": float(row[k.PHI]) / float(row[k.STEP]),
            "coverage": float(row[k.VISITED]) / k.GRID**2,
            "coverage_last": float(row[k.VISITED_LAST]) / k.GRID**2,
            "contact_fraction": float(row[k.BLOCKED]) / float(row[k.STEP]),
        }

    def scene(self, row: Row) -> dict[str, Any]:
        """Return arena, posts, and a robot with its rays."""
        n = int(row[k.N_POSTS])
        posts = [row[slot : slot + n] for slot in (k.POST_X, k.POST_Y, k.POST_R)]
        return {
            "extent": (0.0, k.ARENA, 0.0, k.ARENA),
            "unit": "mm",
            "obstacles": np.column_stack(posts),
            "start": row[k.START : k.START + 3].copy(),
            "senses": SENSES,
            "sense_range": (self.observation_space.low.tolist(), self.observation_space.high.tolist()),
            "actions": ("wheel L", "wheel R"),
            "body": {
                "kind": "robot",
                "radius": k.RADIUS,
                "rays": [math.radians(a) for a in k.ANGLES_DEG],
                "range": k.RANGE,
            },
        }

    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y [mm] and heading [rad]."""
        return row[:3].copy()

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the observation: readings left to right as the robot gets them, then the contact."""
        ir = row[k.IR : k.IR + k.N_IR]
        seen = ir[::-1] if row[k.STEP] >= row[k.SWAP_STEP] else ir
        return np.append(np.floor(seen * k.RAW_MAX + 0.5) if self.raw else seen, row[k.CONTACT])

    def status(self, row: Row) -> list[str]:
        """Return the number of collisions so far, and whether the sensors are swapped."""
        swapped = ", L/R swapped" if row[k.STEP] >= row[k.SWAP_STEP] else ""
        return [f"collisions {int(row[k.COLLISIONS])}{swapped}"]


class AplysiaRobotEnv(RowEnv):
    """A Khepera-like robot drives among walls and posts, and must learn from contact not to bump.

    The task of Alnajjar & Murase (2008, Adaptive Behavior): a spiking network with one hidden neuron, whose synapses
    onto the motor neurons are modulated presynaptically by the sensors, as in the withdrawal reflex of Aplysia. Of the
    paper only the abstract could be read; arena, sensors and physics are a design of this project. Units: mm, s, rad.
    The arena is 1000 x 1000 mm; every seed is another start and other posts.

    **Body.** A disc of radius 27.5, axle 53, 80 mm/s per wheel at full command. A move that would end in a wall or a
    post does not happen: the heading is kicked by N(0, 1) rad instead (the unconditioned reflex). A collision is the
    first blocked move after a free one.

    **Sensors.** Eight infrared rays from the rim at +-10, +-45, +-80 and +-160 degrees:
    ``exp(-(d / 18)^1.5)`` of the distance d to the nearest wall or post, 0 at 60 and beyond.

    **Action** ``Box(-1, 1, (2,), float32)``: command of the left and of the right wheel.

    **Observation** ``Box(0, 1, (9,), float32)`` (with ``raw``: 0 to 1023 in whole numbers, as the Khepera gives them):

    | index | meaning |
    |---|---|
    | 0 to 3 | infrared at +160, +80, +45, +10 degrees (left) |
    | 4 to 7 | infrared at -10, -45, -80, -160 degrees (right) |
    | 8 | 1 if the last move was blocked |

    **Reward** of a step:

    | reward | value |
    |---|---|
    | phi | ``V (1 - sqrt(dv)) (1 - i) - contact`` |
    | local | minus the change of the sum of the readings, minus contact: approach is bad, leaving is good |

    V is the mean absolute wheel command, dv half the difference of the wheels, i the greatest reading (the fitness of
    Floreano & Mondada 1994, as usually quoted).

    **Start.** Place uniform, 110 mm or more from the walls; heading uniform; posts clear of the start.

    **End.** Never terminated; truncated after ``time_limit``. One step is 50 ms.

    **Info** is empty until the last step of an episode. Then:

    | key | meaning |
    |---|---|
    | collisions_per_min | collisions per minute of the episode |
    | collisions_first, collisions_last | the same, of its first minute, of its last two |
    | phi | mean of Phi |
    | coverage | share of the 20 x 20 cells visited |
    | coverage_last | the same, of the last two minutes: a robot that stands still bumps into nothing |
    | contact_fraction | share of the steps that were blocked |

    Parameters
    ----------
    preset : str
        ``"open"``: walls only. ``"cylinders"``: 8 posts of radius U(25, 50) mm. ``"swap"``, ``"swap-cylinders"``: the
        same worlds, but left and right sensors change places after ``swap_after``.
    reward : str
        ``"phi"`` or ``"local"`` (see the table).
    swap_after : float
        Time of the swap [s]; only used by the swap presets.
    raw : bool
        Whether readings are whole numbers from 0 to 1023.
    time_limit : float
        Length of the episode [s].
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    UnknownNameError
        For an unknown preset or reward.
    ConfigurationError
        For a number outside its range.

    Notes
    -----
    ``reset(options=...)`` takes ``start`` [x, y, heading].

    Examples
    --------
    >>> import gymnasium, insectbot
    >>> env = gymnasium.make("insectbot/AplysiaRobot-v0", preset="cylinders")
    >>> obs, info = env.reset(seed=1)
    >>> obs, reward, terminated, truncated, info = env.step([1.0, 0.8])

    Version history: v0, first version.
    """

    control_period = k.CONTROL_PERIOD
    presets = AplysiaRobotWorld.presets

    def __init__(
        self,
        preset: str = "open",
        *,
        reward: str = "phi",
        swap_after: float = 300.0,
        raw: bool = False,
        time_limit: float = 600.0,
        render_mode: str | None = None,
    ) -> None:
        world = AplysiaRobotWorld(preset, reward=reward, swap_after=swap_after, raw=raw, time_limit=time_limit)
        super().__init__(world, render_mode)


class AplysiaRobotVectorEnv(RowVectorEnv):
    """Many worlds of :class:`AplysiaRobotEnv` in one call; its arguments, and those of the base."""

    world_class = AplysiaRobotWorld
    control_period = k.CONTROL_PERIOD
