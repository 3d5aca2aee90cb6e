"""From generated source to a callable: written once to the kernel cache, imported, called by its entry point."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numba

from insectbot.core.generate import generate
from insectbot.core.structure import Structure
from insectbot.jit import cache_root

Window = Callable[[int, int, int], int]

_loaded: dict[str, Window] = {}


def kernel_name(structure: Structure) -> str:
    """Return the module name of a structure's kernel: a hash of all its source and of numba and Python."""
    text = f"{numba.__version__} {sys.version_info[:3]}\n{generate(structure)}"
    return "window_" + hashlib.sha256(text.encode()).hexdigest()[:20]


def kernel_path(structure: Structure) -> Path:
    """Return the file that holds (or will hold) the kernel's source."""
    return cache_root() / "networks" / f"{kernel_name(structure)}.py"


def is_cached(structure: Structure) -> bool:
    """Tell whether the compiled kernel is on disk, so that starting it takes milliseconds."""
    path = kernel_path(structure)
    return path.stem in _loaded or any((path.parent / "__pycache__").glob(f"{path.stem}.window-*.nbc"))


def kernel_module(structure: Structure) -> ModuleType:
    """Return the module whose ``window`` is a structure's kernel, to be called from other jitted code."""
    return _import(_write_once(kernel_path(structure), generate(structure)))


def compile_window(structure: Structure) -> Window:
    """Return the compiled ``window(address, n_ticks, flags) -> status`` of a structure."""
    path = kernel_path(structure)
    window = _loaded.get(path.stem)
    if window is None:
        module = kernel_module(structure)
        signature = (numba.int64, numba.int64, numba.int64)
        module.window.compile(signature)
        # The entry point skips numba's type dispatch (43 against 100 ns); the dispatcher is the fallback.
        overload = module.window.overloads.get(signature)
        window = getattr(overload, "entry_point", module.window)
        _loaded[path.stem] = window
    return window


def _write_once(path: Path, text: str) -> Path:
    """Write the module unless it exists: a rewritten file would look new to numba's cache."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
    return path


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"insectbot_kernels.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import the generated kernel {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
