"""From results to figures that can be compared: medians, ratios to insectbot, rates, and what is suspicious."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cases import OURS, Case
from collect import Collected, Result

RATES_APART = 0.15
"""Mean rates may differ by this much before a row is flagged: events, and so work, are no longer the same."""
WAITED = 1.2
"""Wall time over CPU time of an open loop from which on a run counts as disturbed."""


@dataclass(frozen=True)
class Cell:
    """One peer on one network: figure (µs per step, or RTF) and its ratio to insectbot, with the spread of repeats.

    Attributes
    ----------
    value, low, high : float
        Median, smallest and largest of the repeats.
    ratio : tuple of float or None
        Median, smallest and largest ratio to insectbot's figure of the same repeat; None where that is missing.
    rate_hz : float
        Mean firing rate.
    bytes_per_synapse : float or None
        Memory growth per synapse.
    build_s : float
        Time to build, the smallest of the repeats.
    disturbed : bool
        Whether wall time exceeded CPU time in a repeat of an open loop.
    """

    value: float
    low: float
    high: float
    ratio: tuple[float, float, float] | None
    rate_hz: float
    bytes_per_synapse: float | None
    build_s: float
    disturbed: bool


Row = dict[str, Cell]


def figure_of(result: Result) -> float:
    """Return what is compared: median wall time of a control step [µs], or CPU time over biological time.

    An open loop is one thread at work, so that its CPU time is its wall time on a quiet machine, and still right on
    a busy one. Reading the CPU clock in every control step would cost more than some steps.
    """
    if result["us_median"] is not None:
        return float(result["us_median"])
    return float(result["cpu_s"] / result["biological_s"])


def compare(found: Collected, chosen: list[Case]) -> dict[Case, Row]:
    """Return the table: case -> peer -> cell."""
    rows: dict[Case, Row] = {}
    for case in chosen:
        ours = found.results.get((case, OURS), [])
        row = {peer: _cell(found.results[case, peer], ours) for peer in found.peers() if (case, peer) in found.results}
        if row:
            rows[case] = row
    return rows


def _cell(results: list[Result], ours: list[Result]) -> Cell:
    values = [figure_of(r) for r in results]
    ratios = [value / figure_of(own) for value, own in zip(values, ours, strict=False)]
    kept = [r["bytes_per_synapse"] for r in results if r["bytes_per_synapse"] is not None]
    waited = [r["wall_s"] > WAITED * r["cpu_s"] for r in results if r["us_median"] is None]
    return Cell(
        value=float(np.median(values)),
        low=min(values),
        high=max(values),
        ratio=(float(np.median(ratios)), min(ratios), max(ratios)) if ratios else None,
        rate_hz=float(np.mean([r["rate_hz"] for r in results])),
        bytes_per_synapse=float(np.median(kept)) if kept else None,
        build_s=min(r["build_s"] for r in results),
        disturbed=any(waited),
    )


def rates_agree(row: Row) -> bool:
    """Tell whether the mean rates of a row are close enough to call the work equal."""
    rates = [cell.rate_hz for cell in row.values()]
    return max(rates) <= (1 + RATES_APART) * min(rates)
