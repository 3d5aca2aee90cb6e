"""LASSO by a spiking locally competitive algorithm: the rate of a unit is the coefficient of its dictionary element.

``min over a >= 0 of 1/2 |x - D a|^2 + lambda sum a``. Rozell, Johnson, Baraniuk & Olshausen (2008) solve it by units
that are driven by ``b = D'x - lambda`` and inhibit each other by ``G - I``, ``G = D'D``; Shapero, Zhu, Hasler &
Rozell (2014) with integrate-and-fire units, whose spike is one quantum of the coefficient. Why it works: whatever a
unit gets beyond what its spikes took stays in its potential. If potentials stay bounded, the sums over a time T say
``b - G a = O(1/T)`` for every unit that spikes and ``b - G a <= O(1/T)`` for the others, which are the conditions of
the optimum (Tang, Lin & Davies 2017). So the error falls as 1/T where a reset keeps what went beyond the threshold
and nothing bounds a potential from below near rest. A reset to 0 loses what went beyond: half of what a tick brings.

Potentials are in thresholds. ``rate`` [Hz] is that of a unit whose coefficient is 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError
from insectbot.snn import IF, LIF, CurrentInput, Exponential, Input, Network, Population, Projection, RegularInput

Reals = npt.NDArray[np.float64]

RESETS = ("subtract", "zero")
UNITS = ("IF", "current")
CLOCKS = ("neuron", "input")
FLOOR = 64.0
"""How far below rest a unit with reset to zero may fall [thresholds]: far enough to tell nothing from none."""
DEPTH = 2.0**23 / (254 << 6)
"""How far below rest the current of a unit may fall [thresholds]: 24 bits hold it if the reset is an 8-bit weight."""
LONGEST = 4096.0
"""Longest decay of a current [ticks]: 12 bits have none slower."""
WORD = 127
"""Steps of an 8-bit weight of mixed sign; a second word holds what the first rounds off."""


def doubled(dictionary: npt.ArrayLike) -> Reals:
    """Return ``[D, -D]``: coefficients of both signs are differences of two that are not negative."""
    d = np.asarray(dictionary, np.float64)
    return np.hstack([d, -d])


def lca(
    dictionary: npt.ArrayLike,
    penalty: float,
    *,
    rate: float = 50.0,
    tau: float = 10.0,
    reset: str = "subtract",
    tau_m: float = 1e6,
    dt: float = 1.0,
) -> Network:
    """Build the circuit that takes any signal as analog current: ``v' = rate (D'x - lambda) - (G - I) I``.

    A spike lets the current ``I`` of its unit jump and decay with ``tau``; its time integral is one threshold. Inputs:
    the m values of the signal, then 1 (:func:`drive`). Outputs: the units (:func:`coefficients`).

    Parameters
    ----------
    dictionary : array_like, shape (m, n)
        D; its columns have length 1. :func:`doubled` for coefficients of both signs.
    penalty : float
        lambda, >= 0.
    rate : float
        Rate of coefficient 1 [Hz]; a unit fires at most once per ``dt``.
    tau : float
        Time constant of inhibition [ms]. With reset to zero a long one loses less, until integers that truncate the
        current lose more: 10 ms is best on Loihi.
    reset : {"subtract", "zero"}
        ``"subtract"``: IF units that keep what went beyond the threshold. ``"zero"``: LIF units that hardly leak, for
        chips that know only a reset to rest; the lower the rate, the less is lost.
    tau_m : float
        Their time constant [ms]. The drive is raised by what leaks away at half the threshold.
    dt : float
        Step [ms].

    Raises
    ------
    ShapeError, ConfigurationError, UnknownNameError
        If an argument is not accepted.
    """
    d = _checked(dictionary, penalty, rate, dt)
    _known("reset", reset, RESETS)
    n, gain, ports = d.shape[1], 1.0, {"inhibition": Exponential(tau)}
    units = Population("units", n, IF(v_reset=None), receptors=ports)
    if reset == "zero":
        gain = tau_m  # a current of i moves v of a LIF by i / tau_m per ms
        penalty -= 500.0 / (tau_m * rate)
        units = Population("units", n, LIF(tau_m=tau_m, tau_syn=tau, v_min=-FLOOR))
    weights = np.hstack([d.T, np.full((n, 1), -penalty)])
    signal = Input("signal", len(d) + 1, CurrentInput(gain * rate / 1000.0))
    inhibition = _synapses("units", -gain / tau * _rivalry(d), dt, "inhibition")
    return _network((signal,), (units,), [Projection.dense("signal", "units", weights, delay=dt), inhibition], dt)


def lca_by_spikes(
    dictionary: npt.ArrayLike,
    signal: npt.ArrayLike,
    penalty: float,
    *,
    rate: float = 100.0,
    unit: str = "IF",
    words: int = 1,
    clock: str = "neuron",
    dt: float = 1.0,
) -> Network:
    """Build the circuit for one signal that needs no analog current and, with ``unit="current"``, no reset but to rest.

    A clock spikes at every tick and drives each unit with ``rate dt (D'x - lambda)``; a spike inhibits the others by
    ``G - I`` at once. One input: 1, for the clock. Outputs: the units (:func:`coefficients`).

    Parameters
    ----------
    dictionary, penalty, rate, dt
        As in :func:`lca`.
    signal : array_like, shape (m,)
        x.
    unit : {"IF", "current"}
        ``"IF"``: reset by subtraction. ``"current"``: a LIF neuron whose slow synaptic current is the integrator and
        whose potential only follows it. The reset of the potential does not touch the current, so a synapse of the
        unit onto itself subtracts the threshold from it, two ticks later; until then it is refractory (at most one
        spike in two ticks). The current leaks as slowly as DEPTH allows, and drive and inhibition make up for it.
    words : int
        1, or 2: weights and drives as sums of two synapses, the second for what 8 bits round off of the first.
    clock : {"neuron", "input"}
        A neuron that a current keeps firing, or an input channel, for chips that take no currents.

    Raises
    ------
    ShapeError, ConfigurationError, UnknownNameError
        If an argument is not accepted.
    """
    d = _checked(dictionary, penalty, rate, dt)
    x = np.asarray(signal, np.float64)
    if x.shape != d.shape[:1] or not np.isfinite(x).all():
        raise ShapeError(f"lca: signal of shape {x.shape} must be {d.shape[:1]} finite numbers")
    _known("unit", unit, UNITS)
    _known("clock", clock, CLOCKS)
    if words not in (1, 2):
        raise ConfigurationError(f"lca: words = {words}, must be 1 or 2")
    push, rivalry, share = d.T @ x - penalty, _rivalry(d), rate * dt / 1000.0
    units, own = Population("units", d.shape[1], IF(v_reset=None)), []
    if unit == "current":
        # No correlation with what is left of x exceeds |x|: a silent unit falls no deeper than this drive times tau.
        tau = dt * DEPTH / max(share * (penalty + float(np.linalg.norm(x))), DEPTH / LONGEST)
        push, rivalry = _against_leak(push, rivalry, -math.expm1(-dt / tau), share)
        units = Population("units", d.shape[1], _follower(tau, dt))
        own = [_synapses("units", -np.eye(d.shape[1]), dt, "reset")]
    parts = [("units", "inhibition", -rivalry), ("clock", "drive", share * push[:, None])]
    return _clocked(clock, units, [*own, *_in_words(parts, words, dt)], dt)


def _follower(tau: float, dt: float) -> LIF:
    """Return a neuron whose potential follows its current within a step."""
    return LIF(tau_m=dt / math.log(LONGEST), tau_syn=tau, t_ref=dt, v_min=-DEPTH)


def _against_leak(push: Reals, rivalry: Reals, leak: float, share: float) -> tuple[Reals, Reals]:
    """Return drive and inhibition that make up for what a current loses of itself per tick.

    A spiking unit is at half its threshold on average, and a threshold higher for two ticks after each spike.
    """
    return (1 + 2 * leak) * push + leak / (2 * share), (1 + 2 * leak) * rivalry


def _clocked(clock: str, units: Population, projections: list[Projection], dt: float) -> Network:
    if clock == "input":
        return _network((Input("clock", 1, RegularInput(1000.0 / dt)),), (units,), projections, dt)
    start = Projection.dense("on", "clock", [[1.0]], delay=dt)
    cells = (Population("clock", 1, LIF(tau_m=dt)), units)
    return _network((Input("on", 1, CurrentInput(1.9)),), cells, [start, *projections], dt)


def _network(
    inputs: tuple[Input, ...], populations: tuple[Population, ...], projections: list[Projection], dt: float
) -> Network:
    return Network(inputs, populations, tuple(projections), ("units",), dt, "lca", "float64")


def drive(signal: npt.ArrayLike) -> Reals:
    """Return the drive of :func:`lca`: the signal, then 1."""
    return np.append(np.asarray(signal, np.float64), 1.0)


def coefficients(counts: npt.ArrayLike, n_ticks: int, rate: float, *, signed: bool = False, dt: float = 1.0) -> Reals:
    """Return the coefficients that spike counts since the start stand for: counts over ``rate`` times duration.

    Parameters
    ----------
    counts : array_like, shape (n_units,)
        Spikes of the units in the first ``n_ticks`` ticks.
    n_ticks : int
        Ticks, >= 1.
    rate, dt
        As given to the circuit.
    signed : bool
        Whether the dictionary was :func:`doubled`; then return the n differences.
    """
    a = np.asarray(counts, np.float64) / (rate * dt / 1000.0 * n_ticks)
    return a[: a.size // 2] - a[a.size // 2 :] if signed else a


def _rivalry(d: Reals) -> Reals:
    """Return G - I."""
    gram = d.T @ d
    np.fill_diagonal(gram, 0.0)
    return gram


def _synapses(source: str, matrix: Reals, dt: float, name: str) -> Projection:
    """Return the synapses onto the units whose weight is not 0; ``matrix`` is [post, pre]."""
    post, pre = np.nonzero(matrix)
    return Projection.sparse(source, "units", pre=pre, post=post, weight=matrix[post, pre], delay=dt, name=name)


def _in_words(parts: list[tuple[str, str, Reals]], words: int, dt: float) -> list[Projection]:
    """Return the projections of (source, name, matrix) with every weight as a sum of ``words`` synapses.

    The first is a multiple of a WORD-th of a power of two.
    """
    found = []
    for source, name, matrix in parts:
        rest = matrix
        if words == 2 and matrix.any():
            step = 2.0 ** math.ceil(math.log2(np.abs(matrix).max())) / WORD
            coarse = np.rint(matrix / step) * step
            found.append(_synapses(source, coarse, dt, f"coarse {name}"))
            rest = matrix - coarse
        found.append(_synapses(source, rest, dt, name))
    return found


def _known(what: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise UnknownNameError(f"lca: {what} = {name!r} is not known, only {' and '.join(names)}")


def _checked(dictionary: npt.ArrayLike, penalty: float, rate: float, dt: float) -> Reals:
    d = np.asarray(dictionary, np.float64)
    if d.ndim != 2 or 0 in d.shape or not np.isfinite(d).all():
        raise ShapeError(
            f"lca: dictionary of shape {d.shape} must be a matrix of finite numbers, one column per element"
        )
    lengths = np.linalg.norm(d, axis=0)
    worst = int(np.abs(lengths - 1.0).argmax())
    if abs(lengths[worst] - 1.0) > 1e-6:
        raise ConfigurationError(
            f"lca: column {worst} of the dictionary has length {lengths[worst]:g}, must have 1; divide it by that"
        )
    if not (math.isfinite(penalty) and penalty >= 0):
        raise ConfigurationError(f"lca: penalty = {penalty}, must be at least 0")
    if not 0 < rate * dt <= 1000:
        raise ConfigurationError(
            f"lca: rate = {rate} Hz, must lie above 0 and at one spike per step of {dt} ms at most"
        )
    return d
