"""Time one closed-loop step of the standard network at three sizes: ``python benchmarks/core_speed.py``."""

from __future__ import annotations

from insectbot.core.speed import measure


def main() -> None:
    """Print microseconds of process time per 1 ms step, called from Python."""
    for n, steps in ((1000, 4000), (4000, 2000), (10_000, 1000)):
        found = measure(n, steps)
        print(
            f"{n:6d} LIF x 100 synapses at {found['rate_hz']:.1f} Hz: "
            f"static {found['static_us']:.2f} us, pair STDP {found['plastic_us']:.2f} us"
        )


if __name__ == "__main__":
    main()
