"""How long a network's kernel takes from nothing, and from the cache: whole processes, CPU time of children."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

CODE = """
from insectbot.core.simulator import CoreExecutable
from insectbot.core.standard import w1
CoreExecutable(w1(1000)).window([0.0] * 8, 1)
"""


def start_up() -> dict[str, float]:
    """Return CPU and wall seconds of a process that builds and runs W1 (1000 neurons, plastic), cold and warm.

    Returns
    -------
    dict
        ``cold_cpu_s, cold_wall_s``: with an empty kernel cache; ``warm_cpu_s, warm_wall_s``: again, with the cache.
    """
    out: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"INSECTBOT_CACHE_DIR": folder}
        for kind in ("cold", "warm"):
            before, began = os.times(), time.perf_counter()
            subprocess.run([sys.executable, "-c", CODE], env=environment, check=True)
            wall, after = time.perf_counter() - began, os.times()
            used = after.children_user + after.children_system - before.children_user - before.children_system
            out |= {f"{kind}_cpu_s": used, f"{kind}_wall_s": wall}
    return out
