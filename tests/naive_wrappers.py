"""Wrappers by the letter: one channel, one step, plain Python numbers."""

from __future__ import annotations

import hashlib
import math

MASK = 2**64 - 1


def hashed(*parts):
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def uniform(key, counter):
    """SplitMix64, its state advanced ``counter + 1`` times."""
    z = (key + (counter + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return ((z ^ (z >> 31)) >> 11) / 2**53


def normal(key, counter):
    total = -6.0
    for i in range(12):
        total += uniform(key, counter + i)
    return total


class Sense:
    """The senses of one world; every option is a list with one number per channel."""

    def __init__(self, label, seed, low, high, *, gain, offset, sd, dropout, latency, episode=0):
        self.key = hashed("noise", hashed(label, seed), episode)
        self.low, self.high = low, high
        self.gain, self.offset, self.sd, self.dropout, self.latency = gain, offset, sd, dropout, latency
        self.past = []

    def __call__(self, observation):
        self.past.append([float(x) for x in observation])
        t, k = len(self.past) - 1, len(observation)
        seen = []
        for j in range(k):
            x = self.past[max(0, t - self.latency[j])][j]
            y = self.gain[j] * x + self.offset[j] + self.sd[j] * normal(self.key, 13 * (t * k + j))
            if uniform(self.key, 13 * (t * k + j) + 12) < self.dropout[j]:
                y = 0.0
            seen.append(min(max(y, self.low[j]), self.high[j]))
        return seen


class Move:
    """One actuator that starts at 0."""

    def __init__(self, low, high, period, *, gain=1.0, offset=0.0, dead_zone=0.0, quantum=0.0, tau=0.0, dead_time=0):
        self.low, self.high = low, high
        self.gain, self.offset, self.dead_zone, self.quantum, self.dead_time = (
            gain,
            offset,
            dead_zone,
            quantum,
            dead_time,
        )
        self.share = 1.0 - math.exp(-period / tau) if tau else 1.0
        self.y, self.past = 0.0, []

    def clip(self, x):
        return min(max(x, self.low), self.high)

    def __call__(self, command):
        self.past.append(self.clip(float(command)))
        t = len(self.past) - 1
        u = self.past[t - self.dead_time] if t >= self.dead_time else 0.0
        u = self.gain * u + self.offset
        if abs(u) < self.dead_zone:
            u = 0.0
        if self.quantum:
            u = self.quantum * round(u / self.quantum)
        self.y += self.share * (self.clip(u) - self.y)
        return self.y
