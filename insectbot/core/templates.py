"""The text that kernels are made of: ``P_``, ``G_``, ``S_``, ``I_`` stand for population, group, synapses, input."""

HEAD = '''
@njit(cache=True, error_model="numpy")
def window(address, n_ticks, flags):
    """Run one control window. ``address``: table of array addresses. Returns 0, or 1 for a drive that is not finite."""
    table = i8(address)
    clock = i8(table[0])
    real = f4(table[1])
    size = i8(table[2])
    pulse, learn, record = flags & 1, flags & 2, flags & 4
'''

CHECK_DRIVE = """
    for u in range(size[0]):
        if not np.isfinite(drive[u]):
            return 1
    tick = clock[0]
    n_spikes, n_input_spikes, synops, updates, events = 0, 0, 0, 0, 0
    for o in range(size[1]):
        counts[o] = 0
        first[o] = -1
"""

POISSON_WINDOW = """
    for u in range(I_n):
        I_threshold[u] = spike_threshold(min(max(drive[I_unit + u], np.float32(0)), np.float32(1)), I_rate)
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
            I_phase[u] += min(float(min(max(drive[I_unit + u], np.float32(0)), np.float32(1))) * I_rate, 1.0)
            if I_phase[u] >= 1.0 - 1e-6:
                I_phase[u] -= 1.0
                I_spikes[I_count] = u
                I_count += 1
"""

INPUT_RECORD = """
        n_input_spikes += I_count
        if record:
            for q in range(I_count):
                event_tick[events] = tick
                event_unit[events] = I_unit + I_spikes[q]
                events += 1
"""

ADD = """
ADD_INDENTfor i in range(P_n):
ADD_INDENT    P_add[i] = np.float32(0)
"""

ADD_CURRENT = """
ADD_INDENTfor j in range(I_n):
ADD_INDENT    x = drive[I_unit + j] * I_gain * P_input
ADD_INDENT    for k in range(S_start[S_segment[j]], S_start[S_segment[j + 1]]):
ADD_INDENT        P_add[S_target[k]] += S_w[k] * x
"""

ADD_NOISE = """
ADD_INDENTif learn:
ADD_INDENT    for i in range(P_n):
ADD_INDENT        P_add[i] += P_xi[i]
"""

NOISE = """
        if learn and tick % P_period == 0:
            mean = 0.0
            for i in range(P_n):
                P_xi[i] = np.float32(P_memory * P_xi[i] + P_sigma * standard_normal(P_key[0], tick, i))
                mean += P_xi[i]
"""

NOISE_SIGNAL = """
            for i in range(P_n):
                others = (mean - P_xi[i]) / (P_n - 1)
                S_q[i] = np.float32((P_xi[i] - others) * S_gain)
            for k in range(S_n):
                S_e[k] *= S_memory
"""

INTEGRATE = """
        P_slot = P_ring_a + (tick & P_mask) * P_bytes
        P_count = 0
        for b in range(P_blocks):
            s = f4(P_state_a + b * STRIDE)
            r = f4(P_slot + b * 256)
            add = f4(P_add_a + b * 256)
            hit = np.int32(0)
            for i in range(64):
                v = s[i] * P_decay + add[i]
UPDATE
                r[i] = np.float32(0)
                s[i] = v
                hit |= np.int32(v >= P_v_th)
            if hit != 0:
                for i in range(64):
                    if s[i] >= P_v_th:
                        s[i] = P_v_reset
SPIKE
                        P_spikes[P_count] = b * 64 + i
                        P_count += 1
        n_spikes += P_count
        if record:
            for q in range(P_count):
                event_tick[events] = tick
                event_unit[events] = P_unit + P_spikes[q]
                events += 1
"""

OUTPUT = """
        for q in range(P_count):
            o = P_out + P_spikes[q]
            if counts[o] == 0:
                first[o] = tick - clock[0]
            counts[o] += 1
            if last[o] >= 0:
                interval[o] = tick - last[o]
            last[o] = tick
"""

WALK = """
        for q in range(G_count):
            j = G_spikes[q]
PRE
            for m in range(S_segment[j], S_segment[j + 1]):
                a = S_start[m]
                z = S_start[m + 1] - a
                r = f4(P_ring_a + ((tick + S_delay[m]) & P_mask) * P_bytes)
                w = f4(S_w_a + 4 * a)
                target = TARGET(S_target_a + WIDTH * a)
BODY
                synops += z
POST
"""

DELIVER = """
                for k in range(z):
                    r[target[k]] += w[k]
"""

PERTURB_BODY = """
                if learn:
                    e = f4(S_e_a + 4 * a)
                    for k in range(z):
                        e[k] += S_q[target[k]]
"""

PAIR_PRE = """
            old = S_seen[j]
            c0, c1, c2, age = np.float32(0), np.float32(0), np.float32(0), 0
            if learn:
                if old >= 0:
                    k0 = old % S_epoch
                    age = tick // S_epoch - old // S_epoch
                    amplitude = S_a_plus * S_x[j]
                    c0 = amplitude * S_grow[k0]
                    if age >= 1:
                        c1 = amplitude * S_fade[age * S_epoch - k0]
                    if age == 2:
                        c2 = amplitude * S_fade[S_epoch - k0]
                    S_x[j] = S_x[j] * S_fade[tick - old] + np.float32(1)
                else:
                    S_x[j] = np.float32(1)
                S_seen[j] = tick
"""

