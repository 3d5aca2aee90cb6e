"""The raw entry point of Neurogrid's arithmetic: published parameters and arriving spikes in, traces out.

Order of a step in :func:`run_quadratic`, all in float64 (chips sheet 6; K_x is dt / tau_x):

1. Arrivals of channel c lengthen its pulse by t_rise / dt each, up to one step, or to one whole pulse where that is
   longer. What is cut has no effect and is counted as merged.
2. ``g_c <- (g_c + K_c g_sat on) / (1 + K_c)``, ``on``: the part of this step that the pulse fills; the pulse shortens.
3. ``G = arbor g`` with a shared dendrite, else G = g (before its second neuron sees it, all g are up to date).
4. ``v_d <- (v_d + K_d (i_d + sum G e)) / (1 + K_d (1 + sum G))``.
5. ``g_k <- (g_k + K_k g_k_inf p) / (1 + K_k)``, p: 1 in the ``t_res`` after a spike.
6. Held: one step less. Else ``v <- v + K_s (-v + v^2 / 2 + i_in + v_d - g_k v)``; where ``v >= v_pk``: a spike, v = 0,
   held for ``t_ref``.

There is no overflow: values are floats. Magnitudes below 1e-100 become 0. Times that count steps (t_ref, t_res) are
rounded to the nearest whole number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import qif_analog as k
from insectbot.chips.neurogrid_arbor import arbor_of
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.validate import require_not_negative, require_positive

Floats = npt.NDArray[np.float64]

SOMA = {"tau_s": 1.0, "i_in": 0.0, "v_pk": 10.0, "t_ref": 0.0, "tau_k": 1.0, "g_k_inf": 0.0, "t_res": 0.0}
SOMA |= {"tau_d": 1.0, "i_d": 0.0}
"""Parameters of a neuron and their defaults: times in ms, the rest in leak levels."""
SYNAPSE = {"tau_c": 1.0, "g_sat": 0.0, "t_rise": 0.1, "e": 0.0}
"""Parameters of each of the four synapse populations and their defaults."""
MOST = 32767
"""Most arrivals at a synapse population in a step."""
_ROWS = {"i_in": k.I_IN, "v_pk": k.V_PK, "g_k_inf": k.G_K_INF, "i_d": k.I_D}
_CHANNEL_ROWS = {"g_sat": k.G_SAT, "e": k.REVERSAL}
_RATES = {"tau_s": k.K_S, "tau_k": k.K_K, "tau_d": k.K_D}
_STEPS = {"t_ref": k.HOLD, "t_res": k.RESET_PULSE}


@dataclass(frozen=True)
class QuadraticTrace:
    """What :func:`run_quadratic` returns.

    Attributes
    ----------
    v, g_k, v_d : ndarray of float64, shape (steps, n)
        State at the end of each step (v after the reset of a spike).
    g : ndarray of float64, shape (steps, 4, n)
        Conductances where the synapses are, before they spread.
    spikes : ndarray of bool, shape (steps, n)
        Spikes.
    merged : int
        Arrivals without effect.
    """

    v: Floats
    g_k: Floats
    v_d: Floats
    g: Floats
    spikes: npt.NDArray[np.bool_]
    merged: int


def run_quadratic(
    arrivals: npt.ArrayLike, *, dt: float = 0.1, columns: int = 1, length: float = 0.0, **parameters: npt.ArrayLike
) -> QuadraticTrace:
    """Run neurons of one Neurocore.

    Parameters
    ----------
    arrivals : array_like of int, shape (steps, 4, n)
        Spikes that arrive at each synapse population in each step, 0..32767.
    dt : float
        Step [ms].
    columns : int
        Neurons in a row of the hexagonal grid.
    length : float
        Decay length of the shared dendrite [distances between neurons]; 0 switches it off.
    **parameters
        Those of :data:`SOMA`, one number or one per neuron, and of :data:`SYNAPSE`, one number, four, or [4, n].

    Raises
    ------
    ConfigurationError
        If a parameter is unknown or out of range.
    ShapeError
        If an array has the wrong shape, or arrivals are not such whole numbers.
    """
    counts = np.asarray(arrivals)
    whole = counts.dtype.kind in "iu" and not (counts.size and (counts.min() < 0 or counts.max() > MOST))
    if counts.ndim != 3 or counts.shape[1] != k.CHANNELS or not whole:
        raise ShapeError(
            f"run_quadratic: arrivals of shape {counts.shape} must be whole numbers 0..{MOST}, [steps, 4, n]"
        )
    require_positive("run_quadratic", dt=dt, columns=columns)
    require_not_negative("run_quadratic", length=length)
    steps, _, n = counts.shape
    p = _parameters(n, dt, parameters)
    state, trace = np.zeros((k.N_STATE, n)), np.zeros((steps, 7, n))
    spikes = np.zeros((steps, n), np.bool_)
    arbor = arbor_of(np.array([0, n]), int(columns), length)
    merged = k.replay(p, state, counts.astype(np.int16), arbor, trace, spikes)
    return QuadraticTrace(trace[:, 0], trace[:, 1], trace[:, 2], trace[:, 3:], spikes, int(merged))


def _parameters(n: int, dt: float, given: dict[str, npt.ArrayLike]) -> Floats:
    known = SOMA | SYNAPSE
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigurationError(f"run_quadratic: {unknown[0]!r} is not one of {', '.join(known)}")
    p = np.zeros((k.N_PARAMETERS, n))
    for name, default in SOMA.items():
        value = _checked(name, given.get(name, default), (n,))
        if name in _RATES:
            p[_RATES[name]] = dt / value
        elif name in _STEPS:
            p[_STEPS[name]] = np.rint(value / dt)
        else:
            p[_ROWS[name]] = value
    for name, default in SYNAPSE.items():
        raw = np.asarray(given.get(name, default), np.float64)
        value = _checked(name, raw[:, None] if raw.ndim == 1 else raw, (k.CHANNELS, n))
        if name in _CHANNEL_ROWS:
            p[_CHANNEL_ROWS[name] : _CHANNEL_ROWS[name] + k.CHANNELS] = value
        elif name == "tau_c":
            p[k.K_C : k.K_C + k.CHANNELS] = dt / value
        else:
            p[k.RISE : k.RISE + k.CHANNELS] = value / dt
    return p


def _checked(name: str, value: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    try:
        array = np.array(np.broadcast_to(np.asarray(value, np.float64), shape))
    except ValueError:
        raise ShapeError(f"run_quadratic: {name} has shape {np.shape(value)}, must fit {shape}") from None
    if name in ("tau_s", "tau_k", "tau_d", "tau_c", "t_rise", "v_pk"):
        wrong = ~(array > 0)
    elif name in ("t_ref", "t_res", "g_sat", "g_k_inf"):
        wrong = ~(array >= 0)
    else:
        wrong = ~np.isfinite(array)
    if wrong.any() or not np.isfinite(array).all():
        raise ConfigurationError(
            f"run_quadratic: {name} = {array[wrong][0] if wrong.any() else np.inf:g} is out of range"
        )
    return array
