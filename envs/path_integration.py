"""The Gymnasium env ``insectbot/PathIntegration-v0``: wander off, then find the way back without a landmark."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import path_integration_kernels as k
from insectbot.envs.row_env import RowEnv
from insectbot.envs.row_vector import RowVectorEnv
from insectbot.envs.world import Row, World, require_known, require_number, steps_in
from insectbot.errors import ConfigurationError

NOISE: Final = {"n0": 0.0, "n10": 0.1, "n20": 0.2, "n40": 0.4}
"""Preset -> standard deviation of the noise on compass and optic flow."""
HOMING: Final = 1500
"""Steps of the homing, unless a time limit is given."""
SENSES: Final = ("cos", "sin", "flow L", "flow R", "homing")
_LIMIT: Final = 4.0  # of a sense with noise: 1 and six standard deviations
_OUT, _HOME, _NEST = (88, 110, 176), (214, 92, 40), (205, 140, 20)


class PathIntegrationWorld(World):
    """The world of :class:`PathIntegrationEnv`; the arguments are explained there."""

    name = "insectbot/PathIntegration"
    control_period = k.CONTROL_PERIOD
    key_slot, step_slot = k.KEY_HIGH, k.STEP
    presets = tuple(NOISE)
    reset_kernel = staticmethod(k.reset)
    step_kernel = staticmethod(k.step)
    many_kernel = staticmethod(k.step_many)

    def __init__(
        self,
        preset: str = "n10",
        *,
        outbound: int = 1500,
        vary_speed: bool = True,
        time_limit: float | None = None,
    ) -> None:
        require_known(self.name, preset, NOISE, "preset")
        self.noise, self.vary_speed = NOISE[preset], bool(vary_speed)
        self.outbound = int(require_number(self.name, "outbound", outbound, 1, 100_000))
        if self.outbound != outbound:
            raise ConfigurationError(f"{self.name}: outbound = {outbound!r}, must be a whole number of steps")
        whole = (self.outbound + HOMING) * self.control_period
        self.max_steps = steps_in(self.name, whole if time_limit is None else time_limit, self.control_period)
        low = np.array([-_LIMIT] * 4 + [0.0], np.float32)
        high = np.array([_LIMIT] * 4 + [1.0], np.float32)
        self.observation_space = spaces.Box(low, high, dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self._walk: tuple[tuple[float, ...], npt.NDArray[np.float64]] | None = None

    def template(self) -> Row:
        """Return a row with the settings in place."""
        row = np.zeros(k.SIZE)
        row[k.OUTBOUND], row[k.MAX_STEPS] = self.outbound, self.max_steps
        row[k.NOISE], row[k.VARY] = self.noise, self.vary_speed
        return row

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        homing = row[k.STEP] > row[k.OUTBOUND]
        distance, closest = float(row[k.DISTANCE]), float(row[k.CLOSEST]) if homing else math.nan
        # From nearer than twice the radius the straight way is too short to divide by.
        straight = distance - k.NEST_RADIUS if distance >= 2.0 * k.NEST_RADIUS else math.nan
        covered = float(row[k.COVERED])
        if math.isnan(covered) and distance > 0.0:
            covered = 1.0 - closest / distance
        return {
            "success": bool(closest < k.NEST_RADIUS),
            "closest": closest,
            "tortuosity": float(row[k.REACHED]) / straight,
            "covered": covered,
            "distance": distance,
            "outbound_path": float(row[k.OUT_PATH]),
            "home_path": float(row[k.HOME_PATH]),
        }

    def walk(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the whole random walk of this episode, shape (outbound + 1, 2) [steps].

        No action changes it, so it is walked again on a copy; the last one is kept.
        """
        key = tuple(row[[k.KEY_HIGH, k.KEY_LOW, k.OUTBOUND, k.VARY, k.NOISE]].tolist())
        if self._walk is None or self._walk[0] != key:
            other, obs = row.copy(), np.zeros(k.N_SENSES, np.float32)
            action = np.zeros(1, np.float32)
            k.reset(other, self.data, obs)
            way = np.zeros((int(row[k.OUTBOUND]) + 1, 2))
            for point in way[1:]:
                k.step(other, self.data, action, obs)
                point[:] = other[k.X : k.Y + 1]
            self._walk = (key, way)
        return self._walk[1]

    def scene(self, row: Row) -> dict[str, Any]:
        """Return the nest and a square around the walk."""
        way = self.walk(row)
        middle = (way.min(0) + way.max(0)) / 2.0
        half = 0.6 * float((way.max(0) - way.min(0)).max()) + 2.0 * k.NEST_RADIUS
        return {
            "extent": (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half),
            "unit": "steps",
            "senses": SENSES,
            "sense_range": ((-1.0, -1.0, -1.0, -1.0, 0.0), (1.0, 1.0, 1.0, 1.0, 1.0)),
            "actions": ("turn L",),
            "marks": [
                {"shape": "disc", "xy": np.zeros((1, 2)), "size": k.NEST_RADIUS, "colour": _NEST, "alpha": 110},
                {
                    "shape": "ring",
                    "xy": np.zeros((1, 2)),
                    "size": k.NEST_RADIUS,
                    "colour": _NEST,
                    "alpha": 255,
                    "label": "nest, within 20 steps",
                },
                {"shape": "text", "xy": [[0.0, 0.0]], "text": "nest", "colour": (90, 50, 0)},
            ],
            "body": {"kind": "insect", "radius": 0.025 * half, "antennae": (0.05 * half, math.radians(35.0))},
        }

    def overlay(self, row: Row) -> list[dict[str, Any]]:
        """Return the random walk as far as it has gone, and its end once it is over."""
        gone = int(min(row[k.STEP], row[k.OUTBOUND]))
        if gone < 1:
            return []
        way = self.walk(row)[: gone + 1]
        marks: list[dict[str, Any]] = [{"shape": "line", "xy": way, "colour": _OUT, "label": "way out"}]
        if row[k.STEP] >= row[k.OUTBOUND]:
            # The trail of the body is drawn anyway; this names its colour and shows where it turned.
            turned = {"shape": "disc", "xy": way[-1:], "size": 0.0, "colour": _HOME, "label": "way home, from here"}
            marks.append(turned)
        return marks

    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y [steps] and heading [rad]."""
        return row[:3].copy()

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the observation."""
        return row[k.SENSES : k.SENSES + k.N_SENSES].copy()

    def status(self, row: Row) -> list[str]:
        """Return the phase and the distance of the nest."""
        phase = "homing" if row[k.STEP] >= row[k.OUTBOUND] else "way out"
        return [f"{phase}, nest {math.hypot(row[k.X], row[k.Y]):.0f} steps"]


