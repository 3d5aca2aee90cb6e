"""From float networks to TrueNorth's registers: values by axon type, thresholds, a linear leak, and what was lost.

Potentials are shifted so that rest is 0. The chip has no exponential leak: it has a constant one, here towards rest
(leak reversal). Its rate is what the exponential leak loses at half the threshold, so that the mean loss on the way
from rest to threshold is the same. The float network leaks before it adds a tick's spikes and the chip after, so V on
the chip is one leak ahead: threshold and floor are one leak lower, and both orders then give the same spikes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.loihi_wiring import blocks, is_constant, sizes
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.chips.truenorth_values import Table, table_for
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.neurons import IF, LIF


@dataclass(frozen=True)
class LeakReport(PopulationReport):
    """Parameters of a population on the chip, and its leak.

    Attributes
    ----------
    leak : float
        Loss of v towards rest per tick [unit of v], whatever v is; ``tau_m`` is the time constant that loses as much at
        half the threshold.
    modelled : tuple of str
        What the chip only comes near to: the shape of the leak, the refractory time.
    """

    leak: float = 0.0
    modelled: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuantPopulation:
    """Registers that all neurons of a population share, and the chip units per unit of v (``scale``)."""

    name: str
    n: int
    scale: float
    rest: float
    table: Table
    leak: int
    threshold: int
    floor: int
    bounded: bool
    linear: bool
    reset: int


@dataclass(frozen=True, eq=False)
class QuantProjection:
    """A projection in integers; its table is that of its target."""

    name: str
    projection: Projection
    table: Table
    ticks: tuple[float, int]

    def integers(self, weight: npt.NDArray) -> npt.NDArray[np.int64]:
        """Return float weights in units of the table."""
        return self.table.integers(weight)

    @property
    def effective(self) -> npt.NDArray[np.float64]:
        """Weights as the chip applies them, in the float network's unit, in projection order."""
        return self.integers(self.projection.weight).astype(np.float64) * self.table.step


@dataclass(frozen=True)
class QuantNetwork:
    """A network in the chip's integers."""

    network: Network
    populations: tuple[QuantPopulation, ...]
    projections: tuple[QuantProjection, ...]
    report: QuantReport


def neuron_features(chip: str, p: Population, dt: float) -> list[str]:
    """Return what the chip lacks for a population, one sentence each."""
    model, where = p.model, f"{chip}: population {p.name!r}"
    if not isinstance(model, LIF | IF):
        return [f"{where}: neuron model {type(model).__name__} is neither LIF nor IF"]
    found = [
        f"{where}: {type(model).__name__}.{name} differs between neurons; give one number" for name in model.lengths()
    ]
    if found:
        return found
    if p.ports != model.default_receptors() or (isinstance(model, LIF) and model.tau_syn > 0):
        found.append(f"{where}: only delta synapses exist on the chip; use tau_syn = 0")
    if isinstance(model, LIF) and model.precise:
        found.append(f"{where}: precise spike times do not exist on the chip; use LIF(precise=False)")
    if isinstance(model, IF) and model.t_ref > 0:
        found.append(f"{where}: a refractory time is modelled by the leak, which IF has not; use t_ref = 0")
    if p.initial:
        found.append(f"{where}: starts elsewhere than at rest")
    return found


def quantise(network: Network, sheet: Datasheet, bits: int) -> QuantNetwork:
    """Return the integer network and its report.

    Parameters
    ----------
    network : Network
        LIF or IF populations with delta synapses; features must have been checked.
    sheet : Datasheet
        Widths and limits.
    bits : int
        Digits of weights where a population has more than four of them.
    """
    n = sizes(network)
    pairs = [_population(network, p, n, sheet, bits) for p in network.populations]
    by_name = {q.name: q for q, _ in pairs}
    ticks = (network.dt, sheet.int("delay.max"))
    projections = tuple(QuantProjection(p.name, p, by_name[p.target].table, ticks) for p in network.projections)
    reports = tuple(_report(q, n[q.projection.source], n[q.projection.target]) for q in projections)
    return QuantNetwork(
        network, tuple(q for q, _ in pairs), projections, QuantReport(tuple(r for _, r in pairs), reports)
    )


def distinct_weights(network: Network, name: str, n: dict[str, int]) -> npt.NDArray[np.float32]:
    """Return the distinct weights onto a population, sorted; many of them are thinned out, but for the extremes."""
    found = np.zeros(0, np.float32)
    for p in network.projections:
        if p.target != name or not p.n_synapses:
            continue
        if is_constant(p):
            parts = [np.array(p.weight_bounds[:1], np.float32)]
        else:
            parts = (block.weight for block in blocks(p, n[p.source], n[p.target], network.dt))
        for part in parts:
            found = np.unique(np.concatenate([found, np.unique(part)]))
            if found.size > 1 << 16:
                found = found[np.linspace(0, found.size - 1, 1 << 15).astype(np.int64)]
    return found[found != 0]


