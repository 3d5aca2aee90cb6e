"""From networks to Neurogrid: quadratic somas, two strengths per sign, probabilities for weights, Neurocores.

A current i of the network becomes ``gain i`` in units of the leak level, so that the rheobases agree (1/2 on the chip).
A QIF of the kit whose reset is its rest is the chip's own neuron: ``tau_s = tau_m / (a0 D)``, ``gain = 2 / (a0 D^2)``
with D = v_c - v_rest. A LIF has another curve of rate against current; its tau_s is chosen so that the rates agree at
twice the rheobase as well, where the period of the quadratic neuron is ``2 tau_s (atan(v_pk - 1) + atan(1))``.

A synapse opens a conductance with the network's synaptic time constant, a delta synapse one with the membrane's, and
the dendrite takes the other of the two. A spike's charge is that of the network at the same drive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from insectbot.chips import qif_analog as k
from insectbot.chips.analog_wiring import Floats, Placement, Vector, Wiring, edges_of
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.fill import fill
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage
from insectbot.snn.lif import LIF
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.quadratic import QIF

RHEOBASE = 0.5
DRIVE = 2.0
"""Drive, in rheobases, at which a LIF's rate is met."""


@dataclass(frozen=True)
class Soma:
    """What a population becomes on its Neurocores.

    Attributes
    ----------
    gain : float
        Leak levels per unit of the network's current.
    tau_s, tau_d, tau_c : float
        Time constants of soma, dendrite and synapses [ms].
    charge : float
        Integral of the current of a synapse of weight 1 in the network [unit of v, ms].
    t_ref : float
        Refractory time [ms].
    """

    gain: float
    tau_s: float
    tau_d: float
    tau_c: float
    charge: float
    t_ref: float

    def conductance(self, weight: float, reversal: float) -> float:
        """Return the integral of the conductance [ms] of a synapse of weight >= 0 with a reversal potential.

        Excitation e G / (1 + G) is exact where it drives the soma at twice the rheobase; at that point inhibition
        moves the dendrite by -(|e| + 1) / (1 + G) per conductance, which is -|e|.
        """
        current = self.gain * self.charge * weight
        return current / (reversal - DRIVE * RHEOBASE) if reversal > 0 else current / -reversal


def soma_of(p: Population, sheet: Datasheet) -> Soma:
    """Return the soma that stands for a population of LIF or QIF neurons with one set of parameters."""
    fast, peak, model = float(sheet["dendrite.tau"].value), float(sheet["neuron.v_pk"].value), p.model
    if isinstance(model, QIF):
        depth = float(model.v_c - model.v_rest)
        tau_s = float(model.tau_m) / (float(model.a0) * depth)
        return Soma(2.0 / (float(model.a0) * depth**2), tau_s, fast, fast, float(model.tau_m), float(model.t_ref))
    assert isinstance(model, LIF)
    tau_m, tau_syn = float(model.tau_m), float(model.tau_syn)
    period = tau_m * math.log(DRIVE / (DRIVE - 1.0))
    tau_s = period / (2.0 * (math.atan(peak - 1.0) + math.atan(1.0)))
    gain = RHEOBASE / float(model.v_th - model.v_rest)
    if tau_syn > 0:
        return Soma(gain, tau_s, tau_m, tau_syn, tau_syn, float(model.t_ref))
    return Soma(gain, tau_s, fast, tau_m, tau_m, float(model.t_ref))


@dataclass(frozen=True, eq=False)
class QuantNetwork:
    """A network in the chip's numbers.

    Attributes
    ----------
    network : Network
        What was quantised.
    wiring : Wiring
        Its synapses.
    soma : dict of str to Soma
        Population -> soma.
    strength : dict of str to ndarray, shape (4,)
        Population -> weight that a delivered spike has in each synapse population [unit of the weight]; the first two
        are excitatory.
    channel, code : ndarray of int64, shape (n_synapses,)
        Synapse population, and probability of delivery in steps of ``1 / (2^bits - 1)``.
    bits : int
        Bits of a probability.
    report : QuantReport
        What quantisation changed.
    """

    network: Network
    wiring: Wiring
    soma: dict[str, Soma]
    strength: dict[str, Floats]
    channel: Vector
    code: Vector
    bits: int
    report: QuantReport

    @property
    def chance(self) -> Floats:
        """Probability of delivery of every synapse."""
        return self.code / float((1 << self.bits) - 1)

    def weights(self, q: Projection) -> Floats:
        """Return the mean weights of a projection as delivered, in the network's unit."""
        at = self.wiring.index[q.name]
        return self.strength[q.target][self.channel[at]] * self.chance[at]


def fit_strengths(sizes: Floats) -> tuple[float, float]:
    """Return two strengths (large, small) for weights of one sign that keep the noise of delivery least.

    A weight w is delivered with strength s >= w and probability w / s, which has the variance w (s - w). The large
    strength is the largest weight; the small one is that weight of the rest with the least total variance.
    """
    found = np.sort(sizes[sizes > 0])
    if not found.size:
        return 0.0, 0.0
    top, sums = float(found[-1]), np.cumsum(found)
    saved = (top - found) * sums
    return top, float(found[int(saved.argmax())])


