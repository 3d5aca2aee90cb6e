"""Settings of the whole suite."""

from __future__ import annotations

import os
from importlib.util import find_spec

from hypothesis import settings

# The machines are shared: a slow example is no failure. CI must not fail by luck: there the examples are fixed.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

NEEDS = {"test_stable_baselines.py": "stable_baselines3"}
MISSING = sorted(file for file, package in NEEDS.items() if find_spec(package) is None)
collect_ignore = MISSING


def pytest_report_header() -> list[str]:
    """Name what is not run because an optional package is missing."""
    return [f"not run: {file} needs {NEEDS[file]} (pip install 'insectbot[rl]')" for file in MISSING]
