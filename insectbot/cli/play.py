"""``insectbot play``: the live window."""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from insectbot.cli.console import announcing_compilation
from insectbot.cli.doctor import has_display
from insectbot.cli.run import RunOptions, episode_line, load_for_run, row_of, run
from insectbot.errors import ConfigurationError, DisplayError, Unsupported
from insectbot.protocols import Controller
from insectbot.seeding import MAX_SEED

if TYPE_CHECKING:
    import gymnasium

    from insectbot.scenario import Scenario


class Switched:
    """A controller whose learning can be switched while it lives, rewards included.

    Parameters
    ----------
    controller : Controller
        The brain.
    learning : bool
        Whether it learns at first.
    """

    def __init__(self, controller: Controller, learning: bool) -> None:
        self._controller = controller
        self.act = controller.act
        self.learning = learning

    def __getattr__(self, name: str) -> Any:
        return getattr(self._controller, name)

    @property
    def learning(self) -> bool:
        """Whether it learns; may be set, but stays False on a chip that cannot learn."""
        return self._learning

    @learning.setter
    def learning(self, value: bool) -> None:
        from insectbot.loop.episode import set_learning

        try:
            set_learning(self._controller, value)
        except Unsupported:
            value = False
        self._learning = value

    def reset(self, seed: int) -> None:
        """Start an episode."""
        self._controller.reset(seed)

    def learn(self, reward: float, terminated: bool) -> None:
        """Pass a reward on while learning."""
        if self._learning:
            self._controller.learn(reward, terminated)


def _warm(scenario: Scenario, options: RunOptions) -> tuple[gymnasium.Env, Controller]:
    """Return the world and the brain, with all kernels compiled."""
    from insectbot.cli.warm import frozen_instead, warm_up
    from insectbot.scenario import EnvPhase, make_controller, make_env

    phase: EnvPhase = "run" if options.learning else "evaluate"
    with announcing_compilation():
        env = make_env(scenario, phase)
        inner = make_controller(scenario, env, options.seed)
        try:
            warm_up(scenario, phase, learn=True)  # also where it starts frozen: a key switches learning on
        except Unsupported as error:
            if options.learning:
                raise frozen_instead(error) from error
            warm_up(scenario, phase, learn=False)
    return env, inner


def play(options: RunOptions, start_realtime: bool) -> None:
    """Show episodes in a window until it is closed, or until ``options.episodes`` (0: no end).

    Parameters
    ----------
    options : RunOptions
        As for ``insectbot run``; with a video nothing is shown and the film is written instead
        (of one episode, where the number is 0).
    start_realtime : bool
        Start in real time; False starts as fast as it can.

    Raises
    ------
    InsectbotError
        A wrong option or scenario, or no display.
    """
    if options.video is not None:
        run(replace(options, episodes=options.episodes or 1))
        return
    if options.episodes < 0:
        raise ConfigurationError(f"-n {options.episodes}: must be at least 0")
    if not 0 <= options.seed <= MAX_SEED:
        raise ConfigurationError(f"--seed {options.seed}: must be from 0 to {MAX_SEED}")
    if not (has_display() or os.environ.get("SDL_VIDEODRIVER")):
        raise DisplayError("no display: use --video out.mp4 to write a film instead, or set DISPLAY")
    from insectbot.cli.screen import FrameMaker, Window
    from insectbot.loop.clock import Clock
    from insectbot.loop.episode import run_episode
    from insectbot.loop.recorder import Label
    from insectbot.scenario import control_period
    from insectbot.seeding import derive
    from insectbot.view.window import Viewer

    scenario = load_for_run(options.choice, options.learning)
    env, inner = _warm(scenario, options)
    if options.weights is not None:
        from insectbot.cli.weights import take_weights

        print(take_weights(inner, options.weights, options.seed, options.out))
    brain = Switched(inner, options.learning)
    period, wanted = control_period(scenario, env), options.episodes or None
    viewer = Viewer()
    viewer.speed = 1.0 if start_realtime else math.inf
    clock = Clock(period)
    window = Window(FrameMaker(scenario, period, wanted), viewer, clock, options.learning)
    try:
        for k in itertools.islice(itertools.count(), wanted):
            world = derive("run", options.seed, k)
            noise = derive("brain", world, options.seed)
            watched = run_episode(env, brain, seed=world, controller_seed=noise, learn=True, viewer=window)
            if window.quit:
                break
            label = Label("run", options.seed, k, scenario.env.preset or "", scenario.controller.name, scenario.chip)
            print(episode_line(row_of(label, watched, inner, period), k + 1, wanted or k + 1), flush=True)
    finally:
        viewer.close()
    print(f"real time: {clock.deadlines()}")
