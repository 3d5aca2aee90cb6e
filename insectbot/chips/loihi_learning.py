"""The kit's learning rules in Loihi's microcode, with the scales that traces, tags and rewards get.

Scales are free: a trace counts ``impulse`` per spike, a tag ``tag_unit`` per unit of eligibility, a reward trace
``reward_gain`` per unit of the modulator. They are chosen so that mantissas are exact and shifts lose nothing: products
of the tag with a reward are shifted right by 5, so the mantissa is 4 and rewards are written in steps of 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from insectbot.chips import cuba_learn as k
from insectbot.chips.loihi_microcode import MANTISSAS, Microcode, Product, Trace
from insectbot.errors import Unsupported
from insectbot.snn.inputs import PoissonInput, RegularInput
from insectbot.snn.network import Input, Network, Projection
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP

GUESS_RATE = 50.0
"""Spikes per second that scales assume of a neuron whose rate the network does not tell."""
REWARD_MANTISSA, REWARD_STEP = 4, 8
FINEST = -4
"""Exponent down to which shifts that lose bits are taken, for a small correction only."""
TAG_SHIFT = k.TRACE_BITS + k.SYNAPSE_BITS + k.MANTISSA_BITS - k.ACCUMULATOR_BITS


@dataclass(frozen=True)
class Plasticity:
    """A learning rule on the chip.

    Attributes
    ----------
    code : Microcode
        The rule.
    tag_unit : float
        Tag per unit of eligibility; 0 without eligibility.
    reward_gain : float
        Reward trace per unit of the modulator; 0 without reward.
    noise_gain : float
        Trace per unit of the exploration signal (noise less the mean noise of the others); 0 without.
    """

    code: Microcode
    tag_unit: float = 0.0
    reward_gain: float = 0.0
    noise_gain: float = 0.0


def refusals(network: Network, projection: Projection) -> list[str]:
    """Return what of a projection's learning rule the engine cannot say, one phrase each; empty if it can learn."""
    rule, where = projection.plasticity, f"{type(projection.plasticity).__name__} of {projection.name!r}"
    if isinstance(rule, PairSTDP):
        found = []
        if rule.weighting:
            found.append(f"{where}: weight dependence ({rule.weighting}, mu = {rule.mu_plus}, {rule.mu_minus})")
        if rule.w_min * rule.w_max < 0 and not math.isclose(-rule.w_min, rule.w_max, rel_tol=0.01):
            found.append(f"{where}: bounds {rule.w_min}, {rule.w_max} of both signs that are not symmetric")
        if rule.w_min > 0 or rule.w_max < 0:
            found.append(f"{where}: bounds {rule.w_min}, {rule.w_max} that leave out 0")
        return found
    if isinstance(rule, RewardSTDP | NodePerturbation):
        return []
    return [where]


def translated(
    network: Network, projection: Projection, unit: float, t_epoch: int, rounding: str, reward_max: float
) -> Plasticity:
    """Return the microcode of a projection's rule.

    Parameters
    ----------
    network : Network
        Where the projection is; its inputs tell how fast sources can spike.
    projection : Projection
        With a rule that :func:`refusals` accepts.
    unit : float
        Weight per step of the mantissa [unit of w].
    t_epoch, rounding
        As in :class:`Microcode`.
    reward_max : float
        Modulator that fills a reward trace.

    Raises
    ------
    Unsupported
        If an amplitude is too small or too large for the engine; the message says which.
    """
    rule = projection.plasticity
    if isinstance(rule, NodePerturbation):
        found = _perturbation(network, projection, rule, unit)
    elif isinstance(rule, RewardSTDP):
        found = _reward(network, projection, rule, unit, t_epoch)
    elif isinstance(rule, PairSTDP):
        found = _pair(network, projection, rule, unit)
    else:
        raise Unsupported(f"loihi: {type(rule).__name__} of {projection.name!r} does not exist in the engine")
    code = replace(found.code, t_epoch=t_epoch, rounding=rounding)
    if isinstance(rule, PairSTDP):
        return replace(found, code=code)
    # The reward product: 2^7 * dw = (t * y * 4 >> 5) << exponent, with t = tag_unit * e and y = reward_gain * m.
    per_step = (1 << k.UP) * rule.learning_rate / (unit * found.tag_unit)
    level = k.TRACE_MAX // REWARD_STEP * REWARD_STEP
    exponent = _exponent(abs(per_step) * reward_max / level * (1 << TAG_SHIFT) / REWARD_MANTISSA)
    factor = REWARD_MANTISSA * 2.0**exponent / (1 << TAG_SHIFT)
    pay = tuple(
        Product("w", "reward", sign * REWARD_MANTISSA, exponent, (("t", 0), (trace, 0)))
        for sign, trace in ((1, "y2"), (-1, "y3"))
    )
    return replace(found, code=replace(code, products=code.products + pay), reward_gain=per_step / factor)


