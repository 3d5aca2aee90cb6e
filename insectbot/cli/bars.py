"""The bars of ``insectbot speed``: figures that the project holds itself to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    Bar("W1: 100 LIF, pair STDP, one step from Python", "core", "plastic_100_us", 1.0, "us", at_most=True),
    Bar("W1: 1000 LIF x 100 synapses, pair STDP", "core", "plastic_1000_us", 4.0, "us", at_most=True),
    Bar("W1: 10 000 LIF x 100 synapses, pair STDP", "core", "plastic_10000_us", 45.0, "us", at_most=True),
    Bar("W1: 1000 LIF, p99 / median", "core", "plastic_1000_p99_us / plastic_1000_us", 3.0, "times", at_most=True),
    Bar("W2: Vogels-Abbott CUBA, dt 0.1 ms", "core", "cuba_rtf", 0.013, "of real time", at_most=True),
    Bar("W2: Vogels-Abbott COBA, dt 0.1 ms", "core", "coba_rtf", 0.020, "of real time", at_most=True),
    Bar("loihi: 1000 neurons, 5 % connected", "chip", "neuron_steps_per_second", 50.0, "M neuron-steps/s", 1e-6),
)
"""The bars, in the order of the table."""

FULL_BARS = (
    Bar("W3: 10 M static synapses, dt 0.1 ms", "w3", "static_cpu_1", 0.16, "of real time", at_most=True),
    Bar("W3: 10 M synapses, 8 M plastic", "w3", "plastic_cpu_1", 0.30, "of real time", at_most=True),
    Bar("W3: memory, everything included", "w3", "plastic_bytes_per_synapse", 12.0, "bytes/synapse", at_most=True),
    Bar("W3: construction", "w3", "plastic_build_s", 2.0, "s", at_most=True),
    Bar("W3: two threads over one, static", "w3", "static_rtf_1 / static_rtf_2", 1.7, "times"),
    Bar("W3: two threads over one, plastic", "w3", "plastic_rtf_1 / plastic_rtf_2", 1.7, "times"),
    Bar("W4: microcircuit at 10 %, two threads over one", "w4", "wall_1 / wall_2", 1.7, "times"),
    Bar("cost of an event, 10 M over 100 k synapses", "event", "1e+07 / 1e+05", 1.5, "times", at_most=True),
    Bar("loihi, 1000 neurons, 5 %", "chips", "loihi", 100.0, "M neuron-steps/s", 1e-6),
    Bar("loihi, all synapses learning by pair STDP", "chips", "loihi learning", 20.0, "M neuron-steps/s", 1e-6),
    Bar("truenorth, 1000 neurons, 5 %", "chips", "truenorth", 100.0, "M neuron-steps/s", 1e-6),
    Bar("spinnaker, 1000 neurons, 5 %", "chips", "spinnaker", 50.0, "M neuron-steps/s", 1e-6),
    Bar("brainscales2, 500 neurons, 5 %", "chips", "brainscales2", 10.0, "M neuron-steps/s", 1e-6),
    Bar("dynapse2, 1000 neurons, 3 %", "chips", "dynapse2", 10.0, "M neuron-steps/s", 1e-6),
    Bar("dynapse1, 1000 neurons, 3 %", "chips", "dynapse1", 10.0, "M neuron-steps/s", 1e-6),
    Bar("cold start of a kernel", "start", "cold_cpu_s", 5.0, "s CPU", at_most=True),
    Bar("warm start", "start", "warm_cpu_s", 1.0, "s CPU", at_most=True),
)
"""Bars that take minutes (``--full``)."""

WORLD_LIMITS = {"make": (0.4, "make(...).step"), "vector": (1.5, "vector env, 1024 worlds")}
"""Figure of a world -> its bar [M steps/s], and what it is."""


def world_bars(worlds: Mapping[str, float]) -> tuple[Bar, ...]:
    """Return the bars of the measured worlds, whose figures are named ``"World make"`` and ``"World vector"``."""
    bars = []
    for key in worlds:
        world, _, figure = key.rpartition(" ")
        limit, what = WORLD_LIMITS[figure]
        bars.append(Bar(f"{world}: {what}", "worlds", key, limit, "M steps/s", 1e-6))
    return tuple(bars)
