"""The Gymnasium env ``insectbot/Foraging-v0``: an insect with two antennae looks for a target on rough ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import foraging_row as r
from insectbot.envs import foraging_world as world
from insectbot.envs.foraging_kernels import NOT_FINITE, REACHED, reset, reset_on, step, step_on
from insectbot.envs.foraging_settings import Settings, apply_options, template
from insectbot.errors import ConfigurationError, ShapeError

Observation = npt.NDArray[np.float32]

_FLOAT32 = np.dtype(np.float32)

METADATA: Final[dict[str, Any]] = {"render_modes": ["human", "rgb_array"], "render_fps": 20}


class ForagingEnv(gymnasium.Env[Observation, Observation]):
    """An insect with two antennae looks for a target on rough ground.

    Reconstructed from the abstract of Zhang, Xu, Henriquez & Ferrari (CDC 2013, "virtual insect"); geometry, body and
    sensors are a design of this project. Units: mm, s, rad. The arena is 1000 x 1000 mm. Every seed is another world.

    **Ground.** Roughness ``rho = min(1, sum_i a_i exp(-|r - r_i|^2 / (2 s_i^2)))`` of 14 bumps, centres uniform,
    ``s ~ U(50, 110)`` mm, ``a ~ U(0.5, 1)``. Antennae feel 1 outside the arena and inside obstacles.

    **Body.** Differential drive, axle 10 mm, angular gain 0.5, 40 mm/s per side at full command, times
    ``1 - 0.8 rho``. A move that would end outside the arena or inside an obstacle does not happen: the heading is
    kicked by N(0, 0.5) rad instead (sum of twelve uniforms), and a collision is counted.

    **Action** ``Box(-1, 1, (2,), float32)``, cast to float32:

    | index | meaning | range used |
    |---|---|---|
    | 0 | left wheel command | clipped to [-0.2, 1] |
    | 1 | right wheel command | clipped to [-0.2, 1] |

    **Observation** ``Box(0, 1, (5,), float32)``:

    | index | meaning |
    |---|---|
    | 0, 1 | roughness at the tip of the left, right antenna (40 mm long, 35 degrees to the side) |
    | 2, 3 | target cue, left, right: ``(0.5 + 0.5 cos(bearing -/+ 45 deg))^2 / (1 + d / 1000)`` |
    | 4 | roughness under the body |

    **Reward** of a step, with weights from ``reward`` and ``reward_weights``:

    | term | value | dense | sparse | local |
    |---|---|---|---|---|
    | progress | ``d[k-1] - d[k]``, mm | 0.5 | 0 | 0 |
    | bearing | ``cos b[k] - cos b[k-1]`` | 2 | 0 | 5 |
    | roughness | rho under the body | -0.5 | 0 | 0 |
    | antennae | change of the sum of observations 0 and 1 | 0 | 0 | -20 |
    | collision | 1 for a collision | -1 | 0 | 0 |
    | goal | 1 when the target is reached | 100 | 1 | 0 |

    **Start.** Start and target uniform, 80 mm or more from the walls and 500 to 900 mm apart; heading uniform.

    **End.** Terminated when the target is nearer than 20 mm; truncated after ``time_limit``. One step is 50 ms. (A
    ``max_episode_steps`` of ``gymnasium.make`` cuts from outside, so an episode it cuts has no metrics.)

    **Info** is empty until the last step of an episode. Then:

    | key | meaning |
    |---|---|
    | success | whether the target was reached |
    | time, path | duration [s], length of the path [mm] |
    | exposure | mean roughness along the path, [0, 1] |
    | collisions | number of collisions |
    | T_opt | time of the planner, which knows the whole world and turns for free [s]; NaN without success |
    | T_ratio | time / T_opt; NaN without success |
    | SPT | success * T_opt / max(time, T_opt): success weighted by time |
    | cost, cost_opt, cost_ratio | only ``dem``: walking hours of this path, of the planner's path, their ratio |

    Parameters
    ----------
    preset : str
        ``"smooth"``: no obstacles. ``"cluttered"``: 30 discs, radius U(20, 50) mm, 40 mm clear of start and target.
        ``"dem"``: a real elevation map, 1 mm = 31.8 m; speed and roughness follow Tobler's rule along the direction
        of travel, antennae (12 mm long here) feel the walking speed along their length, see
        ``insectbot.envs.terrain.hardship``; start and target 10 to 20 km apart. ``"unknown"``: smooth, the target
        cues are 0 at 250 mm and beyond. ``"flip"``: smooth, and after ``flip_after`` episodes the cue changes
        valence: it then points away from the target (bearing + pi).
        ``"sparse"``: smooth with the sparse reward.
    reward : str, optional
        ``"dense"``, ``"sparse"`` or ``"local"`` (see the table); default: ``"dense"``, in ``sparse`` ``"sparse"``.
    reward_weights : mapping of str to float, optional
        Weights that replace those of the named reward, by term.
    walls : str
        ``"block"``: the wall of the arena is an obstacle. ``"clamp"``: the body slides along it, no collision.
    flip_after : int
        Number of episodes before the flip (every reset counts one, seeded or not).
    time_limit : float
        Longest episode [s].
    planner : bool
        Whether to compute ``T_opt`` at the end of a successful episode (milliseconds, ``dem`` some tens).
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    UnknownNameError
        For an unknown preset, reward, reward term or kind of walls.
    ConfigurationError
        For a number outside its range.

    Notes
    -----
    ``reset(options=...)`` takes ``start`` [x, y, heading], ``target`` [x, y], ``flip`` (bool: the valence of this
    episode) and, on the map, ``route`` (0 to 19: one of the fixed pairs of ``insectbot.envs.terrain.dem_pairs``,
    facing the target).
    Where both places are given, they may be at any distance; a drawn one keeps the rule of the start.

    Examples
    --------
    >>> import gymnasium, insectbot
    >>> env = gymnasium.make("insectbot/Foraging-v0", preset="cluttered")
    >>> obs, info = env.reset(seed=1)
    >>> obs, reward, terminated, truncated, info = env.step([1.0, 0.8])

    Version history: v0, first version.
    """

    metadata: dict[str, Any] = METADATA
    control_period: float = r.CONTROL_PERIOD

    def __init__(
        self,
        preset: str = "smooth",
        *,
        reward: str | None = None,
        reward_weights: Mapping[str, float] | None = None,
        walls: str = "block",
        flip_after: int = 15,
        time_limit: float = 120.0,
        planner: bool = True,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigurationError(
                f"insectbot/Foraging: render_mode = {render_mode!r}, must be None, 'human' or 'rgb_array'"
            )
        self.settings = Settings(preset, reward, reward_weights, walls, flip_after, time_limit)
        self.planner = planner
        self.render_mode = render_mode
        self.observation_space = spaces.Box(0.0, 1.0, (5,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._row, self._grid = template(self.settings)
        self._on_map = world.on_map(self._grid)
        self._renderer: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode in a new world; see the class for ``options``."""
        super().reset(seed=seed)
        apply_options(self._row, options)
        world.set_key(self._row, self.np_random)
        obs = np.empty(5, np.float32)
        if self._on_map:
            reset_on(self._row, self._grid, obs)
        else:
            reset(self._row, obs)
        if self._renderer is not None:
            self._renderer.new_episode()
        if self.render_mode == "human":
            self.render()
        return obs, {}

    def step(self, action: npt.ArrayLike) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Drive the wheels for one control period.

        Raises
        ------
        ShapeError
            If the action is not two finite numbers.
        """
        try:
            command = np.array(action, _FLOAT32)
        except (TypeError, ValueError) as error:
            raise ShapeError(f"insectbot/Foraging: the action is {action!r}, must be two finite numbers") from error
        if command.shape != (2,):
            raise ShapeError(f"insectbot/Foraging: the action has shape {command.shape}, must be (2,): left, right")
        obs = np.empty(5, _FLOAT32)
        if self._on_map:
            reward, code = step_on(self._row, self._grid, command, obs)
        else:
            reward, code = step(self._row, command, obs)
        if self.render_mode == "human":
            self.render()
        if code == 0:
            return obs, reward, False, False, {}
        if code == NOT_FINITE:
            raise ShapeError(f"insectbot/Foraging: the action is {command.tolist()}, must be two finite numbers")
        reached = code == REACHED
        return obs, reward, reached, not reached, world.metrics(self._row, self._grid, reached, self.planner)

    @property
    def pose(self) -> npt.NDArray[np.float64]:
        """Position [mm] and heading [rad, counter-clockwise from east] of the body: (x, y, heading)."""
        return self._row[:3].copy()

    def scene(self) -> dict[str, Any]:
        """Return what there is to draw: ``extent, unit, roughness, obstacles, target, start, antennae``."""
        return world.scene(self._row, self._grid)

    def optimal_path(self) -> npt.NDArray[np.float64]:
        """Return the planner's path of this world: corners [mm], shape (n, 2), from the start to the target."""
        return world.optimal_path(self._row, self._grid)

    def get_state(self) -> dict[str, Any]:
        """Return everything that decides the future: the state row and the state of ``np_random``."""
        return {"row": self._row.copy(), "np_random": self.np_random.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`get_state` returned (of an env with the same settings).

        Raises
        ------
        ShapeError
            If the row has the wrong size.
        """
        row = np.asarray(state["row"], np.float64)
        if row.shape != (r.SIZE,):
            raise ShapeError(f"insectbot/Foraging: a state row of shape {row.shape}, must be ({r.SIZE},)")
        self._row[:] = row
        self.np_random.bit_generator.state = state["np_random"]

    def render(self) -> npt.NDArray[np.uint8] | None:
        """Draw the world: an image [height, width, 3] for ``rgb_array``, a window for ``human``."""
        if self.render_mode is None:
            gymnasium.logger.warn("insectbot/Foraging: render() needs render_mode='rgb_array' or 'human' in make()")
            return None
        if self._renderer is None:
            from insectbot.envs.rendering import Renderer

            self._renderer = Renderer(self.render_mode, self.metadata["render_fps"])
        senses = self._row[r.RHO_LEFT : r.RHO_LEFT + 5]
        return self._renderer.draw(self.scene, self.pose, senses, float(self._row[r.STEP]) * r.CONTROL_PERIOD)

    def close(self) -> None:
        """Close the window, if any; may be called twice."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __getstate__(self) -> dict[str, Any]:
        # A window cannot be copied (the next render opens a new one); the map is shared by all worlds of a process.
        return {**self.__dict__, "_renderer": None, "_grid": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._grid = template(self.settings)[1]
