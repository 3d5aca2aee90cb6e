"""Placement on TrueNorth: neurons with their clones onto cores, in order, within 256 axons and 256 neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.fill import Filled
from insectbot.chips.inputs import output_units
from insectbot.chips.truenorth_quantise import QuantNetwork
from insectbot.chips.truenorth_wiring import Lines, Vector, lines_of
from insectbot.errors import DoesNotFit
from insectbot.jit import kernel
from insectbot.protocols import Usage
from insectbot.snn.network import Network

ROUNDS = 30
"""Tries to let the clones settle before every synapse is given one of its own."""


@dataclass(frozen=True, eq=False)
class Placement(Filled):
    """Neurons on cores.

    A neuron has one target axon; for every further one (another core, delay, axon type or the host) a clone with the
    same registers and synapses runs beside it. Clones get the same spikes and do the same, so they are counted here and
    simulated once.

    Attributes
    ----------
    start : ndarray of int64, shape (n_cores + 1,)
        Core c holds neurons ``start[c]`` to ``start[c + 1]``.
    copies : ndarray of int64, shape (n_neurons,)
        Neurons of the core that each takes: itself and its clones.
    axon_row : ndarray of int64, shape (n_cores + 1,)
        Core c has axons ``axon_row[c]`` to ``axon_row[c + 1]``.
    unit, delay, kind : ndarray of int64, shape (n_axons,)
        Source unit, delay [ticks] and type of every axon.
    entry_axon, entry_neuron : ndarray
        Axon and neuron of every synapse of the crossbars.
    edges : ndarray of int64, shape (n_axons, 3)
        (source unit, core, synapses) of every axon, sorted by unit.
    position : ndarray of int64, shape (n_cores,)
        Place of each core on the chip.
    usage : tuple of Usage
        Axons and neurons of every core, then the cores of the chip.
    """

    start: Vector
    copies: Vector
    axon_row: Vector
    unit: Vector
    delay: Vector
    kind: Vector
    entry_axon: npt.NDArray[np.int32]
    entry_neuron: npt.NDArray[np.int32]
    edges: Vector
    position: Vector
    usage: tuple[Usage, ...]


@kernel(error_model="numpy")
def fill_cores(
    row: Any,
    number: Any,
    copies: Any,
    limits: Any,
    stamp: Any,
    local: Any,
    start: Any,
    axon_row: Any,
    axon: Any,
    entry_axon: Any,
) -> Any:
    """Fill cores in order of neurons; returns how many there are.

    ``limits`` is (axons, neurons); ``stamp`` and ``local`` [axon numbers] hold the last core and axon of each number;
    the last four are filled. A neuron that fits nowhere gets a core of its own.
    """
    core, n_axons, used, first = 0, 0, 0, 0
    stamp[:] = -1
    start[0], axon_row[0] = 0, 0
    for j in range(copies.size):
        new = 0
        for k in range(row[j], row[j + 1]):
            new += stamp[number[k]] != core
        full = n_axons - first + new > limits[0] or used + copies[j] > limits[1]
        if full and used > 0:
            core += 1
            start[core], axon_row[core] = j, n_axons
            first, used = n_axons, 0
        for k in range(row[j], row[j + 1]):
            a = number[k]
            if stamp[a] != core:
                stamp[a], local[a] = core, n_axons
                axon[n_axons] = a
                n_axons += 1
            entry_axon[k] = local[a]
        used += copies[j]
    n = core + 1 if copies.size else 0
    start[n], axon_row[n] = copies.size, n_axons
    return n


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Fill cores in order of neurons until the clones fit, too.

    How many clones a neuron needs follows from where its targets are, and so from the filling itself: cores are filled
    again with the clones of the last filling, never fewer, until they suffice.

    Raises
    ------
    DoesNotFit
        Naming the resource, the core and by how much.
    """
    network, lines = quant.network, lines_of(quant)
    limits = np.array([sheet.int("limits.core.axons"), sheet.int("limits.core.neurons")])
    _require_fan_in(network, lines, sheet)
    to_host = np.zeros(network.n_neurons, np.int64)
    to_host[output_units(network) - network.n_inputs] = 1
    n, m = network.n_neurons, lines.number.size
    stamp, local = (np.empty(lines.unit.size, np.int64) for _ in range(2))
    start, axon_row = (np.zeros(n + 1, np.int64) for _ in range(2))
    axon, entry_axon = np.zeros(m, np.int32), np.zeros(m, np.int32)
    copies, need, cores = np.ones(n, np.int64), np.full(n, 2), 0
    for attempt in range(ROUNDS + 1):
        cores = fill_cores(lines.row, lines.number, copies, limits, stamp, local, start, axon_row, axon, entry_axon)
        unit = lines.unit[axon[: axon_row[cores]]]
        need = np.maximum(_targets(unit, network) + to_host, 1)
        if (need <= copies).all():
            break
        copies = np.maximum(copies, need)
        if attempt == ROUNDS - 1:
            copies = np.maximum(_targets(lines.unit[lines.number], network) + to_host, copies)
    used = axon[: axon_row[cores]]
    return _finish(quant, sheet, lines, start[: cores + 1], need, axon_row[: cores + 1], used, entry_axon)


