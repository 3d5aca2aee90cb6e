"""Learning rules of the kit in the numbers of SpiNNaker's deferred STDP, or why they cannot be said there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips import s1615 as k
from insectbot.chips import s1615_learn as sl
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.spinnaker_quantise import QuantPopulation
from insectbot.snn.network import Network
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP

Ints = npt.NDArray[np.int64]
D_LIMIT = (1 << 15) - 1
HEADROOM = 32.0
"""Pairs at once that an eligibility must hold."""


def refusals(network: Network) -> list[str]:
    """Return what of a network's learning the engine cannot say, one phrase each."""
    found: list[str] = []
    rules: dict[str, Any] = {}
    for p in network.plastic():
        rule = p.plasticity
        if isinstance(rule, PairSTDP) and (rule.weighting or rule.nearest):
            found.append(f"{'nearest' if rule.nearest else rule.weighting} PairSTDP of {p.name!r}")
        elif not isinstance(rule, PairSTDP | RewardSTDP | NodePerturbation):
            found.append(f"{type(rule).__name__} of {p.name!r}")
        elif _kind(rules.setdefault(p.target, rule)) != _kind(rule):
            found.append(f"a second rule onto {p.target!r} ({p.name!r}: a core has one)")
        elif any(lengths for lengths in [network.population(p.target).model.lengths()]):
            found.append(f"{type(rule).__name__} of {p.name!r} onto neurons that differ")
    return found


def _kind(rule: Any) -> Any:
    """Return what a core has once: a rule of STDP; of node perturbation, rows name the parameters of theirs."""
    return NodePerturbation if isinstance(rule, NodePerturbation) else rule


def table(tau: float, dt: float, shift: int = 0) -> Ints:
    """Return a decay table: floor(exp(-k dt / tau) 2^11) for every 2^shift ticks, until it reaches 0.

    sPyNNaker ``plasticity/stdp/common.py`` (chips sheet 4.3).
    """
    longest = math.ceil(tau / dt * math.log(sl.ONE_STDP)) + 1
    ticks = np.arange((longest >> shift) + 2) << shift
    values = np.floor(np.exp(-ticks * dt / tau) * sl.ONE_STDP).astype(np.int64)
    return values[values > 0]


def tables(rule: PairSTDP | RewardSTDP, dt: float, tau_d: float, sheet: Datasheet) -> list[Ints]:
    """Return the decay tables of a rule: tau_plus, tau_minus, eligibility, dopamine."""
    tau_c = rule.tau_e if isinstance(rule, RewardSTDP) else float(sheet["learning.tau_c"].value)
    shift_c, shift_d = sheet.int("learning.shift_c"), sheet.int("learning.shift_d")
    return [table(rule.tau_plus, dt), table(rule.tau_minus, dt), table(tau_c, dt, shift_c), table(tau_d, dt, shift_d)]


def registers(
    rule: PairSTDP | RewardSTDP,
    quant: QuantPopulation,
    sheet: Datasheet,
    *,
    tau_d: float,
    reward_max: float,
    signed: bool,
    backprop: bool,
) -> tuple[Ints, float]:
    """Return the parameters of a rule as ``s1615_learn.py`` takes them, and dopamine per unit of modulator.

    A reward of dopamine D turns an eligibility C into weight C D tau while both decay, tau = 1 / (1/tau_e + 1/tau_d).
    The kit's pulse gives learning_rate * m * e at once; both gains are chosen so that the sums agree and the
    rounding errors of C and D are alike.

    Parameters
    ----------
    rule : PairSTDP or RewardSTDP
        The rule.
    quant : QuantPopulation
        Its target, of which all neurons are alike.
    sheet : Datasheet
        Resolution of the tables.
    tau_d : float
        Time constant of dopamine [ms].
    reward_max : float
        Modulator that dopamine must hold.
    signed : bool
        Whether an eligibility has a sign.
    backprop : bool
        Whether postsynaptic spikes reach synapses after the synaptic delay.
    """
    gain, shift = float(quant.gain[0]), quant.shift[0]
    low, out = min(rule.w_min, 0.0), np.zeros(sl.N_PARAMETERS, np.int64)
    top = k.WEIGHT_MAX << shift
    out[sl.W_LOW] = min(max(round((rule.w_min - low) * gain * k.ONE), 0), top)
    step = 2.0 ** (shift - k.FRACTION) / gain
    out[sl.W_HIGH] = min(round((rule.w_max - low) / step) << shift, top)
    out[sl.SHIFT], out[sl.BACKPROP] = shift, int(backprop)
    out[sl.SHIFT_C], out[sl.SHIFT_D] = sheet.int("learning.shift_c"), sheet.int("learning.shift_d")
    out[sl.E_HIGH] = (D_LIMIT if signed else k.WEIGHT_MAX) << shift
    out[sl.E_LOW] = -(out[sl.E_HIGH] if signed else 0)
    scale, dopamine = gain, 0.0
    if isinstance(rule, RewardSTDP):
        tau = 1.0 / (1.0 / rule.tau_e + 1.0 / tau_d)
        out[sl.REWARDED], out[sl.FACTOR] = 1, -round(tau * k.ONE)
        product = abs(rule.learning_rate) * gain / tau
        largest = max(abs(rule.a_plus), abs(rule.a_minus)) or 1.0
        ample = 2.0**shift / (HEADROOM * largest)
        scale = min(math.sqrt(product * reward_max * 2.0 ** (shift - 4) / largest), ample) or 1.0
        least = product * reward_max * sl.ONE_STDP / D_LIMIT
        scale = max(scale, least)
        dopamine = math.copysign(product / scale, rule.learning_rate)
    out[sl.A_PLUS], out[sl.A_MINUS] = round(rule.a_plus * scale * k.ONE), round(rule.a_minus * scale * k.ONE)
    return out, dopamine
