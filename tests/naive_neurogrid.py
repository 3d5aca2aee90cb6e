"""Plain-Python oracle of Neurogrid's published equations and of its shared dendrite, written from the chips sheet."""

import math


def quadratic(arrivals, *, dt, tau_s, i_in, v_pk, t_ref, tau_k, g_k_inf, t_res, tau_d, i_d, tau_c, g_sat, t_rise, e):
    """Return per step (v, g_k, v_d, g, spike) and the merged spikes of one neuron; ``arrivals`` is [steps][4]."""
    v = g_k = v_d = 0.0
    g, on = [0.0] * 4, [0.0] * 4  # on: what is left of each pulse [ms]
    held = reset = merged = 0
    trace = []
    for step in arrivals:
        for c in range(4):
            for _ in range(step[c]):
                longest = max(t_rise[c], dt)
                if on[c] + t_rise[c] > longest + 1e-12:
                    merged += 1
                    on[c] = longest
                else:
                    on[c] += t_rise[c]
            part = min(on[c], dt) / dt
            on[c] = max(on[c] - dt, 0.0)
            g[c] = (g[c] + dt / tau_c[c] * g_sat[c] * part) / (1 + dt / tau_c[c])
        pull = sum(g[c] * e[c] for c in range(4))
        v_d = (v_d + dt / tau_d * (i_d + pull)) / (1 + dt / tau_d * (1 + sum(g)))
        p = 1.0 if reset else 0.0
        reset = max(reset - 1, 0)
        g_k = (g_k + dt / tau_k * g_k_inf * p) / (1 + dt / tau_k)
        spike = False
        if held:
            held -= 1
        else:
            v = v + dt / tau_s * (-v + v * v / 2 + i_in + v_d - g_k * v)
            if v >= v_pk:
                spike, v, held, reset = True, 0.0, round(t_ref / dt), round(t_res / dt)
        trace.append((v, g_k, v_d, list(g), spike))
    return trace, merged


def spread(n, columns, length, reach=5.0):
    """Return the matrix [to][from] of a shared dendrite: hexagonal grid, shares of an endless one."""

    def place(x, y):
        return x + (0.5 if y % 2 else 0.0), y * math.sqrt(3) / 2

    def share(a, b):
        distance = math.dist(a, b)
        return math.exp(-distance / length) if distance <= reach * length + 1e-9 else 0.0

    far = math.ceil(reach * length) * 2 + 2
    whole = sum(share((0.0, 0.0), place(x, y)) for x in range(-far, far + 1) for y in range(-far, far + 1))
    at = [place(j % columns, j // columns) for j in range(n)]
    return [[share(at[i], at[j]) / whole for j in range(n)] for i in range(n)]


def period(current, tau, peak):
    """Return the period of the quadratic neuron from 0 to its peak at a constant current above 1/2."""
    s = math.sqrt(2 * current - 1)
    return 2 * tau / s * (math.atan((peak - 1) / s) + math.atan(1 / s))
