"""The single face of a world: a Gymnasium env over the kernels of a :class:`insectbot.envs.world.World`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import gymnasium
import numpy as np
import numpy.typing as npt

from insectbot.envs.world import FAILED, NOT_FINITE, TERMINATED, World
from insectbot.errors import ConfigurationError, ShapeError

Observation = npt.NDArray[np.float32]

_FLOAT32 = np.dtype(np.float32)
METADATA: Final[dict[str, Any]] = {"render_modes": ["human", "rgb_array"], "render_fps": 20}


class RowEnv(gymnasium.Env[Observation, Observation]):
    """Base of the single envs: one row, stepped by jitted kernels.

    Parameters
    ----------
    world : World
        The world with its settings.
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    ConfigurationError
        For another render mode.
    """

    metadata: dict[str, Any] = METADATA
    control_period: ClassVar[float]
    presets: ClassVar[tuple[str, ...]]

    def __init__(self, world: World, render_mode: str | None = None) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigurationError(
                f"{world.name}: render_mode = {render_mode!r}, must be None, 'human' or 'rgb_array'"
            )
        self.world = world
        self.render_mode = render_mode
        self.observation_space = world.observation_space
        self.action_space = world.action_space
        self._n_obs, self._shape = world.observation_space.shape[0], world.action_space.shape
        self._row = world.template()
        self._step, self._data = world.step_kernel, world.data
        self._renderer: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode in a new world; see the class for ``options``."""
        super().reset(seed=seed)
        world = self.world
        world.apply_options(self._row, options)
        world.set_key(self._row, self.np_random)
        obs = np.empty(self._n_obs, _FLOAT32)
        world.reset_kernel(self._row, self._data, obs)
        if self._renderer is not None:
            self._renderer.new_episode()
        if self.render_mode == "human":
            self.render()
        return obs, {}

    def step(self, action: npt.ArrayLike) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Act for one control period.

        Raises
        ------
        ShapeError
            If the action is not a vector of finite numbers of the action space's length.
        """
        try:
            command = np.array(action, _FLOAT32)
        except (TypeError, ValueError) as error:
            raise self._refusal(f"is {action!r}") from error
        if command.shape != self._shape:
            raise self._refusal(f"has shape {command.shape}")
        obs = np.empty(self._n_obs, _FLOAT32)
        reward, code = self._step(self._row, self._data, command, obs)
        if self.render_mode == "human":
            self.render()
        if code == 0:
            return obs, reward, False, False, {}
        if code == NOT_FINITE:
            raise self._refusal(f"is {command.tolist()}")
        terminated = code in (TERMINATED, FAILED)
        return obs, reward, terminated, not terminated, self.world.metrics(self._row, code)

    def _refusal(self, what: str) -> ShapeError:
        n = self._shape[0]
        numbers = "one finite number" if n == 1 else f"{n} finite numbers"
        return ShapeError(f"{self.world.name}: the action {what}, must be {numbers}")

    @property
    def pose(self) -> npt.NDArray[np.float64]:
        """Position [unit of the world] and heading [rad, counter-clockwise from east] of the body: (x, y, heading)."""
        return self.world.pose(self._row)

    def scene(self) -> dict[str, Any]:
        """Return what there is to draw and record (the contract is in docs/architecture.md)."""
        return self.world.scene(self._row)

    def overlay(self) -> list[dict[str, Any]]:
        """Return the marks of this moment, drawn over the scene."""
        return self.world.overlay(self._row)

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
        if row.shape != self._row.shape:
            raise ShapeError(f"{self.world.name}: a state row of shape {row.shape}, must be {self._row.shape}")
        self._row[:] = row
        self.np_random.bit_generator.state = state["np_random"]

    def render(self) -> npt.NDArray[np.uint8] | None:
        """Draw the world: an image [height, width, 3] for ``rgb_array``, a window for ``human``."""
        if self.render_mode is None:
            gymnasium.logger.warn(f"{self.world.name}: render() needs render_mode='rgb_array' or 'human' in make()")
            return None
        if self._renderer is None:
            from insectbot.envs.rendering import Renderer

            self._renderer = Renderer(self.render_mode, self.metadata["render_fps"], self.world.name)
        return self._renderer.draw_world(self.world, self._row)

    def close(self) -> None:
        """Close the window, if any; may be called twice."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __getstate__(self) -> dict[str, Any]:
        # A window cannot be copied (the next render opens a new one); shared data and kernels belong to the world.
        return {**self.__dict__, "_renderer": None, "_data": None, "_step": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._data, self._step = self.world.data, self.world.step_kernel
