"""From float networks to SpiNNaker's numbers: accums of neurons, ring-buffer shifts, 16-bit weights, and what was lost.

Potentials are shifted so that rest is 0 and multiplied by a power of two per population, so that thresholds lie far
below the largest accum. The membrane resistance is 1 / (1 - exp_tc): a current then moves V by its own size in one
tick. A delta synapse is a current of one tick (IF_curr_delta), which is the kit's delta synapse exactly. An exponential
synapse decays in I; the kit's propagator adds last tick's current to V and the chip this tick's, so its spikes are
delivered one tick later, which makes both equal but for rounding.

The step of all weights onto a population follows from its total drive (chips sheet 4.2): strong inputs destroy the
resolution of weak ones. A plastic projection counts with its bounds, as in sPyNNaker. Weights on the chip have no
sign: a plastic weight that may be negative is a plastic excitatory synapse of w - w_min and a static inhibitory one of
-w_min side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import s1615 as k
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.loihi_wiring import sign_of
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.core.propagator import couple
from insectbot.snn.inputs import CurrentInput, PoissonInput, RegularInput
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.neurons import LIF

Reals = npt.NDArray[np.float64]
ROOM = 1 << (31 - k.FRACTION - 1)
"""Half of the largest accum, which sums should stay below."""
HEADROOM = 16.0
"""Currents that must fit, in thresholds per tick."""
LARGEST_NORMAL = 6.0
"""Largest normal number that the chip draws (``s1615_explore.py``)."""


@dataclass(frozen=True, eq=False)
class QuantPopulation:
    """A population in accums.

    Attributes
    ----------
    name : str
        Population.
    n : int
        Number of neurons.
    scale : float
        Chip units per unit of v; an accum holds units of 2^-15.
    gain : ndarray, shape (n,)
        Chip units of current per unit of the float weight, by target.
    shift : tuple of int
        Left shift of the excitatory and the inhibitory ring buffer.
    parameters : ndarray of int64, shape (14, n)
        As in ``s1615.py``.
    start : ndarray of int64, shape (n,)
        V at a reset.
    late : int
        Ticks added to delays onto it.
    rest : ndarray, shape (n,)
        v_rest of the float network.
    """

    name: str
    n: int
    scale: float
    gain: Reals
    shift: tuple[int, int]
    parameters: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    late: int
    rest: Reals


@dataclass(frozen=True, eq=False)
class QuantProjection:
    """A projection in 16-bit weights, in projection order.

    Attributes
    ----------
    name : str
        Projection.
    weight, inhibitory, delay : ndarray of int32
        Unsigned weight, synapse type (0 excitatory, 1 inhibitory), ticks.
    unit : ndarray of float64
        Float weight of one step, by synapse.
    plastic : bool
        Whether it may learn on the chip.
    offset : ndarray of int32
        Weight of the static inhibitory synapse beside each plastic one; empty for none.
    offset_unit : ndarray of float64
        Float weight of one step of it.
    host : bool
        Whether it carries analog current, which the host writes into I_offset.
    """

    name: str
    weight: npt.NDArray[np.int32]
    inhibitory: npt.NDArray[np.int32]
    delay: npt.NDArray[np.int32]
    unit: Reals
    plastic: bool
    offset: npt.NDArray[np.int32]
    offset_unit: Reals
    host: bool = False

    def effective(self, weight: npt.NDArray | None = None) -> Reals:
        """Return weights as the chip applies them, in the float network's unit; default those programmed."""
        found = np.asarray(self.weight if weight is None else weight) * self.unit * (1 - 2 * self.inhibitory)
        return found - self.offset * self.offset_unit if self.offset.size else found


@dataclass(frozen=True, eq=False)
class QuantNetwork:
    """A network in the chip's numbers."""

    network: Network
    populations: tuple[QuantPopulation, ...]
    projections: tuple[QuantProjection, ...]
    report: QuantReport


@dataclass(frozen=True)
class Frame:
    """What the quantiser looks things up in: network, datasheet, whether plastic weights need room to learn."""

    network: Network
    sheet: Datasheet
    learning: bool

    def is_current(self, p: Projection) -> bool:
        """Tell whether a projection carries analog current."""
        return any(g.name == p.source and isinstance(g.source, CurrentInput) for g in self.network.inputs)

    def bounds(self, p: Projection) -> tuple[float, float] | None:
        """Return the bounds of weights that learn here, else None."""
        rule = p.plasticity
        return None if rule is None or not self.learning else (rule.w_min, rule.w_max)

    def chance(self, source: str) -> float:
        """Return the expected spikes of a unit per tick: that of an input at drive 1, else the sheet's."""
        rates = {
            g.name: g.source.rate for g in self.network.inputs if isinstance(g.source, PoissonInput | RegularInput)
        }
        return min(rates.get(source, float(self.sheet["weight.rate"].value)) * self.network.dt * 1e-3, 1.0)


