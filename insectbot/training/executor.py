"""Runs independent jobs in processes; results do not depend on how many there are."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from insectbot.errors import ConfigurationError

Job = TypeVar("Job")
Result = TypeVar("Result")

_WATCH = 0.2
"""Seconds between two looks of a worker at its parent."""


def available_workers() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _end_with(parent: int) -> None:
    """Let this worker end soon after its parent: one that goes on after ``kill -9`` would write into a resumed run."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH)
        os._exit(1)

    if os.getppid() == parent:
        threading.Thread(target=watch, daemon=True).start()


def _indexed(function: Callable[[Any], Any], index: int, job: Any, parent: int) -> tuple[int, Any]:
    _end_with(parent)
    return index, function(job)


def run_jobs(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    on_result: Callable[[int, Result], None] | None = None,
) -> list[Result]:
    """Return ``[function(job) for job in jobs]``, computed by ``workers`` processes.

    Each worker computes with one thread. Jobs should be coarse (0.1 s or more). With one worker or one job
    nothing is started and the jobs run here.

    Parameters
    ----------
    function : callable
        Importable function of one job; its result must not depend on anything else.
    jobs : sequence
        Picklable jobs.
    workers : int or None
        Processes, >= 1; None takes all processors.
    on_result : callable or None
        Called here with (index, result) as results arrive, in any order.

    Raises
    ------
    ConfigurationError
        A number of workers below 1.
    """
    count = available_workers() if workers is None else workers
    if count < 1:
        raise ConfigurationError(f"workers = {count}: must be at least 1")
    tell = on_result or (lambda _index, _result: None)
    results: dict[int, Result] = {}
    if min(count, len(jobs)) <= 1:
        for index, job in enumerate(jobs):
            results[index] = function(job)
            tell(index, results[index])
        return [results[i] for i in range(len(jobs))]
    import joblib

    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        parallel: Any = joblib.Parallel(n_jobs=count, return_as="generator_unordered")
        task, parent = joblib.delayed(_indexed), os.getpid()
        for index, result in parallel(task(function, i, job, parent) for i, job in enumerate(jobs)):
            results[index] = result
            tell(index, result)
    return [results[i] for i in range(len(jobs))]
