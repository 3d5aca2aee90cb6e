"""W5: 100 LIF with reward STDP forage; the Python loop against one jitted call per episode (the ceiling).

Both run the same episodes and must end in the same state of the world and the same weights, bit for bit.
``python benchmarks/fused_loop.py`` prints process time per control step, medians of repeats in one run.
"""

from __future__ import annotations

import math
import time
from typing import Any

import gymnasium
import numpy as np
from numba import njit

import insectbot  # registers the worlds
from insectbot.controllers.decoders import FilteredRateDecoder
from insectbot.controllers.encoders import ChannelEncoder
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.core.compile import kernel_module
from insectbot.core.simulator import CoreExecutable
from insectbot.core.standard import w5
from insectbot.core.structure import Structure
from insectbot.envs.foraging_kernels import step
from insectbot.loop.episode import run_episode

N_TICKS, GAIN, TAU, RATE = 50, 0.2, 100.0, 0.01
STEPS = 1200


def make() -> tuple[gymnasium.Env, SpikingController]:
    """Return a world and a learning controller that has never lived."""
    env = gymnasium.make("insectbot/Foraging-v0", preset="smooth", reward="local", walls="clamp", time_limit=60.0)
    network = w5()
    controller = SpikingController(
        network, ChannelEncoder(4, constants=(1.0,)), FilteredRateDecoder(2, gain=GAIN, tau=TAU), PredictionError(RATE)
    )
    controller.attach(CoreExecutable(network), N_TICKS)
    return env, controller


def fused(structure: Structure) -> Any:
    """Return the whole episode as one jitted function around the network's own kernel and the world's."""
    window = kernel_module(structure).window

    @njit
    def episode(
        row: Any,
        obs: Any,
        address: int,
        drive: Any,
        counts: Any,
        modulators: Any,
        keep: float,
        take: float,
        mean: float,
    ) -> Any:
        action, filtered = np.zeros(2, np.float32), np.zeros(2)
        total, pulse, n = 0.0, 0, 0
        for _ in range(STEPS):
            drive[:4] = obs[:4]
            drive[4] = np.float32(1.0)
            window(address, N_TICKS, 2 | pulse)
            for m in range(2):
                filtered[m] = keep * filtered[m] + take * counts[m]
                action[m] = np.float32(min(max(GAIN * filtered[m], -1.0), 1.0))
            reward, code = step(row, action, obs)
            error = reward - mean
            mean += RATE * error
            modulators[:] = np.float32(error)
            pulse, n, total = 1, n + 1, total + reward
            if code != 0:
                window(address, 0, 2 | pulse)
                break
        return n, total, mean

    return episode


def run_python(env: gymnasium.Env, controller: SpikingController, seeds: range) -> int:
    """Run episodes in the Python loop and return the control steps."""
    return sum(run_episode(env, controller, seed=s, learn=True).steps for s in seeds)


def run_fused(episode: Any, env: gymnasium.Env, controller: SpikingController, seeds: range) -> int:
    """Run the same episodes, each in one call, and return the control steps."""
    world: Any = env.unwrapped
    executable: Any = controller.executable
    part = executable._parts[0]
    arrays = part.arrays
    keep = math.exp(-N_TICKS / TAU)
    take, mean, steps = TAU / N_TICKS * (1.0 - keep), 0.0, 0
    for s in seeds:
        obs, _ = env.reset(seed=s)
        executable.reset(s)
        n, _, mean = episode(
            world._row, obs, part.address, arrays["drive"], arrays["counts"], arrays["modulators"], keep, take, mean
        )
        steps += n
    return steps


def main() -> None:
    """Print both times and their ratio, after checking that both loops do the same."""
    print(f"insectbot {insectbot.__version__}: W5, 100 LIF, reward STDP, Foraging, {N_TICKS} ticks a step")
    pairs = [make(), make()]
    episode = fused(Structure.of(pairs[0][1].network))
    seeds = range(100, 104)
    counts = [run_python(*pairs[0], seeds), run_fused(episode, *pairs[1], seeds)]
    rows = [pair[0].unwrapped._row for pair in pairs]
    weights = [pair[1].weights() for pair in pairs]
    same = counts[0] == counts[1] and np.array_equal(*rows, equal_nan=True)
    same = same and all(np.array_equal(weights[0][k], weights[1][k]) for k in weights[0])
    print(f"same steps ({counts[0]}), same world, same weights: {same}")
    times = np.zeros((7, 2))
    for r in range(len(times)):
        seeds = range(200 + 4 * r, 204 + 4 * r)
        for k, run in enumerate((lambda s: run_python(*pairs[0], s), lambda s: run_fused(episode, *pairs[1], s))):
            began = time.thread_time()
            steps = run(seeds)
            times[r, k] = (time.thread_time() - began) / steps * 1e6
    python, ceiling = np.median(times, axis=0)
    ratio = np.median(times[:, 1] / times[:, 0])
    print(f"Python loop {python:.2f} us a step, fused {ceiling:.2f} us: {100 * ratio:.0f} % of the ceiling's speed")


if __name__ == "__main__":
    main()