def quantise(network: Network, sheet: Datasheet, bits: int) -> QuantNetwork:
    """Return a network that passed the checks in the chip's numbers.

    Parameters
    ----------
    network : Network
        LIF or QIF populations.
    sheet : Datasheet
        Operating point.
    bits : int
        Bits of a probability, 1 or more.
    """
    wiring, most = Wiring.of(network), (1 << bits) - 1
    channel, code = np.zeros(wiring.weight.size, np.int64), np.zeros(wiring.weight.size, np.int64)
    soma, strength = {}, {}
    for p in network.populations:
        soma[p.name] = soma_of(p, sheet)
        none = np.zeros(0, np.int64)
        at = np.concatenate([none, *(wiring.index[q.name] for q in network.projections if q.target == p.name)])
        size, down = np.abs(wiring.weight[at]), wiring.weight[at] < 0
        levels = [*fit_strengths(size[~down]), *fit_strengths(size[down])]
        strength[p.name] = np.array(levels) * np.array([1.0, 1.0, -1.0, -1.0])
        channel[at] = 2 * down + (size <= np.where(down, levels[3], levels[1]) * (1 + 1e-12))
        top = np.array(levels)[channel[at]]
        code[at] = np.rint(size / np.where(top > 0, top, 1.0) * most)
    quant = QuantNetwork(network, wiring, soma, strength, channel, code, bits, QuantReport((), ()))
    report = QuantReport(
        tuple(_population(p, soma[p.name]) for p in network.populations),
        tuple(_projection(q, quant) for q in network.projections),
    )
    return QuantNetwork(network, wiring, soma, strength, channel, code, bits, report)


def _population(p: Population, s: Soma) -> PopulationReport:
    return PopulationReport(p.name, s.gain, 0.0, s.tau_s, s.tau_c, None, s.t_ref)


def _projection(q: Projection, quant: QuantNetwork) -> ProjectionReport:
    at = quant.wiring.index[q.name]
    wanted = quant.wiring.weight[at]
    used = np.abs(quant.strength[q.target][np.unique(quant.channel[at])])
    return ProjectionReport.of(
        q.name,
        wanted,
        quant.weights(q),
        bits=quant.bits,
        step=float(used.max(initial=0.0)) / ((1 << quant.bits) - 1),
        zeroed=int(((quant.code[at] == 0) & (wanted != 0)).sum()),
        clipped_delays=int((quant.wiring.ticks[at] > 1).sum()),
    )


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Put populations on Neurocores, each for one population, whose parameters it has.

    Raises
    ------
    DoesNotFit
        If the Neurocores do not suffice; the message says by how much.
    """
    most, cores = sheet.int("limits.core.neurons"), sheet.int("limits.chip.cores")
    starts = [np.zeros(1, np.int64)]
    for p in quant.network.populations:
        starts.append(fill(p.n, most, lambda low, high: "")[1:] + starts[-1][-1])
    start = np.concatenate(starts)
    if start.size - 1 > cores:
        raise DoesNotFit(
            f"{sheet.name}: board: Neurocores {start.size - 1} > {cores} (each holds one population of at most {most} "
            "neurons); use fewer populations or neurons"
        )
    usage = [
        Usage("neurons", float(high - low), most, f"Neurocore {c}")
        for c, (low, high) in enumerate(pairwise(start.tolist()))
    ]
    usage.append(Usage("Neurocores", start.size - 1, cores, "board"))
    return Placement(start, edges_of(quant.wiring, start), np.arange(start.size - 1), tuple(usage))


def parameters_of(quant: QuantNetwork, sheet: Datasheet, dt: float) -> Floats:
    """Return the parameters of all neurons without mismatch, shape (25, n_neurons), for steps of ``dt`` [ms]."""
    network = quant.network
    out = np.zeros((k.N_PARAMETERS, network.n_neurons))
    reversal = np.array([float(sheet[f"synapse.e_{kind}"].value) for kind in ("exc", "exc", "inh", "inh")])
    rise = float(sheet["synapse.t_rise"].value) / dt
    for p in network.populations:
        first, s = network.unit_slices()[p.name].start - network.n_inputs, quant.soma[p.name]
        at = slice(first, first + p.n)
        out[k.K_S, at], out[k.K_D, at], out[k.K_K, at] = dt / s.tau_s, dt / s.tau_d, dt / s.tau_s
        out[k.V_PK, at], out[k.HOLD, at] = float(sheet["neuron.v_pk"].value), round(s.t_ref / dt)
        for c in range(k.CHANNELS):
            total = s.conductance(abs(float(quant.strength[p.name][c])), float(reversal[c]))
            out[k.K_C + c, at], out[k.RISE + c, at], out[k.REVERSAL + c, at] = dt / s.tau_c, rise, reversal[c]
            out[k.G_SAT + c, at] = total / (rise * dt)
    return out
