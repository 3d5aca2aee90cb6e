"""ColorForage's body and SpikingLab9's plasticity in plain Python, from their descriptions."""

import math


def moved(x, y, heading, rotate, forward):
    """Return the pose after the spikes of a tick, before any shove."""
    if rotate:
        heading -= math.radians(4)
    if forward:
        x, y = x + 0.4 * math.cos(heading), y + 0.4 * math.sin(heading)
    return x, y, heading


def inside(x, y):
    """Return a place on the torus of the arena."""
    return 79.5 + (x - 79.5) % 41, 0.5 + (y - 0.5) % 60


def weights(trains, w0, a=0.045):
    """Return one weight after arrivals and spikes: ``trains`` is (arrival ticks, post ticks), pair by pair."""
    arrivals, posts = trains
    w = w0
    for t in range(max(arrivals + posts) + 1):
        if t in arrivals:
            earlier = [p for p in posts if p < t]
            if earlier and t - earlier[-1] <= 75:
                w -= a * math.exp(-(t - earlier[-1]) / 18)
        if t in posts:
            before = max([p for p in posts if p < t], default=-math.inf)
            since = [s for s in arrivals if before < s <= t]
            w += sum(a * math.exp(-(t - s) / 11) for s in since[-30:] if t - s <= 50)
        w = min(max(w, 1), 9)
    return w
