"""From feed-forward networks to Akida's dense layers: weights, thresholds and steps per unit, and what was lost.

The host counts the spikes of every input over a frame of F ticks. A layer turns counts into counts: the number of
spikes that a neuron gives in a frame is taken as

    y = round((sum of x w - F loss) / charge),  0 <= y <= 15                  (halves are rounded down)

with ``loss = (1 - exp(-dt / tau_m)) ((v_th + v_reset) / 2 - v_rest)`` what the leak takes per tick at the middle of the
way from reset to threshold, and ``charge = v_th - v_reset + overshoot`` what a spike costs, the mean overshoot of the
threshold being lost by a reset. What a refractory time loses is not in it. On the chip this is one dense layer:
``act_step = charge / s``, ``threshold = (F loss + charge / 2) / s``, weights in units of s. Every unit has a scale s of
its own, with the smallest squared error of its weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.akida_layers import STEP_ONE
from insectbot.chips.akida_replay import WEIGHTS
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.loihi_wiring import blocks, sizes
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.errors import Unsupported
from insectbot.snn.network import Network, Population
from insectbot.snn.neurons import IF, LIF

Vector = npt.NDArray[np.int64]
TRIALS = 41
"""Scales that are tried for every unit, from the one that no weight exceeds down to 0.4 of it."""
SAMPLE = 256
"""Inputs of a unit that decide between scales; of more, as many are taken at even distances."""


@dataclass(frozen=True)
class RateReport(PopulationReport):
    """Parameters of a population on the chip, and its rule.

    Attributes
    ----------
    loss : float
        What the leak takes per tick [unit of v].
    modelled : tuple of str
        What the chip only comes near to.
    """

    loss: float = 0.0
    modelled: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class QuantLayer:
    """One dense layer.

    Attributes
    ----------
    sources, populations : tuple of str
        Groups that it reads and populations that are its units, in order.
    weight : ndarray of int64, shape (inputs, units)
        Weights.
    scale : ndarray of float, shape (units,)
        Unit of v per unit of the weights.
    charge : ndarray of float, shape (units,)
        What a spike costs [unit of v].
    threshold, step : ndarray of int64, shape (units,)
        Threshold, activation step in sixteenths.
    cap : ndarray of int64, shape (units,)
        Spikes of a frame that the refractory time leaves room for.
    """

    sources: tuple[str, ...]
    populations: tuple[str, ...]
    weight: Vector
    scale: npt.NDArray[np.float64]
    charge: npt.NDArray[np.float64]
    threshold: Vector
    step: Vector
    cap: Vector


@dataclass(frozen=True, eq=False)
class QuantNetwork:
    """A network in the chip's integers; ``bits`` per weight, ``frame`` ticks per inference."""

    network: Network
    layers: tuple[QuantLayer, ...]
    bits: int
    frame: int
    report: QuantReport

    @property
    def neurons(self) -> Vector:
        """Number of each unit of the layers, in order, among the neurons of the network: populations by declaration."""
        slices, n_inputs = self.network.unit_slices(), self.network.n_inputs
        order = [name for layer in self.layers for name in layer.populations]
        parts = [np.arange(slices[name].start, slices[name].stop) - n_inputs for name in order]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def effective(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the weights as the chip applies them, in the network's unit, by projection."""
        found = {}
        for layer in self.layers:
            rows, columns = (offsets(self.network, names) for names in (layer.sources, layer.populations))
            for q in self.network.projections:
                if q.target in layer.populations:
                    pre, post = q.pre + rows[q.source], q.post + columns[q.target]
                    found[q.name] = layer.weight[pre, post] * layer.scale[post]
        return {q.name: found[q.name] for q in self.network.projections}


def offsets(network: Network, names: tuple[str, ...]) -> dict[str, int]:
    """Return the number of the first unit of each of some groups that stand side by side."""
    n, found, start = sizes(network), {}, 0
    for name in names:
        found[name] = start
        start += n[name]
    return found


def depths(network: Network) -> dict[str, int]:
    """Return the layer of every population, from 1; a population in or behind a loop has -1, inputs have 0."""
    found = {group.name: 0 for group in network.inputs}
    waiting = [p.name for p in network.populations]
    while waiting:
        ready = []
        for name in waiting:
            before = [q.source for q in network.projections if q.target == name]
            if all(source in found for source in before):
                ready.append((name, 1 + max((found[source] for source in before), default=0)))
        if not ready:
            break
        found |= dict(ready)
        waiting = [name for name in waiting if name not in found]
    return found | dict.fromkeys(waiting, -1)


def quantise(network: Network, sheet: Datasheet, bits: int, frame: int) -> QuantNetwork:
    """Return the network as dense layers of integers, with its report.

    Parameters
    ----------
    network : Network
        Feed-forward LIF or IF populations; features must have been checked.
    sheet : Datasheet
        Widths.
    bits : int
        Bits of a weight: 1, 2 or 4.
    frame : int
        Ticks per inference.
    """
    depth, layers, projections = depths(network), [], {}
    for number in range(1, max((depth[p.name] for p in network.populations), default=0) + 1):
        sources = tuple(g.name for g in network.groups if depth[g.name] == number - 1)
        members = tuple(p.name for p in network.populations if depth[p.name] == number)
        layer, reports = _layer(network, sources, members, sheet, bits, frame)
        layers.append(layer)
        projections |= reports
    report = QuantReport(
        tuple(_population_report(network, p, layers[depth[p.name] - 1]) for p in network.populations),
        tuple(projections[q.name] for q in network.projections),
    )
    return QuantNetwork(network, tuple(layers), bits, frame, report)


def rule_of(p: Population, dt: float) -> tuple[float, float, int]:
    """Return (span, loss per tick, refractory ticks) of a population [unit of v]."""
    model = p.model
    if isinstance(model, LIF):
        middle = (model.v_th + model.v_reset) / 2 - model.v_rest
        loss = -math.expm1(-dt / model.tau_m) * middle
        return model.v_th - model.v_reset, loss, round(model.t_ref / dt)
    if isinstance(model, IF):
        span = model.v_th if model.v_reset is None else model.v_th - model.v_reset
        return float(span), 0.0, round(model.t_ref / dt)
    raise Unsupported(f"akida: population {p.name!r}: neuron model {type(model).__name__} is neither LIF nor IF")


def overshoot(weight: npt.NDArray) -> npt.NDArray[np.float64]:
    """Return the mean potential above threshold at a spike, of each column of weights [unit of v].

    That of a renewal process of excitatory jumps, ``E[w^2] / (2 E[w])``, all inputs alike (Feller, An Introduction to
    Probability Theory II, XI.4). A reset to a fixed value forgets it.
    """
    up = np.maximum(weight, 0.0)
    total = up.sum(axis=0)
    return np.where(total > 0, (up**2).sum(axis=0) / np.where(total > 0, 2 * total, 1.0), 0.0)


def _forgets(p: Population) -> bool:
    return not (isinstance(p.model, IF) and p.model.v_reset is None)


def _layer(
    network: Network, sources: tuple[str, ...], members: tuple[str, ...], sheet: Datasheet, bits: int, frame: int
) -> tuple[QuantLayer, dict[str, ProjectionReport]]:
    n = sizes(network)
    rows, columns = offsets(network, sources), offsets(network, members)
    wished = np.zeros((sum(n[s] for s in sources), sum(n[m] for m in members)))
    inside = [q for q in network.projections if q.target in members]
    for q in inside:
        for block in blocks(q, n[q.source], n[q.target], network.dt):
            wished[block.pre + rows[q.source], block.post + columns[q.target]] = block.weight
    rules = [rule_of(network.population(m), network.dt) for m in members]
    each = [n[m] for m in members]
    span, loss, refractory = (np.repeat(np.array(column, np.float64), each) for column in zip(*rules, strict=True))
    resets = np.repeat([_forgets(network.population(m)) for m in members], each)
    charge = span + np.where(resets, overshoot(wished), 0.0)
    scale = _scales(wished, charge, sheet, bits)
    low, high = WEIGHTS[bits]
    raw = np.rint(wished / scale)
    weight = np.clip(raw, low, high).astype(np.int64)
    layer = QuantLayer(
        sources=sources,
        populations=members,
        weight=weight,
        scale=scale,
        charge=charge,
        threshold=np.rint((frame * loss + charge / 2) / scale).astype(np.int64),
        step=np.maximum(np.rint(STEP_ONE * charge / scale), 1).astype(np.int64),
        cap=frame // (1 + refractory.astype(np.int64)),
    )
    reports = {}
    for q in inside:
        a, b = (
            slice(rows[q.source], rows[q.source] + n[q.source]),
            slice(columns[q.target], columns[q.target] + n[q.target]),
        )
        there = np.zeros((n[q.source], n[q.target]), bool)
        for block in blocks(q, n[q.source], n[q.target], network.dt):
            there[block.pre, block.post] = True
        reports[q.name] = _report(
            q.name, wished[a, b][there], raw[a, b][there], weight[a, b][there], there, scale[b], bits
        )
    return layer, reports


def _scales(wished: npt.NDArray, charge: npt.NDArray, sheet: Datasheet, bits: int) -> npt.NDArray[np.float64]:
    """Return the scale of every unit with the smallest squared error of its weights, within the range of the step."""
    low, high = WEIGHTS[bits]
    largest = np.abs(wished).max(axis=0, initial=0.0)
    widest = np.where(largest > 0, largest / high, charge / high)
    best, least = widest.copy(), np.full(widest.size, np.inf)
    some = wished
    if len(wished) > SAMPLE:
        some = wished[np.linspace(0, len(wished) - 1, SAMPLE).astype(np.int64)]
    for factor in np.linspace(1.0, 0.4, TRIALS):
        scale = widest * factor
        error = ((np.clip(np.rint(some / scale), low, high) * scale - some) ** 2).sum(axis=0)
        # Weights are float32: errors of their rounding do not count, so that the first of equals stays.
        better = error < least * (1 - 1e-9) - 1e-13 * largest**2
        best, least = np.where(better, scale, best), np.where(better, error, least)
    return np.clip(best, charge / sheet.int("neuron.act_step_max"), charge * STEP_ONE)


def _report(
    name: str,
    wished: npt.NDArray,
    raw: npt.NDArray,
    weight: npt.NDArray,
    there: npt.NDArray,
    scale: npt.NDArray,
    bits: int,
) -> ProjectionReport:
    return ProjectionReport.of(
        name,
        wished,
        weight * np.broadcast_to(scale, there.shape)[there],
        bits=bits,
        step=float(scale.max(initial=0.0)),
        zeroed=int(((weight == 0) & (wished != 0)).sum()),
        saturated=int((raw != weight).sum()),
    )


def _population_report(network: Network, p: Population, layer: QuantLayer) -> RateReport:
    _, loss, refractory = rule_of(p, network.dt)
    first = offsets(network, layer.populations)[p.name]
    scale, step, charge = (a[first : first + p.n] for a in (layer.scale, layer.step, layer.charge))
    error = step * scale / (STEP_ONE * charge) - 1
    leaky = isinstance(p.model, LIF)
    modelled = ("no membrane from frame to frame",) + ("leak at half the threshold",) * leaky
    modelled += ("mean overshoot of the threshold",) * _forgets(p)
    modelled += ("refractory time as the most spikes of a frame",) * (refractory > 0)
    return RateReport(
        name=p.name,
        scale=float(np.mean(1 / scale)),
        threshold_error=float(error[np.argmax(np.abs(error))]),
        tau_m=float(p.model.tau_m) if isinstance(p.model, LIF) else math.inf,
        tau_syn=0.0,
        v_min=None,
        t_ref=refractory * network.dt,
        loss=loss,
        modelled=modelled,
    )