def lif_of(population: Population) -> LIF:
    """Return the model of a population that has been checked to be LIF."""
    model = population.model
    return model if isinstance(model, LIF) else LIF()


def per_neuron(population: Population, name: str) -> Reals:
    """Return a parameter of the model as one number per neuron."""
    return np.array(np.broadcast_to(np.asarray(getattr(lif_of(population), name), np.float64), population.n))


def quantise(network: Network, sheet: Datasheet, *, learning: bool = False) -> QuantNetwork:
    """Return a network that has been checked in the chip's numbers, with its report.

    Parameters
    ----------
    network : Network
        What to run.
    sheet : Datasheet
        Widths and limits.
    learning : bool
        Leave room for plastic weights to learn.
    """
    frame = Frame(network, sheet, learning)
    populations = {p.name: _population(frame, p) for p in network.populations}
    pairs = [_projection(frame, p, populations[p.target][0]) for p in network.projections]
    report = QuantReport(tuple(r for _, r in populations.values()), tuple(r for _, r in pairs))
    return QuantNetwork(network, tuple(q for q, _ in populations.values()), tuple(q for q, _ in pairs), report)


def ring_shift(total: float) -> int:
    """Return the left shift of a ring buffer whose largest expected sum is ``total`` (sPyNNaker population_vertex.py).

    The next power of two, and one more if the total is one itself: 16 bits hold twice the total.
    """
    if total <= 0:
        return 0
    power = max(math.ceil(math.log2(total)), 0)
    return power + 1 if 2.0**power <= total else power


def expected(frame: Frame, population: Population, gain: Reals) -> Reals:
    """Return the largest expected sums per tick onto a population: (excitatory, inhibitory), chip units.

    Mean plus ``weight.sigma`` standard deviations of Poisson spikes, at least the largest weight, at most all weights
    at once; the largest over its neurons.
    """
    n, sums = population.n, np.zeros((2, 3, population.n))
    largest = np.zeros(2)
    for p in frame.network.projections:
        if p.target != population.name or frame.is_current(p) or not p.n_synapses:
            continue
        w, chance, factor = p.weight.astype(np.float64), frame.chance(p.source), gain[p.post]
        bounds = frame.bounds(p)
        parts = (np.maximum(w, 0), np.maximum(-w, 0))
        if bounds is not None:
            low, high = min(bounds[0], 0.0), bounds[1] - min(bounds[0], 0.0)
            parts = (np.full(w.size, high), np.full(w.size, -low))
        for kind, part in enumerate(parts):
            x = part * factor
            largest[kind] = max(largest[kind], x.max())
            for row, values in enumerate((chance * x, chance * x * x, x)):
                sums[kind, row] += np.bincount(p.post, values, n)
    bound = np.minimum(sums[:, 0] + float(frame.sheet["weight.sigma"].value) * np.sqrt(sums[:, 1]), sums[:, 2])
    return np.maximum(bound.max(axis=1), largest)


def _population(frame: Frame, p: Population) -> tuple[QuantPopulation, PopulationReport]:
    dt, model = frame.network.dt, lif_of(p)
    tau_m, tau_syn, rest = per_neuron(p, "tau_m"), per_neuron(p, "tau_syn"), per_neuron(p, "v_rest")
    theta = per_neuron(p, "v_th") - rest
    keep = np.clip(np.rint(np.exp(-dt / tau_m) * k.ONE), 0, k.ONE - 1)
    resistance = np.rint(k.ONE * k.ONE / (k.ONE - keep))
    late = int(np.any(tau_syn > 0))
    decay, init, gain = np.zeros(p.n), np.full(p.n, float(k.U32_ONE)), np.ones(p.n)
    if late:
        decay = np.rint(np.exp(-dt / tau_syn) * k.U32_ONE)
        init = np.minimum(np.rint(tau_syn / dt * -np.expm1(-dt / tau_syn) * k.U32_ONE), k.U32_ONE - 1)
        p21 = np.array([couple(m, s, dt) for m, s in zip(tau_m, tau_syn, strict=True)])
        gain = p21 * k.U32_ONE / init
    held = np.where(decay > 0, init / (k.U32_ONE - decay), 1.0)
    drives = expected(frame, p, gain)
    sums = 2 * (drives.max() * held + _noise(frame, p))
    most = np.max(resistance / k.ONE * np.maximum(HEADROOM * theta, sums))
    scale = 2.0 ** math.floor(math.log2(ROOM / most))
    shift = ring_shift(scale * drives[0]), ring_shift(scale * drives[1])
    unit = scale * k.ONE
    floor = np.full(p.n, float(k.INT_MIN)) if model.v_min is None else (per_neuron(p, "v_min") - rest) * unit
    start = dict(p.initial).get("v", rest)
    fields = {
        "decay_exc": decay, "decay_inh": decay, "init_exc": init, "init_inh": init,
        "shift_exc": np.full(p.n, shift[0]), "shift_inh": np.full(p.n, shift[1]),
        "r_membrane": resistance, "exp_tc": keep, "v_rest": np.zeros(p.n), "v_thresh": theta * unit,
        "v_reset": (per_neuron(p, "v_reset") - rest) * unit, "t_refract": per_neuron(p, "t_ref") / dt,
        "v_min": np.maximum(floor, k.INT_MIN), "i_offset": np.zeros(p.n),
    }  # fmt: skip
    parameters = np.array([np.rint(fields[name]) for name in k.PARAMETERS]).astype(np.int64)
    first = np.rint((np.broadcast_to(np.asarray(start, np.float64), p.n) - rest) * unit).astype(np.int64)
    quant = QuantPopulation(p.name, p.n, scale, gain * scale, shift, parameters, first, late, rest)
    report = PopulationReport(
        name=p.name,
        scale=scale,
        threshold_error=float(np.max(np.abs(parameters[k.THRESHOLD] / (theta * unit) - 1))),
        tau_m=_tau(keep[0] / k.ONE, dt),
        tau_syn=_tau(decay[0] / k.U32_ONE, dt) if late else 0.0,
        v_min=None if model.v_min is None else float(rest[0] + parameters[k.V_MIN, 0] / unit),
        t_ref=float(parameters[k.REFRACT, 0] * dt),
    )
    return quant, report


