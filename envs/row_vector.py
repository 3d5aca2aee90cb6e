"""The vector face of a world: a native Gymnasium ``VectorEnv`` over the kernels of the single env."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from insectbot.envs.world import FAILED, TERMINATED, TRUNCATED, World
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.jit import kernel

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

METADATA: Final[dict[str, Any]] = {
    "render_modes": ["rgb_array"],
    "render_fps": 20,
    "autoreset_mode": AutoresetMode.NEXT_STEP,
}


@kernel
def any_not_finite(actions: Float) -> bool:
    """Return whether an action of a batch is NaN or infinite."""
    return not np.isfinite(actions).all()


class RowVectorEnv(VectorEnv[Float, Float, np.ndarray]):
    """Base of the vector envs: ``num_envs`` independent rows, stepped by one kernel call.

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
        Longest episode in steps; default: the world's ``time_limit``.
    render_mode : str, optional
        ``"rgb_array"``.
    **settings
        Arguments of the single env.

    Raises
    ------
    ConfigurationError, UnknownNameError
        For an argument that is not accepted.
    """

    world_class: ClassVar[Callable[..., World]]
    control_period: ClassVar[float]

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        if max_episode_steps is not None:
            settings["time_limit"] = max_episode_steps * self.control_period
        self.world = world = type(self).world_class(**settings)
        if num_envs < 1:
            raise ConfigurationError(f"{world.name}: num_envs = {num_envs}, must be at least 1")
        if render_mode not in (None, "rgb_array"):
            raise ConfigurationError(
                f"{world.name}: render_mode = {render_mode!r} of a vector env, must be None or 'rgb_array'"
            )
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.autoreset_mode = _mode(world.name, autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space, self.single_action_space = world.observation_space, world.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._shape = (num_envs, *world.action_space.shape)
        self._n_obs = world.observation_space.shape[0]
        self._rows = np.tile(world.template(), (num_envs, 1))
        self._obs = np.zeros((num_envs, self._n_obs), np.float32)
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
        obs = self._obs.copy()
        for i in np.flatnonzero(mask):
            self.world.apply_options(self._rows[i], wishes)
            self._reset_world(int(i), obs)
        self._obs[:] = obs
        return obs, {}

    def step(self, actions: npt.ArrayLike) -> tuple[Float, np.ndarray, Bool, Bool, dict[str, Any]]:
        """Act in all worlds for one control period.

        Raises
        ------
        ShapeError
            If the actions have another shape or are not finite; no world has moved then.
        ConfigurationError
            If autoreset is disabled and a world has ended.
        """
        commands = self._checked(actions)
        n, world = self.num_envs, self.world
        obs, rewards, codes = np.empty((n, self._n_obs), np.float32), np.empty(n), np.empty(n, np.int8)
        waiting = self._ended
        self._ended = np.zeros(n, np.bool_)
        events = world.many_kernel(self._rows, world.data, commands, waiting, obs, rewards, codes)
        for i in np.flatnonzero(waiting):
            self._reset_world(int(i), obs)
        terminated, truncated = (codes == TERMINATED) | (codes == FAILED), codes == TRUNCATED
        infos: dict[str, Any] = {}
        if events:
            for i in np.flatnonzero(codes):
                infos = self._finish(int(i), int(codes[i]), obs, infos)
        self._obs[:] = obs
        return obs, rewards, terminated, truncated, infos

    def _checked(self, actions: npt.ArrayLike) -> Float:
        name = self.world.name
        try:
            commands = np.array(actions, np.float32, order="C")
        except (TypeError, ValueError) as error:
            raise ShapeError(f"{name}: the actions are no array of numbers, must be of shape {self._shape}") from error
        if commands.shape != self._shape:
            raise ShapeError(f"{name}: the actions have shape {commands.shape}, must be {self._shape}")
        if any_not_finite(commands):
            bad = int(np.flatnonzero(~np.isfinite(commands).all(1))[0])
            raise ShapeError(f"{name}: action {bad} is {commands[bad].tolist()}, must be finite numbers")
        if self.autoreset_mode is AutoresetMode.DISABLED and self._ended.any():
            raise ConfigurationError(
                f"{name}: world {int(np.flatnonzero(self._ended)[0])} has ended and autoreset is disabled; "
                "call reset(options={'reset_mask': mask}) first"
            )
        return commands

    def scene(self, index: int = 0) -> dict[str, Any]:
        """Return what there is to draw of one world."""
        return self.world.scene(self._rows[index])

    @property
    def poses(self) -> npt.NDArray[np.float64]:
        """Position [unit of the world] and heading [rad] of every body, shape (num_envs, 3)."""
        return np.array([self.world.pose(row) for row in self._rows])

    def get_state(self) -> dict[str, Any]:
        """Return everything that decides the future."""
        states = [rng.bit_generator.state for rng in self._rngs]
        return {"rows": self._rows.copy(), "obs": self._obs.copy(), "ended": self._ended.copy(), "np_random": states}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`get_state` returned.

        Raises
        ------
        ShapeError
            If the state is of another number of worlds.
        """
        if np.shape(state["rows"]) != self._rows.shape:
            raise ShapeError(
                f"{self.world.name}: state rows of shape {np.shape(state['rows'])}, must be {self._rows.shape}"
            )
        self._rows[:], self._obs[:], self._ended[:] = state["rows"], state["obs"], state["ended"]
        self._rngs = [np_random()[0] for _ in state["np_random"]]
        for rng, one in zip(self._rngs, state["np_random"], strict=True):
            rng.bit_generator.state = one

    def render(self) -> tuple[Any, ...] | None:
        """Return an image [height, width, 3] of every world (``render_mode="rgb_array"``)."""
        if self.render_mode is None:
            return None
        if not self._renderers:
            from insectbot.envs.rendering import Renderer

            self._renderers = [
                Renderer("rgb_array", METADATA["render_fps"], self.world.name) for _ in range(self.num_envs)
            ]
        return tuple(
            renderer.draw_world(self.world, row) for renderer, row in zip(self._renderers, self._rows, strict=True)
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_renderers": []}

    def _mask(self, mask: Any) -> Bool:
        if mask is None:
            return np.ones(self.num_envs, np.bool_)
        if not (isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (self.num_envs,)):
            raise ShapeError(f"{self.world.name}: reset_mask must be a bool array of shape ({self.num_envs},)")
        if not mask.any():
            raise ShapeError(f"{self.world.name}: reset_mask has no True, must reset at least one world")
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
            raise ShapeError(f"{self.world.name}: {len(seeds)} seeds for {self.num_envs} worlds, must be one for each")
        if not self._rngs:
            self._rngs = [np_random(one)[0] for one in seeds]
            return
        for i, one in enumerate(seeds):
            if one is not None and mask[i]:
                self._rngs[i] = np_random(one)[0]

    def _reset_world(self, i: int, obs: Float) -> None:
        self.world.set_key(self._rows[i], self._rngs[i])
        self.world.reset_kernel(self._rows[i], self.world.data, obs[i])
        self._ended[i] = False
        if self._renderers:
            self._renderers[i].new_episode()

    def _finish(self, i: int, code: int, obs: Float, infos: dict[str, Any]) -> dict[str, Any]:
        """Report the end of world ``i`` and reset it if the mode says so."""
        info = self.world.metrics(self._rows[i], code)
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = self._add_info(infos, {"final_obs": obs[i].copy(), "final_info": info}, i)
            self._reset_world(i, obs)
            return infos
        self._ended[i] = True
        return self._add_info(infos, info, i)


def _mode(world: str, mode: AutoresetMode | str) -> AutoresetMode:
    for known in AutoresetMode:
        if mode is known or mode in (known.value, known.name):
            return known
    raise ConfigurationError(
        f"{world}: autoreset_mode = {mode!r}, must be one of {', '.join(m.name for m in AutoresetMode)}"
    )
