"""Print how fast the Foraging env is, in process time: ``python benchmarks/env_speed.py [preset]``."""

import sys

from insectbot.envs.speed import measure

if __name__ == "__main__":
    rates = measure(preset=sys.argv[1] if len(sys.argv) > 1 else "smooth")
    for name, rate in rates.items():
        print(f"{name:10s} {rate / 1e6:8.3f} M/s   {1e9 / rate:8.0f} ns")
    print(f"make is {rates['make'] / rates['cartpole']:.1f} times CartPole-v1")