def _noise(frame: Frame, p: Population) -> float:
    """Return the largest exploration noise: that of innovations which all are the largest."""
    noise = p.exploration if frame.learning else None
    return 0.0 if noise is None else LARGEST_NORMAL * noise.sigma / (1 - noise.decay)


def _tau(keep: float, dt: float) -> float:
    return 0.0 if keep <= 0 else -dt / math.log(keep)


def step_of(quant: QuantPopulation, post: npt.NDArray, inhibitory: npt.NDArray) -> Reals:
    """Return the float weight of one step of synapses onto neurons ``post`` of a population."""
    shift = np.array(quant.shift)[inhibitory]
    return 2.0 ** (shift - k.FRACTION) / quant.gain[post]


def _projection(frame: Frame, p: Projection, quant: QuantPopulation) -> tuple[QuantProjection, ProjectionReport]:
    none, real = np.zeros(0, np.int32), np.zeros(0)
    if frame.is_current(p):
        host = QuantProjection(p.name, none, none, none, real, False, none, real, host=True)
        return host, ProjectionReport.host(p.name, p.n_synapses)
    w, post, bounds = p.weight.astype(np.float64), p.post, frame.bounds(p)
    low = 0.0 if bounds is None else min(bounds[0], 0.0)
    offset, offset_unit = none, real
    inhibitory = (w < 0).astype(np.int32)
    if bounds is not None:
        inhibitory = np.zeros(w.size, np.int32)
        if low < 0:
            offset_unit = step_of(quant, post, np.ones(w.size, np.int32))
            offset = np.clip(np.rint(-low / offset_unit), 0, k.WEIGHT_MAX).astype(np.int32)
    unit = step_of(quant, post, inhibitory)
    wanted = np.abs(w) if bounds is None else w + (offset * offset_unit if offset.size else 0.0)
    steps = np.rint(wanted / unit)
    top = k.WEIGHT_MAX if bounds is None else np.minimum(np.rint((bounds[1] - low) / unit), k.WEIGHT_MAX)
    weight = np.clip(steps, 0, top).astype(np.int32)
    delay = (np.rint(p.delay / frame.network.dt) + quant.late).astype(np.int32)
    q = QuantProjection(p.name, weight, inhibitory, delay, unit, bounds is not None, offset, offset_unit)
    return q, _report(q, w, steps, top, quant.shift)


def _report(q: QuantProjection, w: Reals, steps: Reals, top: int | Reals, shift: tuple[int, int]) -> ProjectionReport:
    off = q.effective() - w
    norm, largest = float(np.linalg.norm(w)), float(np.abs(w).max(initial=0))
    return ProjectionReport(
        name=q.name,
        n_synapses=w.size,
        bits=16,
        sign=sign_of(float(w.min(initial=0)), float(w.max(initial=0))),
        exponent=shift[int(q.inhibitory.all() and q.inhibitory.size > 0)],
        step=float(q.unit.max(initial=0)),
        rms_error=float(np.linalg.norm(off)) / norm if norm else 0.0,
        max_error=float(np.abs(off).max(initial=0)) / largest if largest else 0.0,
        zeroed=int(((q.effective() == 0) & (w != 0)).sum()),
        saturated=int(((steps > top) | (steps < 0)).sum()),
        clipped_delays=0,
    )