def source_rate(network: Network, projection: Projection) -> float:
    """Return the highest rate of the source as far as the network tells, else :data:`GUESS_RATE` [Hz]."""
    group = next(g for g in network.groups if g.name == projection.source)
    if isinstance(group, Input) and isinstance(group.source, PoissonInput | RegularInput):
        return group.source.rate
    return GUESS_RATE


def _exponent(value: float) -> int:
    """Return the exponent, at least 0 so that no shift loses bits, whose power of two is nearest."""
    return min(max(round(math.log2(value)) if value > 0 else 0, 0), 7)


def _scaling(value: float, lowest: int = 0) -> tuple[int, int]:
    """Return (mantissa, exponent) with an exponent of at least ``lowest`` that come nearest to ``value``."""
    most = MANTISSAS[1]
    options = [(m, e) for e in range(lowest, 8) for m in range(1, most + 1)]
    return min(options, key=lambda pair: (abs(math.log(pair[0] * 2.0 ** pair[1] / max(value, 1e-9))), pair[1]))


def _impulse(rate: float, tau: float) -> float:
    """Return the impulse that keeps a trace below 127 while its neuron spikes at ``rate`` [Hz], tau in ms."""
    mean = rate * tau * 1e-3
    return min(k.TRACE_MAX / (1 + mean + 2 * math.sqrt(mean)), 64.0)


def _half(
    target: str,
    dependency: str,
    trace: str,
    amplitude: float,
    rate: float,
    tau: float,
    dt: float,
    fixed: float,
    who: str,
) -> tuple[tuple[Product, ...], Trace]:
    """Return one half of a pair rule: ``amplitude`` accumulator units per unit of the float trace."""
    if amplitude == 0:
        return (), Trace(0.0, tau / dt)
    way = 1 if amplitude > 0 else -1
    wished = fixed or _impulse(rate, tau)
    mantissa, exponent = _scaling(abs(amplitude) / wished)
    impulse = fixed or abs(amplitude) / (mantissa * 2**exponent)
    if not 1 / 256 <= impulse <= k.TRACE_MAX:
        size = "small" if impulse < 1 else "large"
        raise Unsupported(f"loihi: {who}: its amplitude is too {size} for 9-bit weights; change it or its bounds")
    made = [Product(target, dependency, way * mantissa, exponent, ((trace, 0),))]
    rest = abs(amplitude) / impulse - mantissa * 2**exponent
    if abs(rest) * impulse > abs(amplitude) / 100:
        # The impulse is given, so a second product brings the amplitude within a hundredth or so.
        mantissa, exponent = _scaling(abs(rest), FINEST)
        made.append(
            Product(target, dependency, way * mantissa if rest > 0 else -way * mantissa, exponent, ((trace, 0),))
        )
    return tuple(made), Trace(impulse, tau / dt)


