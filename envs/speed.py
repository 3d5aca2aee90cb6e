"""How fast the worlds are: every one through Gymnasium, Foraging in depth beside CartPole in the same run."""

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
from insectbot.envs.registry import ENVS, register_envs
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


def rate(work: Callable[[int], Any], n: int, repeats: int) -> float:
    """Return the median of ``n`` units of work per second of the thread's processor time."""
    work(max(1, n // 10))
    rates = []
    for _ in range(repeats):
        before = time.thread_time()
        work(n)
        rates.append(n / (time.thread_time() - before))
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


def rates(env_id: str, repeats: int = 5, scale: float = 1.0, **settings: Any) -> dict[str, float]:
    """Measure one world through Gymnasium's two doors.

    Parameters
    ----------
    env_id : str
        Gymnasium id.
    repeats : int
        Runs of each measurement; the median counts.
    scale : float
        Factor on the length of the runs: 1 takes about three seconds.
    **settings
        Arguments of the env, such as ``preset``.

    Returns
    -------
    dict of str to float
        Per second of process time: ``make`` (steps through ``gymnasium.make``) and ``vector`` (env steps of the vector
        env, 1024 worlds).
    """
    register_envs()
    rng = np.random.default_rng(0)
    env = gymnasium.make(env_id, **settings)
    space: Any = env.action_space
    actions = list(rng.uniform(space.low, space.high, (1000, *space.shape)).astype(np.float32))
    n, worlds = round(100_000 * scale), 1024
    vector = gymnasium.make_vec(env_id, num_envs=worlds, vectorization_mode="vector_entry_point", **settings)
    vector.reset(seed=0)
    batches = rng.uniform(space.low, space.high, (16, worlds, *space.shape)).astype(np.float32)

    def step_vector(steps: int) -> None:
        for k in range(steps):
            vector.step(batches[k % 16])

    return {
        "make": rate(_driver(env, actions), n, repeats),
        "vector": worlds * rate(step_vector, max(10, round(400 * scale)), repeats),
    }


def measure_worlds(repeats: int = 3, scale: float = 1.0) -> dict[str, dict[str, float]]:
    """Measure every world of the registry with its default settings; see :func:`rates`."""
    return {env_id: rates(env_id, repeats, scale) for env_id in ENVS}


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
    found = rates(ENV_ID, repeats, scale, preset=preset)
    env = gymnasium.make(ENV_ID, preset=preset)
    rng = np.random.default_rng(0)
    actions = list(rng.uniform(-1.0, 1.0, (1000, 2)).astype(np.float32))
    cartpole = gymnasium.make("CartPole-v1")
    n = round(100_000 * scale)
    result = {
        "make": found["make"],
        "bare": rate(_driver(env.unwrapped, actions), n, repeats),
        "cartpole": rate(_driver(cartpole, rng.integers(0, 2, 1000).tolist()), n // 2, repeats),
        "vector": found["vector"],
    }
    row, grid = template(Settings(preset=preset))
    obs, action = np.empty(5, np.float32), np.zeros(2, np.float32)
    result["reset"] = rate(lambda k: _many_resets(row, grid, obs, k), 10 * n, repeats)
    result["kernel"] = rate(lambda k: _many_steps(row, grid, action, obs, k), 10 * n, repeats)
    result["reset_env"] = rate(lambda k: [env.unwrapped.reset() for _ in range(k)], n, repeats)
    return result
