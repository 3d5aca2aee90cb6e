"""Plain-Python oracle of the Loihi compartment, written from the data sheet and nothing else."""


def wrap(x, bits):
    half = 1 << (bits - 1)
    return (x + half) % (2 * half) - half


def trunc_div(x, d):
    return -((-x) // d) if x < 0 else x // d


def noise_value(x, exponent, offset):
    """Return what a random number adds: scaled by a power of two, truncated toward zero."""
    x += 64 * offset
    return x * 2 ** (exponent - 7) if exponent >= 7 else trunc_div(x, 2 ** (7 - exponent))


def compartment(q_in, decay_u, decay_v, bias, threshold, vmin, vmax, refract, noise=None, to="v"):
    """Run one compartment on accumulator sums; returns per tick (u, v, spike) and the counts of wraps and cuts."""
    u = v = ref = 0
    trace, counts = [], {"q_wraps": 0, "u_wraps": 0, "v_low": 0, "v_high": 0, "bias_wraps": 0}
    for t, total in enumerate(q_in):
        push = noise[t] if noise else 0
        total += push if to == "u" else 0
        q = wrap(total, 22)
        counts["q_wraps"] += q != total
        raw = trunc_div(u * (4096 - (decay_u + 1)), 4096) + q
        u = wrap(raw, 24)
        counts["u_wraps"] += u != raw
        sum_u = u + bias + (push if to == "v" else 0)
        drive = wrap(sum_u, 24)
        counts["bias_wraps"] += drive != sum_u
        v = trunc_div(v * (4096 - decay_v), 4096) + drive
        counts["v_low"] += v < vmin
        counts["v_high"] += v > vmax
        v = min(max(v, vmin), vmax)
        if ref > 0:
            v = 0
        spike = v > threshold
        if spike:
            v, ref = 0, refract
        ref = max(ref - 1, 0)
        trace.append((u, v, spike))
    return trace, counts


def accumulate(ticks, n, weights, exps, delays, spikes, latency):
    """Sum what synapses deliver: [ticks][n]."""
    q = [[0] * n for _ in range(ticks)]
    for t in range(ticks):
        for j, fired in enumerate(spikes[t]):
            for i in range(n):
                due = t + latency + delays[i][j]
                if fired and due < ticks:
                    shift = 6 + exps[i][j]
                    q[due][i] += weights[i][j] * 2**shift if shift >= 0 else weights[i][j] // 2**-shift
    return q
