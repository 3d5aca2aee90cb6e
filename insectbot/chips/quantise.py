"""From float networks to Loihi's integers: membrane scale, weight mantissas and exponents, and what was lost.

Potentials are shifted so that rest is 0 and multiplied by one scale per population. A delta synapse is a current
that decays at once (``decay_u`` = 4095: u = q). An exponential synapse decays in u; the exact propagator adds last
tick's current to v and the chip adds this tick's, so its spikes are delivered one tick later, which makes both equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.core.propagator import couple
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn.inputs import CurrentInput
from insectbot.snn.network import Input, Network, Population, Projection
from insectbot.snn.neurons import LIF

MIN_THRESHOLD = 1 << 10
"""Threshold mantissa below which the quantiser risks accumulator wraps (which are counted) to keep resolution."""


def lif_of(population: Population) -> LIF:
    """Return the model of a population that the chip can run.

    Raises
    ------
    Unsupported
        If it is no LIF neuron with one delta or exponential current receptor and equal parameters in all neurons.
    """
    found = unknown_features(population)
    if found or not isinstance(population.model, LIF):
        raise Unsupported("; ".join(found))
    return population.model


def unknown_features(population: Population) -> list[str]:
    """Return what the chip lacks for a population's model, one sentence each."""
    model, where = population.model, f"loihi: population {population.name!r}"
    if not isinstance(model, LIF):
        return [f"{where}: neuron model {type(model).__name__} is not LIF"]
    found = [f"{where}: LIF.{name} differs between neurons; give one number" for name in model.lengths()]
    if not found and population.ports != model.default_receptors():
        found.append(f"{where}: receptors {population.ports} are not the one that LIF.tau_syn describes")
    if model.precise:
        found.append(f"{where}: precise spike times do not exist on the chip; use LIF(precise=False)")
    if population.initial:
        found.append(f"{where}: starts elsewhere than at v_rest")
    return found


@dataclass(frozen=True)
class Options:
    """Choices of the quantiser.

    Attributes
    ----------
    weight_bits : int
        Stored bits per weight: 1..6 or 8. A projection of mixed sign spends one of them on the sign.
    compensate : bool
        Correct for the truncation of long time constants, which loses about 0.494 LSB per tick.
    clip_delays : bool
        Shorten delays beyond the limit (counted in the report) rather than refuse them.
    """

    weight_bits: int = 8
    compensate: bool = False
    clip_delays: bool = False

    def __post_init__(self) -> None:
        if self.weight_bits not in (1, 2, 3, 4, 5, 6, 8):
            raise ConfigurationError(f"loihi: weight_bits = {self.weight_bits} must be one of 1, 2, 3, 4, 5, 6, 8")


@dataclass(frozen=True)
class QuantPopulation:
    """Registers that all neurons of a population share, and the chip units per unit of v (``scale``)."""

    name: str
    n: int
    scale: float
    decay_u: int
    decay_v: int
    vth_mant: int
    vmin_exp: int
    floor: bool
    refract: int


@dataclass(frozen=True)
class QuantProjection:
    """Integer synapses in projection order.

    Attributes
    ----------
    weight : ndarray of int32
        Mantissas, -256..255; empty for a current projection, which the host evaluates.
    exponent : int
        Contribution = weight << (6 + exponent).
    delay : ndarray of int32
        Ticks from emission to accumulation.
    gain : float
        Chip units of v (or of u) per unit of the float weight.
    sign : str
        ``"null"``, ``"excitatory"``, ``"inhibitory"`` or ``"mixed"``.
    """

    name: str
    weight: npt.NDArray[np.int32]
    exponent: int
    delay: npt.NDArray[np.int32]
    gain: float
    sign: str

    @property
    def effective(self) -> npt.NDArray[np.float64]:
        """Weights as the chip applies them, in the float network's unit."""
        return self.weight.astype(np.float64) * 2.0 ** (6 + self.exponent) / self.gain


@dataclass(frozen=True)
class QuantNetwork:
    """A network in the chip's integers."""

    network: Network
    populations: tuple[QuantPopulation, ...]
    projections: tuple[QuantProjection, ...]
    report: QuantReport


def is_current(network: Network, projection: Projection) -> bool:
    """Tell whether a projection carries analog current (evaluated by the host, written into bias registers)."""
    group = next(g for g in network.groups if g.name == projection.source)
    return isinstance(group, Input) and isinstance(group.source, CurrentInput)


def quantise(network: Network, sheet: Datasheet, options: Options | None = None) -> QuantNetwork:
    """Return the integer network and its report.

    Parameters
    ----------
    network : Network
        LIF populations whose reset is their rest; other features must have been checked.
    sheet : Datasheet
        Widths and limits.
    options : Options, optional
        Choices.
    """
    options = options or Options()
    populations = {p.name: _population(network, p, sheet, options) for p in network.populations}
    pairs = [_projection(network, p, populations[p.target][0], sheet, options) for p in network.projections]
    report = QuantReport(tuple(r for _, r in populations.values()), tuple(r for _, r in pairs))
    return QuantNetwork(network, tuple(q for q, _ in populations.values()), tuple(q for q, _ in pairs), report)


