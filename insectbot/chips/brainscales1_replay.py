"""The raw entry point of BrainScaleS-1's arithmetic: AdEx parameters and arriving conductances in, traces out.

Order of a step in :func:`run_conductance_adex`, all in float64 (chips sheet 5.1)::

    g <- g (1 - dt / tau_syn) + x                         both inputs; a spike acts in the step in which it arrives
    v <- v + dt / c (g_l (v_l - v + d_t exp(min((v - v_t) / d_t, 6))) + g_exc (e_exc - v) + g_inh (e_inh - v) - w)
    v is bounded by ``floor`` and ``ceiling``; spike where v > threshold
    w <- w + dt / tau_w (a (v - v_l) - w), + b at a spike
    at a spike v = reset, held for ``hold`` steps, in which g and w go on

There is no overflow: values are floats. Conductances below 1e-100 become 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import adex_analog as a
from insectbot.chips import hicann_analog as k
from insectbot.errors import ConfigurationError, ShapeError

Floats = npt.NDArray[np.float64]

DEFAULTS = {
    "c": 1.0, "g_l": 1.0, "v_l": 400.0, "threshold": 600.0, "reset": 400.0, "hold": 0.0, "d_t": 1.0, "v_t": 600.0,
    "tau_exc": 1.0, "tau_inh": 1.0, "e_exc": 1000.0, "e_inh": 0.0, "tau_w": 1.0, "a": 0.0, "b": 0.0, "floor": 0.0,
    "ceiling": 1023.0,
}  # fmt: skip
"""Parameters and their defaults: potentials in LSB of the floating gates, times in the unit of dt, hold in steps."""
_ROWS = {
    "g_l": a.G_L, "v_l": a.V_L, "threshold": a.THRESHOLD, "reset": a.RESET, "hold": a.HOLD, "d_t": a.D_T, "v_t": a.V_T,
    "e_exc": k.E_EXC, "e_inh": k.E_INH, "a": a.A, "b": a.B, "floor": a.FLOOR, "ceiling": a.CEILING,
}  # fmt: skip
_RATES = {"tau_exc": a.K_EXC, "tau_inh": a.K_INH, "c": a.K_M, "tau_w": a.K_W}
TERMS = {"leak": a.LEAK_TERM, "exponential": a.EXPONENTIAL_TERM, "adaptation": a.ADAPTATION_TERM}
"""Terms of the equation that can be switched on."""


@dataclass(frozen=True)
class AdexTrace:
    """What :func:`run_conductance_adex` returns.

    Attributes
    ----------
    v, g_exc, g_inh, w : ndarray of float64, shape (steps, n)
        State at the end of each step (v after the reset of a spike).
    spikes : ndarray of bool, shape (steps, n)
        Spikes.
    """

    v: Floats
    g_exc: Floats
    g_inh: Floats
    w: Floats
    spikes: npt.NDArray[np.bool_]


def run_conductance_adex(
    arrivals: npt.ArrayLike, *, dt: float, terms: tuple[str, ...] = tuple(TERMS), **parameters: npt.ArrayLike
) -> AdexTrace:
    """Run neurons from rest.

    Parameters
    ----------
    arrivals : array_like, shape (steps, 2, n)
        Excitatory and inhibitory conductance that arrives in each step, >= 0, in units of ``g_l``.
    dt : float
        Step, in the unit of the time constants.
    terms : tuple of str
        Those of :data:`TERMS` that act.
    **parameters
        Those of :data:`DEFAULTS`, one number or one per neuron.

    Raises
    ------
    ConfigurationError
        If a parameter or a term is unknown, or a parameter is out of range.
    ShapeError
        If an array has the wrong shape, or arrivals are negative or not finite.
    """
    x = np.array(arrivals, np.float64)
    if x.ndim != 3 or x.shape[1] != 2 or not (np.isfinite(x).all() and (x >= 0).all()):
        raise ShapeError(f"run_conductance_adex: arrivals of shape {x.shape} must be numbers >= 0, [steps, 2, n]")
    wrong = sorted(set(terms) - set(TERMS)) or sorted(set(parameters) - set(DEFAULTS))
    if wrong:
        known = TERMS if set(terms) - set(TERMS) else DEFAULTS
        raise ConfigurationError(f"run_conductance_adex: {wrong[0]!r} is not one of {', '.join(known)}")
    steps, _, n = x.shape
    p, state = np.zeros((k.N_PARAMETERS, n)), np.zeros((a.N_STATE, n))
    for name, default in DEFAULTS.items():
        value = _checked(name, parameters.get(name, default), n)
        if name in _RATES:
            p[_RATES[name]] = dt / value
        else:
            p[_ROWS[name]] = value
    state[a.V] = p[a.V_L]
    trace, spikes = np.zeros((steps, 4, n)), np.zeros((steps, n), np.bool_)
    k.replay(p, state, x, sum(TERMS[t] for t in terms), trace, spikes)
    return AdexTrace(trace[:, 0], trace[:, 1], trace[:, 2], trace[:, 3], spikes)


def _checked(name: str, value: npt.ArrayLike, n: int) -> Floats:
    try:
        array = np.array(np.broadcast_to(np.asarray(value, np.float64), (n,)))
    except ValueError:
        raise ShapeError(f"run_conductance_adex: {name} has shape {np.shape(value)}, must fit ({n},)") from None
    if name in _RATES or name == "d_t":
        wrong = ~((array > 0) & np.isfinite(array))
    else:
        wrong = np.isnan(array) if name in ("floor", "ceiling") else ~np.isfinite(array)
    if wrong.any():
        raise ConfigurationError(f"run_conductance_adex: {name} = {array[wrong][0]:g} is out of range")
    return array
