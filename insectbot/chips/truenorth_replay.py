"""The register-level entry point: raw registers and spikes in, integer traces out, to replay other emulators' vectors.

Order of a tick in :func:`run_cores`, for every core and neuron (``crossbar_int.py`` has the equations):

1. Axons that are due, by spikes of neurons ``delay`` ticks ago or by the host, are active; several spikes on one axon
   and tick count once (they merge).
2. V takes ``values[type]`` of every active axon with a synapse; where ``random_synapse[type]`` is set it takes the sign
   of the value, where ``|value| >= rho``.
3. The leak, times sgn(V) where ``reverse`` is set; with ``random_leak`` its sign, where ``|leak| >= rho``. A leak with
   ``reverse`` that changes the sign of V sets it to 0.
4. V saturates at +-524287; a V beyond the upper end spikes whatever the threshold.
5. ``eta = rho & (2^jitter - 1)``. A neuron spikes at ``V >= threshold + eta`` and takes R, ``V - threshold - eta`` or V
   for ``gamma`` 0, 1, 2. If it does not spike, with ``kappa`` V saturates at ``-floor``; without, V below
   ``-(floor + eta)`` becomes -R, ``V + floor + eta`` or V for ``gamma`` 0, 1, 2. R is
   ``reset_sign * (2^reset_exponent - 1)``.
6. The spike goes to axon ``target[1]`` of core ``target[0]``, ``target[2]`` ticks later.

Everything is an integer and nothing is rounded. Synaptic sums are 32 bits wide and saturate once, in step 4. All state
starts at 0.

Random bits are ``randomness.draw(stream_key(seed, core), tick, 512 * neuron + what)``, 32 of them, with ``what`` the
axon for a synapse, 256 for the leak, 257 for the threshold; ``rho = 1 + (bits * 255 >> 32)`` for synapses and leak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import crossbar_int as k
from insectbot.chips import engine as e
from insectbot.chips.datasheet import Datasheet, load
from insectbot.core.random import stream_key
from insectbot.errors import ConfigurationError, ShapeError

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Neurons:
    """Registers of the neurons of some cores; int32 arrays of shape (n_cores, n), ``values`` (n_cores, n, 4).

    Attributes
    ----------
    values : ndarray
        Weight of a synapse by type of its axon, -255..255.
    random_synapse : ndarray, shape (n_cores, n, 4)
        1 where a value is a probability of +-1.
    leak, reverse, random_leak : ndarray
        Leak per tick, -255..255; whether its sign follows that of V; whether it is a probability of +-1.
    threshold, floor : ndarray
        Positive and negative threshold, 0..2^18 - 1.
    jitter : ndarray
        Random bits added to the threshold, 0..18.
    gamma, kappa : ndarray
        Reset modes, 0..2 and 0..1.
    reset_sign, reset_exponent : ndarray
        R = sign * (2^exponent - 1); sign -1..1, exponent 0..18.
    """

    values: Ints
    random_synapse: Ints
    leak: Ints
    reverse: Ints
    random_leak: Ints
    threshold: Ints
    floor: Ints
    jitter: Ints
    gamma: Ints
    kappa: Ints
    reset_sign: Ints
    reset_exponent: Ints

    @classmethod
    def of(cls, n_cores: int, n: int, **registers: npt.ArrayLike) -> Neurons:
        """Broadcast and validate raw values; registers not given are 0, but for ``threshold``, which is 1.

        Raises
        ------
        ShapeError
            Naming the register, the value and its range.
        ConfigurationError
            If there is no such register.
        """
        ranges = register_ranges(load("truenorth"))
        unknown = sorted(set(registers) - set(ranges))
        if unknown:
            raise ConfigurationError(f"truenorth: register {unknown[0]!r} is not known; known: {', '.join(ranges)}")
        found = {}
        for name, (low, high) in ranges.items():
            shape = (n_cores, n, k.TYPES) if name in ("values", "random_synapse") else (n_cores, n)
            raw = registers.get(name, 1 if name == "threshold" else 0)
            try:
                given = np.broadcast_to(np.asarray(raw, np.int64), shape)
            except ValueError:
                raise ShapeError(f"truenorth: register {name}: shape {np.shape(raw)} must be {shape}") from None
            if given.size and (given.min() < low or given.max() > high):
                worst = given.min() if given.min() < low else given.max()
                raise ShapeError(f"truenorth: register {name} = {worst} must lie in {low}..{high}")
            found[name] = given.astype(np.int32)
        return cls(**found)


def register_ranges(sheet: Datasheet) -> dict[str, tuple[int, int]]:
    """Return the lowest and highest value of every register."""
    weight, leak = ((1 << (sheet.int(f"{name}") - 1)) - 1 for name in ("weight.bits", "neuron.leak"))
    return {
        "values": (-weight, weight),
        "random_synapse": (0, 1),
        "leak": (-leak, leak),
        "reverse": (0, 1),
        "random_leak": (0, 1),
        "threshold": (0, (1 << sheet.int("neuron.threshold")) - 1),
        "floor": (0, (1 << sheet.int("neuron.floor")) - 1),
        "jitter": (0, sheet.int("neuron.jitter")),
        "gamma": (0, 2),
        "kappa": (0, 1),
        "reset_sign": (-1, 1),
        "reset_exponent": (0, sheet.int("neuron.reset_exponent_max")),
    }


@dataclass(frozen=True)
class CoreTrace:
    """What :func:`run_cores` returns.

    Attributes
    ----------
    v : ndarray of int32, shape (ticks, n_cores, n)
        V at the end of each tick, after the reset of a spike.
    spikes : ndarray of bool, shape (ticks, n_cores, n)
        Spikes.
    synops, merged, v_high, v_low : int
        Synaptic events, spikes that met another on their axon, neurons that went beyond the upper end of V, and below
        its lower end or their negative threshold.
    """

    v: Ints
    spikes: npt.NDArray[np.bool_]
    synops: int
    merged: int
    v_high: int
    v_low: int


def run_cores(
    neurons: Neurons,
    axon_type: npt.ArrayLike,
    crossbar: npt.ArrayLike,
    target: npt.ArrayLike,
    injected: npt.ArrayLike,
    *,
    seed: int = 0,
    ceiling: int | None = None,
) -> CoreTrace:
    """Run some cores from raw registers.

    Parameters
    ----------
    neurons : Neurons
        Registers.
    axon_type : array_like of int, shape (n_cores, n_axons)
        Type of every axon, 0..3.
    crossbar : array_like of bool, shape (n_cores, n_axons, n)
        Synapses.
    target : array_like of int, shape (n_cores, n, 3)
        (core, axon, delay 1..15) that a neuron's spikes go to; core -1 for none.
    injected : array_like of bool, shape (ticks, n_cores, n_axons)
        Spikes of the host, in the tick in which they are due.
    seed : int
        Seed of the random numbers of all cores.
    ceiling : int, optional
        Where V saturates; default that of the datasheet (NeMo: 393216).

    Returns
    -------
    CoreTrace
        Traces and counts.

    Raises
    ------
    ShapeError
        If a shape does not fit, or a type, target or delay is out of range.
    """
    sheet = load("truenorth")
    n_cores, n = neurons.leak.shape
    kind, wires, goal, given = (np.asarray(a) for a in (axon_type, crossbar, target, injected))
    _check(sheet, neurons, kind, wires, goal, given)
    n_axons, ticks = kind.shape[1], given.shape[0]
    cells, core = cells_of(neurons), np.arange(n_cores)
    keys = np.array([stream_key(seed, c) for c in core.tolist()], np.uint64)
    top = np.array([sheet.int("neuron.ceiling") if ceiling is None else ceiling], np.int32)
    fabric = (cells, randoms_of(cells), np.repeat(core, n), core * n, keys, top)
    counts = np.zeros(k.N_COUNTS, np.int64)
    v, spikes = (np.zeros((ticks, n_cores * n), np.int32) for _ in range(2))
    due = given.reshape(ticks, -1).astype(np.bool_)
    scheduler = scheduler_of(sheet, n_cores * n_axons)
    k.run_registers(due, scheduler, _crossbar(kind, wires), _targets(goal, n_axons), fabric, counts, (v, spikes))
    shape = (ticks, n_cores, n)
    numbers = (int(counts[i]) for i in (e.SYNOPS, k.MERGED, k.V_HIGH, k.V_LOW))
    return CoreTrace(v.reshape(shape), spikes.reshape(shape).astype(np.bool_), *numbers)


def _check(
    sheet: Datasheet, neurons: Neurons, kind: npt.NDArray, wires: npt.NDArray, goal: npt.NDArray, given: npt.NDArray
) -> None:
    n_cores, n = neurons.leak.shape
    n_axons = kind.shape[1] if kind.ndim == 2 else 0
    wished = {"axon_type": (n_cores, n_axons), "crossbar": (n_cores, n_axons, n), "target": (n_cores, n, 3)}
    for (name, shape), array in zip(wished.items(), (kind, wires, goal), strict=True):
        if array.shape != shape:
            raise ShapeError(f"truenorth: {name}: shape {array.shape} must be {shape}")
    if given.shape[1:] != (n_cores, n_axons) or given.ndim != 3:
        raise ShapeError(f"truenorth: injected: shape {given.shape} must be (ticks, {n_cores}, {n_axons})")
    limits = {"axons": n_axons, "neurons": n}
    for name, used in limits.items():
        if used > sheet.int(f"limits.core.{name}"):
            raise ShapeError(f"truenorth: {used} {name} on a core > {sheet.int(f'limits.core.{name}')}")
    sent = goal.reshape(-1, 3)[goal[:, :, 0].ravel() >= 0]
    tests = [("axon_type", kind.ravel(), 0, k.TYPES - 1)]
    tests += [("target core", sent[:, 0], 0, n_cores - 1), ("target axon", sent[:, 1], 0, n_axons - 1)]
    tests += [("delay", sent[:, 2], 1, sheet.int("delay.max"))]
    for name, values, low, high in tests:
        if values.size and (values.min() < low or values.max() > high):
            worst = values.min() if values.min() < low else values.max()
            raise ShapeError(f"truenorth: {name} = {worst} must lie in {low}..{high}")


def _crossbar(kind: npt.NDArray, wires: npt.NDArray) -> tuple[npt.NDArray, ...]:
    """Return (type, row, neuron, number on the core) of axons as the kernels take them."""
    n_cores, n_axons, n = wires.shape
    core, axon, neuron = np.nonzero(wires)
    row = np.searchsorted(core * n_axons + axon, np.arange(n_cores * n_axons + 1)).astype(np.int64)
    number = np.tile(np.arange(n_axons, dtype=np.int32), n_cores)
    return kind.ravel().astype(np.int32), row, (core * n + neuron).astype(np.int32), number


def _targets(goal: npt.NDArray, n_axons: int) -> tuple[npt.NDArray, ...]:
    """Return (row, axon, delay) by neuron as the kernels take them."""
    sends = goal[:, :, 0].ravel() >= 0
    flat = goal.reshape(-1, 3)[sends]
    row = np.append(0, np.cumsum(sends)).astype(np.int64)
    return row, (flat[:, 0] * n_axons + flat[:, 1]).astype(np.int32), flat[:, 2].astype(np.int32)


def scheduler_of(sheet: Datasheet, n_axons: int) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """Return empty schedulers: (bits, list of the axons of each slot, their number) as the kernels take them."""
    slots = sheet.int("delay.slots")
    bits = np.zeros((slots, (n_axons >> k.WORD_BITS) + 1), np.uint64)
    return bits, np.zeros((slots, n_axons), np.int32), np.zeros(slots, np.int64)


def cells_of(neurons: Neurons) -> Ints:
    """Return kernel memory, shape (blocks, FIELDS * LANES), of the neurons of all cores in order."""
    n = neurons.leak.size
    fields = np.zeros((k.FIELDS, max(-(-n // k.LANES), 1) * k.LANES), np.int32)
    fields[k.ALPHA] = 1
    fields[k.ALPHA, :n] = neurons.threshold.ravel()
    fields[k.LEAK, :n] = fields[k.PUSH, :n] = neurons.leak.ravel()
    fields[k.REVERSE, :n] = neurons.reverse.ravel()
    fields[k.RANDOM_LEAK, :n] = neurons.random_leak.ravel()
    fields[k.BETA, :n] = neurons.floor.ravel()
    fields[k.RESET, :n] = (neurons.reset_sign * ((1 << neurons.reset_exponent.astype(np.int64)) - 1)).ravel()
    fields[k.GAMMA, :n], fields[k.KAPPA, :n] = neurons.gamma.ravel(), neurons.kappa.ravel()
    fields[k.MASK, :n] = ((1 << neurons.jitter.astype(np.int64)) - 1).ravel()
    fields[k.COUNT_LOW, :n] = 1
    for g in range(k.TYPES):
        fields[k.S + g, :n] = neurons.values[:, :, g].ravel()
        fields[k.B + g, :n] = neurons.random_synapse[:, :, g].ravel()
    return packed(fields)


def packed(fields: Ints) -> Ints:
    """Return fields [FIELDS, lanes] as blocks with every field side by side."""
    blocks = fields.shape[1] // k.LANES
    return np.ascontiguousarray(fields.reshape(k.FIELDS, blocks, k.LANES).transpose(1, 0, 2)).reshape(blocks, -1)


def randoms_of(cells: Ints) -> npt.NDArray[np.int64]:
    """Return which blocks need random numbers: RANDOM_NEURON, RANDOM_SYNAPSE or both."""
    fields = cells.reshape(len(cells), k.FIELDS, k.LANES)
    neuron = fields[:, [k.RANDOM_LEAK, k.MASK]].any(axis=(1, 2))
    synapse = fields[:, k.B : k.B + k.TYPES].any(axis=(1, 2))
    return np.asarray(neuron * k.RANDOM_NEURON + synapse * k.RANDOM_SYNAPSE, np.int64)
