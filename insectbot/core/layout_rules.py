"""Memory of learning rules and short-term plasticity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from insectbot.core.plan_synapses import ProjectionPlan
from insectbot.snn.network import Network, Projection
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP
from insectbot.snn.wiring import Rows

if TYPE_CHECKING:
    from insectbot.core.layout import Content


def fill_rule(
    k: int, p: Projection, network: Network, plan: ProjectionPlan, rows: Rows, n_post: int, c: Content
) -> None:
    """Fill the arrays and parameters of a projection's learning rule and release model."""
    rule, dt, real = p.plasticity, network.dt, c.real
    n, n_pre = rows.weight.size, rows.segment.size - 1
    if p.short_term is not None:
        _fill_release(k, p, plan, n_pre, dt, c)
    if rule is None or plan.rule == "static":
        return
    real |= {f"s{k}_w_min": rule.w_min, f"s{k}_w_max": rule.w_max}
    out: dict[str, npt.ArrayLike] = {}
    if isinstance(rule, PairSTDP) and plan.rule == "pair":
        # Sums restart every 6.4 time constants: growth factors stay below 600, so float32 keeps 4 digits of a pair.
        plus, minus = dt / rule.tau_plus, dt / rule.tau_minus
        epoch, cycle = math.ceil(6.4 / plus), math.ceil(6.4 / minus)
        turn = np.arange(cycle + 1) * minus
        out |= {"snap": np.zeros(n, rows.weight.dtype), "x": np.zeros(n_pre), "seen": np.full(n_pre, -1)}
        out |= {"post": np.zeros(4 * n_post), "grow": np.exp(np.append(np.arange(epoch + 1) * plus, turn))}
        out["fade"] = np.exp(-np.append(np.arange(3 * epoch + 1) * plus, turn))
        real |= {f"s{k}_a_plus": rule.a_plus, f"s{k}_a_minus": rule.a_minus, f"s{k}_rebase": math.exp(-cycle * minus)}
        c.size |= {f"s{k}_epoch": epoch, f"s{k}_cycle": cycle}
    elif isinstance(rule, PairSTDP | RewardSTDP):
        out |= _columns(rows, n_post) | {"x": np.zeros(n_pre), "y": np.zeros(n_post)}
        real |= {f"s{k}_a_plus": rule.a_plus, f"s{k}_a_minus": rule.a_minus}
        real |= {f"s{k}_x_decay": math.exp(-dt / rule.tau_plus), f"s{k}_y_decay": math.exp(-dt / rule.tau_minus)}
        if isinstance(rule, PairSTDP):
            real |= {f"s{k}_mu_plus": rule.mu_plus, f"s{k}_mu_minus": rule.mu_minus}
            real[f"s{k}_span"] = rule.w_max - rule.w_min
        else:
            out |= {"e": np.zeros(n), "scale": [1.0, math.exp(-dt / rule.tau_e)]}
            real[f"s{k}_rate"] = rule.learning_rate
    elif isinstance(rule, NodePerturbation):
        out |= _perturbation(k, p, rule, network, n, n_post, c)
    c.values |= {f"s{k}_{name}": value for name, value in out.items()}


def _columns(rows: Rows, n_post: int) -> dict[str, npt.ArrayLike]:
    """Return the synapses by target: where each column starts, their places in the rows, their sources."""
    order = np.argsort(rows.target, kind="stable")
    per_source = rows.start[rows.segment]
    source = np.repeat(np.arange(rows.segment.size - 1), np.diff(per_source))
    column = np.searchsorted(rows.target[order], np.arange(n_post + 1))
    return {"column": column, "row": order, "origin": source[order]}


def _perturbation(
    k: int, p: Projection, rule: NodePerturbation, network: Network, n: int, n_post: int, c: Content
) -> dict[str, npt.ArrayLike]:
    noise = network.population(p.target).exploration
    sigma = noise.sigma if noise else 0.0
    tie = np.zeros(1) if rule.tie is None else np.asarray(rule.tie)
    members = np.bincount(tie.astype(np.int64))
    c.real |= {f"s{k}_rate": rule.learning_rate, f"s{k}_memory": rule.decay}
    c.real[f"s{k}_gain"] = 1.0 / (sigma * rule.spikes_per_unit) if sigma > 0 else 0.0
    c.size[f"s{k}_groups"] = members.size
    arrays: dict[str, npt.ArrayLike] = {"e": np.zeros(n), "q": np.zeros(n_post), "group": tie}
    return arrays | {"change": np.zeros(members.size), "share": 1.0 / np.maximum(members, 1)}


def _fill_release(k: int, p: Projection, plan: ProjectionPlan, n_pre: int, dt: float, c: Content) -> None:
    model = p.short_term
    if model is None:
        return
    numbers = {**model.values(), **model.coefficients(dt)}
    c.real[f"s{k}_release_dt"] = dt
    c.real |= {f"s{k}_release_{name}": float(np.asarray(numbers[name])) for name in plan.release_scalars}
    c.values[f"s{k}_released"] = np.full(n_pre, -1)
    for name, start in model.states.items():
        c.values[f"s{k}_release_{name}"] = np.full(n_pre, numbers[start] if isinstance(start, str) else start)
