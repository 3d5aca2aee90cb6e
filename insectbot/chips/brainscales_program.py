"""What programming BrainScaleS-2 writes: neuron parameters and synapse strengths of one die."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insectbot.chips import adex_analog as k
from insectbot.chips.analog_wiring import Floats, Vector, values
from insectbot.chips.brainscales_quantise import QuantNetwork, amplitudes
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.die import Die
from insectbot.chips.inputs import output_of
from insectbot.snn.network import Population


@dataclass(frozen=True, eq=False)
class Program:
    """A network on one die.

    Attributes
    ----------
    parameters : ndarray of float64, shape (16, n_neurons)
        As ``adex_analog.py`` takes them.
    row, target, weight : ndarray of int64
        Synapses by source unit.
    amplitude : ndarray of float64, shape (2, n_synapses)
        Current per LSB of weight in the excitatory and in the inhibitory row of every synapse [LSB].
    ideal : ndarray of float64, shape (n_synapses,)
        The same without mismatch.
    output : ndarray of int64, shape (n_neurons,)
        Output of every neuron, -1 for none.
    """

    parameters: Floats
    row: Vector
    target: Vector
    weight: Vector
    amplitude: Floats
    ideal: Floats
    output: Vector


def program_of(quant: QuantNetwork, sheet: Datasheet, die: Die, substeps: int, noise: float) -> Program:
    """Return the program of a quantised network.

    Parameters
    ----------
    quant : QuantNetwork
        The network.
    sheet : Datasheet
        Operating point and noise.
    die : Die
        Mismatch.
    substeps : int
        Steps of the kernel per tick.
    noise : float
        Factor of the membrane noise.
    """
    network = quant.network
    n, dt = network.n_neurons, network.dt / substeps
    parameters, tau_m = np.zeros((k.N_PARAMETERS, n)), np.zeros(n)
    for p in network.populations:
        at = slice(network.unit_slices()[p.name].start - network.n_inputs, None)
        at = slice(at.start, at.start + p.n)
        tau_m[at] = values(p, "tau_m")
        _neurons(parameters[:, at], quant, p, sheet)
    tau_syn = np.concatenate([np.zeros(0), *(values(p, "tau_syn") for p in network.populations)])
    tau_syn = np.where(tau_syn > 0, tau_syn, float(sheet["synapse.delta_tau"].value))
    parameters[k.K_EXC] = dt / (tau_syn * die.factors("tau_syn_exc", n))
    parameters[k.K_INH] = dt / (tau_syn * die.factors("tau_syn_inh", n))
    real = tau_m * die.factors("tau_mem", n)
    parameters[k.K_M] = dt / real
    span = parameters[k.THRESHOLD] - parameters[k.V_L]
    parameters[k.THRESHOLD] = parameters[k.V_L] + span * die.factors("threshold", n)
    parameters[k.HOLD] *= substeps
    sigma = noise * float(sheet["noise.membrane"].value)
    # Of a leaky membrane: pushes of this size keep a standard deviation of sigma.
    parameters[k.NOISE] = sigma * np.sqrt(-np.expm1(-2.0 * network.dt / real))
    ideal, m = amplitudes(quant, sheet, tau_m), quant.weight.size
    amplitude = np.stack([ideal * die.factors("gain_exc", m), ideal * die.factors("gain_inh", m)])
    w = quant.wiring
    return Program(parameters, w.row, w.target, quant.weight.copy(), amplitude, ideal, output_of(network))


def _neurons(out: Floats, quant: QuantNetwork, p: Population, sheet: Datasheet) -> None:
    """Fill the parameters of one population without mismatch; HOLD in ticks."""
    scale, rest = quant.scale[p.name], quant.rest[p.name]
    zero = values(p, "v_rest")
    out[k.G_L] = 1.0
    out[k.V_L] = rest
    out[k.D_T], out[k.K_W] = 1.0, 1.0
    out[k.THRESHOLD] = rest + scale * (values(p, "v_th") - zero)
    out[k.RESET] = rest + scale * (values(p, "v_reset") - zero)
    out[k.HOLD] = np.rint(values(p, "t_ref") / quant.network.dt)
    out[k.FLOOR], out[k.CEILING] = 0.0, float((1 << sheet.int("adc.bits")) - 1)
    if getattr(p.model, "v_min", None) is not None:
        out[k.FLOOR] = np.maximum(rest + scale * (values(p, "v_min") - zero), 0.0)