PAIR_BODY = """
                if learn:
                    snap = f4(S_snap_a + 4 * a)
                    if age == 0:
                        for k in range(z):
                            i = F4 * np.uint64(target[k])
                            now = S_post[i]
                            x = min(w[k] + c0 * (now - snap[k]), S_w_max)
                            x = max(x - S_down * S_post[i + F1], S_w_min)
                            snap[k] = now
                            w[k] = x
                            r[target[k]] += x
                    else:
                        past = np.uint64(1 + age)
                        for k in range(z):
                            i = F4 * np.uint64(target[k])
                            now = S_post[i]
                            x = c0 * (S_post[i + past] - snap[k]) + c1 * now + c2 * S_post[i + F2]
                            x = min(w[k] + x, S_w_max)
                            x = max(x - S_down * S_post[i + F1], S_w_min)
                            snap[k] = now
                            w[k] = x
                            r[target[k]] += x
                    updates += z
                else:
                    for k in range(z):
                        r[target[k]] += w[k]
"""

PAIR_EPOCH = """
        S_k = tick % S_epoch
        S_turn = tick % S_cycle
        S_down = S_a_minus * S_fade[3 * S_epoch + 1 + S_turn]
        if learn and S_turn == 0:
            for i in range(P_n):
                S_post[4 * i + 1] *= S_rebase
        if learn and S_k == 0 and tick > 0:
            for j in range(G_n):
                old = S_seen[j]
                if old >= 0 and tick // S_epoch - old // S_epoch >= 3:
                    k0 = old % S_epoch
                    amplitude = S_a_plus * S_x[j]
                    c0 = amplitude * S_grow[k0]
                    c1 = amplitude * S_fade[S_epoch - k0]
                    c2 = amplitude * S_fade[2 * S_epoch - k0]
                    for k in range(S_start[S_segment[j]], S_start[S_segment[j + 1]]):
                        i = F4 * np.uint64(S_target[k])
                        x = c0 * (S_post[i + F3] - S_snap[k]) + c1 * S_post[i + F2] + c2 * S_post[i]
                        S_w[k] = min(S_w[k] + x, S_w_max)
                    S_seen[j] = -1
                    S_x[j] = np.float32(0)
            for i in range(P_n):
                S_post[4 * i + 3] = S_post[4 * i + 2]
                S_post[4 * i + 2] = S_post[4 * i]
                S_post[4 * i] = np.float32(0)
"""

PAIR_POST = """
        if learn:
            up = S_fade[S_k]
            gain = S_grow[S_epoch + 1 + S_turn]
            for q in range(P_count):
                i = 4 * P_spikes[q]
                S_post[i] += up
                S_post[i + 1] += gain
"""

REWARD_EPOCH = """
        if learn:
            for j in range(G_n):
                S_x[j] *= S_x_decay
            for i in range(P_n):
                S_y[i] *= S_y_decay
            S_scale[0] *= S_scale[1]
            if S_scale[0] < 1e-3:
                shrink = np.float32(S_scale[0])
                for k in range(S_n):
                    S_e[k] *= shrink
                S_scale[0] = 1.0
"""

REWARD_BODY = """
                if learn:
                    e = f4(S_e_a + 4 * a)
                    down = np.float32(S_a_minus / S_scale[0])
                    for k in range(z):
                        e[k] -= down * S_y[target[k]]
"""

REWARD_PRE = """
            if learn:
                S_x[j] += np.float32(1)
"""

REWARD_POST = """
        if learn:
            up = np.float32(S_a_plus / S_scale[0])
            for q in range(P_count):
                i = P_spikes[q]
                for k in range(S_column[i], S_column[i + 1]):
                    S_e[S_row[k]] += up * S_x[S_origin[k]]
            for q in range(P_count):
                S_y[P_spikes[q]] += np.float32(1)
"""

PULSE = """
    if pulse and learn and modulators[S_modulator] != 0:
        gain = np.float32(modulators[S_modulator] * S_rateSCALE)
        for k in range(S_n):
            S_w[k] = min(max(S_w[k] + gain * S_e[k], S_w_min), S_w_max)
        updates += S_n
"""

PULSE_TIED = """
    if pulse and learn and modulators[S_modulator] != 0:
        gain = modulators[S_modulator] * S_rate
        for g in range(S_groups):
            S_change[g] = 0.0
        for k in range(S_n):
            S_change[S_group[k]] += float(gain * S_e[k]) * S_share[S_group[k]]
        for k in range(S_n):
            S_w[k] = min(max(S_w[k] + np.float32(S_change[S_group[k]]), S_w_min), S_w_max)
        updates += S_n
"""

TAIL = """
        tick += 1
    clock[0] = tick
    clock[1] += n_spikes
    clock[2] += n_input_spikes
    clock[3] += synops
    clock[4] += updates
    clock[5] = events
    clock[6] += 1
    return 0
"""
