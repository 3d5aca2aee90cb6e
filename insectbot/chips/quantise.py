"""From float networks to Loihi's integers: membrane scale, weight mantissas and exponents, and what was lost.

Potentials are shifted so that rest is 0 and multiplied by one scale per population. A delta synapse is a current
that decays at once (``decay_u`` = 4095: u = q). An exponential synapse decays in u; the exact propagator adds last
tick's current to v and the chip adds this tick's, so its spikes are delivered one tick later, which makes both equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.loihi_integers import QuantNetwork, QuantPopulation, QuantProjection
from insectbot.chips.loihi_wiring import Facts, blocks, drive, facts, is_constant, sign_of, sizes
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.core.propagator import couple
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn.inputs import CurrentInput
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.neurons import LIF
from insectbot.snn.plasticity import PairSTDP

NOISE_REACH = 5.0
"""Standard deviations of exploration noise that the bias registers must hold."""
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


def unknown_features(population: Population, chip: str = "loihi") -> list[str]:
    """Return what the chip lacks for a population's model, one sentence each, which begins with its name."""
    model, where = population.model, f"{chip}: population {population.name!r}"
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


class Context:
    """A network as the quantiser looks things up in it.

    Parameters
    ----------
    network : Network
        Features must have been checked.
    sheet : Datasheet
        Widths and limits.
    options : Options
        Choices.
    learning : bool
        Whether plastic weights must have room up to the bounds of their rules.
    """

    def __init__(self, network: Network, sheet: Datasheet, options: Options, learning: bool) -> None:
        self.network, self.sheet, self.options, self.learning = network, sheet, options, learning
        self.sizes = sizes(network)
        self._currents = {g.name for g in network.inputs if isinstance(g.source, CurrentInput)}
        self.incoming: dict[str, list[Projection]] = {p.name: [] for p in network.populations}
        for q in network.projections:
            self.incoming[q.target].append(q)
        self.facts = {q.name: self._facts(q) for q in network.projections if not self.is_current(q)}

    def is_current(self, projection: Projection) -> bool:
        """Tell whether a projection carries analog current (evaluated by the host, written into bias registers)."""
        return projection.source in self._currents

    def span(self, projection: Projection) -> tuple[float, float] | None:
        """Return the bounds of weights that learn here, else None."""
        rule = projection.plasticity
        return (rule.w_min, rule.w_max) if self.learning and rule is not None else None

    def group(self, projection: Projection) -> tuple[int, int, float]:
        """Return sizes of source and target, and dt."""
        return self.sizes[projection.source], self.sizes[projection.target], self.network.dt

    def _facts(self, projection: Projection) -> Facts:
        found, span = facts(projection, *self.group(projection)), self.span(projection)
        if span is None or not found.n:
            return found
        return replace(found, low=min(found.low, span[0]), high=max(found.high, span[1]))


def quantise(
    network: Network, sheet: Datasheet, options: Options | None = None, *, learning: bool = False
) -> QuantNetwork:
    """Return the integer network and its report.

    Parameters
    ----------
    network : Network
        LIF populations whose reset is their rest; other features must have been checked.
    sheet : Datasheet
        Widths and limits.
    options : Options, optional
        Choices.
    learning : bool
        Leave room for weights to learn: scales follow the bounds of the rules, not the weights of the moment, and
        exploration noise must fit the bias registers.
    """
    c = Context(network, sheet, options or Options(), learning)
    populations = {p.name: _population(c, p) for p in network.populations}
    models = {p.name: lif_of(p) for p in network.populations}
    pairs = [_projection(c, p, populations[p.target][0], models[p.target]) for p in network.projections]
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


def _population(c: Context, p: Population) -> tuple[QuantPopulation, PopulationReport]:
    network, sheet, options = c.network, c.sheet, c.options
    model, one = lif_of(p), 1 << sheet.int("neuron.decay")
    theta = model.v_th - model.v_rest
    scale = _scale(c, p)
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


def _scale(c: Context, p: Population) -> float:
    """Choose chip units per unit of v.

    Upper bounds: the threshold at half the range of v; all excitatory (or all inhibitory) synapses of a neuron at
    once within the accumulator, unless that leaves fewer than MIN_THRESHOLD steps of threshold; with analog input,
    a bias of two thresholds per tick within its registers; exploration noise within them, too. Below them the
    largest scale is taken that puts a floor on a power of two or, without floor, the largest weight on a full mantissa.
    Where pair STDP learns, its bound is what must be a full mantissa: the engine stops there.
    """
    model, sheet = lif_of(p), c.sheet
    theta = model.v_th - model.v_rest
    half_range = float(1 << (sheet.int("neuron.v") - 2))
    incoming = [q for q in c.incoming[p.name] if not c.is_current(q)]
    f = coupling(model, c.network.dt)
    total = sum((drive(q, *c.group(q), f, c.span(q)) for q in incoming), np.zeros((2, p.n)))
    bound = half_range / theta
    depth = 0.0 if model.v_min is None else model.v_rest - model.v_min
    if depth > 0:
        bound = min(bound, 2 * half_range / depth)
    if len(incoming) < len(c.incoming[p.name]):
        bound = min(bound, bias_limit(sheet) / (2 * theta))
    if c.learning and p.exploration is not None and p.exploration.sigma > 0:
        noise = p.exploration.sigma / math.sqrt(1 - p.exploration.decay**2)
        bound = min(bound, bias_limit(sheet) / (NOISE_REACH * noise))
    if total.max() > 0:
        room = ((1 << (sheet.int("neuron.accumulator") - 1)) - 1) / total.max()
        least = (MIN_THRESHOLD << sheet.int("neuron.threshold_shift")) / theta
        bound = min(bound, max(room, least))
    stopped = [q for q in incoming if c.learning and isinstance(q.plasticity, PairSTDP)]
    if depth > 0 and not stopped:
        return 2.0 ** math.floor(math.log2(bound * depth)) / depth
    largest = max(stopped or incoming, key=lambda q: c.facts[q.name].top, default=None)
    if largest is None or not c.facts[largest.name].top:
        return bound
    known = c.facts[largest.name]
    top = known.top * f / _limit(known.sign, c.options, sheet)[1]
    return 2.0 ** math.floor(math.log2(bound * top)) / top


