"""The comparison as a Markdown table: networks down, peers across."""

from __future__ import annotations

from cases import NAMES, OURS, Case
from collect import Collected
from compare import RATES_APART, WAITED, Cell, Row, rates_agree

HEADING = (
    "W1: median wall time of one control step from Python [µs]. W2, W3: CPU time over biological time (RTF).\n"
    "x: ratio to insectbot, median (smallest to largest of the repeats). B: memory growth per synapse."
)


def number(value: float) -> str:
    """Write a figure with three digits."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}".replace(",", " ")


def text(found: Collected, rows: dict[Case, Row]) -> str:
    """Return the table, flags, and what was skipped and why."""
    peers = found.peers()
    table = [["network", *(NAMES[p] for p in peers), "mean rate [Hz]"]]
    for case, row in rows.items():
        cells = [_cell(p, row[p]) if p in row else "-" for p in peers]
        table.append([f"{case.label} [{case.unit}]", *cells, _rates(row)])
    widths = [max(len(line[c]) for line in table) for c in range(len(table[0]))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in table]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join([HEADING, "", *lines, "", *_notes(found, rows)])


def _cell(peer: str, cell: Cell) -> str:
    words = number(cell.value)
    if peer != OURS and cell.ratio:
        median, low, high = map(number, cell.ratio)
        words += f", {median}x" + (f" ({low}-{high})" if low != high else "")
    if cell.bytes_per_synapse is not None:
        words += f", {cell.bytes_per_synapse:.0f} B"
    return words + (" *" if cell.disturbed else "")


def _rates(row: Row) -> str:
    rates = [cell.rate_hz for cell in row.values()]
    return f"{min(rates):.1f}-{max(rates):.1f}" + ("" if rates_agree(row) else " !")


def _notes(found: Collected, rows: dict[Case, Row]) -> list[str]:
    notes = []
    if not all(rates_agree(row) for row in rows.values()):
        notes.append(f"!  mean rates differ by more than {RATES_APART:.0%}: not the same work.")
    if any(cell.disturbed for row in rows.values() for cell in row.values()):
        notes.append(f"*  a run waited: wall time over {WAITED} times CPU time.")
    return notes + [f"skipped: {why}" for why in found.reasons()]
