"""The Gymnasium env ``insectbot/PlumeTrack-v0``: find the source of an odor plume in the wind."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import plume_track_kernels as k
from insectbot.envs.row_env import RowEnv
from insectbot.envs.row_vector import RowVectorEnv
from insectbot.envs.world import FAILED, TERMINATED, Float, Mirror, Row, World, require_known, require_number, steps_in

PRESETS: Final = {
    "constant": (k.CONSTANT, 1.0),
    "once": (k.ONCE, 1.0),
    "many": (k.MANY, 1.0),
    "sparse": (k.CONSTANT, 0.4),
}
"""Preset -> kind of wind, puffs per tick."""
TURN_RATE: Final = 3.125 * math.pi
_FLIPPED: Final = (k.Y, k.HEADING, k.SIN, k.SENSES + 1, k.AIR_Y, k.START_Y, k.START_HEADING, k.SIDE)
_ODOR, _SOURCE, _WIND = (124, 92, 172), (205, 140, 20), (40, 110, 190)
_SHADES: Final = ((0.25, 150), (0.5, 110), (1.0, 75))
"""Age, as a share of the oldest puff's, up to which puffs are drawn with an opacity."""


def _half(row: Row) -> float:
    """Return half the height of the picture [m]."""
    return 3.0 if row[k.WIND] == k.CONSTANT else 4.5


def _mirror_row(row: Row) -> Row:
    found = row.copy()
    found[list(_FLIPPED)] *= -1.0
    for first in (k.SEG_VY, k.SEG_Y):
        found[first : first + k.MAX_SEGMENTS] *= -1.0
    return found


def _mirror_action(action: Float) -> Float:
    return action * np.array([1.0, -1.0], np.float32)


def _mirror_observation(observation: Float) -> Float:
    return observation * np.array([1.0, -1.0, 1.0], np.float32)


