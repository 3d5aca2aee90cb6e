"""The raw entry point: accums, factors and 16-bit weights in, traces out, to replay vectors of other emulators.

Order of a tick in :func:`run_accums` (neurons first, as on the chip's timer interrupt, then spikes):

1. ``I_x = (I_x * decay_x) >> 32``, floor; a decay is u0.32.
2. ``I_x += ((ring << shift_x) * init_x) >> 32``, floor; the ring-buffer slot of this tick is cleared.
3. Not refractory (timer <= 0): ``alpha = r((I_exc - I_inh + i_offset) * r_membrane) + v_rest``,
   ``V = alpha - r(exp_tc * (alpha - V))``, then ``V = max(V, v_min)``. Refractory: timer -= 1.
   ``r`` is ``(product + 2^14) >> 15``, or ``product >> 15`` with ``multiply="truncate"``.
4. Spike where ``V >= v_thresh``: V = v_reset, timer = t_refract.
5. The spikes of this tick, inputs first, add their weights to ring-buffer slots ``delay`` ticks ahead; an entry
   saturates at 65535.

Accums are s16.15 in 32 bits; every sum that leaves them wraps, and is counted once per neuron and step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import s1615 as k
from insectbot.chips import s1615_learn as sl
from insectbot.errors import ConfigurationError, ShapeError

Ints = npt.NDArray[np.int64]
_ACCUM = (k.INT_MIN, k.INT_MAX)
RANGES = dict.fromkeys(k.PARAMETERS, _ACCUM) | {
    "decay_exc": (0, k.U32_ONE - 1),
    "decay_inh": (0, k.U32_ONE - 1),
    "init_exc": (0, k.U32_ONE),
    "init_inh": (0, k.U32_ONE),
    "shift_exc": (0, 15),
    "shift_inh": (0, 15),
    "exp_tc": (0, k.ONE),
    "t_refract": (0, k.INT_MAX),
}
"""Raw parameter -> (smallest, largest) value. ``init`` 2^32 is 1, which delta synapses have."""


@dataclass(frozen=True)
class AccumTrace:
    """What :func:`run_accums` returns.

    Attributes
    ----------
    i_exc, i_inh, v : ndarray of int64, shape (ticks, n)
        Accums at the end of each tick (V after the reset of a spike).
    spikes : ndarray of bool, shape (ticks, n)
        Spikes.
    ring_saturations, wraps : int
        Ring-buffer entries that were cut, sums that left 32 bits.
    """

    i_exc: Ints
    i_inh: Ints
    v: Ints
    spikes: npt.NDArray[np.bool_]
    ring_saturations: int
    wraps: int


def _checked(name: str, value: npt.ArrayLike, shape: tuple[int, ...], low: int, high: int) -> Ints:
    array = np.asarray(value)
    if array.size and array.dtype.kind not in "iu":
        raise ShapeError(f"spinnaker accums: {name} has type {array.dtype}, must be integers")
    if array.size and (array.min() < low or array.max() > high):
        worst = int(array.min() if array.min() < low else array.max())
        raise ShapeError(f"spinnaker accums: {name} = {worst} must lie in {low}..{high}")
    try:
        return np.array(np.broadcast_to(array, shape), np.int64)
    except ValueError as error:
        raise ShapeError(f"spinnaker accums: {name} has shape {array.shape}, must be a number or {shape}") from error


def _parameters(n: int, given: dict[str, npt.ArrayLike]) -> Ints:
    unknown = sorted(set(given) - set(k.PARAMETERS))
    if unknown:
        raise ConfigurationError(f"spinnaker accums: {unknown[0]!r} is not one of {', '.join(k.PARAMETERS)}")
    defaults: dict[str, npt.ArrayLike] = dict.fromkeys(k.PARAMETERS, 0)
    defaults |= {"init_exc": k.U32_ONE, "init_inh": k.U32_ONE, "v_min": k.INT_MIN, "v_thresh": k.INT_MAX}
    values = defaults | given
    return np.array([_checked(name, values[name], (n,), *RANGES[name]) for name in k.PARAMETERS])


def _wired(
    injected: npt.NDArray,
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    weight: npt.ArrayLike,
    delay: npt.ArrayLike,
    inhibitory: npt.ArrayLike,
    n: int,
    slots: int,
) -> tuple[Ints, tuple[npt.NDArray, npt.NDArray, npt.NDArray]]:
    """Return the checked synapses by source: (row, (target entry, weight, delay))."""
    source = np.asarray(pre, np.int64)
    if injected.ndim != 2 or source.ndim != 1:
        raise ShapeError(
            f"spinnaker accums: spikes {injected.shape} must be [ticks, n_in], pre {source.shape} a vector"
        )
    n_in, shape = injected.shape[1], source.shape
    source = _checked("pre", source, shape, 0, n_in + n - 1)
    target = _checked("post", post, shape, 0, n - 1)
    kind = _checked("inhibitory", inhibitory, shape, 0, 1)
    amount = _checked("weight", weight, shape, 0, k.WEIGHT_MAX).astype(np.int32)
    late = _checked("delay", delay, shape, 1, slots).astype(np.int32)
    order = np.argsort(source, kind="stable")
    row = np.searchsorted(source[order], np.arange(n_in + n + 1)).astype(np.int64)
    synapses = ((kind * n + target)[order].astype(np.int32), amount[order], late[order])
    return row, synapses


def run_accums(
    *,
    spikes: npt.ArrayLike,
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    weight: npt.ArrayLike,
    delay: npt.ArrayLike,
    inhibitory: npt.ArrayLike = 0,
    n: int,
    v: npt.ArrayLike = 0,
    slots: int = 16,
    multiply: str = "nearest",
    **parameters: npt.ArrayLike,
) -> AccumTrace:
    """Run neurons on raw values; the module's docstring gives the order of a tick.

    Parameters
    ----------
    spikes : array_like of bool, shape (ticks, n_in)
        Input spikes.
    pre, post : array_like of int, shape (n_synapses,)
        Source: input j is j, neuron i is n_in + i. Target neuron.
    weight, delay, inhibitory : int or array_like, shape (n_synapses,)
        Weight, 0..65535; ticks, 1..slots; synapse type, 0 or 1.
    n : int
        Number of neurons.
    v : int or array_like, shape (n,)
        Accum of V before the first tick.
    slots : int
        Ring-buffer slots, a power of two.
    multiply : {"nearest", "truncate"}
        Rounding of the products of step 3.
    **parameters
        Raw values, one or n of each, by the names in :data:`RANGES`, such as ``decay_exc``.

    Raises
    ------
    ShapeError
        If a value is out of its range or an array has the wrong shape.
    ConfigurationError
        If a parameter, the rounding or the number of slots is not known.
    """
    if multiply not in ("nearest", "truncate"):
        raise ConfigurationError(f"spinnaker accums: multiply = {multiply!r} must be nearest or truncate")
    if slots < 1 or slots & (slots - 1):
        raise ConfigurationError(f"spinnaker accums: slots = {slots} must be a power of two")
    injected = np.asarray(spikes).astype(np.bool_)
    row, synapses = _wired(injected, pre, post, weight, delay, inhibitory, n, slots)
    state = np.zeros((k.N_STATE, n), np.int64)
    state[k.V] = _checked("v", v, (n,), *_ACCUM)
    ring, counts = np.zeros((slots, 2 * n), np.uint16), np.zeros(k.N_COUNTS, np.int64)
    out = (injected.shape[0], n)
    trace = (np.zeros(out, np.int64), np.zeros(out, np.int64), np.zeros(out, np.int64), np.zeros(out, np.bool_))
    half = k.HALF if multiply == "nearest" else 0
    k.run_core(injected, row, synapses, _parameters(n, parameters), state, ring, half, counts, trace)
    return AccumTrace(*trace, int(counts[k.RING_SATURATIONS]), int(counts[k.WRAPS]))


@dataclass(frozen=True)
class SynapseTrace:
    """What :func:`run_synapse` returns: weight and eligibility [16 bits] after every presynaptic spike."""

    weight: Ints
    eligibility: Ints


def run_synapse(
    *,
    weight: int,
    pre: list[int],
    post: list[int],
    rewards: list[tuple[int, int]] | None = None,
    delay: int = 1,
    rule: npt.ArrayLike,
    tables: npt.ArrayLike,
) -> SynapseTrace:
    """Run one plastic synapse on raw values.

    In a tick rewards come first, then the postsynaptic spike enters the history, then the presynaptic spike fetches the
    row; ``s1615_learn.py`` gives the arithmetic.

    Parameters
    ----------
    weight : int
        Weight, 0..65535.
    pre, post : list of int
        Ticks of spikes, rising.
    rewards : list of (int, int), optional
        Tick and concentration, with 11 fraction bits.
    delay : int
        Ticks; counts for postsynaptic spikes where the rule has BACKPROP.
    rule : array_like of int, shape (12,)
        A_PLUS, A_MINUS, W_LOW, W_HIGH, E_LOW, E_HIGH [accum]; SHIFT, REWARDED, FACTOR [accum], SHIFT_C, SHIFT_D,
        BACKPROP.
    tables : array_like of int, shape (4, longest)
        Decays of tau_plus, tau_minus, eligibility and dopamine, padded with 0.
    """
    parameters, luts = np.asarray(rule, np.int64), np.asarray(tables, np.int16)
    history = (np.zeros(1, np.int64), *(np.zeros((1, sl.HISTORY), np.int32) for _ in range(4)))
    learned = (np.zeros(1, np.int64), np.zeros(1, np.int32), np.zeros(1, np.int32), history)
    synapse = (np.zeros(1, np.int32), np.array([weight], np.int32), np.array([delay], np.int32))
    ring, counts = np.zeros((64, 2), np.uint16), np.zeros(k.N_COUNTS, np.int64)
    pulses = dict(rewards or [])
    found = []
    for tick in range(max([*pre, *post, *pulses, 0]) + 1):
        if tick in pulses:
            sl.reward_event(0, tick, pulses[tick], luts, parameters, history, counts)
        if tick in post:
            sl.post_spike(0, tick, luts, parameters, history, counts)
        if tick in pre:
            sl.fetch(0, 1, 0, tick, synapse, ring, luts, parameters, learned, counts)
            found.append((int(synapse[1][0]), int(learned[2][0])))
    values = np.array(found, np.int64).reshape(-1, 2)
    return SynapseTrace(values[:, 0], values[:, 1])