def coupling(model: LIF, dt: float) -> float:
    """Return what one unit of weight adds to v in its first tick: 1 for delta, P21 for exponential synapses."""
    return couple(model.tau_m, model.tau_syn, dt) if model.tau_syn > 0 else 1.0


def decay_sum(keep: float, x0: float, loss: float) -> float:
    """Return the sum of ``x -> keep * x - loss`` from x0 until it reaches 0, over x0 (1 / (1 - keep) without loss).

    The series is ``x_k = (x0 + c) keep^k - c`` with ``c = loss / (1 - keep)``; it ends at
    ``keep^k = c / (x0 + c)``. The idea is nengo-loihi's ``decay_magnitude``.
    """
    c = loss / (1 - keep)
    steps = math.log(c / (x0 + c)) / math.log(keep)
    return ((x0 + c) * (1 - keep**steps) / (1 - keep) - c * steps) / x0


def _population(
    network: Network, p: Population, sheet: Datasheet, options: Options
) -> tuple[QuantPopulation, PopulationReport]:
    model, one = lif_of(p), 1 << sheet.int("neuron.decay")
    theta = model.v_th - model.v_rest
    scale = _scale(network, p, sheet, options)
    loss = float(sheet["neuron.decay_loss"].value) if options.compensate else 0.0
    delta = -math.expm1(-network.dt / model.tau_m)
    decay_v = min(max(round(one * (delta - loss / (scale * theta / 2))), 0), one - 1)
    decay_u = one - 1
    if model.tau_syn > 0:
        decay_u = min(max(round(-one * math.expm1(-network.dt / model.tau_syn)) - 1, 0), one - 1)
    unit = 1 << sheet.int("neuron.threshold_shift")
    # The float network spikes at v >= v_th, the chip at v > threshold: one unit lower includes equality.
    steps = min(max(round(scale * theta / unit), 1), 1 << sheet.int("neuron.threshold_mantissa"))
    vmin_exp = sheet.int("neuron.v") - 1
    depth = None if model.v_min is None else scale * (model.v_rest - model.v_min)
    if depth is not None:
        vmin_exp = min(round(math.log2(depth + 1)), vmin_exp)
    refract = round(model.t_ref / network.dt) + 1
    quant = QuantPopulation(p.name, p.n, scale, decay_u, decay_v, steps - 1, vmin_exp, depth is not None, refract)
    report = PopulationReport(
        name=p.name,
        scale=scale,
        threshold_error=steps * unit / (scale * theta) - 1,
        tau_m=_tau(decay_v / one, network.dt),
        tau_syn=_tau((decay_u + 1) / one, network.dt) if model.tau_syn > 0 else 0.0,
        v_min=None if depth is None else model.v_rest - ((1 << vmin_exp) - 1) / scale,
        t_ref=(refract - 1) * network.dt,
    )
    return quant, report


def bias_limit(sheet: Datasheet) -> int:
    """Return the largest bias the registers hold."""
    return ((1 << (sheet.int("neuron.bias_mantissa") - 1)) - 1) << sheet.int("neuron.bias_exponent_max")


def _tau(delta: float, dt: float) -> float:
    return math.inf if delta == 0 else (0.0 if delta >= 1 else -dt / math.log1p(-delta))


def _scale(network: Network, p: Population, sheet: Datasheet, options: Options) -> float:
    """Choose chip units per unit of v.

    Upper bounds: the threshold at half the range of v; all excitatory (or all inhibitory) synapses of a neuron at
    once within the accumulator, unless that leaves fewer than MIN_THRESHOLD steps of threshold; with analog input,
    a bias of two thresholds per tick within its registers. Below them the
    largest scale is taken that puts a floor on a power of two or, without floor, the largest weight on a full mantissa.
    """
    model = lif_of(p)
    theta = model.v_th - model.v_rest
    half_range = float(1 << (sheet.int("neuron.v") - 2))
    incoming = [q for q in network.projections if q.target == p.name and not is_current(network, q)]
    f = coupling(model, network.dt)
    drive = np.zeros((2, p.n))
    for q in incoming:
        w = q.weight.astype(np.float64) * f
        drive[0] += np.bincount(q.post, np.maximum(w, 0), p.n)
        drive[1] += np.bincount(q.post, np.maximum(-w, 0), p.n)
    bound = half_range / theta
    depth = 0.0 if model.v_min is None else model.v_rest - model.v_min
    if depth > 0:
        bound = min(bound, 2 * half_range / depth)
    if any(q.target == p.name and is_current(network, q) for q in network.projections):
        bound = min(bound, bias_limit(sheet) / (2 * theta))
    if drive.max() > 0:
        room = ((1 << (sheet.int("neuron.accumulator") - 1)) - 1) / drive.max()
        least = (MIN_THRESHOLD << sheet.int("neuron.threshold_shift")) / theta
        bound = min(bound, max(room, least))
    if depth > 0:
        return 2.0 ** math.floor(math.log2(bound * depth)) / depth
    largest = max(incoming, key=lambda q: float(np.abs(q.weight).max(initial=0)), default=None)
    if largest is None or not largest.weight.any():
        return bound
    top = float(np.abs(largest.weight).max()) * f / _limit(sign_mode(largest.weight), options, sheet)[1]
    return 2.0 ** math.floor(math.log2(bound * top)) / top


