"""How fast the Foraging env is, beside Gymnasium's CartPole in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import gymnasium
import numpy as np

from insectbot.envs.foraging_kernels import reset_on, step_on
from insectbot.envs.foraging_row import KEY_LOW
from insectbot.envs.foraging_settings import Settings, template
from insectbot.envs.registry import register_envs
from insectbot.jit import kernel

ENV_ID = "insectbot/Foraging-v0"


@kernel
def _many_resets(row: Any, grid: Any, obs: Any, n: int) -> None:
    for i in range(n):
        row[KEY_LOW] = i
        reset_on(row, grid, obs)


@kernel
def _many_steps(row: Any, grid: Any, action: Any, obs: Any, n: int) -> float:
    total = 0.0
    for i in range(n):
        action[0], action[1] = 0.5 + 0.5 * ((i * 7) % 11) / 11, 0.5 + 0.5 * ((i * 5) % 11) / 11
        total += step_on(row, grid, action, obs)[0]
    return total


def _rate(work: Callable[[int], Any], n: int, repeats: int) -> float:
    """Return the median of ``n`` units of work per second of process time."""
    work(max(1, n // 10))
    rates = []
    for _ in range(repeats):
        before = time.process_time()
        work(n)
        rates.append(n / (time.process_time() - before))
    return median(rates)


def _driver(env: Any, actions: list[Any]) -> Callable[[int], None]:
    """Return a function that steps ``n`` times with prepared actions and resets where an episode ends."""

    def drive(n: int) -> None:
        env.reset(seed=1)
        step, reset, many = env.step, env.reset, len(actions)
        for k in range(n):
            _, _, terminated, truncated, _ = step(actions[k % many])
            if terminated or truncated:
                reset()

    return drive


def measure(repeats: int = 5, scale: float = 1.0, preset: str = "smooth") -> dict[str, float]:
    """Measure the env.

    Parameters
    ----------
    repeats : int
        Runs of each measurement; the median counts.
    scale : float
        Factor on the length of the runs: 1 takes about ten seconds.
    preset : str
        World to measure.

    Returns
    -------
    dict of str to float
        Per second of process time: ``make`` (steps through ``gymnasium.make``), ``bare`` (the class), ``cartpole``
        (CartPole-v1 through ``gymnasium.make``), ``vector`` (env steps of the vector env, 1024 worlds), ``kernel``
        (steps in one jitted call), ``reset`` (new worlds in one jitted call) and ``reset_env`` (``env.reset()``).
    """
    register_envs()
    rng = np.random.default_rng(0)
    actions = list(rng.uniform(-1.0, 1.0, (1000, 2)).astype(np.float32))
    env = gymnasium.make(ENV_ID, preset=preset)
    cartpole = gymnasium.make("CartPole-v1")
    n = round(100_000 * scale)
    result = {
        "make": _rate(_driver(env, actions), n, repeats),
        "bare": _rate(_driver(env.unwrapped, actions), n, repeats),
        "cartpole": _rate(_driver(cartpole, rng.integers(0, 2, 1000).tolist()), n // 2, repeats),
    }
    worlds = 1024
    vector = gymnasium.make_vec(ENV_ID, num_envs=worlds, vectorization_mode="vector_entry_point", preset=preset)
    vector.reset(seed=0)
    batches = rng.uniform(-1.0, 1.0, (16, worlds, 2)).astype(np.float32)

    def step_vector(steps: int) -> None:
        for k in range(steps):
            vector.step(batches[k % 16])

    result["vector"] = worlds * _rate(step_vector, max(10, round(400 * scale)), repeats)
    row, grid = template(Settings(preset=preset))
    obs, action = np.empty(5, np.float32), np.zeros(2, np.float32)
    result["reset"] = _rate(lambda k: _many_resets(row, grid, obs, k), 10 * n, repeats)
    result["kernel"] = _rate(lambda k: _many_steps(row, grid, action, obs, k), 10 * n, repeats)
    result["reset_env"] = _rate(lambda k: [env.unwrapped.reset() for _ in range(k)], n, repeats)
    return result