def _pair(network: Network, p: Projection, rule: PairSTDP, unit: float) -> Plasticity:
    who, dt, one = f"PairSTDP of {p.name!r}", network.dt, 1 << k.UP
    fixed = float(k.TRACE_MAX) if rule.nearest else 0.0
    up, x1 = _half("w", "y0", "x1", one * rule.a_plus / unit, source_rate(network, p), rule.tau_plus, dt, fixed, who)
    down, y1 = _half("w", "x0", "y1", -one * rule.a_minus / unit, GUESS_RATE, rule.tau_minus, dt, fixed, who)
    return Plasticity(Microcode(down + up, {"x1": x1, "y1": y1}, nearest=rule.nearest))


def _reward(network: Network, p: Projection, rule: RewardSTDP, unit: float, t_epoch: int) -> Plasticity:
    who, dt, rate = f"RewardSTDP of {p.name!r}", network.dt, source_rate(network, p)
    # The largest eligibility to expect: every spike of the target pairs with all recent ones of the source.
    pairs = GUESS_RATE * 1e-3 * rule.tau_e * (1 + rate * 1e-3 * max(rule.tau_plus, rule.tau_minus))
    top = max(abs(rule.a_plus), abs(rule.a_minus)) * max(pairs, 1.0)
    tag_unit = k.TAG_MAX / top if top > 0 else 1.0
    one = tag_unit * (1 << k.UP)
    up, x1 = _half("t", "y0", "x1", one * rule.a_plus, rate, rule.tau_plus, dt, 0.0, who)
    down, y1 = _half("t", "x0", "y1", -one * rule.a_minus, GUESS_RATE, rule.tau_minus, dt, 0.0, who)
    fade = _fade(rule.tau_e / dt, t_epoch)
    return Plasticity(Microcode((*down, *up, fade), {"x1": x1, "y1": y1}), tag_unit)


def _fade(tau: float, t_epoch: int) -> Product:
    """Return the decay of a tag: 1/8 of it, or a little more, every 2^n epochs."""
    best = (math.inf, 0, 0, 0)
    for n in range(10):
        wished = -math.expm1(-t_epoch * 2**n / tau) * (1 << k.UP)
        mantissa, exponent = _scaling(wished)
        error = abs(math.log(mantissa * 2**exponent / wished)) + (0 if wished <= 1 << (k.UP - 2) else wished)
        best = min(best, (round(error, 2), n, mantissa, exponent))
    _, n, mantissa, exponent = best
    return Product("t", f"u{n}", -mantissa, exponent, (("t", 0),))


def _perturbation(network: Network, p: Projection, rule: NodePerturbation, unit: float) -> Plasticity:
    """Return node perturbation: the host writes the noise into y2 (where positive) and y3 (where negative)."""
    population = network.population(p.target)
    noise = population.exploration
    if noise is None or noise.sigma == 0:
        return Plasticity(Microcode(()), 1.0)
    spread = noise.sigma / math.sqrt(1 - noise.decay**2) * math.sqrt(population.n / (population.n - 1))
    noise_gain = k.TRACE_MAX / (4 * spread)
    spikes = source_rate(network, p) * noise.period * 1e-3
    top = 2 * spread / (noise.sigma * rule.spikes_per_unit) * max(spikes, 1.0) / (1 - rule.decay)
    # A spike adds trace * mantissa * 2^exponent / 2^7 to the tag, for a signal / (sigma * spikes_per_unit).
    per_trace = noise_gain * noise.sigma * rule.spikes_per_unit / (1 << k.UP)
    mantissa, exponent = _scaling(k.TAG_MAX / top / per_trace)
    keep, shrink = _scaling((1 - rule.decay) * (1 << k.UP))
    products = (
        Product("t", "x0", mantissa, exponent, (("y2", 0),)),
        Product("t", "x0", -mantissa, exponent, (("y3", 0),)),
        Product("t", "noise", -keep, shrink, (("t", 0),)),
    )
    return Plasticity(Microcode(products), per_trace * mantissa * 2**exponent, noise_gain=noise_gain)
