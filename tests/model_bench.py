"""One population of a neuron model in the core, with currents and spikes given from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from insectbot.core.simulator import Simulator
from insectbot.snn import CurrentInput, Input, Network, Population, Projection
from insectbot.snn.inputs import SpikeTimesInput
from insectbot.snn.model import NeuronModel
from insectbot.snn.synapses import Receptor


class Bench:
    """``n`` units of a model, each with a current channel of its own; recurrent and event synapses are optional.

    ``events`` maps a port to (spike times [ms], weight): they arrive at all units one step later. ``recurrent`` maps a
    port to a matrix ``weight[post, pre]`` with a delay of one step.
    """

    def __init__(
        self,
        model: NeuronModel,
        dt: float,
        n: int = 1,
        *,
        receptors: Mapping[str, Receptor] | None = None,
        into: str | None = None,
        events: Mapping[str, tuple[Any, float]] | None = None,
        recurrent: Mapping[str, Any] | None = None,
        record: tuple[str, ...] = (),
        precision: str = "float64",
        seed: int = 0,
    ) -> None:
        self.dt, self.n, self.record = dt, n, record
        inputs = [Input("current", n, CurrentInput())]
        one = np.arange(n)
        links = [Projection.sparse("current", "units", pre=one, post=one, weight=1.0, delay=dt, receptor=into)]
        for k, (port, (times, weight)) in enumerate((events or {}).items()):
            inputs.append(Input(f"events{k}", 1, SpikeTimesInput((tuple(times),))))
            links.append(Projection.dense(f"events{k}", "units", np.full((n, 1), weight), delay=dt, receptor=port))
        for port, matrix in (recurrent or {}).items():
            post, pre = np.nonzero(matrix)
            options = {"weight": np.asarray(matrix)[post, pre], "delay": dt, "receptor": port, "name": f"to {port}"}
            links.append(Projection.sparse("units", "units", pre=pre, post=post, **options))
        population = Population("units", n, model, receptors=dict(receptors or {}))
        network = Network(tuple(inputs), (population,), tuple(links), ("units",), dt=dt, precision=precision)
        self.first_unit = network.unit_slices()["units"].start
        self.extra = [0.0] * (network.n_inputs - n)
        self.core = Simulator().compile(network, seed=seed)
        self.core.recording = True
        self.core.record({"units": record} if record else {})
        self.tick = 0
        self.spiked: list[tuple[int, int]] = []
        self.traces: dict[str, list[np.ndarray]] = {name: [] for name in record}

    def run(self, n_ticks: int, current: float | np.ndarray | Callable[[int], Any] = 0.0) -> Bench:
        """Run with a current per unit, constant or a function of the tick; return self."""
        values = [current(self.tick + k) for k in range(n_ticks)] if callable(current) else [current] * n_ticks
        start = 0
        for k in range(1, n_ticks + 1):
            if k == n_ticks or not np.array_equal(values[k], values[start]):
                drive = np.broadcast_to(np.asarray(values[start], float), self.n)
                self.core.window([*drive, *self.extra], k - start)
                self._keep()
                start = k
        self.tick += n_ticks
        return self

    def _keep(self) -> None:
        ticks, units = self.core.spikes()
        mine = units >= self.first_unit
        self.spiked += zip(ticks[mine].tolist(), (units[mine] - self.first_unit).tolist(), strict=True)
        if self.record:
            states = self.core.states()
            for name in self.record:
                self.traces[name].append(states["units", name].copy())

    def ticks(self, unit: int = 0) -> np.ndarray:
        """Ticks at which a unit spiked."""
        return np.array([t for t, u in self.spiked if u == unit], int)

    def times(self, unit: int = 0) -> np.ndarray:
        """Ends of the ticks at which a unit spiked [ms]."""
        return (self.ticks(unit) + 1) * self.dt

    def trace(self, name: str) -> np.ndarray:
        """A recorded variable after every tick, shape (ticks, n)."""
        return np.concatenate(self.traces[name])

    def crossings(self, name: str = "v", level: float = 0.0, unit: int = 0) -> np.ndarray:
        """Times of upward crossings, interpolated within the tick [ms]."""
        v = self.trace(name)[:, unit]
        k = np.flatnonzero((v[1:] >= level) & (v[:-1] < level))
        return (k + 1 + (level - v[k]) / (v[k + 1] - v[k])) * self.dt