def sign_mode(weight: npt.NDArray) -> str:
    """Return the sign mode of weights: null, excitatory, inhibitory or mixed."""
    positive, negative = bool((weight > 0).any()), bool((weight < 0).any())
    return {(0, 0): "null", (1, 0): "excitatory", (0, 1): "inhibitory", (1, 1): "mixed"}[positive, negative]


def _limit(sign: str, options: Options, sheet: Datasheet) -> tuple[int, int]:
    """Return (low bits a mantissa cannot have, largest mantissa)."""
    width = sheet.int("weight.bits")
    shift = width - options.weight_bits + (sign == "mixed")
    return shift, ((1 << (width - shift)) - 1) << shift


def _projection(
    network: Network,
    p: Projection,
    quant: QuantPopulation,
    sheet: Datasheet,
    options: Options,
) -> tuple[QuantProjection, ProjectionReport]:
    model = lif_of(network.population(p.target))
    if is_current(network, p):
        # The chip's own decay, so that the steady state gain * drive is met.
        gain = quant.scale * quant.decay_v / (1 << sheet.int("neuron.decay"))
        empty = np.zeros(0, np.int32)
        return QuantProjection(p.name, empty, 0, empty, gain, "null"), ProjectionReport.host(p.name, p.n_synapses)
    sign = sign_mode(p.weight)
    shift, limit = _limit(sign, options, sheet)
    gain = quant.scale * coupling(model, network.dt) * _compensation(p, quant, model, network.dt, sheet, options)
    x = p.weight.astype(np.float64) * gain
    base = sheet.int("weight.shift")
    top = float(np.abs(x).max(initial=0.0))
    exponent = 0 if top == 0 else math.ceil(math.log2(top / (limit + (1 << shift) / 2 - 1e-9)) - base)
    # Below -6 the shift would go right and cut low bits, so the register's -7 is not used.
    exponent = min(max(exponent, -base), sheet.int("weight.exponent_max"))
    mantissa = np.rint(x / 2.0 ** (base + exponent + shift)) * (1 << shift)
    weight = np.clip(mantissa, -limit, limit).astype(np.int32)
    ticks = np.rint(p.delay / network.dt).astype(np.int64)
    clipped = np.minimum(ticks, sheet.int("delay.max"))
    late = 1 if model.tau_syn > 0 else 0
    q = QuantProjection(p.name, weight, exponent, (clipped + late).astype(np.int32), gain, sign)
    error = q.effective - p.weight
    report = ProjectionReport(
        name=p.name,
        n_synapses=p.n_synapses,
        bits=options.weight_bits,
        sign=sign,
        exponent=exponent,
        step=2.0 ** (base + exponent + shift) / gain,
        rms_error=_ratio(float(np.linalg.norm(error)), float(np.linalg.norm(p.weight))),
        max_error=_ratio(float(np.abs(error).max(initial=0)), float(np.abs(p.weight).max(initial=0))),
        zeroed=int(((weight == 0) & (p.weight != 0)).sum()),
        saturated=int((np.abs(mantissa) > limit).sum()),
        clipped_delays=int((ticks != clipped).sum()),
    )
    return q, report


def _compensation(
    p: Projection, quant: QuantPopulation, model: LIF, dt: float, sheet: Datasheet, options: Options
) -> float:
    """Return the factor by which truncation shortens the charge of an exponential synapse of typical size."""
    if not options.compensate or model.tau_syn == 0 or not p.weight.any():
        return 1.0
    one = 1 << sheet.int("neuron.decay")
    keep = (one - 1 - quant.decay_u) / one
    if keep <= 0:
        return 1.0
    typical = float(np.median(np.abs(p.weight[p.weight != 0]))) * coupling(model, dt) * quant.scale
    loss, factor = float(sheet["neuron.decay_loss"].value), 1.0
    for _ in range(20):
        # A larger start loses relatively less: iterate to the factor that restores the whole charge.
        factor = 1 / (1 - keep) / decay_sum(keep, factor * typical, loss)
    return factor


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else 0.0
