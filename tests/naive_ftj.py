"""Plain-Python oracle of a ferroelectric tunnel junction and of the array, written from the published law.

Volt, seconds and siemens here, where the emulator has ns and uS.
"""

import math

DEFAULT = {
    "v_plus": 0.88,
    "v_minus": 1.05,
    "a_plus": 14.0,
    "a_minus": 16.0,
    "tau_inf": 1e-12,
    "gamma": 0.45,
    "g_on": 10e-6,
    "g_off": 0.1e-6,
}


def switch(s, v, dt, q):
    """Return the ON fraction after dt at v."""
    if -q["v_minus"] <= v <= q["v_plus"]:
        return min(max(s, 1e-4), 1 - 1e-4)
    up, size = v > 0, abs(v)
    centre = math.log10(q["tau_inf"]) + (q["a_plus"] if up else q["a_minus"]) / size * math.log10(math.e)
    width = q["gamma"] / size**2
    x = s if up else 1 - s
    power = centre + width * math.tan(math.pi * (x - 0.5))
    # A time beyond 10^200 s does not grow by dt.
    after = math.log10(10**power + dt) if power < 200 else power
    new = max(x, 0.5 + math.atan((after - centre) / width) / math.pi)
    return min(max(new if up else 1 - new, 1e-4), 1 - 1e-4)


def spike(age, front, back, edge=100e-9, length=600e-9):
    """Return the voltage of a line at an age."""
    if 0 <= age < edge:
        return front
    return -back * (1 - (age - edge) / (length - edge)) if edge <= age < length else 0.0


def junction(pre, post, s, *, until, dt, shape_pre, shape_post, q=DEFAULT):
    """Return (s, energy [J]) after spikes on both lines; each spike restarts its line's shape."""
    energy = 0.0
    for n in range(round(until / dt)):
        t = (n + 0.5) * dt
        ages = [t - max((x for x in times if x <= t), default=-math.inf) for times in (pre, post)]
        v = spike(ages[1], *shape_post) - spike(ages[0], *shape_pre)
        energy += (s * q["g_on"] + (1 - s) * q["g_off"]) * v * v * dt
        s = switch(s, v, dt, q)
    return s, energy