class PlumeTrackWorld(World):
    """The world of :class:`PlumeTrackEnv`; the arguments are explained there."""

    name = "insectbot/PlumeTrack"
    control_period = k.CONTROL_PERIOD
    key_slot, step_slot = k.KEY_HIGH, k.STEP
    presets = tuple(PRESETS)
    reset_kernel = staticmethod(k.reset)
    step_kernel = staticmethod(k.step)
    many_kernel = staticmethod(k.step_many)
    mirror = Mirror(_mirror_row, _mirror_action, _mirror_observation, k.TURNS)

    def __init__(
        self,
        preset: str = "constant",
        *,
        growth: float = 0.005,
        turn_rate: float = TURN_RATE,
        time_limit: float = 12.0,
    ) -> None:
        require_known(self.name, preset, PRESETS, "preset")
        self.preset = preset
        self.growth = require_number(self.name, "growth", growth, 0.0, 0.02)
        self.turn_rate = require_number(self.name, "turn_rate", turn_rate, 0.1, 25.0 * math.pi)
        self.max_steps = steps_in(self.name, time_limit, self.control_period)
        fastest = k.MAX_SPEED + k.WIND_SPEED
        low, high = [-fastest, -k.WIND_SPEED, 0.0], [k.WIND_SPEED, k.WIND_SPEED, 1.0]
        self.observation_space = spaces.Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)
        self.action_space = spaces.Box(np.array([0, -1], np.float32), np.array([1, 1], np.float32), dtype=np.float32)
        self.data = k.walks()

    def __getstate__(self) -> dict[str, Any]:
        # The walks are 4 MB and the same in every process.
        return {**self.__dict__, "data": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.data = k.walks()

    def template(self) -> Row:
        """Return a row with the settings in place."""
        row = np.zeros(k.SIZE)
        row[k.WIND], births = PRESETS[self.preset]
        births *= k.TICKS
        shares = [math.exp(-births) * births**n / math.factorial(n) for n in range(k.MAX_BIRTHS)]
        row[k.CUMULATED : k.CUMULATED + k.MAX_BIRTHS] = np.cumsum(shares)
        row[k.GROWTH], row[k.TURN_RATE] = self.growth * k.TICK, self.turn_rate
        row[k.MAX_STEPS], row[k.SIDE] = self.max_steps, 1.0
        return row

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        home = code == TERMINATED
        straight = math.hypot(row[k.START_X], row[k.START_Y]) - k.HOME
        return {
            "success": home,
            "strayed": code == FAILED,
            "duration": self.time(row),
            "time_home": self.time(row) if home else math.nan,
            "detour": float(row[k.PATH]) / straight if home else math.nan,
            "in_plume": float(row[k.IN_PLUME] / max(row[k.STEP], 1.0)),
            "closest": float(row[k.CLOSEST]),
            "distance": straight + k.HOME,
        }

    def puffs(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y and radius of every puff [m], youngest first, shape (k, 3)."""
        found = np.empty((k.MAX_PUFFS, 3))
        return found[: k.puffs(row, self.data, found)].copy()

    def scene(self, row: Row) -> dict[str, Any]:
        """Return the source and the arena."""
        half = _half(row)
        source = np.zeros((1, 2))
        return {
            "extent": (-2.0, k.FAR, -half, half),
            "unit": "m",
            "senses": ("wind ahead", "wind left", "odor"),
            "sense_range": (self.observation_space.low.tolist(), self.observation_space.high.tolist()),
            "actions": ("forward", "turn L"),
            "start": [float(v) for v in row[k.START_X : k.START_HEADING + 1]],
            "marks": [
                {"shape": "disc", "xy": source, "size": k.HOME, "colour": _SOURCE, "alpha": 90},
                {
                    "shape": "ring",
                    "xy": source,
                    "size": k.HOME,
                    "colour": _SOURCE,
                    "label": "source: home within 0.2 m",
                },
                {"shape": "text", "xy": [[0.0, -0.45]], "text": "source", "colour": (90, 50, 0)},
            ],
            "body": {"kind": "moth", "radius": 0.11},
        }

    def overlay(self, row: Row) -> list[dict[str, Any]]:
        """Return the puffs of this moment, paler with age, and the wind."""
        found, marks = self.puffs(row), []
        ages = (found[:, 2] - k.RADIUS) / max(float(found[-1:, 2].max(initial=0.0)) - k.RADIUS, 1e-9)
        low = -1.0
        for high, alpha in _SHADES:
            part = found[(ages > low) & (ages <= high)]
            low = high
            if len(part):
                mark = {"shape": "disc", "xy": part[:, :2], "size": part[:, 2], "colour": _ODOR, "alpha": alpha}
                marks.append({**mark, "label": "puffs of odor"})
        g = int(row[k.SEGMENTS]) - 1
        half = _half(row)
        middle = np.array([-0.9, half - 0.8])
        along = row[[k.SEG_VX + g, k.SEG_VY + g]] / math.hypot(row[k.SEG_VX + g], row[k.SEG_VY + g])
        ends = np.array([middle - 0.5 * along, middle + 0.5 * along])
        marks.append({"shape": "arrow", "xy": ends, "colour": _WIND, "label": "wind, 0.5 m/s"})
        marks.append({"shape": "text", "xy": [[middle[0], middle[1] + 0.55]], "text": "wind", "colour": _WIND})
        return marks

    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y [m] and heading [rad]."""
        return row[:3].copy()

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the observation."""
        return row[k.SENSES : k.SENSES + k.N_SENSES].copy()

    def status(self, row: Row) -> list[str]:
        """Return whether the body smells the plume, and how far the source is."""
        smell = "odor" if row[k.SENSES + 2] > 0.0 else "no odor"
        return [f"{smell}, source {math.hypot(row[k.X], row[k.Y]):.1f} m"]


class PlumeTrackEnv(RowEnv):
    """A flying insect smells puffs of an odor, now and then, feels the wind, and must find where they come from.

    The task of Singh et al. (2023). Every seed is another plume, another wind and another start.

    **Plume.** In every tick of 10 ms a Poisson number of puffs is born at the source, (0, 0): 1 on average. The wind
    carries all puffs alike; beside that each walks at random along y (normal, 5 mm per tick; the steps of four ticks
    are taken at once). Puffs grow by ``growth`` from a radius of r0 = 10 mm; within the radius r of a puff its
    concentration is (r0 / r)^3; those of several puffs add up. Beyond x = 10 m puffs are gone. Each puff takes, at
    random and with a random sign, one of 1,024 random walks that were drawn once for all.

    **Wind** of 0.5 m/s along x; it carries the body, too. With ``"many"`` it turns every 3 s +- 0.3 s to a new angle
    from the x axis: normal with a standard deviation of 45 degrees, clipped at +-60. So it did before the start.

    **Action** ``Box([0, -1], [1, 1], (2,), float32)``:

    | index | meaning |
    |---|---|
    | 0 | forward: speed through the air, 1 is 2.5 m/s |
    | 1 | turn: 1 is ``turn_rate`` to the left |

    In a step the body first turns, then moves.

    **Observation** ``Box((3,), float32)``:

    | index | meaning | unit | range |
    |---|---|---|---|
    | 0 | wind minus the body's velocity through the air, component ahead | m/s | [-3, 0.5] |
    | 1 | the same, component to the left: the wind's alone, as the body never flies sideways | m/s | [-0.5, 0.5] |
    | 2 | odor: the concentration, 0 below 1e-4, at most 1 | 1 | [0, 1] |

    **Reward** of a step: -1/30; five times as much again without odor; 5 per metre that it led nearer to the source
    (without odor only what led away counts). At home 101 instead of the first term. Out of bounds, 5 per metre of
    distance to the source and 1 per metre to the nearest puff are taken off, the double where x < 0.

    **Start.** At the age of a puff that is at 30 to 80 % (uniform) of the ages of those in the world: 3 to 8 m downwind
    in steady wind. Beside the middle of the plume by a normal number of 1.645 standard deviations of the puffs. Heading
    uniform, speed 0.

    **End.** Terminated at home, within 0.2 m of the source (success), and out of bounds: no centre of a puff within
    2 m. Truncated after ``time_limit``. One step is 40 ms.

    **Info** is empty until the last step of an episode. Then:

    | key | meaning |
    |---|---|
    | success | whether it came home |
    | strayed | whether it ended out of bounds |
    | duration | length of the episode [s] |
    | time_home | the same if it came home, else NaN [s] |
    | detour | way over ground per distance to home, NaN if it did not come home |
    | in_plume | share of steps with odor |
    | closest | closest approach to the source [m] |
    | distance | distance of the start from the source [m] |

    Parameters
    ----------
    preset : str
        ``"constant"``: wind along x, one puff per tick on average. ``"once"``: the wind turns by 45 degrees to the left
        within the first 3 s (uniform). ``"many"``: it turns all the time. ``"sparse"``: constant wind, 0.4 puffs per
        tick.
    growth : float
        Growth of a puff's radius, 0 to 0.02 [m/s]. The published plumes were simulated with 0.01; the default is half
        of it.
    turn_rate : float
        Fastest turn [rad/s], 0.1 to 25 pi. The text of the paper says 6.25 pi; its published program turns by half of
        that, which is the default here.
    time_limit : float
        Longest episode [s].
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    UnknownNameError
        For an unknown preset.
    ConfigurationError
        For a number outside its range.

    Notes
    -----
    Differences from the published program: every episode has its own plume and wind instead of one recorded for all;
    a puff is a disc, not a square; the nearest puff is sought among all, not 300 of them; the turns of ``"many"`` are
    those of the paper's text (there: a standard deviation of 30 degrees).

    References
    ----------
    Singh et al., Nature Machine Intelligence 5, 58-70 (2023).

    Examples
    --------
    >>> import gymnasium, insectbot
    >>> env = gymnasium.make("insectbot/PlumeTrack-v0", preset="sparse")
    >>> obs, info = env.reset(seed=1)
    >>> obs, reward, terminated, truncated, info = env.step([0.5, 0.1])

    Version history: v0, first version.
    """

    control_period = k.CONTROL_PERIOD
    presets = PlumeTrackWorld.presets

    def __init__(
        self,
        preset: str = "constant",
        *,
        growth: float = 0.005,
        turn_rate: float = TURN_RATE,
        time_limit: float = 12.0,
        render_mode: str | None = None,
    ) -> None:
        world = PlumeTrackWorld(preset, growth=growth, turn_rate=turn_rate, time_limit=time_limit)
        super().__init__(world, render_mode)
        self.world: PlumeTrackWorld = world

    def puffs(self) -> npt.NDArray[np.float64]:
        """Return x, y and radius of every puff of this moment [m], youngest first, shape (k, 3)."""
        return self.world.puffs(self._row)


class PlumeTrackVectorEnv(RowVectorEnv):
    """Many worlds of :class:`PlumeTrackEnv` in one call; its arguments, and those of the base."""

    world_class = PlumeTrackWorld
    control_period = k.CONTROL_PERIOD