def sign_mode(weight: npt.NDArray) -> str:
    """Return the sign mode of weights: null, excitatory, inhibitory or mixed."""
    return sign_of(float(weight.min(initial=0.0)), float(weight.max(initial=0.0)))


def _limit(sign: str, options: Options, sheet: Datasheet) -> tuple[int, int]:
    """Return (low bits a mantissa cannot have, largest mantissa)."""
    width = sheet.int("weight.bits")
    shift = width - options.weight_bits + (sign == "mixed")
    return shift, ((1 << (width - shift)) - 1) << shift


def _projection(
    c: Context, p: Projection, quant: QuantPopulation, model: LIF
) -> tuple[QuantProjection, ProjectionReport]:
    sheet, dt = c.sheet, c.network.dt
    if c.is_current(p):
        # The chip's own decay, so that the steady state gain * drive is met; without decay there is none to meet.
        share = quant.decay_v / (1 << sheet.int("neuron.decay"))
        gain = quant.scale * (share or -math.expm1(-dt / model.tau_m))
        host = QuantProjection(p.name, p, 0, gain, "null", 0, 0, 0, 0, (dt, 0), host=True)
        return host, ProjectionReport.host(p.name, p.n_synapses)
    known = c.facts[p.name]
    shift, limit = _limit(known.sign, c.options, sheet)
    gain = quant.scale * coupling(model, dt) * _compensation(c, p, quant, model)
    base, most = sheet.int("weight.shift"), sheet.int("delay.max")
    top = known.top * gain
    exponent = 0 if top == 0 else math.ceil(math.log2(top / (limit + (1 << shift) / 2 - 1e-9)) - base)
    # Below -6 the shift would go right and cut low bits, so the register's -7 is not used.
    exponent = min(max(exponent, -base), sheet.int("weight.exponent_max"))
    late = 1 if model.tau_syn > 0 else 0
    longest = min(known.longest, most) + late if known.n else 0
    q = QuantProjection(p.name, p, exponent, gain, known.sign, shift, limit, late, longest, (dt, most))
    return q, _report(c, p, q)


def _report(c: Context, p: Projection, q: QuantProjection) -> ProjectionReport:
    """Compare mantissas with weights, block by block."""
    error, norm, worst, largest, most = 0.0, 0.0, 0.0, 0.0, q.ticks[1]
    losses = np.zeros(3, np.int64)
    for weight, ticks, n in _samples(c, p):
        mantissa = q.mantissas(weight)
        kept = np.clip(mantissa, -q.limit, q.limit)
        off = q.effective_of(kept) - weight
        error, norm = math.hypot(error, float(np.linalg.norm(off))), math.hypot(norm, float(np.linalg.norm(weight)))
        worst, largest = (
            max(worst, float(np.abs(off).max(initial=0))),
            max(largest, float(np.abs(weight).max(initial=0))),
        )
        lost = ((kept == 0) & (weight != 0), np.abs(mantissa) > q.limit, ticks > most)
        losses += n * np.array([int(mask.sum()) for mask in lost])
    return ProjectionReport(
        name=p.name,
        n_synapses=p.n_synapses,
        bits=c.options.weight_bits,
        sign=q.sign,
        exponent=q.exponent,
        step=2.0 ** (c.sheet.int("weight.shift") + q.exponent + q.shift) / q.gain,
        rms_error=_ratio(error, norm),
        max_error=_ratio(worst, largest),
        zeroed=int(losses[0]),
        saturated=int(losses[1]),
        clipped_delays=int(losses[2]),
    )


def _samples(c: Context, p: Projection) -> Iterator[tuple[npt.NDArray, npt.NDArray, int]]:
    """Yield weights, delays [ticks] and how many synapses each stands for: one stands for all if they are the same."""
    if is_constant(p) and p.n_synapses:
        weight = np.array([p.weight_bounds[0]], np.float32)
        yield weight, np.array([p.max_ticks(c.network.dt)]), p.n_synapses
        return
    for block in blocks(p, *c.group(p)):
        yield block.weight, block.ticks, 1


def _compensation(c: Context, p: Projection, quant: QuantPopulation, model: LIF) -> float:
    """Return the factor by which truncation shortens the charge of an exponential synapse of typical size."""
    sheet, dt = c.sheet, c.network.dt
    if not c.options.compensate or model.tau_syn == 0 or not c.facts[p.name].top:
        return 1.0
    one = 1 << sheet.int("neuron.decay")
    keep = (one - 1 - quant.decay_u) / one
    if keep <= 0:
        return 1.0
    weight = np.concatenate([w for w, _, _ in _samples(c, p)])
    if not weight.any():
        return 1.0
    typical = float(np.median(np.abs(weight[weight != 0]))) * coupling(model, dt) * quant.scale
    loss, factor = float(sheet["neuron.decay_loss"].value), 1.0
    for _ in range(20):
        # A larger start loses relatively less: iterate to the factor that restores the whole charge.
        factor = 1 / (1 - keep) / decay_sum(keep, factor * typical, loss)
    return factor


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else 0.0
