"""Many Foraging worlds in one call: a native Gymnasium ``VectorEnv`` over the kernels of the single env."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from insectbot.envs import foraging_row as r
from insectbot.envs import foraging_world as world
from insectbot.envs.foraging_kernels import REACHED, TIME_OVER, any_not_finite, reset_on, step_many
from insectbot.envs.foraging_settings import Settings, apply_options, template
from insectbot.errors import ConfigurationError, ShapeError

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

METADATA: Final[dict[str, Any]] = {
    "render_modes": ["rgb_array"],
    "render_fps": 20,
    "autoreset_mode": AutoresetMode.NEXT_STEP,
}


class ForagingVectorEnv(VectorEnv[Float, Float, np.ndarray]):
    """``num_envs`` independent worlds of :class:`insectbot.envs.foraging.ForagingEnv`, stepped by one kernel call.

    World i of ``reset(seed=s)`` equals a single env with ``reset(seed=s + i)``, step by step and bit by bit, through
    all later episodes. Metrics of ended episodes come in ``infos`` (in ``infos["final_info"]`` for ``SAME_STEP``).

    Parameters
    ----------
    num_envs : int
        Number of worlds, >= 1.
    autoreset_mode : AutoresetMode or str
        ``NEXT_STEP``: the step after the end resets, ignores the action, gives reward 0. ``SAME_STEP``: the ending step
        already returns the first observation of the next world, the last one is ``infos["final_obs"]``. ``DISABLED``:
        the caller resets, with ``reset(options={"reset_mask": mask})``.
    max_episode_steps : int, optional
        Longest episode in steps; default: ``time_limit`` / 50 ms.
    preset, reward, reward_weights, walls, flip_after, time_limit, planner, render_mode
        As in the single env. ``planner=False`` spares a millisecond for every reached target.

    Raises
    ------
    ConfigurationError, UnknownNameError
        For an argument that is not accepted.
    """

    control_period: float = r.CONTROL_PERIOD

    def __init__(
        self,
        num_envs: int = 1,
        preset: str = "smooth",
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        reward: str | None = None,
        reward_weights: Mapping[str, float] | None = None,
        walls: str = "block",
        flip_after: int = 15,
        time_limit: float = 120.0,
        planner: bool = True,
        render_mode: str | None = None,
    ) -> None:
        if num_envs < 1:
            raise ConfigurationError(f"insectbot/Foraging: num_envs = {num_envs}, must be at least 1")
        if max_episode_steps is not None:
            time_limit = max_episode_steps * r.CONTROL_PERIOD
        if render_mode not in (None, "rgb_array"):
            raise ConfigurationError(
                f"insectbot/Foraging: render_mode = {render_mode!r} of a vector env, must be None or 'rgb_array'"
            )
        self.settings = Settings(preset, reward, reward_weights, walls, flip_after, time_limit)
        self.num_envs = num_envs
        self.planner = planner
        self.render_mode = render_mode
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = spaces.Box(0.0, 1.0, (5,), np.float32)
        self.single_action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        row, self._grid = template(self.settings)
        self._rows = np.tile(row, (num_envs, 1))
        self._rngs: list[np.random.Generator] = []
        self._ended = np.zeros(num_envs, np.bool_)
        self._renderers: list[Any] = []

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float, dict[str, Any]]:
        """Start new worlds: all, or those of ``options["reset_mask"]``; the other options are the single env's.

        Raises
        ------
        ShapeError
            If there is not one seed per world, or the mask is not a bool array of shape (num_envs,) with a True in it.
        """
        wishes = dict(options or {})
        mask = self._mask(wishes.pop("reset_mask", None))
        self._seed(seed, mask)
        obs = self._rows[:, r.RHO_LEFT : r.RHO_LEFT + 5].astype(np.float32)
        for i in np.flatnonzero(mask):
            apply_options(self._rows[i], wishes)
            self._reset_world(int(i), obs)
        return obs, {}

    def step(self, actions: npt.ArrayLike) -> tuple[Float, np.ndarray, Bool, Bool, dict[str, Any]]:
        """Drive all worlds for one control period with ``actions`` [num_envs, 2].

        Raises
        ------
        ShapeError
            If the actions have another shape or are not finite; no world has moved then.
        ConfigurationError
            If autoreset is disabled and a world has ended.
        """
        commands = np.array(actions, np.float32, order="C")
        n = self.num_envs
        if commands.shape != (n, 2):
            raise ShapeError(f"insectbot/Foraging: the actions have shape {commands.shape}, must be ({n}, 2)")
        if any_not_finite(commands):
            bad = int(np.flatnonzero(~np.isfinite(commands).all(1))[0])
            raise ShapeError(f"insectbot/Foraging: action {bad} is {commands[bad].tolist()}, must be finite numbers")
        if self.autoreset_mode is AutoresetMode.DISABLED and self._ended.any():
            raise ConfigurationError(
                f"insectbot/Foraging: world {int(np.flatnonzero(self._ended)[0])} has ended and autoreset is disabled; "
                "call reset(options={'reset_mask': mask}) first"
            )
        obs, rewards, codes = np.empty((n, 5), np.float32), np.empty(n), np.empty(n, np.int8)
        waiting = self._ended
        self._ended = np.zeros(n, np.bool_)
        events = step_many(self._rows, self._grid, commands, waiting, obs, rewards, codes)
        for i in np.flatnonzero(waiting):
            self._reset_world(int(i), obs)
        terminated, truncated = codes == REACHED, codes == TIME_OVER
        infos: dict[str, Any] = {}
        if events:
            for i in np.flatnonzero(codes):
                infos = self._finish(int(i), bool(terminated[i]), obs, infos)
        return obs, rewards, terminated, truncated, infos

    def scene(self, index: int = 0) -> dict[str, Any]:
        """Return what there is to draw of one world."""
        return world.scene(self._rows[index], self._grid)

    @property
    def poses(self) -> npt.NDArray[np.float64]:
        """Position [mm] and heading [rad] of every body, shape (num_envs, 3)."""
        return self._rows[:, :3].copy()

    def optimal_path(self, index: int = 0) -> npt.NDArray[np.float64]:
        """Return the planner's path of one world: corners [mm], shape (n, 2)."""
        return world.optimal_path(self._rows[index], self._grid)

    def get_state(self) -> dict[str, Any]:
        """Return everything that decides the future."""
        states = [rng.bit_generator.state for rng in self._rngs]
        return {"rows": self._rows.copy(), "ended": self._ended.copy(), "np_random": states}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`get_state` returned.

        Raises
        ------
        ShapeError
            If the state is of another number of worlds.
        """
        if np.shape(state["rows"]) != self._rows.shape:
            raise ShapeError(
                f"insectbot/Foraging: state rows of shape {np.shape(state['rows'])}, must be {self._rows.shape}"
            )
        self._rows[:], self._ended[:] = state["rows"], state["ended"]
        self._rngs = [np_random()[0] for _ in state["np_random"]]
        for rng, one in zip(self._rngs, state["np_random"], strict=True):
            rng.bit_generator.state = one

    def render(self) -> tuple[Any, ...] | None:
        """Return an image [height, width, 3] of every world (``render_mode="rgb_array"``)."""
        if self.render_mode is None:
            return None
        if not self._renderers:
            from insectbot.envs.rendering import Renderer

            self._renderers = [Renderer("rgb_array", METADATA["render_fps"]) for _ in range(self.num_envs)]
        senses = self._rows[:, r.RHO_LEFT : r.RHO_LEFT + 5]
        times = self._rows[:, r.STEP] * r.CONTROL_PERIOD
        return tuple(
            renderer.draw(lambda i=i: self.scene(i), self._rows[i, :3], senses[i], times[i])
            for i, renderer in enumerate(self._renderers)
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_renderers": [], "_grid": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._grid = template(self.settings)[1]

    def _mask(self, mask: Any) -> Bool:
        if mask is None:
            return np.ones(self.num_envs, np.bool_)
        if not (isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (self.num_envs,)):
            raise ShapeError(f"insectbot/Foraging: reset_mask must be a bool array of shape ({self.num_envs},)")
        if not mask.any():
            raise ShapeError("insectbot/Foraging: reset_mask has no True, must reset at least one world")
        return mask

    def _seed(self, seed: int | Sequence[int | None] | None, mask: Bool) -> None:
        seeds: list[int | None]
        if seed is None:
            seeds = [None] * self.num_envs
        elif isinstance(seed, (int, np.integer)):
            seeds = [int(seed) + i for i in range(self.num_envs)]
            self._np_random, self._np_random_seed = np_random(int(seed))
        else:
            seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ShapeError(f"insectbot/Foraging: {len(seeds)} seeds for {self.num_envs} worlds, must be one for each")
        if not self._rngs:
            self._rngs = [np_random(one)[0] for one in seeds]
            return
        for i, one in enumerate(seeds):
            if one is not None and mask[i]:
                self._rngs[i] = np_random(one)[0]

    def _reset_world(self, i: int, obs: Float) -> None:
        world.set_key(self._rows[i], self._rngs[i])
        reset_on(self._rows[i], self._grid, obs[i])
        self._ended[i] = False
        if self._renderers:
            self._renderers[i].new_episode()

    def _finish(self, i: int, reached: bool, obs: Float, infos: dict[str, Any]) -> dict[str, Any]:
        """Report the end of world ``i`` and reset it if the mode says so."""
        info = world.metrics(self._rows[i], self._grid, reached, self.planner)
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = self._add_info(infos, {"final_obs": obs[i].copy(), "final_info": info}, i)
            self._reset_world(i, obs)
            return infos
        self._ended[i] = True
        return self._add_info(infos, info, i)


def _mode(mode: AutoresetMode | str) -> AutoresetMode:
    for known in AutoresetMode:
        if mode is known or mode in (known.value, known.name):
            return known
    raise ConfigurationError(
        f"insectbot/Foraging: autoreset_mode = {mode!r}, must be one of {', '.join(m.name for m in AutoresetMode)}"
    )
