"""Text of the window function around groups: head, drive check, inputs, recording, readout, threads, tail.

``I_`` stands for an input group, ``P_`` for a population, ``S_`` for a projection (or a class of them); ``REAL`` is the
pointer type of the network's floats, ``NUM`` makes one, ``SIZE`` is its number of bytes.
"""

HEAD = '''
@njit(cache=True, error_model="numpy"OPTIONS)
def window(address, n_ticks, flags):
    """Run one control window. ``address``: table of array addresses. Returns 0, or 1 for a drive that is not finite."""
    wide()
    table = i8(address)
    clock = i8(table[0])
    real = REAL(table[1])
    size = i8(table[2])
    pulse, learn, record = flags & 1, flags & 2, flags & 4
'''

CHECK_DRIVE = """
    for u in range(size[0]):
        if not np.isfinite(drive[u]):
            return 1
    denormals = flush_denormals()
    tick = clock[0]
    n_spikes, n_input_spikes, synops, updates, events = 0, 0, 0, 0, 0
    for o in range(size[1]):
        counts[o] = 0
        first[o] = -1
"""

POISSON_WINDOW = """
    for u in range(I_n):
        I_threshold[u] = spike_threshold(min(max(drive[I_unit + u], NUM(0)), NUM(1)), I_rate)
"""

TIMES_WINDOW = """
    I_next, I_high = 0, I_events
    while I_next < I_high:
        middle = (I_next + I_high) // 2
        if I_time[middle] < tick:
            I_next = middle + 1
        else:
            I_high = middle
"""

POISSON_TICK = """
        I_count = 0
        for u in range(I_n):
            if draw(I_key[0], tick, u) < I_threshold[u]:
                I_spikes[I_count] = u
                I_count += 1
"""

REGULAR_TICK = """
        I_count = 0
        for u in range(I_n):
            I_phase[u] += min(float(min(max(drive[I_unit + u], NUM(0)), NUM(1))) * I_rate, 1.0)
            if I_phase[u] >= 1.0 - 1e-6:
                I_phase[u] -= 1.0
                I_spikes[I_count] = u
                I_count += 1
"""

TIMES_TICK = """
        I_count = 0
        while I_next < I_events and I_time[I_next] == tick:
            I_spikes[I_count] = I_channel[I_next]
            I_count += 1
            I_next += 1
"""

RANK = """
        if tick % I_frame == 0:
            for u in range(I_n):
                I_rank[u] = 0.0
                for other in range(I_n):
                    if drive[I_unit + other] > drive[I_unit + u] or (
                        drive[I_unit + other] == drive[I_unit + u] and other < u
                    ):
                        I_rank[u] += 1.0
"""

INPUT_RECORD = """
        n_input_spikes += I_count
        COUNT[I_group] = I_count
        if record and size[3] == 0:
            for q in range(I_count):
                event_tick[events] = tick
                event_unit[events] = I_unit + I_spikes[q]
                events += 1
"""

NO_CURRENT = """
    for i in range(P_n):
        P_addM[i] = NUM(0)
"""

ADD_CURRENT = """
    for j in range(S_sources):
        x = drive[S_unit + j] * S_gain * S_factor
        for k in range(S_start[S_segment[j]], S_start[S_segment[j + 1]]):
            S_add[S_target[k]] += S_w[k] * x
"""

PUSH = """
INDENTfor i in range(P_n):
INDENT    P_push[i] = P_xi[i] if learn else NUM(0)
"""

NOISE = """
INDENTif learn:
INDENT    for i in range(P_n):
INDENT        P_ARRAY[i] += P_xi[i]
"""

NO_PUSH = """
INDENTfor i in range(P_n):
INDENT    P_push[i] = NUM(0)
"""

NOISE = """
        if learn and tick % P_period == 0:
            mean = 0.0
            for i in range(P_n):
                P_xi[i] = NUM(P_memory * P_xi[i] + P_sigma * standard_normal(P_key[0], tick, P_base + i))
                mean += P_xi[i]
"""

NOISE_SIGNAL = """
            for i in range(P_n):
                others = (mean - P_xi[i]) / (P_n - 1)
                S_q[i] = NUM((P_xi[i] - others) * S_gain)
            for k in range(S_n):
                S_e[k] *= S_memory
"""

AFTER = """
        n_spikes += P_count
        count[P_group] = P_count
        if record:
            for q in range(P_count):
                event_tick[events] = tick
                event_unit[events] = P_unit + P_spikes[q]
                events += 1
"""

OUTPUT = """
        for q in range(P_count):
            o = P_channel[P_spikes[q]]
            if o >= 0:
                if counts[o] == 0:
                    first[o] = tick - clock[0]
                counts[o] += 1
                if last[o] >= 0:
                    interval[o] = tick - last[o]
                last[o] = tick
"""

PUBLISH = """
        mine = i4(P_lists[2 * size[3] + (tick & 1)])
        mine[0] = P_count
        for q in range(P_count):
            mine[1 + q] = P_base + P_spikes[q]
"""

MEET = """
        rounds += 1
        meet(sync_a, rounds * size[4])
"""

COLLECT = """
        P_total = 0
        for h in range(size[4]):
            theirs = i4(P_lists[2 * h + (tick & 1)])
            for q in range(theirs[0]):
                P_all[P_total] = theirs[1 + q]
                P_total += 1
        total[P_group] = P_total
"""

PROBE = """
        for c in range(size[2]):
            probed[(tick - clock[0]) * size[2] + c] = REAL(probe[c])[0]
"""

TAIL = """
        tick += 1
    clock[0] = tick
    clock[1] += n_spikes
    clock[2] += n_input_spikes
    clock[3] += synops
    clock[4] += updates
    if n_ticks > 0:
        clock[5] = events
    clock[6] += 1
    restore_denormals(denormals)
    return 0
"""
