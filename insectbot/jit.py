"""Numba with a cache that is never stale: its folder is named by the hash of every kernel source."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

# Numba reads this setting when a function is decorated; it is not declared in the module, hence by name.
_CACHE_DIR = "CACHE_DIR"


@cache
def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def cache_root() -> Path:
    """Return the folder that holds all compiled kernels.

    ``INSECTBOT_CACHE_DIR``, else the user's cache folder; where that cannot be written, a temporary folder
    (numba would fall back to folders beside the sources, which can go stale).
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    wished = Path(os.environ.get("INSECTBOT_CACHE_DIR") or os.path.join(base, "insectbot"))
    return wished if _usable(wished) else Path(tempfile.gettempdir()) / "insectbot-kernels"


@cache
def source_hash(folder: str) -> str:
    """Return a hash of every kernel source in ``folder``, of ``randomness.py``, and for chips of those in ``core``.

    Numba does not notice an edit in a callee that lives in another file (numba issue 8926);
    a cache folder per state of the sources does. Versions of numba and Python enter the hash.
    """
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:3]}".encode())
    shared = Path(__file__).parent / "core"
    paths = [Path(__file__).with_name("randomness.py"), *sorted(Path(folder).glob("*.py"))]
    if Path(folder).name == "chips":
        paths += sorted(shared.glob("*.py"))
    for path in paths:
        text = path.read_bytes()
        if b"jit" in text:
            digest.update(path.name.encode() + b"\0" + text)
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()[:16]


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function with ``numba.njit(cache=True)`` into the never-stale cache.

    A kernel may call kernels of its own folder and :mod:`insectbot.randomness` only (``chips`` also those of ``core``).
    Options pass to ``numba.njit``; ``fastmath`` that reorders sums is refused: it would break bit-identity.
    """
    if options.get("fastmath") is True:
        raise ValueError("kernel(fastmath=True) reorders sums; give a set of flags such as {'nnan', 'ninf', 'nsz'}")

    def compile_lazily(f: Callable[..., Any]) -> Any:
        folder = os.path.dirname(os.path.realpath(f.__code__.co_filename))
        previous: str = getattr(numba_config, _CACHE_DIR)
        setattr(numba_config, _CACHE_DIR, str(cache_root() / f"{os.path.basename(folder)}-{source_hash(folder)}"))
        try:
            return numba.njit(cache=True, **options)(f)
        finally:
            setattr(numba_config, _CACHE_DIR, previous)

    return compile_lazily if function is None else compile_lazily(function)
