"""Compiles kernels before they are needed, so that no episode waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from insectbot.errors import Unsupported

if TYPE_CHECKING:
    from insectbot.scenario import EnvPhase, Scenario


class _FewSteps:
    """Stops an episode after its third step: by then every kernel has been called."""

    def start(self, env: Any, controller: Any, observation: Any) -> None:
        """See nothing."""

    def step(self, step: Any) -> bool:
        """Stop after the third step."""
        return step.index >= 2

    def end(self, result: Any) -> None:
        """See nothing."""


def warm_up(scenario: Scenario, phase: EnvPhase, learn: bool) -> None:
    """Compile what one run needs: world, planner and brain, each made for this and thrown away.

    Raises
    ------
    InsectbotError
        The world or the brain cannot be made.
    """
    from insectbot.loop.episode import run_episode
    from insectbot.scenario import make_controller, make_env

    env = make_env(scenario, phase)
    run_episode(env, make_controller(scenario, env, 0), seed=0, learn=learn, viewer=_FewSteps())
    plan = getattr(env.unwrapped, "optimal_path", None)
    if plan is not None:
        plan()
    env.close()


def frozen_instead(error: Unsupported) -> Unsupported:
    """Return the error of a chip that cannot learn, with what the command line offers instead."""
    return Unsupported(f"{error}: use --frozen, or --weights with a trained run")


def warm_all() -> None:
    """Compile the kernels of every shipped scenario, on its own chip and on those of its bench."""
    from insectbot import plugins, scenario
    from insectbot.cli.console import announcing_compilation, say
    from insectbot.training.experiment import warm

    with announcing_compilation():
        for name in plugins.names("scenario"):
            what = scenario.load(name)
            warm(what, what.bench.chips)
    say("kernels are warm")
