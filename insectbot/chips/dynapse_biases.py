"""Biases of DYNAP-SE: what LIF neurons become as currents, through the bias generator's coarse and fine steps.

Time constants: ``I_tau = C Ut / (kappa tau)``; refractory time: ``I_ref = Vth C_ref / t_ref``. A DPI neuron is no LIF
neuron, so thresholds and drives are mapped by its rate: a current I is found at which a neuron without mismatch spikes
as often as the LIF neuron does at a drive mu, for two rates; the line through both points gives the synaptic current
per unit of drive, and the constant current ``I_dc``. Where that would be negative, which no bias can be, the positive
feedback makes the rise to a spike too slow: then tau is shortened until the line goes through 0. Near threshold the
feedback lengthens the time constant again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from insectbot.chips import dpi_analog as k
from insectbot.chips.analog_wiring import Floats
from insectbot.chips.datasheet import Datasheet
from insectbot.errors import DoesNotFit
from insectbot.snn.neurons import LIF

_SECONDS, _INTERVALS, _HALVINGS, _SEARCH = 1.0, 3.0, 26, 10
_SHORTEST = 0.75
"""Least share of a wanted tau_m with which a network is still taken; the report says what it became."""


@dataclass(frozen=True, eq=False)
class Biases:
    """Currents of a core that runs one LIF model.

    Attributes
    ----------
    parameters : ndarray of float64, shape (14,)
        As ``dpi_analog.py`` takes them, without mismatch.
    per_drive : float
        Mean synaptic current per unit of drive (steady v - v_rest) [A].
    tau_m, tau_syn, t_ref : float
        What the biases give [s].
    settings : tuple of (int, int)
        Coarse and fine value of I_tau, I_gain, I_tau_syn, I_ref, I_dc.
    """

    parameters: Floats
    per_drive: float
    tau_m: float
    tau_syn: float
    t_ref: float
    settings: tuple[tuple[int, int], ...]


def generated(sheet: Datasheet, wanted: float, most: int = 255) -> tuple[float, tuple[int, int]]:
    """Return the nearest current [A] that the bias generator makes, and its (coarse, fine)."""
    coarse = np.array([float(value) for _, value in sheet["bias.coarse"].value]) * 1e-12
    fine = np.clip(np.rint(wanted / coarse * 256), 1, most)
    found = coarse * fine / 256
    best = int(np.argmin(np.abs(found - wanted)))
    return float(found[best]), (best, int(fine[best]))


def figure(sheet: Datasheet, path: str) -> float:
    """Return a figure in A, F, V or s."""
    scale = {"pA": 1e-12, "nA": 1e-9, "uA": 1e-6, "pF": 1e-12, "ms": 1e-3, "us": 1e-6, "mV": 1e-3}
    return float(sheet[path].value) * scale.get(sheet[path].unit, 1.0)


def kappa(sheet: Datasheet) -> float:
    """Return the mean slope factor of n and p transistors."""
    return 0.5 * (figure(sheet, "silicon.kappa_n") + figure(sheet, "silicon.kappa_p"))


def current_of(sheet: Datasheet, capacitor: str, tau: float) -> float:
    """Return C Ut / (kappa tau) [A]."""
    return figure(sheet, f"silicon.{capacitor}") * figure(sheet, "silicon.ut") / (kappa(sheet) * tau)


def lif_drive(model: LIF, rate: float) -> float:
    """Return the constant drive (steady v - v_rest) at which a LIF neuron spikes ``rate`` times a second, exactly."""
    pause = max(1000.0 / rate - float(model.t_ref), 1e-9)
    fall = math.exp(-pause / float(model.tau_m))
    return (float(model.v_th) - float(model.v_rest) - fall * (float(model.v_reset) - float(model.v_rest))) / (
        1.0 - fall
    )


def biases_of(model: LIF, sheet: Datasheet, dt: float, name: str) -> Biases:
    """Return the biases of a model.

    Parameters
    ----------
    model : LIF
        The same for all neurons of a core.
    sheet : Datasheet
        Silicon.
    dt : float
        Integration step [s].
    name : str
        Population, for messages.

    Raises
    ------
    DoesNotFit
        If no current makes the neuron spike as the model does, or its time constant is far beyond the chip's longest.
    """
    found = _cells(model, sheet, dt, 1.0)
    if found[1] < _SHORTEST * float(model.tau_m) * 1e-3:
        where, longest = f"{sheet.name}: population {name!r}", f"{found[1] * 1e3:.0f}"
        raise DoesNotFit(f"{where}: tau_m {model.tau_m:g} ms is beyond the chip's longest {longest}; shorten it")
    unit = 1000.0 / (float(model.tau_m) + float(model.t_ref))
    low, high = (unit * float(sheet[f"calibration.{word}"].value) for word in ("rate_low", "rate_high"))
    mu = (lif_drive(model, low), lif_drive(model, high))
    slow, fast = 0.0, math.log(float(sheet["calibration.fastest"].value))
    currents = [_current_at(found[0], rate, dt, sheet, name) for rate in (low, high)]
    for _ in range(_SEARCH if currents[1] / currents[0] > mu[1] / mu[0] else 0):
        middle = 0.5 * (slow + fast)
        found = _cells(model, sheet, dt, math.exp(middle))
        currents = [_current_at(found[0], rate, dt, sheet, name) for rate in (low, high)]
        if currents[1] / currents[0] > mu[1] / mu[0]:
            slow = middle
        else:
            fast = middle
    p, tau_m, tau_syn, t_ref, settings = found
    io, last = figure(sheet, "silicon.io"), (0, 0)
    per_drive = (currents[1] - currents[0]) / (mu[1] - mu[0])
    rest = (currents[0] - per_drive * mu[0]) * io
    if rest > figure(sheet, "silicon.io"):
        i_dc, last = generated(sheet, rest)
        p[k.I_DC] = i_dc / io
    else:
        per_drive = (currents[0] / mu[0] + currents[1] / mu[1]) / 2
    return Biases(p, per_drive * io, tau_m, tau_syn, t_ref, (*settings, last))


def _cells(
    model: LIF, sheet: Datasheet, dt: float, scale: float
) -> tuple[Floats, float, float, float, tuple[tuple[int, int], ...]]:
    """Return parameters without I_dc, tau_m, tau_syn, t_ref [s] and settings, with tau_m shortened by ``scale``."""
    io, p = figure(sheet, "silicon.io"), np.zeros(k.N_PARAMETERS)
    i_tau, s0 = generated(sheet, current_of(sheet, "c_mem", float(model.tau_m) * 1e-3 * scale))
    i_gain, s1 = generated(sheet, float(sheet["bias.gain_mem"].value) * i_tau)
    tau_syn = (float(model.tau_syn) or float(sheet["bias.delta_tau"].value)) * 1e-3
    i_syn, s2 = generated(sheet, current_of(sheet, "c_syn", tau_syn))
    tau_syn = current_of(sheet, "c_syn", i_syn)
    reach = figure(sheet, "silicon.v_th") * figure(sheet, "silicon.c_ref")
    i_ref, s3 = generated(sheet, reach / max(float(model.t_ref) * 1e-3, 1e-9))
    p[k.KEEP_EXC] = p[k.KEEP_INH] = math.exp(-dt / tau_syn)
    p[k.KEEP_AHP] = math.exp(-dt / figure(sheet, "bias.tau_ahp"))
    p[k.I_TAU], p[k.I_GAIN], p[k.THRESHOLD] = i_tau / io, i_gain / io, figure(sheet, "bias.threshold") / io
    p[k.CHARGE] = figure(sheet, "silicon.c_mem") * figure(sheet, "silicon.ut") / (kappa(sheet) * io)
    p[k.HOLD] = round(reach / i_ref / dt)
    p[k.POWER] = kappa(sheet) / (kappa(sheet) + 1.0)
    p[k.FB_NORM] = 1.0
    if "bias.feedback_gain" in sheet.figures:
        p[k.FB_GAIN] = figure(sheet, "bias.feedback_gain") / io
        p[k.FB_THRESHOLD] = figure(sheet, "bias.feedback_threshold") / io
        p[k.FB_NORM] = figure(sheet, "bias.feedback_norm") / io
    return p, current_of(sheet, "c_mem", i_tau), tau_syn, reach / i_ref, (s0, s1, s2, s3)


def _current_at(p: Floats, rate: float, dt: float, sheet: Datasheet, name: str) -> float:
    """Return the constant current [Io] at which the neuron spikes ``rate`` times a second."""
    column, state = p.reshape(-1, 1), np.zeros((k.N_STATE, 1))
    low, high, steps = 0.0, 10.0, int(max(_SECONDS, _INTERVALS / rate) / dt)
    while k.steady_rate(column, high, dt, steps, state) < rate:
        low, high = high, 2.0 * high
        if high > 1e9:
            raise DoesNotFit(f"{sheet.name}: population {name!r}: {rate:g} Hz cannot be reached; shorten t_ref")
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if k.steady_rate(column, middle, dt, steps, state) < rate:
            low = middle
        else:
            high = middle
    return high