class PathIntegrationEnv(RowEnv):
    """An insect wanders off on a winding way and must return to its nest by path integration alone.

    The task of Stone et al. (2017): no landmark, no trail, no smell, only a compass and the flow of the ground below.
    During the walk the world moves the body; then the agent steers. Lengths are in steps: the way that a body of speed
    1 goes in one step (its fastest here is 0.85). Every seed is another walk.

    **Body.** In every step the heading turns, then ``v <- (v + thrust * heading) * (1 - 0.15)``, then the body moves
    by v. A body that turns fast drifts sideways: heading and direction of travel differ.

    **Walk.** Turns are ``w <- 0.4 w + e``, e von Mises with concentration 100 (drawn as a normal of standard deviation
    0.1003 rad, which differs by less than one part in 1,000). The thrust follows a smooth curve through uniform random
    values from 0 to 0.15, one every 50 steps (Catmull-Rom, never below 0), or is 0.15 (``vary_speed=False``). On the
    way home it is 0.1.

    **Action** ``Box(-1, 1, (1,), float32)``:

    | index | meaning |
    |---|---|
    | 0 | turn of this step [rad], positive to the left; without effect during the walk |

    **Observation** ``Box((5,), float32)``, limits +-4 for 0 to 3, [0, 1] for 4:

    | index | meaning |
    |---|---|
    | 0, 1 | compass: cosine and sine of the heading |
    | 2, 3 | optic flow: velocity along the axes 45 degrees to the left and to the right of the heading |
    | 4 | phase: 0 during the walk, 1 on the way home |

    The preset's noise is added to 0 to 3: independent, normal (sum of twelve uniforms), new at every step.

    **Reward** of a step: on the way home, how much nearer to the nest it led [steps]; 0 during the walk.

    **Start.** In the nest, (0, 0), at rest; heading uniform.

    **End.** Never terminated; truncated after ``time_limit``. One step is 20 ms.

    **Info** is empty until the last step of an episode. Then (NaN where homing did not get so far):

    | key | meaning |
    |---|---|
    | success | whether the way home came within 20 steps of the nest |
    | closest | closest approach to the nest on the way home [steps] |
    | tortuosity | way home until within 20 steps of the nest, over the straight way there; NaN from within 40 |
    | covered | share of the distance to the nest covered (at best so far) after going that far, or at the end |
    | distance | distance of the turning point from the nest [steps] |
    | outbound_path, home_path | lengths of the two ways [steps] |

    ``1 / mean(covered)`` over many walks is the tortuosity L / C of Stone et al. (2017, figure 7), failed ones counted.

    Parameters
    ----------
    preset : str
        Standard deviation of the noise on the senses: ``"n0"`` none, ``"n10"`` 0.1, ``"n20"`` 0.2, ``"n40"`` 0.4.
        (The noise of Stone et al. is in every neuron of their model: there it belongs to the controller.)
    outbound : int
        Steps of the walk, 1 to 100,000; 400 to 5,000 are usual.
    vary_speed : bool
        Whether the speed of the walk varies (as in the published runs) or is always the highest.
    time_limit : float, optional
        Length of the episode [s], the walk included; default: 1,500 steps for the way home.
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    UnknownNameError
        For an unknown preset.
    ConfigurationError
        For a number outside its range.

    References
    ----------
    Stone et al., Current Biology 27, 3069-3085 (2017).

    Examples
    --------
    >>> import gymnasium, insectbot
    >>> env = gymnasium.make("insectbot/PathIntegration-v0", preset="n0", outbound=400)
    >>> obs, info = env.reset(seed=1)
    >>> obs, reward, terminated, truncated, info = env.step([0.2])

    Version history: v0, first version.
    """

    control_period = k.CONTROL_PERIOD
    presets = PathIntegrationWorld.presets

    def __init__(
        self,
        preset: str = "n10",
        *,
        outbound: int = 1500,
        vary_speed: bool = True,
        time_limit: float | None = None,
        render_mode: str | None = None,
    ) -> None:
        world = PathIntegrationWorld(preset, outbound=outbound, vary_speed=vary_speed, time_limit=time_limit)
        super().__init__(world, render_mode)
        self.world: PathIntegrationWorld = world

    def walk(self) -> npt.NDArray[np.float64]:
        """Return the whole random walk of this episode [steps], shape (outbound + 1, 2), from the nest on."""
        return self.world.walk(self._row)


class PathIntegrationVectorEnv(RowVectorEnv):
    """Many worlds of :class:`PathIntegrationEnv` in one call; its arguments, and those of the base."""

    world_class = PathIntegrationWorld
    control_period = k.CONTROL_PERIOD
