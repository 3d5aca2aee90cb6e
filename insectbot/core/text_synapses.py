"""Text of the walk along synapses, and of the learning rules.

``S_`` stands for a projection or a class of them, with what it borrows from source (``S_from``) and target (``S_to``);
``COUNT`` holds the number of spikes of each group; ``REAL``, ``NUM``, ``SIZE`` as in :mod:`insectbot.core.text_window`.
"""

WALK = """
HEAD
        S_count = COUNT[S_from]
        for q in range(S_count):
            j = S_from_spikes[q]
PRE
            for m in range(S_segment[j], S_segment[j + 1]):
                a = S_start[m]
                z = S_start[m + 1] - a
                r = REAL(S_ring_a + ((tick + S_delay[m]) & S_mask) * S_bytes)
                w = REAL(S_w_a + SIZE * a)
                target = TARGET(S_target_a + WIDTH * a)
BODY
                synops += z
POST
"""

WALK_GRADED = """
        for j in range(S_sources):
            released = S_value[j]
            if released != NUM(0):
                for m in range(S_segment[j], S_segment[j + 1]):
                    r = REAL(S_ring_a + ((tick + S_delay[m]) & S_mask) * S_bytes)
                    for k in range(S_start[m], S_start[m + 1]):
                        r[S_target[k]] += S_w[k] * released
                    synops += S_start[m + 1] - S_start[m]
"""

PREFETCH = """
            if q + 1 < S_count:
                ahead = S_start[S_segment[S_from_spikes[q + 1]]]
                room = SIZE * (S_start[S_segment[S_from_spikes[q + 1] + 1]] - ahead)
                for line in range(0, min(room, 512), 64):
                    prefetch(S_w_a + SIZE * ahead + line)
                    FETCH
                    prefetch(S_target_a + WIDTH * ahead + line * WIDTH // SIZE)
"""

RELEASE = """
            pause = NUM(tick - S_released[j]) * S_release_dt if S_released[j] >= 0 else NUM(1e9)
LINES
            S_released[j] = tick
"""

DELIVER = """
                for k in range(z):
                    r[target[k]] += w[k]FACTOR
"""

PERTURB_BODY = """
                if learn:
                    e = REAL(S_e_a + SIZE * a)
                    for k in range(z):
                        e[k] += S_q[target[k]]
"""

PAIR_PRE = """
            old = S_seen[j]
            c0, c1, c2, age = NUM(0), NUM(0), NUM(0), 0
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
                    S_x[j] = S_x[j] * S_fade[tick - old] + NUM(1)
                else:
                    S_x[j] = NUM(1)
                S_seen[j] = tick
"""

PAIR_BODY = """
                if learn:
                    snap = REAL(S_snap_a + SIZE * a)
                    if age == 0:
                        for k in range(z):
                            i = F4 * np.uint64(target[k])
                            now = S_post[i]
                            x = min(w[k] + c0 * (now - snap[k]), S_w_max)
                            x = max(x - S_down * S_post[i + F1], S_w_min)
                            snap[k] = now
                            w[k] = x
                            r[target[k]] += xFACTOR
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
                            r[target[k]] += xFACTOR
                    updates += z
                else:
                    for k in range(z):
                        r[target[k]] += w[k]FACTOR
"""

PAIR_HEAD = """
        S_down = S_a_minus * S_fade[3 * S_epoch + 1 + tick % S_cycle]
"""

PAIR_EPOCH = """
        S_k = tick % S_epoch
        S_turn = tick % S_cycle
        if learn and S_turn == 0:
            for i in range(S_to_n):
                S_post[4 * i + 1] *= S_rebase
        if learn and S_k == 0 and tick > 0:
            for j in range(S_sources):
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
                    S_x[j] = NUM(0)
            for i in range(S_to_n):
                S_post[4 * i + 3] = S_post[4 * i + 2]
                S_post[4 * i + 2] = S_post[4 * i]
                S_post[4 * i] = NUM(0)
"""

PAIR_POST = """
        if learn:
            up = S_fade[tick % S_epoch]
            gain = S_grow[S_epoch + 1 + tick % S_cycle]
            for q in range(count[S_to]):
                i = 4 * S_to_spikes[q]
                S_post[i] += up
                S_post[i + 1] += gain
"""

EAGER_DECAY = """
        if learn:
            for j in range(S_sources):
                S_x[j] *= S_x_decay
            for i in range(S_to_n):
                S_y[i] *= S_y_decay
"""

EAGER_BODY = """
                if learn:
                    for k in range(z):
                        x = w[k]
                        down = DOWN
                        w[k] = max(x - S_a_minus * down * S_y[target[k]], S_w_min)
                    updates += z
"""

EAGER_PRE = """
            if learn:
                S_x[j] = S_x[j]KEEP + NUM(1)
"""

EAGER_POST = """
        if learn:
            for q in range(count[S_to]):
                i = S_to_spikes[q]
                for k in range(S_column[i], S_column[i + 1]):
                    x = S_w[S_row[k]]
                    up = UP
                    S_w[S_row[k]] = min(x + S_a_plus * up * S_x[S_origin[k]], S_w_max)
                updates += S_column[i + 1] - S_column[i]
            for q in range(count[S_to]):
                S_y[S_to_spikes[q]] = S_y[S_to_spikes[q]]KEEP + NUM(1)
"""

DOWN = {
    "": "NUM(1)",
    "multiplicative": "(x - S_w_min) / S_span",
    "power": "NUM(math.exp(S_mu_minus * math.log(max((x - S_w_min) / S_span, NUM(1e-30)))))",
}
UP = {
    "": "NUM(1)",
    "multiplicative": "(S_w_max - x) / S_span",
    "power": "NUM(math.exp(S_mu_plus * math.log(max((S_w_max - x) / S_span, NUM(1e-30)))))",
}

REWARD_EPOCH = """
        if learn:
            for j in range(S_sources):
                S_x[j] *= S_x_decay
            for i in range(S_to_n):
                S_y[i] *= S_y_decay
            S_scale[0] *= S_scale[1]
            if S_scale[0] < 1e-3:
                shrink = NUM(S_scale[0])
                for k in range(S_n):
                    S_e[k] *= shrink
                S_scale[0] = 1.0
"""

REWARD_BODY = """
                if learn:
                    e = REAL(S_e_a + SIZE * a)
                    down = NUM(S_a_minus / S_scale[0])
                    for k in range(z):
                        e[k] -= down * S_y[target[k]]
"""

REWARD_PRE = """
            if learn:
                S_x[j] += NUM(1)
"""

REWARD_POST = """
        if learn:
            up = NUM(S_a_plus / S_scale[0])
            for q in range(count[S_to]):
                i = S_to_spikes[q]
                for k in range(S_column[i], S_column[i + 1]):
                    S_e[S_row[k]] += up * S_x[S_origin[k]]
            for q in range(count[S_to]):
                S_y[S_to_spikes[q]] += NUM(1)
"""

PULSE = """
    if pulse and learn and modulators[S_modulator] != 0:
        gain = NUM(modulators[S_modulator] * S_rateSCALE)
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
            S_w[k] = min(max(S_w[k] + NUM(S_change[S_group[k]]), S_w_min), S_w_max)
        updates += S_n
"""
