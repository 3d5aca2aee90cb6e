"""Rows of ``metrics.csv``: what came of one episode, without anything that differs between equal runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.loop.episode import EpisodeResult
from insectbot.loop.recorder import Label
from insectbot.protocols import Controller, Counters, Executable


@dataclass(frozen=True)
class Row:
    """One episode.

    Attributes
    ----------
    label : Label
        Phase, training seed, episode, preset, controller, chip.
    world, steps, reward
        Reset seed of the world, control steps, sum of rewards.
    metrics : dict
        Metrics of the world; NaN where not defined.
    counters : dict
        Counts of the executable, empty for a controller without a network: windows, ticks, spikes, synops, ...,
        energies [J] and the chip's time [s] where modelled.
    """

    label: Label
    world: int
    steps: int
    reward: float
    metrics: dict[str, float] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, label: Label, result: EpisodeResult, controller: Controller) -> Row:
        """Return the row of an episode that has just ended."""
        counters = count(controller)
        return cls(label, result.world, result.steps, result.reward, result.metrics, counters)

    def flat(self) -> dict[str, Any]:
        """Return one flat dict, as a line of ``metrics.csv``."""
        return {**asdict(self.label), "world": self.world, "steps": self.steps, "reward": self.reward} | {
            **self.metrics,
            **self.counters,
        }

    def data(self) -> dict[str, Any]:
        """Return nested dicts that JSON can hold; :meth:`from_data` reads them."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Row:
        """Return the row that :meth:`data` described."""
        return cls(**{**data, "label": Label(**data["label"])})


def count(controller: Controller) -> dict[str, float]:
    """Return the counters of a controller's executable as flat numbers; empty without one."""
    executable = getattr(controller, "executable", None)
    if not isinstance(executable, Executable):
        return {}
    found: Counters = executable.counters()
    names = ("windows", "ticks", "input_spikes", "spikes", "synops", "weight_updates")
    numbers = {name: float(getattr(found, name)) for name in names}
    for prefix, energy in (("energy", found.energy), ("energy_realtime", found.energy_realtime)):
        if energy is not None:
            terms = {"static": energy.static, "events": energy.events, "host": energy.host}
            numbers |= {f"{prefix}_{name}": float(value) for name, value in terms.items()}
    if found.chip_time is not None:
        numbers["chip_time"] = float(found.chip_time)
    return numbers | {f"soft_{name}": float(n) for name, n in found.soft_failures.items()}


def weights_of(controller: Controller) -> dict[str, npt.NDArray[np.float32]]:
    """Return a copy of the weights by projection; empty for a controller without weights."""
    read: Any = getattr(controller, "weights", None)
    return {} if read is None else {name: np.array(w) for name, w in read().items()}


def give_weights(controller: Controller, weights: Mapping[str, npt.ArrayLike]) -> None:
    """Replace the weights of a controller that has any."""
    write: Any = getattr(controller, "set_weights", None)
    if weights and write is not None:
        write(weights)
