"""``insectbot speed``: how fast everything is on this machine, beside the bars the project holds itself to."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from insectbot.cli.console import announcing_compilation, print_json, print_table, say
from insectbot.errors import ConfigurationError

ROOMS = {
    "env": "insectbot.envs.speed",
    "core": "insectbot.core.speed",
    "chip": "insectbot.chips.speed",
    "loop": "insectbot.training.speed",
}
"""Room -> module whose ``measure()`` returns named figures (process time, medians of repeats)."""

REPEATS = 3
"""Default number of repeats: everything is measured in about ten seconds."""


@dataclass(frozen=True)
class Bar:
    """A figure that has to be reached.

    Attributes
    ----------
    what : str
        What is measured.
    room, key : str
        Where the figure is; ``"a / b"`` is a ratio of two figures of the same run, ``"1 / b"`` an inverse.
    limit : float
        The bar.
    unit : str
        Unit of figure and bar.
    scale : float
        The figure is multiplied by this to have the unit.
    at_most : bool
        Whether less is better.
    """

    what: str
    room: str
    key: str
    limit: float
    unit: str
    scale: float = 1.0
    at_most: bool = False

    def figure(self, measured: Mapping[str, Mapping[str, float]]) -> float:
        """Return the figure in the bar's unit."""
        found = {"1": 1.0, "": 1.0, **measured[self.room]}
        above, _, below = self.key.partition(" / ")
        return found[above] / found[below] * self.scale

    def holds(self, measured: Mapping[str, Mapping[str, float]]) -> bool:
        """Return whether the bar is reached."""
        figure = self.figure(measured)
        return figure <= self.limit if self.at_most else figure >= self.limit


BARS = (
    Bar("make(...).step, one world", "env", "make", 0.6, "M steps/s", 1e-6),
    Bar("the same beside CartPole-v1", "env", "make / cartpole", 3.0, "times"),
    Bar("vector env, 1024 worlds", "env", "vector", 2.0, "M steps/s", 1e-6),
    Bar("reset to a new world", "env", "1 / reset", 2.0, "us", 1e6, at_most=True),
    Bar("closed loop: world, 10 synapses (8 plastic), 50 ticks", "loop", "steps_per_second", 100.0, "k steps/s", 1e-3),
    Bar("core: 1000 LIF x 100 plastic synapses, one step", "core", "plastic_us", 4.5, "us", at_most=True),
    Bar("loihi: 1000 neurons, 5 % connected", "chip", "neuron_steps_per_second", 50.0, "M neuron-steps/s", 1e-6),
)
"""The bars, in the order of the table."""


def measure_all(repeats: int = REPEATS) -> dict[str, dict[str, float]]:
    """Return the figures of every room, each the median of some repeats, one after the other in this process."""
    measured = {}
    for room, module in ROOMS.items():
        say(f"measuring {room} ...")
        with announcing_compilation():
            measured[room] = importlib.import_module(module).measure(repeats=repeats)
    return measured


def speed(as_json: bool, repeats: int = REPEATS) -> None:
    """Measure, and print a table or JSON; a missed bar is named, it is not an error.

    Raises
    ------
    ConfigurationError
        ``repeats`` is less than 1.
    """
    if repeats < 1:
        raise ConfigurationError(f"--repeats {repeats}: must be at least 1")
    measured = measure_all(repeats)
    kept = all(bar.holds(measured) for bar in BARS)
    if as_json:
        bars = [asdict(bar) | {"figure": bar.figure(measured), "reached": bar.holds(measured)} for bar in BARS]
        print_json({"measured": measured, "bars": bars, "reached": kept})
        return
    columns = ("what", "measured", "bar", "unit", "")
    print_table(columns, [_cells(bar, measured) for bar in BARS], right=columns[1:3])
    for room, figures in measured.items():
        print(f"{room}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
    print(f"process time, medians of {repeats}; everything in one run on this machine")


def _cells(bar: Bar, measured: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    sign = "\N{LESS-THAN OR EQUAL TO}" if bar.at_most else "\N{GREATER-THAN OR EQUAL TO}"
    verdict = "reached" if bar.holds(measured) else "MISSED"
    return bar.what, f"{bar.figure(measured):.3g}", f"{sign} {bar.limit:g}", bar.unit, verdict


def show_kernel(scenario: str = "foraging") -> None:
    """Print the source that was generated for the network of a scenario."""
    from insectbot.core.generate import generate
    from insectbot.core.structure import Structure
    from insectbot.scenario import load, make_controller, make_env

    what = load(scenario)
    controller: Any = make_controller(what, make_env(what), 0)
    print(generate(Structure.of(controller.network)))
