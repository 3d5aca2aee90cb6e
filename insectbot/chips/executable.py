"""A network on the emulated Loihi: state, one jitted call per window, and the meter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_int as k
from insectbot.chips.meter import Events, Reading, energy
from insectbot.chips.place import Placement
from insectbot.chips.program import Program, sources
from insectbot.chips.quantise import QuantNetwork, lif_of
from insectbot.chips.route import Routes
from insectbot.core.random import stream_key
from insectbot.errors import ConfigurationError, ShapeError, Unsupported
from insectbot.protocols import Counters, Readout, Usage, Vector
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.loihi import Loihi

Float = npt.NDArray[np.float32]
_SOFT = {"q_wraps": k.Q_WRAPS, "u_wraps": k.U_WRAPS, "v_low": k.V_LOW, "v_high": k.V_HIGH, "bias_clips": k.BIAS_CLIPS}
_NEURON_STATE = ("u", "v", "ref", "bias")
_FIELDS = (k.U, k.V, k.REF, k.BIAS)


class LoihiExecutable:
    """A network compiled for the chip (see :class:`insectbot.protocols.Executable`). Weights are frozen.

    Parameters
    ----------
    chip : Loihi
        The backend: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams until the next ``reset``; the streams are those of ``ideal``.

    Attributes
    ----------
    quant : QuantNetwork
        The network in integers, with its report.
    placement : Placement
        Neurons on cores.
    routes : Routes
        Messages between cores.
    """

    quant: QuantNetwork
    placement: Placement
    routes: Routes

    def __init__(self, chip: Loihi, network: Network, *, seed: int = 0) -> None:
        self._chip, self.network = chip, network
        self.recording = False
        self._learning = False
        self._weights: dict[str, Float] = {p.name: p.weight.copy() for p in network.projections}
        self._sources = sources(network)
        self._drive, self._key, self._phase = self._sources[0], self._sources[3], self._sources[6]
        n_out = network.n_outputs
        self._readout = Readout(*(np.zeros(n_out, np.int32) for _ in range(3)))
        self._last = np.zeros(n_out, np.int64)
        self._events = (np.zeros(0, np.int64), np.zeros(0, np.int32))
        self._counts = np.zeros(k.N_COUNTS, np.int64)
        self._unit_spikes = np.zeros(network.n_inputs + network.n_neurons, np.int64)
        self._elapsed = np.zeros((len(chip.sheet.prices), 4))
        self._load(chip.quantise(network))
        self.reset(seed)

    @property
    def learning(self) -> bool:
        """Always False for a network that could learn: weights are frozen on this chip."""
        return self._learning

    @learning.setter
    def learning(self, value: bool) -> None:
        rules = [f"{type(p.plasticity).__name__} of {p.name!r}" for p in self.network.plastic()]
        rules += [f"exploration noise of {p.name!r}" for p in self.network.populations if p.exploration]
        if value and rules:
            raise Unsupported(
                f"loihi: on-chip learning ({', '.join(rules)}) is not emulated yet; train on ideal, deploy frozen"
            )
        self._learning = bool(value)

    def window(self, drive: Vector, n_ticks: int, modulators: Vector | None = None) -> Readout:
        """Run ``n_ticks`` steps with a constant drive.

        Parameters
        ----------
        drive : array_like, shape (n_inputs,)
            Drive per input channel; clipped to [0, 1] for spiking inputs, any finite number for currents.
        n_ticks : int
            Steps of dt, >= 0.
        modulators : array_like, optional
            Ignored: a frozen network has no third factor.

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
        if self._analog:
            self._write_bias()
        bad = k.window(
            n_ticks,
            self.recording,
            self._counts,
            self._sources,
            self._fabric,
            self._program.synapses,
            self._meter,
            self._out,
        )
        if bad:
            raise ShapeError(f"drive {values.tolist()} must be finite numbers")
        return self._readout

    def reset(self, seed: int) -> None:
        """Clear all dynamic state and counters and restart the input streams; weights stay."""
        self._set_neurons(np.zeros((len(_FIELDS), self.network.n_neurons), np.int32))
        for array in (self._ring, self._counts, self._unit_spikes, self._elapsed, self._phase, self._readout.counts):
            array[...] = 0
        self._elapsed[:, 2] = self._chip.sheet["host.realtime_step"].si
        for array in (self._readout.first, self._readout.interval, self._last):
            array[...] = -1
        start = 0
        for stream, group in enumerate(self.network.inputs):
            self._key[start : start + group.n] = stream_key(seed, stream)
            start += group.n

    def weights(self) -> dict[str, Float]:
        """Return a copy of the weights as deployed; :meth:`effective_weights` are those the chip applies."""
        return {name: w.copy() for name, w in self._weights.items()}

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the quantised weights in the network's unit, by projection (host projections as deployed)."""
        pairs = zip(self.network.projections, self.quant.projections, strict=True)
        return {p.name: q.effective if q.weight.size else self._weights[p.name].astype(float) for p, q in pairs}

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name and quantise anew; membrane state moves to the new scale.

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        """
        checked = self.network.checked_weights(weights)
        quant = self._chip.quantise(self.network.with_weights(self._weights | checked))
        before = np.repeat([p.scale for p in self.quant.populations], [p.n for p in self.quant.populations])
        after = np.repeat([p.scale for p in quant.populations], [p.n for p in quant.populations])
        neurons, ring = self._neurons(), self._ring[:, self._program.slot].copy()
        self._load(quant)
        self._weights |= checked
        factor = after / before
        neurons[[0, 1, 3]] = np.rint(neurons[[0, 1, 3]] * factor)
        self._set_neurons(neurons)
        self._ring[:, self._program.slot] = np.rint(ring * factor)

    def spikes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return (tick, unit) of every spike of the last window, if ``recording``."""
        n = int(self._counts[k.EVENTS]) if self.recording else 0
        return self._events[0][:n].copy(), self._events[1][:n].copy()

    def potentials(self, population: str) -> npt.NDArray[np.float64]:
        """Return the membrane potentials of a population in the network's unit, shape (n,)."""
        p = self.network.population(population)
        number = [q.name for q in self.quant.populations].index(population)
        units = self.network.unit_slices()[population]
        low = units.start - self.network.n_inputs
        return lif_of(p).v_rest + self._neurons()[1, low : low + p.n] / self.quant.populations[number].scale

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future, as named arrays."""
        arrays = {name: a.copy() for name, a in self._dynamic().items()}
        arrays |= dict(zip(_NEURON_STATE, self._neurons(), strict=True))
        arrays["ring"] = self._ring[:, self._program.slot].copy()
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
                f"state: does not belong to network {self.network.name!r} on loihi; use the one it came from"
            )
        self.set_weights({name: state[f"w{i}"] for i, name in enumerate(self._weights)})
        for name, array in self._dynamic().items():
            array[...] = state[name]
        self._set_neurons(np.array([state[name] for name in _NEURON_STATE], np.int32))
        self._ring[...] = 0
        self._ring[:, self._program.slot] = state["ring"]

    @property
    def usage(self) -> tuple[Usage, ...]:
        """Resources used and their limits, per core and for the chip."""
        return self.placement.usage

    def counters(self) -> Counters:
        """Return the counts since the last reset; energy and time under the backend's price list."""
        c, reading = self._counts, self.reading()
        throttle = self._chip.throttle
        return Counters(
            windows=int(c[k.WINDOWS]),
            ticks=int(c[k.TICK]),
            input_spikes=int(c[k.INPUT_SPIKES]),
            spikes=int(c[k.SPIKES]),
            synops=int(c[k.SYNOPS]),
            weight_updates=0,
            soft_failures={name: int(c[entry]) for name, entry in _SOFT.items()},
            energy=reading.energy_realtime if throttle else reading.energy,
            chip_time=reading.chip_time_realtime if throttle else reading.chip_time,
            energy_realtime=reading.energy_realtime,
        )

    def events(self) -> Events:
        """Return the counts of everything that costs energy, since the last reset."""
        c, sheet, spikes = self._counts, self._chip.sheet, self._unit_spikes
        n_in, units = self.network.n_inputs, spikes.size
        per_unit = {
            "messages": np.bincount(self.routes.unit, minlength=units),
            "hops_x": self.routes.per_unit(self.routes.hops_x, units),
            "hops_y": self.routes.per_unit(self.routes.hops_y, units),
        }
        out = self._program.unit_of[self._program.output_of >= 0]
        from_host = int(per_unit["messages"][:n_in] @ spikes[:n_in])
        bytes_ = (from_host + int(spikes[out].sum())) * sheet.int("host.spike_bytes")
        return Events(
            synops=int(c[k.SYNOPS]),
            neuron_active=int(c[k.ACTIVE]),
            neuron_idle=int(c[k.TICK]) * self.network.n_neurons - int(c[k.ACTIVE]),
            spikes=int(c[k.SPIKES]),
            **{name: int(values @ spikes) for name, values in per_unit.items()},
            host_bytes=bytes_ + int(c[k.BIAS_WRITES]) * sheet.int("host.bias_bytes"),
        )

    def reading(self, prices: str | None = None) -> Reading:
        """Price the run since the last reset.

        Parameters
        ----------
        prices : str, optional
            Price list; default that of the backend.
        """
        chosen = self._chip.sheet.price_list(prices) if prices else self._chip.prices
        free, held, _, worst = self._elapsed[list(self._chip.sheet.prices).index(chosen.name)].tolist()
        events = self.events()
        return Reading(
            prices=chosen.name,
            ticks=int(self._counts[k.TICK]),
            windows=int(self._counts[k.WINDOWS]),
            events=events,
            chip_time=free,
            chip_time_realtime=held,
            worst_tick=worst,
            energy=energy(events, chosen, free),
            energy_realtime=energy(events, chosen, held),
        )

    def link_load(self) -> dict[tuple[tuple[int, int], tuple[int, int]], float]:
        """Return messages per tick over every link of the mesh since the last reset."""
        return self.routes.link_load(self._unit_spikes, int(self._counts[k.TICK]))

    def _load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its arrays to the kernel."""
        chip = self._chip
        self.quant = replace(quant, network=self.network)
        self.placement = chip.place(quant)
        self.routes = Routes.of(self.placement, self.network.n_inputs, chip.sheet)
        self._program = program = Program.of(quant, self.placement, self.routes, chip.sheet)
        n_slots = program.unit_of.size
        self._ring = np.zeros((k.DELAY_SLOTS, n_slots), np.int32)
        self._fabric = (program.cells, self._ring, program.block_core, program.unit_of, program.output_of)
        work, tail = np.zeros((program.n_idle.size, 5), np.int64), np.zeros((len(chip.sheet.prices), 2))
        row, dest = program.messages
        self._meter = (row, dest, self._unit_spikes, program.n_idle, work, program.times, tail, self._elapsed)
        self._analog = program.currents[1].size > 0
        self._scratch = np.zeros(n_slots if self._analog else 0)
        self._bind()

    def _bind(self) -> None:
        r = self._readout
        self._out = (r.counts, r.first, r.interval, self._last, *self._events)

    def _reserve(self, n_ticks: int) -> None:
        need = n_ticks * self._unit_spikes.size
        if need > self._events[0].size:
            self._events = (np.zeros(need, np.int64), np.zeros(need, np.int32))
            self._bind()

    def _write_bias(self) -> None:
        if not np.isfinite(self._drive).all():
            raise ShapeError(f"drive {self._drive.tolist()} must be finite numbers")
        sheet = self._chip.sheet
        mantissa = (1 << (sheet.int("neuron.bias_mantissa") - 1)) - 1
        largest = (mantissa, sheet.int("neuron.bias_exponent_max"))
        row, lane, weight = self._program.currents
        rate = self._sources[4]
        k.write_bias(self._drive, rate, row, lane, weight, largest, self._program.cells, self._counts, self._scratch)

    def _dynamic(self) -> dict[str, npt.NDArray]:
        return {
            "counts": self._counts,
            "unit_spikes": self._unit_spikes,
            "elapsed": self._elapsed,
            "key": self._key,
            "phase": self._phase,
            "interval": self._readout.interval,
            "last": self._last,
        }

    def _lanes(self) -> tuple[npt.NDArray, npt.NDArray]:
        slot = self._program.slot
        return slot // k.LANES, slot % k.LANES

    def _neurons(self) -> npt.NDArray[np.int32]:
        block, lane = self._lanes()
        return np.array([self._program.cells[block, f * k.LANES + lane] for f in _FIELDS])

    def _set_neurons(self, values: npt.NDArray[np.int32]) -> None:
        block, lane = self._lanes()
        for field, row in zip(_FIELDS, values, strict=True):
            self._program.cells[block, field * k.LANES + lane] = row
