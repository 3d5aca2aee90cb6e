"""A spiking ring attractor that integrates an angular velocity: the fly's compass of EPG and PEN neurons, idealised.

After Turner-Evans et al. 2017 and Green et al. 2017 (the anatomy), Skaggs et al. 1995 (two shifted rings).
"""

from __future__ import annotations

import numpy as np

from insectbot.controllers.circuits.ring_attractor import ring_angles
from insectbot.controllers.tuning import LIFTuning
from insectbot.errors import ConfigurationError
from insectbot.snn import (
    LIF,
    CurrentInput,
    Delta,
    Exponential,
    Input,
    Network,
    PoissonBackground,
    Population,
    Projection,
)
from insectbot.snn.validate import require_positive

_TAU_M, _T_REF = 20.0, 2.0
_TONIC, _REST = 1.6, 1.0  # steady current of EPG and PEN neurons at rest [thresholds]
_SWING, _MIDDLE = 2.0, 1.06  # the designed bump of current: middle + swing cos
_PUSH = 0.5  # current that the velocity takes from one PEN ring and gives to the other at drive 1
_SIDES = {"pen left": -1.0, "pen right": 1.0}  # and the sense in which each turns the bump
_NOISE, _KICK = 0.5, 0.05  # share of the current that comes as Poisson spikes, and the size of one [thresholds]


def _modes(n: int, middle: float, swing: float, dt: float) -> tuple[float, float]:
    """Return mean and cosine part of the rates [1/ms] of LIF neurons under the currents ``middle + swing cos``."""
    angles = ring_angles(n)
    directions = np.column_stack((np.cos(angles), np.sin(angles)))
    # On the grid a neuron spikes half a step late.
    tuning = LIFTuning(directions, np.full(n, swing), np.full(n, middle), _T_REF + dt / 2, _TAU_M)
    rates = tuning.rates([[1.0, 0.0]])[0] / 1000.0
    return float(rates.mean()), float((rates * directions[:, 0]).mean())


def _kernels(n: int, tau_syn: float, speed: float, dt: float) -> tuple[tuple[float, float], float, float]:
    """Return (uniform, cosine) part of EPG to EPG, cosine part of EPG to PEN, sine part of PEN to EPG."""
    mean, cosine = _modes(n, _MIDDLE, _SWING, dt)
    push = _modes(n, _REST + _PUSH, _SWING, dt)[1] - _modes(n, _REST - _PUSH, _SWING, dt)[1]
    turn = speed / 1000.0 * tau_syn  # rad per tau_syn at drive 1
    # The PEN bump comes through one more synapse: of what it pushes, 1 / (1 + turn^2) points along the turn.
    return ((_MIDDLE - _TONIC) / mean, _SWING / cosine), _SWING / cosine, turn * (1.0 + turn**2) * _SWING / push


def spiking_ring(
    n: int = 128, *, speed: float = 5.0, tau_syn: float = 40.0, noise: bool = True, seed: int = 0, dt: float = 1.0
) -> Network:
    """Build three rings of LIF neurons: ``epg`` holds the bump, ``pen left`` and ``pen right`` push it.

    With synaptic currents u (``tau_syn du/dt = -u + sum w spikes``), rates f(u) of LIF neurons, D the angle i - j and
    < > a mean over the ring: EPG ``u = tonic + <(a + b cos D) f> + <g sin D (f_right - f_left)>``, PEN
    ``u = rest + <b cos D f_epg> +- push velocity``. The two PEN rings are shifted by a quarter turn either way, so at
    rest they cancel; the one that the velocity favours drags the bump. The weights follow from the bump wanted and from
    the rate equation of the LIF (its mean field), not from a fit. Synapses of one neuron have both signs: the
    inhibition through interneurons (Delta7) is folded into them.

    Inputs, in the order of the drive: velocity (1 turns the bump by ``speed``; any sign), tonic (1), cue (n currents
    into EPG, such as ``cos(angle - heading)``). Output: the EPG neurons, with preferred angles
    :func:`~insectbot.controllers.circuits.ring_attractor.ring_angles`.

    Parameters
    ----------
    n : int
        Neurons of each ring, >= 16.
    speed : float
        Angular velocity at drive 1 [rad/s], > 0; the integration is within 10 % of linear up to 0.2 rad per tau_syn.
    tau_syn : float
        Time constant of the recurrent synapses [ms], > 0: long, so that the spikes of many neurons average.
    noise : bool
        Whether a part of the tonic current comes as Poisson spikes. It lets a slow bump slip over the grid of neurons
        and steps, and makes a resting one wander.
    seed : int
        Seed of the initial potentials.
    dt : float
        Step [ms].

    Raises
    ------
    ConfigurationError
        If there are fewer neurons, or a number is out of range.
    """
    if n < 16:
        raise ConfigurationError(f"spiking_ring: n = {n}, must be at least 16")
    require_positive("spiking_ring", speed=speed, tau_syn=tau_syn, dt=dt)
    share = _NOISE if noise else 0.0
    background = PoissonBackground(1000.0 * _NOISE / (_TAU_M * _KICK), _KICK, "noise") if noise else None
    ports = {"recurrent": Exponential(tau_syn), "noise": Delta()}
    shared = {"model": LIF(_TAU_M, t_ref=_T_REF), "receptors": ports, "background": background}
    start = np.random.default_rng([seed, 0x21C6])
    rings = tuple(Population(name, n, initial={"v": start.random(n)}, **shared) for name in ("epg", *_SIDES))
    inputs = tuple(Input(name, k, CurrentInput()) for name, k in (("velocity", 1), ("tonic", 1), ("cue", n)))
    links = (*_recurrent(n, tau_syn, speed, dt), *_currents(n, share, dt))
    return Network(inputs, rings, links, ("epg",), dt=dt, name="spiking-ring")


def _recurrent(n: int, tau_syn: float, speed: float, dt: float) -> list[Projection]:
    """Return the synapses between the rings."""
    (uniform, even), copy, odd = _kernels(n, tau_syn, speed, dt)
    angles, unit = ring_angles(n), 1.0 / (n * tau_syn)
    cosine, sine = (f(angles[:, None] - angles[None, :]) for f in (np.cos, np.sin))
    links = [Projection.dense("epg", "epg", unit * (uniform + even * cosine), delay=dt)]
    for name, side in _SIDES.items():
        links.append(Projection.dense("epg", name, unit * copy * cosine, delay=dt))
        links.append(Projection.dense(name, "epg", side * unit * odd * sine, delay=dt))
    return links


def _currents(n: int, share: float, dt: float) -> list[Projection]:
    """Return what the inputs give to the rings; ``share`` of the tonic current comes from elsewhere."""
    links = [
        Projection.sparse("cue", "epg", pre=np.arange(n), post=np.arange(n), weight=1.0, delay=dt),
        Projection.dense("tonic", "epg", np.full((n, 1), _TONIC - share), delay=dt),
    ]
    for name, side in _SIDES.items():
        links.append(Projection.dense("tonic", name, np.full((n, 1), _REST - share), delay=dt))
        links.append(Projection.dense("velocity", name, np.full((n, 1), side * _PUSH), delay=dt))
    return links
