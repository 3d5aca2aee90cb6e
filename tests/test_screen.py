"""What the window and the films are given, and what the window's keys do."""

import math

import numpy as np
import pytest
from cli_help import FAST

from insectbot.cli.play import Switched
from insectbot.cli.screen import FILM_RATE, FILM_SPEED, FrameMaker, Window, filming
from insectbot.loop.clock import Clock
from insectbot.loop.episode import Step, run_episode
from insectbot.scenario import load, loads, make_controller, make_env
from insectbot.view.frame import Commands
from insectbot.view.history import History


class FakeViewer:
    """Keeps frames; each poll takes the next of some prepared commands."""

    def __init__(self, *commands):
        self.commands, self.frames = list(commands), []
        self.paused, self.speed = False, math.inf

    def open(self, network):
        self.network = network

    def draw(self, frame):
        self.frames.append(frame)

    def poll(self):
        command = self.commands.pop(0) if self.commands else Commands()
        self.paused = command.paused
        return command


def make_line():
    what = loads(FAST)
    env = make_env(what)
    return what, env, Switched(make_controller(what, env, 1), True)


@pytest.fixture
def line():
    return make_line()


def show(line, viewer, learning=True):
    what, env, brain = line
    window = Window(FrameMaker(what, 0.05, 3), viewer, Clock(0.05), learning)
    return window, run_episode(env, brain, seed=1, learn=True, viewer=window)


def test_frames_carry_the_spikes_since_the_last_one():
    what = load("foraging", {"env.options.time_limit": 2.0})
    env = make_env(what, "evaluate")
    controller = make_controller(what, env, 1)
    maker, frames = FrameMaker(what, 0.05), []

    class Every:
        def start(self, *things):
            maker.start(*things)

        def step(self, step: Step):
            maker.take(step)
            if step.index % 4 == 3:
                frames.append(maker.frame(step, mode="frozen"))

        def end(self, result):
            maker.end()

    run_episode(env, controller, seed=1, learn=False, viewer=Every())
    counters = controller.executable.counters()
    assert sum(len(f.spike_tick) for f in frames) == counters.spikes + counters.input_spikes
    assert all(np.all(np.diff(f.spike_tick) >= 0) for f in frames)
    assert [f.step for f in frames] == list(range(4, 41, 4))
    assert [len(f.trail) for f in frames] == [f.step + 1 for f in frames]
    assert frames[0].observation_names[0] == "rough L"
    assert frames[0].unit_names["motors"] == ("left", "right")
    assert frames[-1].time == pytest.approx(2.0)
    assert controller.executable.recording is False


@pytest.mark.parametrize("every", [1, 3, 7])
def test_the_window_knows_every_reward_however_seldom_it_draws(every):
    what, env, brain = make_line()
    maker, history, told = FrameMaker(what, 0.05), History(), []

    class Seldom:
        def start(self, *things):
            maker.start(*things)

        def step(self, step: Step):
            maker.take(step)
            told.append((step.reward, brain.modulator))
            if (step.index + 1) % every == 0 or step.terminated or step.truncated:
                history.add(maker.frame(step))
                history.add(maker.frame(step))  # drawn again, as while paused

        def end(self, result):
            maker.end()

    for seed in (1, 2):
        told.clear()
        result = run_episode(env, brain, seed=seed, learn=True, viewer=Seldom())
        assert history.reward_sum == pytest.approx(result.reward)
        assert np.allclose(history.traces()[:, 1:], told)
        assert np.allclose(history.traces()[:, 0], 0.05 * np.arange(1, result.steps + 1))


def test_quit_ends_the_episode(line):
    window, result = show(line, FakeViewer(Commands(), Commands(), Commands(quit=True)))
    assert (window.quit, result.stopped, result.steps) == (True, True, 3)


def test_next_episode_ends_it_without_quitting(line):
    window, result = show(line, FakeViewer(Commands(next_episode=True)))
    assert (window.quit, result.stopped, result.steps) == (False, True, 1)


def test_learning_is_switched_with_its_rewards(line):
    brain = line[2]
    before = brain.w
    window, _ = show(line, FakeViewer(Commands(quit=True)), learning=False)
    assert brain.w == before
    show(line, FakeViewer(Commands(toggle_learning=True), Commands(), Commands(quit=True)), learning=False)
    assert brain.w != before
    assert window.learning is False


def test_learning_stays_off_on_a_chip_that_cannot_learn():
    what = load("foraging", {"env.options.time_limit": 1.0, "chip": "truenorth"})
    env = make_env(what, "evaluate")
    brain = Switched(make_controller(what, env, 1), False)
    window, _ = show((what, env, brain), FakeViewer(Commands(toggle_learning=True), Commands(quit=True)), False)
    assert window.learning is brain.learning is False


def test_pause_waits_and_a_single_step_goes_on(line):
    viewer = FakeViewer(
        Commands(paused=True),
        Commands(paused=True),
        Commands(paused=True, single_step=True),
        Commands(paused=True, quit=True),
    )
    _, result = show(line, viewer)
    assert result.steps == 2
    assert viewer.frames[0].n_episodes == 3


def test_a_window_changes_no_result(line):
    _, env, brain = make_line()
    alone = run_episode(env, brain, seed=1, learn=True)
    _, watched = show(line, FakeViewer())
    assert (alone.steps, alone.reward) == (watched.steps, watched.reward)


def test_film_has_its_length(tmp_path, line):
    from PIL import Image

    what, env, brain = line
    with filming(tmp_path / "film.gif", FrameMaker(what, 0.05), True) as film:
        result = run_episode(env, brain, seed=1, learn=True, viewer=film)
    every = round(FILM_SPEED / (FILM_RATE * 0.05))
    with Image.open(tmp_path / "film.gif") as image:
        assert image.n_frames <= result.steps // every + 1
        assert image.n_frames > 1


def test_no_film_without_a_path(line):
    with filming(None, FrameMaker(line[0], 0.05), True) as film:
        assert film is None
