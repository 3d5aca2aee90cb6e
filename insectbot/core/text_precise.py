"""Text of populations with exact spike times and of what meets them; letters as in the other texts.

A spike travels as an entry of the ring of its target: its offset in the tick [ms], and which segment of which
projection it runs along. Its synapses are walked when it arrives, by :mod:`insectbot.core.library_precise`, with the
weights of then: those that are set while a spike is under way act on it.
"""

from __future__ import annotations

from insectbot.core import text_window as W

_OFFSET = "event_offset[events] = LETTER_offset[q]\n                events += 1"

START = """
    full = 0
"""

TIMED_TICK = """
        I_count = 0
        while I_next < I_events and I_time[I_next] == tick:
            I_spikes[I_count] = I_channel[I_next]
            I_offset[I_count] = I_at[I_next]
            I_count += 1
            I_next += 1
"""

TIMED_RECORD = W.INPUT_RECORD.replace("events += 1", _OFFSET.replace("LETTER", "I"))

PRECISE_TICK = """
        P_slot = tick & P_mask
        P_entries = (
            f8(P_ring_when_a + 8 * P_room * P_slot),
            i8(P_ring_what_a + 8 * P_room * P_slot),
            P_ring_due[P_slot],
            P_work,
            P_flag,
            P_flag_a,
        )
        P_places = (P_state_a, P_number_a, P_add0, P_local)
        P_shape = (P_rows, P_stride, P_ports, P_wide, P_double)
        P_out = (P_spikes, P_offset, P_limit, P_ring_due, P_mask + 1)
        P_count = precise_tick(table, tick, P_n, P_entries, P_links_a, P_places, P_shape, P_out)
        P_ring_due[P_slot] = 0
        full |= P_ring_due[P_mask + 1]
"""

AFTER = W.AFTER.replace("events += 1", _OFFSET.replace("LETTER", "P"))

WALK = """
        S_count = count[S_from]
        for q in range(S_count):
            j = S_from_spikes[q]
            for m in range(S_segment[j], S_segment[j + 1]):
                slot = (tick + S_delay[m]) & S_mask
                e = S_ring_due[slot]
                if e < S_room:
                    S_ring_when[slot * S_room + e] = OFFSET
                    S_ring_what[slot * S_room + e] = (S_link << 32) | m
                    S_ring_due[slot] = e + 1
                else:
                    S_ring_due[S_mask + 1] = 1
                synops += S_start[m + 1] - S_start[m]
"""

ADD_CURRENT = """
    for j in range(S_sources):
        for k in range(S_start[S_segment[j]], S_start[S_segment[j + 1]]):
            S_add[S_target[k]] += float(S_w[k]) * (float(drive[S_unit + j]) * S_exact[0])
"""

PROBE = """
        for c in range(size[2]):
            a = probe[c]
            probed[(tick - clock[0]) * size[2] + c] = REAL(a)[0] if a > 0 else f8(-a)[0]
"""


def walk(timed: bool) -> str:
    """Return the walk of spikes onto a precise population; spikes from the grid are at the end of their tick."""
    return WALK.replace("OFFSET", "S_from_offset[q]" if timed else "S_exact[0]")
