"""The meter: events are counted once and priced when read, so that one run can be priced under several lists."""

from __future__ import annotations

from dataclasses import dataclass, fields

from insectbot.chips.datasheet import PriceList
from insectbot.protocols import Energy


@dataclass(frozen=True)
class Events:
    """Counts of everything that costs energy.

    Attributes
    ----------
    synops : int
        Synaptic operations.
    neuron_active, neuron_idle : int
        Neuron updates with a current or voltage other than 0, and the others.
    spikes : int
        Spikes of neurons on the chip.
    messages : int
        Core-to-core messages (one per spike and destination core).
    hops_x, hops_y, hops_chip : int
        Hops E-W, N-S, and from chip to chip.
    host_bytes : int
        Bytes between host and chip: input spikes, output spikes, bias writes.
    weight_updates : int
        Synapses changed by learning on the chip.
    """

    synops: int = 0
    neuron_active: int = 0
    neuron_idle: int = 0
    spikes: int = 0
    messages: int = 0
    hops_x: int = 0
    hops_y: int = 0
    host_bytes: int = 0
    weight_updates: int = 0
    hops_chip: int = 0

    def __sub__(self, other: Events) -> Events:
        """Return the events between two readings."""
        return Events(**{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)})


@dataclass(frozen=True)
class Reading:
    """A run of the chip, priced.

    Attributes
    ----------
    prices : str
        Name of the price list.
    ticks, windows : int
        Simulated steps and control windows.
    events : Events
        What was counted.
    chip_time : float
        Time the chip needs [s], as fast as it can.
    chip_time_realtime : float
        The same, with every step held to real time (1 ms) where it is faster.
    worst_tick : float
        Longest step [s].
    late_ticks : int
        Steps that took longer than the real-time step.
    energy, energy_realtime : Energy
        Energy over either time [J]: static power counts for as long as the run takes.
    """

    prices: str
    ticks: int
    windows: int
    events: Events
    chip_time: float
    chip_time_realtime: float
    worst_tick: float
    late_ticks: int
    energy: Energy
    energy_realtime: Energy

    @property
    def time_per_tick(self) -> float:
        """Mean duration of a step [s], as fast as the chip can."""
        return self.chip_time / max(self.ticks, 1)

    @property
    def steps_per_second(self) -> float:
        """Steps per second the chip sustains."""
        return self.ticks / self.chip_time if self.chip_time > 0 else 0.0

    @property
    def energy_per_window(self) -> Energy:
        """Energy per control window, that is per decision [J]."""
        n = max(self.windows, 1)
        return Energy(self.energy.static / n, self.energy.events / n, self.energy.host / n)


def energy(events: Events, prices: PriceList, seconds: float, chips: int = 1, cores: int = 0) -> Energy:
    """Price events and time: static power times time, events, host (its bytes and its idle processors) [J].

    Parameters
    ----------
    events : Events
        Counts.
    prices : PriceList
        What they cost.
    seconds : float
        Duration [s].
    chips : int
        Number of chips powered.
    cores : int
        Number of cores in use, where the price list charges them apart.
    """
    e = prices.energy
    return Energy(
        static=(e.static_chip * chips + e.static_core * cores) * seconds,
        events=sum(part for part in parts(events, prices).values()),
        host=events.host_bytes * e.host_byte + e.static_host * chips * seconds,
    )


def parts(events: Events, prices: PriceList) -> dict[str, float]:
    """Return the energy of events by place [J]: ``soma``, ``synapse``, ``network``."""
    e = prices.energy
    return {
        "soma": events.neuron_active * e.neuron_active + events.neuron_idle * e.neuron_idle + events.spikes * e.spike,
        "synapse": events.synops * e.synop + events.weight_updates * e.synop_learn,
        "network": events.messages * e.message
        + events.hops_x * e.hop_x
        + events.hops_y * e.hop_y
        + events.hops_chip * e.hop_chip,
    }
