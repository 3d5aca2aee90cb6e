"""Print how fast the worlds are, in process time.

``python benchmarks/env_speed.py`` takes every world, ``... foraging [preset]`` takes Foraging in depth.
"""

import sys

from insectbot.envs.speed import measure, measure_worlds

if __name__ == "__main__":
    if sys.argv[1:2] == ["foraging"]:
        found = measure(preset=sys.argv[2] if len(sys.argv) > 2 else "smooth")
        for name, rate in found.items():
            print(f"{name:10s} {rate / 1e6:8.3f} M/s   {1e9 / rate:8.0f} ns")
        print(f"make is {found['make'] / found['cartpole']:.1f} times CartPole-v1")
    else:
        for env_id, found in measure_worlds().items():
            print(f"{env_id:32s} make {found['make'] / 1e6:6.3f} M/s   vector {found['vector'] / 1e6:6.2f} M/s")
