"""A network on an emulated chip: inputs, read-out, counts and the meter, alike for all chips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import engine as e
from insectbot.chips.inputs import output_units, sources
from insectbot.chips.meter import Events, Reading, energy
from insectbot.chips.route import Routes, Traffic
from insectbot.core.random import stream_key
from insectbot.errors import ConfigurationError, ShapeError, Unsupported
from insectbot.protocols import Counters, Readout, Usage, Vector
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.chip import Chip

Float = npt.NDArray[np.float32]


class ChipExecutable(ABC):
    """Base of the executables (see :class:`insectbot.protocols.Executable`).

    A subclass gives :meth:`load`, :meth:`run`, :meth:`clear`, :meth:`dynamic`, :meth:`programmed` and
    :meth:`effective_weights`. Its constructor makes the arrays of its state, loads the quantised network and resets.
    One that can learn also gives :meth:`wishes`, :meth:`refusal`, :meth:`modulate` and :meth:`learned`, and sets
    ``_learned`` where weights may have changed.

    Parameters
    ----------
    chip : Chip
        The chip: datasheet, options, price list.
    network : Network
        What to run.

    Attributes
    ----------
    quant
        The network in the chip's numbers, with its report.
    placement
        Neurons on cores.
    routes : Routes
        Messages between cores.
    """

    soft: ClassVar[Mapping[str, int]] = {}
    """Soft failures by name -> entry of the counts."""
    n_counts: ClassVar[int] = e.N_COMMON
    quant: Any
    placement: Any
    routes: Routes
    _chip: Any

    def __init__(self, chip: Chip[Any, Any], network: Network) -> None:
        self._chip, self.sheet, self.network = chip, chip.sheet, network
        self._prices, self._throttle = chip.prices, chip.throttle
        self.recording = False
        self._learning = self._learned = False
        self._weights: dict[str, Float] = {p.name: p.weight.copy() for p in network.projections}
        self._sources = sources(network)
        self._drive, self._key, self._phase = self._sources[0], self._sources[3], self._sources[6]
        n_out = network.n_outputs
        self._readout = Readout(*(np.zeros(n_out, np.int32) for _ in range(3)))
        self._last = np.zeros(n_out, np.int64)
        self._events = (np.zeros(0, np.int64), np.zeros(0, np.int32))
        self._counts = np.zeros(self.n_counts, np.int64)
        self._unit_spikes = np.zeros(network.n_inputs + network.n_neurons, np.int64)
        self._elapsed = np.zeros((len(self.sheet.prices), 5))
        self._bind_out()

    @abstractmethod
    def load(self, quant: Any) -> None:
        """Place a quantised network and bind its arrays to the kernel; see :meth:`bind_placement`.

        Raises
        ------
        DoesNotFit
            If it does not fit; nothing has changed then.
        """

    @abstractmethod
    def run(self, n_ticks: int) -> int:
        """Run the family's window kernel; return what :func:`insectbot.chips.engine.begin` returned."""

    @abstractmethod
    def clear(self, seed: int) -> None:
        """Clear the family's dynamic state."""

    @abstractmethod
    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return the family's arrays of dynamic state by name (the arrays themselves, not copies)."""

    @abstractmethod
    def programmed(self) -> dict[str, npt.NDArray]:
        """Return every array that programming the chip writes, by name (the arrays themselves): a deployment file."""

    @abstractmethod
    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the weights as the chip applies them, in the network's unit, by projection."""

    @property
    def usage(self) -> tuple[Usage, ...]:
        """Resources used and their limits, per core and for the chip."""
        return self.placement.usage

    @property
    def learning(self) -> bool:
        """Whether plasticity and exploration act.

        Raises
        ------
        Unsupported
            On setting it, if the chip cannot do what the network asks for; the message names what.
        """
        return self._learning

    @learning.setter
    def learning(self, value: bool) -> None:
        if value and (wishes := self.wishes()):
            raise Unsupported(f"{self.sheet.name}: {self.refusal(wishes)}; train on ideal, deploy frozen")
        self.set_learning(bool(value))

    def set_learning(self, value: bool) -> None:
        """Switch learning, which has been found possible."""
        self._learning = value

    def refusal(self, wishes: list[str]) -> str:
        """Return the words that say why the chip cannot learn."""
        return f"on-chip learning ({', '.join(wishes)}) does not exist here"

    def wishes(self) -> list[str]:
        """Return the learning rules and exploration noise that the chip cannot do, as text; none where all is well."""
        rules = [f"{type(p.plasticity).__name__} of {p.name!r}" for p in self.network.plastic()]
        return rules + [f"exploration noise of {p.name!r}" for p in self.network.populations if p.exploration]

    def window(self, drive: Vector, n_ticks: int, modulators: Vector | None = None) -> Readout:
        """Run ``n_ticks`` steps with a constant drive.

        Parameters
        ----------
        drive : array_like, shape (n_inputs,)
            Drive per input channel; clipped to [0, 1] for spiking inputs, any finite number for currents.
        n_ticks : int
            Steps of dt, >= 0.
        modulators : array_like, optional
            Third factors; they act before the first step. Ignored by a frozen network.

        Returns
        -------
        Readout
            Spikes of the outputs; its arrays are overwritten by the next window.

        Raises
        ------
        ShapeError
            If the drive has the wrong length or is not finite.
        """
        values = np.asarray(drive, np.float32)
        if values.shape != self._drive.shape or n_ticks < 0:
            raise ShapeError(
                f"window: drive of shape {values.shape} must be {self._drive.shape}, n_ticks = {n_ticks} at least 0"
            )
        self._drive[:] = values
        if self.recording:
            self._reserve(n_ticks)
        if modulators is not None and self._learning:
            self.modulate(np.asarray(modulators, np.float32))
        if self.run(n_ticks):
            raise ShapeError(f"drive {values.tolist()} must be finite numbers")
        return self._readout

    def modulate(self, modulators: Float) -> None:
        """Take third factors; a chip without learning is never asked."""
        raise Unsupported(f"{self.sheet.name}: third factors do not exist here")

    def reset(self, seed: int) -> None:
        """Clear all dynamic state and counters and restart the random streams; weights stay."""
        for array in (self._counts, self._unit_spikes, self._elapsed, self._phase, self._readout.counts):
            array[...] = 0
        self._elapsed[:, 2] = self.sheet["host.realtime_step"].si
        for array in (self._readout.first, self._readout.interval, self._last):
            array[...] = -1
        start = 0
        for stream, group in enumerate(self.network.inputs):
            self._key[start : start + group.n] = stream_key(seed, stream)
            start += group.n
        self.clear(seed)

    def weights(self) -> dict[str, Float]:
        """Return a copy of the weights as deployed or learned; :meth:`effective_weights` are those the chip applies."""
        self._take_learned()
        return {name: w.copy() for name, w in self._weights.items()}

    def learned(self) -> dict[str, Float]:
        """Return the weights of the projections that learn, in the network's unit; a chip without learning has none."""
        return {}

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name, and quantise and place anew; the state of neurons stays.

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        DoesNotFit
            If the new weights do not fit; nothing has changed then.
        """
        checked = self.network.checked_weights(weights)
        self._take_learned()
        changed = [name for name, w in checked.items() if not np.array_equal(self._weights[name], w)]
        if changed:
            self.reprogram(self.network.with_weights(self._weights | checked), changed)
            self._weights |= checked

    def reprogram(self, network: Network, changed: list[str]) -> None:
        """Program a network whose weights have ``changed``, by projection; the state of neurons stays."""
        self.load(self._chip.quantise(network))

    def spikes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return (tick, unit) of every spike of the last window, if ``recording``."""
        n = int(self._counts[e.EVENTS]) if self.recording else 0
        return self._events[0][:n].copy(), self._events[1][:n].copy()

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future, as named arrays."""
        self._take_learned()
        arrays = {name: a.copy() for name, a in (self._common() | self.dynamic()).items()}
        return arrays | {f"w{i}": w.copy() for i, w in enumerate(self._weights.values())}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network.

        Raises
        ------
        ConfigurationError
            If the state belongs to another network.
        """
        expected = self.state()
        same = set(state) == set(expected) and all(np.shape(state[n]) == a.shape for n, a in expected.items())
        if not same:
            raise ConfigurationError(
                f"state: does not belong to network {self.network.name!r} on {self.sheet.name}; "
                "use the one it came from"
            )
        self.set_weights({name: state[f"w{i}"] for i, name in enumerate(self._weights)})
        for name, array in (self._common() | self.dynamic()).items():
            array[...] = state[name]

    def counters(self) -> Counters:
        """Return the counts since the last reset; energy and time under the chosen price list."""
        c, reading = self._counts, self.reading()
        return Counters(
            windows=int(c[e.WINDOWS]),
            ticks=int(c[e.TICK]),
            input_spikes=int(c[e.INPUT_SPIKES]),
            spikes=int(c[e.SPIKES]),
            synops=int(c[e.SYNOPS]),
            weight_updates=int(c[e.UPDATES]),
            soft_failures={name: int(c[entry]) for name, entry in self.soft.items()},
            energy=reading.energy_realtime if self._throttle else reading.energy,
            chip_time=reading.chip_time_realtime if self._throttle else reading.chip_time,
            energy_realtime=reading.energy_realtime,
        )

    def events(self) -> Events:
        """Return the counts of everything that costs energy, since the last reset."""
        c, spikes = self._counts, self._unit_spikes
        n_in, units = self.network.n_inputs, spikes.size
        messages = np.bincount(self.routes.unit, minlength=units)
        hops = spikes @ self.routes.hops_per_unit(units)
        from_host = int(messages[:n_in] @ spikes[:n_in])
        return Events(
            synops=int(c[e.SYNOPS]),
            neuron_active=int(c[e.ACTIVE]),
            neuron_idle=int(c[e.TICK]) * self.network.n_neurons - int(c[e.ACTIVE]),
            spikes=int(c[e.SPIKES]),
            weight_updates=int(c[e.UPDATES]),
            messages=int(messages @ spikes),
            hops_x=int(hops[0]),
            hops_y=int(hops[1]),
            hops_chip=int(hops[2]),
            host_bytes=(from_host + self.output_spikes()) * self.sheet.int("host.spike_bytes") + self.host_bytes(),
        )

    def output_spikes(self) -> int:
        """Return how many spikes of outputs went to the host since the last reset."""
        return int(self._unit_spikes[self._output_units].sum())

    def host_bytes(self) -> int:
        """Return the bytes between host and chip beside spikes, such as register writes."""
        return 0

    def reading(self, prices: str | None = None) -> Reading:
        """Price the run since the last reset.

        Parameters
        ----------
        prices : str, optional
            Price list; default that of the chip.
        """
        chosen = self.sheet.price_list(prices) if prices else self._prices
        free, held, _, worst, late = self._elapsed[list(self.sheet.prices).index(chosen.name)].tolist()
        events, size = self.events(), {"chips": self.n_chips, "cores": self.routes.n_cores}
        return Reading(
            prices=chosen.name,
            ticks=int(self._counts[e.TICK]),
            windows=int(self._counts[e.WINDOWS]),
            events=events,
            chip_time=free,
            chip_time_realtime=held,
            worst_tick=worst,
            late_ticks=int(late),
            energy=energy(events, chosen, free, **size),
            energy_realtime=energy(events, chosen, held, **size),
        )

    def held_time(self) -> float:
        """Return the time since the last reset with every tick held to the real-time step [s]."""
        return float(self._elapsed[list(self.sheet.prices).index(self._prices.name), 1])

    @property
    def n_chips(self) -> int:
        """Number of chips powered."""
        return self.routes.n_chips

    def link_load(self) -> dict[Any, float]:
        """Return messages per tick over every link of the mesh since the last reset."""
        return self.routes.link_load(self._unit_spikes, int(self._counts[e.TICK]))

    def traffic(self) -> Traffic:
        """Return the load of every link since the last reset, beside what a link carries in a tick."""
        ticks = int(self._counts[e.TICK])
        bandwidth = float(self.sheet.value("noc.link_bandwidth", np.inf))
        seconds = self.reading().chip_time / max(ticks, 1)
        return self.routes.traffic(self._unit_spikes, ticks, seconds, bandwidth)

    def bind_placement(self, neurons: npt.NDArray | None = None, *, per_ms: bool = False) -> None:
        """Take ``self.placement`` with its messages.

        Parameters
        ----------
        neurons : ndarray, optional
            Neurons per core; default as the placement numbers them.
        per_ms : bool
            Whether the floor of the price lists is for 1 ms of the network, not for a tick.
        """
        routes = Routes.of(self.placement, self.network.n_inputs, self.sheet)
        held = np.diff(self.placement.start) if neurons is None else neurons
        self.bind_messages(routes, held, output_units(self.network))
        if per_ms:
            self._meter[5][:, e.T_FLOOR] *= self.network.dt

    def bind_messages(self, routes: Routes, neurons: npt.NDArray, outputs: Sequence[int] | npt.NDArray) -> None:
        """Take a new placement: messages, neurons per core [n_cores], global units that are read out."""
        self.routes = routes
        self._output_units = np.asarray(outputs, np.int64)
        work = np.zeros((max(neurons.size, 1), 6), np.int64)
        tail = np.zeros((len(self.sheet.prices), 2))
        row, dest = routes.messages(self._unit_spikes.size)
        idle = neurons.astype(np.int64) if neurons.size else np.zeros(1, np.int64)
        self._meter = (row, dest, self._unit_spikes, idle, work, routes.times(self.sheet), tail, self._elapsed)

    def _take_learned(self) -> None:
        if self._learned:
            self._weights |= self.learned()

    def _bind_out(self) -> None:
        r = self._readout
        self._out = (r.counts, r.first, r.interval, self._last, *self._events)

    def _reserve(self, n_ticks: int) -> None:
        need = n_ticks * self._unit_spikes.size
        if need > self._events[0].size:
            self._events = (np.zeros(need, np.int64), np.zeros(need, np.int32))
            self._bind_out()

    def _common(self) -> dict[str, npt.NDArray]:
        return {
            "counts": self._counts,
            "unit_spikes": self._unit_spikes,
            "elapsed": self._elapsed,
            "key": self._key,
            "phase": self._phase,
            "interval": self._readout.interval,
            "last": self._last,
        }
