"""From control steps to frames: what the window of ``play`` and the film of ``--video`` show."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import gymnasium

    from insectbot.loop.clock import Clock
    from insectbot.loop.episode import EpisodeResult, Step
    from insectbot.protocols import Controller
    from insectbot.scenario_models import Scenario
    from insectbot.view.frame import Frame

FILM_RATE = 20
"""Frames per second of a film."""
FILM_SPEED = 2.0
"""Times real time of a film."""
FILM_SIZE = (960, 640)
"""Width and height of a film [pixel]."""
_REDRAW = 1 / 30
"""Seconds between two drawings of the window."""


class FrameMaker:
    """Collects an episode, step by step, into frames.

    Parameters
    ----------
    scenario : Scenario
        Names for the heading.
    period : float
        Control period [s].
    n_episodes : int or None
        How many episodes there will be.
    """

    def __init__(self, scenario: Scenario, period: float, n_episodes: int | None = None) -> None:
        self.period, self.n_episodes, self.episode = period, n_episodes, 0
        self.title = scenario.title or scenario.name
        preset = f", {scenario.env.preset}" if scenario.env.preset else ""
        self.subtitle = f"{scenario.controller.name} on {scenario.chip}{preset}"

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        """Take the scene and the brain of a new episode, and switch the spike list on."""
        self.world: Any = env.unwrapped
        self.brain: Any = controller
        self.executable: Any = getattr(controller, "executable", None)
        self.scene = dict(self.world.scene()) if hasattr(self.world, "scene") else {}
        self._poses = np.zeros((4096, 3))
        self._n = 0
        self._clear()
        self.episode += 1
        if self.executable is not None:
            self.executable.recording = True
        self._keep_pose()

    def take(self, step: Step) -> None:
        """Take the spikes, the pose, the reward and the modulator of one step."""
        self._keep_pose()
        self._rewards.append(step.reward)
        self._modulators.append(float(getattr(self.brain, "modulator", 0.0)))
        if self.executable is not None:
            ticks, units = self.executable.spikes()
            self._ticks.append(ticks)
            self._units.append(units)

    def end(self) -> None:
        """Switch the spike list off."""
        if self.executable is not None:
            self.executable.recording = False

    def frame(self, step: Step, **more: Any) -> Frame:
        """Return the frame after a step; spikes, rewards and modulators are those since the last frame."""
        from insectbot.view.frame import Frame

        weights = getattr(self.brain, "weights", None)
        made = Frame(
            scene=self.scene,
            overlay=self.world.overlay() if hasattr(self.world, "overlay") else (),
            pose=self._poses[self._n - 1],
            trail=self._poses[: self._n],
            observation=_flat(step.observation),
            action=_flat(step.action),
            observation_names=tuple(self.scene.get("senses", ())),
            action_names=tuple(self.scene.get("actions", ())),
            unit_names=getattr(self.brain, "unit_names", {}),
            spike_tick=np.concatenate(self._ticks) if self._ticks else (),
            spike_unit=np.concatenate(self._units) if self._units else (),
            weights=weights() if weights is not None else {},
            reward=np.array(self._rewards or [step.reward]),
            modulator=np.array(self._modulators or [float(getattr(self.brain, "modulator", 0.0))]),
            step=step.index + 1,
            episode=self.episode,
            n_episodes=self.n_episodes,
            time=(step.index + 1) * self.period,
            title=self.title,
            subtitle=self.subtitle,
            **more,
        )
        self._clear()
        return made

    def _clear(self) -> None:
        self._ticks: list[Any] = []
        self._units: list[Any] = []
        self._rewards: list[float] = []
        self._modulators: list[float] = []

    def _keep_pose(self) -> None:
        if self._n == len(self._poses):
            self._poses = np.concatenate([self._poses, np.zeros_like(self._poses)])
        self._poses[self._n] = getattr(self.world, "pose", (np.nan,) * 3)
        self._n += 1


def _flat(value: Any) -> Any:
    """Return numbers as a flat vector; nothing for what is not numbers (dict observations)."""
    try:
        return np.asarray(value, np.float32).ravel()
    except (TypeError, ValueError):
        return ()


class Film:
    """Observer that draws frames off-screen and writes them to a film."""

    def __init__(self, maker: FrameMaker, viewer: Any, writer: Any, learning: bool) -> None:
        self.maker, self.viewer, self.writer = maker, viewer, writer
        self.mode = "learning" if learning else "frozen"
        self._every = max(1, round(FILM_SPEED / (FILM_RATE * maker.period)))

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        """Begin an episode."""
        if self.maker.episode == 0:
            self.viewer.open(getattr(controller, "network", None))
        self.maker.start(env, controller, observation)

    def step(self, step: Step) -> None:
        """Film every few steps, and the last."""
        self.maker.take(step)
        if (step.index + 1) % self._every == 0 or step.terminated or step.truncated:
            self.viewer.draw(self.maker.frame(step, mode=self.mode, speed=FILM_SPEED))
            self.writer.write(self.viewer.frame())

    def end(self, result: EpisodeResult) -> None:
        """End an episode."""
        self.maker.end()


@contextmanager
def filming(path: Path | None, maker: FrameMaker, learning: bool) -> Iterator[Film | None]:
    """Yield an observer that films a run, None without a path; the film is whole or not there.

    Raises
    ------
    InsectbotError
        The suffix is not known, the extra ``video`` is missing, or the file cannot be written.
    """
    if path is None:
        yield None
        return
    from insectbot.view.video import VideoWriter
    from insectbot.view.window import Viewer

    viewer = Viewer(headless=True, size=FILM_SIZE)
    try:
        with VideoWriter(path, FILM_RATE) as writer:
            yield Film(maker, viewer, writer, learning)
    finally:
        viewer.close()


class Window:
    """Observer that shows a run in the window, paces it, and obeys its keys.

    Parameters
    ----------
    maker : FrameMaker
        Makes the frames.
    viewer : Viewer
        The window.
    clock : Clock
        Paces the loop in real time.
    learning : bool
        Whether the brain learns at first; a key switches it.

    Attributes
    ----------
    quit : bool
        Whether the user closed the window.
    """

    def __init__(self, maker: FrameMaker, viewer: Any, clock: Clock, learning: bool) -> None:
        self.maker, self.viewer, self.clock, self.learning = maker, viewer, clock, learning
        self.quit = False
        self._drawn = 0.0
        self._opened = False

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        """Begin an episode; open the window before the first."""
        if not self._opened:
            self.viewer.open(getattr(controller, "network", None))
            self._opened = True
        self.maker.start(env, controller, observation)
        self.maker.brain.learning = self.learning  # run_episode switched it on, so that rewards arrive
        self.clock.start()

    def step(self, step: Step) -> bool:
        """Show a step and do what the keys say; True ends the episode."""
        self.maker.take(step)
        if time.perf_counter() - self._drawn >= _REDRAW or self.viewer.paused or step.terminated or step.truncated:
            self._draw(step)
        stop = self._obey(step)
        if math.isfinite(self.viewer.speed):
            self.clock.speed = self.viewer.speed
            self.clock.wait()
        else:
            self.clock.resume()
        return stop

    def end(self, result: EpisodeResult) -> None:
        """End an episode."""
        self.maker.end()

    def _draw(self, step: Step) -> None:
        viewer = self.viewer
        mode = "learning" if self.learning else "frozen"
        late = self.clock.deadlines().late
        viewer.draw(self.maker.frame(step, mode=mode, speed=viewer.speed, paused=viewer.paused, late=late))
        self._drawn = time.perf_counter()

    def _obey(self, step: Step) -> bool:
        """Take the keys; while paused, wait for the next one."""
        while True:
            commands = self.viewer.poll()
            self.quit |= commands.quit
            if commands.toggle_learning:
                self.maker.brain.learning = not self.learning
                self.learning = self.maker.brain.learning
            if self.quit or commands.next_episode:
                return True
            if not commands.paused or commands.single_step:
                return False
            self._draw(step)
            time.sleep(_REDRAW)
            self.clock.resume()
