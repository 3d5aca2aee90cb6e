"""The register-level entry point: raw integers in, integer traces out, to replay vectors of other emulators.

Order of a tick in :func:`run_registers`:

1. ``q``: accumulator values of this tick plus the contributions ``w << (6 + weight_exp)`` that are due [plus noise],
   wrapped to 22 bits.
2. ``u = trunc(u * (4095 - decay_u) / 4096) + q``, truncated toward zero, wrapped to 24 bits.
3. ``v = trunc(v * (4096 - decay_v) / 4096) + (u + bias [+ noise])``, truncated toward zero; the bracket wraps to 24
   bits as in nengo-loihi 1.1.0, then v is cut at vmin and vmax (v saturates, it never wraps).
4. v = 0 while the refractory counter is above 0.
5. Spike where ``v > vth_mant << 6``, strictly: v = 0, counter = ``refract``.
6. counter = max(counter - 1, 0).

Noise is ``(x + 64 * offset) * 2^(exponent - 7)``, truncated toward zero, with ``x`` uniform on -127..127; it goes
either to u (through the accumulator) or to v, as in nengo-loihi 1.1.0. All state starts at 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_int
from insectbot.chips.cuba_int import NOISE_SPAN
from insectbot.chips.datasheet import Datasheet, load
from insectbot.errors import ConfigurationError, ShapeError

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Registers:
    """Registers of ``n`` compartments; every field an int32 vector of length n.

    Attributes
    ----------
    decay_u, decay_v : ndarray
        Decays, 0..4095 of 4096 (``decay_u`` counts one more: 4095 empties the current every tick).
    bias_mant, bias_exp : ndarray
        Bias = mantissa (-4096..4095) << exponent (0..7), added to v every tick.
    vth_mant : ndarray
        Threshold = mantissa (0..131071) << 6.
    vmin_exp, vmax_exp : ndarray
        Bounds of v: -(2^k) + 1 with k 0..31 (never below -(2^23) + 1) and 2^(9 + 2k) - 1 with k 0..7.
    refract : ndarray
        Refractory register, 1..63: v is held at 0 for ``refract - 1`` ticks after the tick of a spike.
    """

    decay_u: Ints
    decay_v: Ints
    bias_mant: Ints
    bias_exp: Ints
    vth_mant: Ints
    vmin_exp: Ints
    vmax_exp: Ints
    refract: Ints

    @classmethod
    def of(cls, n: int, **fields: npt.ArrayLike) -> Registers:
        """Broadcast and validate raw values; raises ShapeError naming the register, the value and its range."""
        ranges = _ranges(load("loihi"))
        vectors = {name: _integers(name, value, (n,), *ranges[name]) for name, value in fields.items()}
        return cls(**vectors)

    def cells(self, slots: npt.NDArray[np.integer] | None = None, n_slots: int | None = None) -> Ints:
        """Return kernel memory, shape (blocks, FIELDS * LANES), with neuron i in lane ``slots[i]``."""
        n = self.decay_u.size
        where = np.arange(n) if slots is None else np.asarray(slots)
        blocks = -(-(n if n_slots is None else n_slots) // cuba_int.LANES)
        fields = np.zeros((cuba_int.FIELDS, blocks * cuba_int.LANES), np.int32)
        fields[cuba_int.THRESHOLD] = cuba_int.V_LIMIT
        fields[cuba_int.V_MIN], fields[cuba_int.V_MAX] = -cuba_int.V_LIMIT, cuba_int.V_LIMIT
        v_min = np.maximum(1 - (np.int64(1) << self.vmin_exp.astype(np.int64)), -cuba_int.V_LIMIT)
        fields[cuba_int.KEEP_U, where] = cuba_int.DECAY_ONE - 1 - self.decay_u
        fields[cuba_int.KEEP_V, where] = cuba_int.DECAY_ONE - self.decay_v
        fields[cuba_int.BIAS, where] = self.bias_mant << self.bias_exp
        fields[cuba_int.THRESHOLD, where] = self.vth_mant << 6
        fields[cuba_int.V_MIN, where] = v_min
        fields[cuba_int.V_MAX, where] = (1 << (9 + 2 * self.vmax_exp)) - 1
        fields[cuba_int.REFRACT, where] = self.refract
        fields[cuba_int.COUNT_LOW, where] = 1
        packed = fields.reshape(cuba_int.FIELDS, blocks, cuba_int.LANES).transpose(1, 0, 2)
        return np.ascontiguousarray(packed).reshape(blocks, -1)


@dataclass(frozen=True)
class RegisterTrace:
    """What :func:`run_registers` returns.

    Attributes
    ----------
    u, v : ndarray of int32, shape (ticks, n)
        Current and voltage at the end of each tick (v after the reset of a spike).
    spikes : ndarray of bool, shape (ticks, n)
        Spikes.
    q_wraps, u_wraps, v_low, v_high, bias_wraps : int
        How often the 22-bit accumulator and the 24-bit current wrapped, v was cut at vmin and vmax, and the sum of
        current, bias and noise wrapped.
    """

    u: Ints
    v: Ints
    spikes: npt.NDArray[np.bool_]
    q_wraps: int
    u_wraps: int
    v_low: int
    v_high: int
    bias_wraps: int


@dataclass(frozen=True)
class Noise:
    """Compartment noise as the registers of a core give it.

    Attributes
    ----------
    x : array_like of int, shape (ticks, n)
        The random numbers of every tick, -127..127.
    exponent : int
        1..23.
    offset : int
        -64..63.
    to : {"v", "u"}
        What the noise is added to.
    """

    x: npt.ArrayLike
    exponent: int = 7
    offset: int = 0
    to: str = "v"


def _ranges(sheet: Datasheet) -> dict[str, tuple[int, int]]:
    decay = (0, (1 << sheet.int("neuron.decay")) - 1)
    mantissa = 1 << (sheet.int("neuron.bias_mantissa") - 1)
    return {
        "decay_u": decay,
        "decay_v": decay,
        "bias_mant": (-mantissa, mantissa - 1),
        "bias_exp": (0, sheet.int("neuron.bias_exponent_max")),
        "vth_mant": (0, (1 << sheet.int("neuron.threshold_mantissa")) - 1),
        "vmin_exp": (0, sheet.int("neuron.vmin_exponent_max")),
        "vmax_exp": (0, sheet.int("neuron.vmax_exponent_max")),
        "refract": (sheet.int("neuron.refractory_min"), sheet.int("neuron.refractory_max")),
        "weights": (-sheet.int("weight.magnitude_max") - 1, sheet.int("weight.magnitude_max")),
        "weight_exp": (sheet.int("weight.exponent_min"), sheet.int("weight.exponent_max")),
        "delays": (0, sheet.int("delay.max")),
        "latency": (0, 1),
        "noise": (-NOISE_SPAN, NOISE_SPAN),
    }


def noise_registers(exponent: int, offset: int, to: str) -> tuple[int, int, int]:
    """Return (target, exponent, offset) of the noise of a core as kernels take it.

    Raises
    ------
    ConfigurationError
        If a register is out of its range.
    """
    for name, value, low, high in (("exponent", exponent, 1, 23), ("offset", offset, -64, 63)):
        if not low <= value <= high:
            raise ConfigurationError(f"loihi noise: {name} = {value} must lie in {low}..{high}")
    if to not in ("u", "v"):
        raise ConfigurationError(f"loihi noise: to = {to!r} must be 'u' or 'v'")
    return (cuba_int.NOISE_U if to == "u" else cuba_int.NOISE_V), exponent, offset


def _integers(name: str, value: npt.ArrayLike, shape: tuple[int, ...], low: int, high: int) -> Ints:
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise ShapeError(f"loihi registers: {name} has type {array.dtype}, must be integers")
    if array.size and (array.min() < low or array.max() > high):
        worst = int(array.min() if array.min() < low else array.max())
        raise ShapeError(f"loihi registers: {name} = {worst} must lie in {low}..{high}")
    try:
        return np.array(np.broadcast_to(array, shape), np.int32)
    except ValueError as error:
        raise ShapeError(f"loihi registers: {name} has shape {array.shape}, must be a number or {shape}") from error


def contribution(weights: npt.NDArray, exponents: npt.NDArray | int) -> Ints:
    """Return ``w << (6 + exponent)``, an arithmetic right shift where ``6 + exponent`` is negative."""
    w = np.asarray(weights, np.int64)
    shift = 6 + np.broadcast_to(np.asarray(exponents, np.int64), w.shape)
    return np.where(shift >= 0, w << np.maximum(shift, 0), w >> np.maximum(-shift, 0)).astype(np.int32)


def run_registers(
    *,
    decay_u: npt.ArrayLike,
    decay_v: npt.ArrayLike,
    vth_mant: npt.ArrayLike,
    bias_mant: npt.ArrayLike = 0,
    bias_exp: npt.ArrayLike = 0,
    vmin_exp: npt.ArrayLike = 23,
    vmax_exp: npt.ArrayLike = 7,
    refract: npt.ArrayLike = 1,
    accumulator: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    weight_exp: npt.ArrayLike = 0,
    delays: npt.ArrayLike = 0,
    spikes: npt.ArrayLike | None = None,
    latency: int = 1,
    refractory_clamp: bool = True,
    noise: Noise | None = None,
) -> RegisterTrace:
    """Run compartments on raw register values; the module's docstring gives the order of a tick.

    Parameters
    ----------
    decay_u, decay_v, vth_mant, bias_mant, bias_exp, vmin_exp, vmax_exp, refract : int or array_like, shape (n,)
        Registers; meaning and ranges as in :class:`Registers`.
    accumulator : array_like of int, shape (ticks, n), optional
        Values added to the accumulator at each tick, |value| < 2^30.
    weights : array_like of int, shape (n, n_in), optional
        Weights ``[post, pre]``, -256..255; 0 is no synapse.
    weight_exp, delays : int or array_like, shape (n, n_in)
        Weight exponents, -7..7, and delay registers, 0..62 ticks.
    spikes : array_like of bool, shape (ticks, n_in), optional
        Input spikes: one in row t is accumulated at tick ``t + latency + delay``.
    latency : int
        1: rows are ticks of emission, which reach the core one tick later; 0: rows are ticks of arrival.
    refractory_clamp : bool
        False leaves out step 4, as in Lava's bit-accurate model, which has no refractory period.
    noise : Noise, optional
        Compartment noise; default none.

    Returns
    -------
    RegisterTrace
        Traces of u, v and spikes, and the counts of wraps and cuts.

    Raises
    ------
    ShapeError, ConfigurationError
        If a value is out of its range, an array has the wrong shape, or contributions could leave 32 bits.
    """
    values, matrix, injected = _shapes(accumulator, weights, spikes)
    n = values.shape[1]
    neuron = {"decay_u": decay_u, "decay_v": decay_v, "vth_mant": vth_mant, "refract": refract}
    neuron |= {"bias_mant": bias_mant, "bias_exp": bias_exp, "vmin_exp": vmin_exp, "vmax_exp": vmax_exp}
    registers = Registers.of(n, **neuron)
    if not refractory_clamp:
        registers = replace(registers, refract=np.ones_like(registers.refract))
    rows = _rows(matrix, weight_exp, delays, latency, int(np.abs(values).max(initial=0)))
    cells = registers.cells()
    return _run(cells, values.astype(np.int32), injected, _pushes(noise, values.shape, cells.shape[0]), rows)


def _pushes(noise: Noise | None, shape: tuple[int, ...], blocks: int) -> Ints:
    """Return the noise as the kernel takes it: [ticks, blocks, 2 * LANES], for u and for v."""
    if noise is None:
        return np.zeros((1, blocks, 2 * cuba_int.LANES), np.int32)
    x = _integers("noise", noise.x, shape, *_ranges(load("loihi"))["noise"])
    target, exponent, offset = noise_registers(noise.exponent, noise.offset, noise.to)
    shift = exponent - cuba_int.NOISE_SHIFT
    raw = x.astype(np.int64) + cuba_int.OFFSET_STEP * offset
    padded = np.zeros((x.shape[0], blocks * cuba_int.LANES), np.int32)
    size = np.abs(raw) << shift if shift >= 0 else np.abs(raw) >> -shift
    padded[:, : x.shape[1]] = np.sign(raw) * size
    out = np.zeros((x.shape[0], blocks, 2, cuba_int.LANES), np.int32)
    out[:, :, target - cuba_int.NOISE_U] = padded.reshape(x.shape[0], blocks, cuba_int.LANES)
    return out.reshape(x.shape[0], blocks, -1)


def _run(
    cells: Ints, values: Ints, injected: npt.NDArray, pushes: Ints, rows: tuple[npt.NDArray, ...]
) -> RegisterTrace:
    """Run the kernel from a state of zeros."""
    shape = values.shape
    ring = np.zeros((cuba_int.DELAY_SLOTS, cells.shape[0] * cuba_int.LANES), np.int32)
    counts = np.zeros(cuba_int.N_COUNTS, np.int64)
    trace = (np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.bool_))
    cuba_int.run_core(values, injected, pushes, cells, ring, counts, rows, trace)
    wraps = (cuba_int.Q_WRAPS, cuba_int.U_WRAPS, cuba_int.V_LOW, cuba_int.V_HIGH, cuba_int.BIAS_WRAPS)
    return RegisterTrace(*trace, *(int(counts[k]) for k in wraps))


def _shapes(
    accumulator: npt.ArrayLike | None, weights: npt.ArrayLike | None, spikes: npt.ArrayLike | None
) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    if (weights is None) != (spikes is None) or (accumulator is None and weights is None):
        raise ShapeError("loihi registers: give accumulator values, or weights and spikes together, or all three")
    matrix = np.zeros((0, 0), np.int32) if weights is None else np.asarray(weights)
    injected = np.zeros((0, 0), np.bool_) if spikes is None else np.asarray(spikes).astype(np.bool_)
    if matrix.ndim != 2 or injected.ndim != 2 or matrix.shape[1] != injected.shape[1]:
        raise ShapeError(
            f"loihi registers: weights {matrix.shape} must be [n, n_in] and spikes {injected.shape} [ticks, n_in]"
        )
    if accumulator is None:
        return np.zeros((injected.shape[0], matrix.shape[0]), np.int64), matrix, injected
    values = np.asarray(accumulator)
    if values.dtype.kind not in "iu" or values.ndim != 2 or (values.size and abs(values).max() >= 1 << 30):
        raise ShapeError("loihi registers: accumulator must be integers [ticks, n] below 2^30")
    if weights is None:
        empty = np.zeros((values.shape[1], 0), np.int32)
        return values.astype(np.int64), empty, np.zeros((values.shape[0], 0), np.bool_)
    if (injected.shape[0], matrix.shape[0]) != values.shape:
        expected = (injected.shape[0], matrix.shape[0])
        raise ShapeError(f"loihi registers: accumulator has shape {values.shape}, must be {expected}")
    return values.astype(np.int64), matrix, injected


def _rows(
    matrix: npt.NDArray, weight_exp: npt.ArrayLike, delays: npt.ArrayLike, latency: int, injected: int
) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray, npt.NDArray]:
    """Return synapses by source: (row, target, contribution, delay)."""
    ranges = _ranges(load("loihi"))
    w = _integers("weights", matrix, matrix.shape, *ranges["weights"])
    exponent = _integers("weight_exp", weight_exp, matrix.shape, *ranges["weight_exp"])
    delay = _integers("delays", delays, matrix.shape, *ranges["delays"])
    late = int(_integers("latency", latency, (1,), *ranges["latency"])[0])
    amount = contribution(w, exponent)
    reach = int(np.abs(amount.astype(np.int64)).sum(axis=1).max(initial=0)) + injected
    if reach >= 1 << 31:
        raise ShapeError(f"loihi registers: contributions up to {reach} would leave the emulator's 32-bit accumulator")
    pre, post = np.nonzero(w.T)
    row = np.searchsorted(pre, np.arange(matrix.shape[1] + 1)).astype(np.int64)
    return row, post.astype(np.int32), amount[post, pre], (delay[post, pre] + late).astype(np.int32)