def _population(
    network: Network, p: Population, n: dict[str, int], sheet: Datasheet, bits: int
) -> tuple[QuantPopulation, LeakReport]:
    model, dt = p.model, network.dt
    leaky = isinstance(model, LIF)
    if isinstance(model, LIF):
        rest, depth, delta, t_ref = model.v_rest, model.v_min, -math.expm1(-dt / model.tau_m), model.t_ref
        linear, down = False, model.v_reset - model.v_rest
        depth = None if depth is None else rest - depth
    else:
        assert isinstance(model, IF)
        rest, depth, delta, t_ref = float(model.v_reset or 0.0), None, 0.0, 0.0
        linear, down = model.v_reset is None, 0.0
    theta = float(model.v_th) - rest
    widest = (1 << sheet.int("neuron.threshold")) - 1
    value_max, leak_max = ((1 << (sheet.int(path) - 1)) - 1 for path in ("weight.bits", "neuron.leak"))
    span = max(theta, depth or 0.0, abs(down))
    bound = widest / span
    if leaky:
        bound = min(bound, leak_max / (delta * theta / 2))
    table = table_for(distinct_weights(network, p.name, n), bits, value_max, bound)
    scale = table.unit / table.step
    leak = min(round(scale * theta * delta / 2), leak_max)
    threshold = min(max(round(scale * theta) - leak, 1), widest)
    ticks = round(t_ref / dt)
    reset = _reset(round(scale * down), leak, ticks, sheet)
    floor = widest if depth is None else min(max(round(scale * depth) - leak, 0), widest)
    quant = QuantPopulation(p.name, p.n, scale, rest, table, leak, threshold, floor, depth is not None, linear, reset)
    modelled = ("linear leak",) * leaky + ("refractory time as a deeper reset",) * (ticks > 0)
    lost = 2 * leak / (scale * theta)
    report = LeakReport(
        name=p.name,
        scale=scale,
        threshold_error=(threshold + leak) / (scale * theta) - 1,
        tau_m=math.inf if leak == 0 else (0.0 if lost >= 1 else -dt / math.log1p(-lost)),
        tau_syn=0.0,
        v_min=None if depth is None else rest - (floor + leak) / scale,
        t_ref=-reset / leak * dt if ticks and leak and not down else 0.0,
        leak=leak / scale,
        modelled=modelled,
    )
    return quant, report


def _reset(level: int, leak: int, ticks: int, sheet: Datasheet) -> int:
    """Return R = +-(2^k - 1) next to the reset level, one leak ahead, less what leaks in the refractory time."""
    ahead = int(np.sign(level)) * max(abs(level) - leak, 0) - leak * ticks
    register = np.array([(1 << k) - 1 for k in range(sheet.int("neuron.reset_exponent_max") + 1)])
    nearest = int(register[np.argmin(np.abs(register - abs(ahead)))])
    return nearest if ahead >= 0 else -nearest


def _report(q: QuantProjection, n_source: int, n_target: int) -> ProjectionReport:
    """Compare integers with weights, block by block."""
    error, norm, worst, largest = 0.0, 0.0, 0.0, 0.0
    losses, table, (dt, most) = np.zeros(3, np.int64), q.table, q.ticks
    low, high = q.projection.weight_bounds
    sign = {(0, 0): "null", (1, 0): "excitatory", (0, 1): "inhibitory", (1, 1): "mixed"}[high > 0, low < 0]
    for block in blocks(q.projection, n_source, n_target, dt):
        raw = table.raw(block.weight)
        kept = table.integers(block.weight)
        off = kept * table.step - block.weight
        error, norm = (
            math.hypot(error, float(np.linalg.norm(off))),
            math.hypot(norm, float(np.linalg.norm(block.weight))),
        )
        worst = max(worst, float(np.abs(off).max(initial=0)))
        largest = max(largest, float(np.abs(block.weight).max(initial=0)))
        lost = ((kept == 0) & (block.weight != 0), raw != kept, block.ticks > most)
        losses += [int(mask.sum()) for mask in lost]
    return ProjectionReport(
        name=q.name,
        n_synapses=q.projection.n_synapses,
        bits=table.bits or 9,
        sign=sign,
        exponent=0,
        step=table.step,
        rms_error=error / norm if norm > 0 else 0.0,
        max_error=worst / largest if largest > 0 else 0.0,
        zeroed=int(losses[0]),
        saturated=int(losses[1]),
        clipped_delays=int(losses[2]),
    )
