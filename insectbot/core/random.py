"""Keys of the counter-based random streams: one key per (seed, stream)."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def _mix(z: int) -> int:
    """Finalise 64 bits (the SplitMix64 mixer; Steele, Lea & Flood 2014)."""
    z = (z + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def stream_key(seed: int, stream: int) -> int:
    """Return the 64-bit odd key of a random stream.

    Parameters
    ----------
    seed : int
        Any integer; 64 bits of it count.
    stream : int
        Number of the stream: the position of an input group, or 1000 + the position of a population.

    Returns
    -------
    int
        Key for :func:`insectbot.core.library.draw`.
    """
    return _mix(_mix(seed & _MASK) ^ _mix((stream + 1) * 0x632BE59BD9B4E019 & _MASK)) | 1
