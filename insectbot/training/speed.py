"""How fast the closed loop is here and now: world, encoder, spiking network, decoder, reward, plasticity."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from insectbot.loop.episode import run_episode
from insectbot.scenario import load, make_controller, make_env
from insectbot.seeding import derive


def measure(scenario: str = "foraging", episodes: int = 40, repeats: int = 5) -> dict[str, float]:
    """Time the closed loop of a scenario from Python, episode by episode, as training runs it.

    Learning is on and nothing is recorded. The forager's network has ten synapses, eight of them plastic, and
    runs 50 ticks of 1 ms in each control step.

    Parameters
    ----------
    scenario : str
        Scenario name.
    episodes, repeats : int
        Episodes per repeat; the median of the repeats counts.

    Returns
    -------
    dict
        ``steps_per_second``: control steps per second of process time; ``us_per_step``: its inverse [us];
        ``steps``: control steps per repeat; ``ticks_per_step``: simulation steps in each.
    """
    what = load(scenario)
    env = make_env(what, "train")
    controller: Any = make_controller(what, env, 1)
    start = controller.weights()
    run_episode(env, controller, seed=derive("tune", 0), learn=True)
    rates, steps = [], 0
    for _ in range(repeats):
        controller.set_weights(start)
        steps, began = 0, time.thread_time()
        for k in range(episodes):
            steps += run_episode(env, controller, seed=derive("tune", k), learn=True).steps
        rates.append(steps / (time.thread_time() - began))
    rate = float(np.median(rates))
    ticks = controller.executable.counters().ticks / controller.executable.counters().windows
    return {"steps_per_second": rate, "us_per_step": 1e6 / rate, "steps": steps, "ticks_per_step": float(ticks)}
