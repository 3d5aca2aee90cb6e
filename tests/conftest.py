"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# The machines are shared: a slow example is no failure. CI must not fail by luck: there the examples are fixed.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