def _targets(unit: Vector, network: Network) -> Vector:
    """Return how many of the source units each neuron is."""
    return np.bincount(unit, minlength=network.n_inputs + network.n_neurons)[network.n_inputs :]


def _owner(network: Network, neuron: int) -> str:
    slices = network.unit_slices()
    unit = neuron + network.n_inputs
    name = next(p.name for p in network.populations if slices[p.name].start <= unit < slices[p.name].stop)
    return f"neuron {unit - slices[name].start} of population {name!r}"


def _require_fan_in(network: Network, lines: Lines, sheet: Datasheet) -> None:
    most, needed = sheet.int("limits.core.axons"), np.diff(lines.row)
    if needed.size and needed.max() > most:
        worst = int(np.argmax(needed))
        raise DoesNotFit(
            f"{sheet.name}: axons {int(needed[worst])} > {most} for {_owner(network, worst)}; give it fewer incoming "
            "synapses, or weights fewer bits or at most four values"
        )


def _finish(
    quant: QuantNetwork,
    sheet: Datasheet,
    lines: Lines,
    start: Vector,
    copies: Vector,
    axon_row: Vector,
    used: npt.NDArray[np.int32],
    entry_axon: npt.NDArray[np.int32],
) -> Placement:
    n, network = start.size - 1, quant.network
    axons, neurons = np.diff(axon_row), np.add.reduceat(copies, start[:-1]) if n else np.zeros(0, np.int64)
    limits = {"axons": sheet.int("limits.core.axons"), "neurons": sheet.int("limits.core.neurons")}
    if n and neurons.max() > limits["neurons"]:
        core = int(np.argmax(neurons))
        worst = int(start[core] + np.argmax(copies[start[core] : start[core + 1]]))
        raise DoesNotFit(
            f"{sheet.name}: core {core}: neurons {int(neurons[core])} > {limits['neurons']}, {int(copies[worst])} of "
            f"them are clones of {_owner(network, worst)}, one per target axon; give it fewer targets or delays"
        )
    most = sheet.int("limits.chip.cores")
    if n > most:
        use = {"axons": int(axons[0]), "neurons": int(neurons[0])}
        full = max(use, key=lambda name: use[name] / limits[name])
        raise DoesNotFit(
            f"{sheet.name}: chip: cores {n} > {most} (core 0 is full by {full} {use[full]} of {limits[full]}); "
            "use fewer neurons, synapses or weight bits"
        )
    usage = [
        Usage(name, int(values[c]), limits[name], f"core {c}")
        for c in range(n)
        for name, values in (("axons", axons), ("neurons", neurons))
    ]
    unit, synapses = lines.unit[used], np.bincount(entry_axon, minlength=used.size)
    order = np.argsort(unit, kind="stable")
    core = np.repeat(np.arange(n), axons)
    return Placement(
        start=start.copy(),
        copies=copies,
        axon_row=axon_row.copy(),
        unit=unit,
        delay=lines.delay[used],
        kind=lines.kind[used],
        entry_axon=entry_axon,
        entry_neuron=np.repeat(np.arange(network.n_neurons, dtype=np.int32), np.diff(lines.row)),
        edges=np.stack([unit, core, synapses], axis=1)[order],
        position=np.arange(n),
        usage=(*usage, Usage("cores", n, most, "chip")),
    )
