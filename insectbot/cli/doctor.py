"""``insectbot doctor``: is this installation healthy, and if not, what repairs it."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

EXTRAS = {
    "video": ("imageio", "imageio-ffmpeg"),
    "rl": ("stable-baselines3",),
    "test": ("pytest", "pytest-cov", "pytest-xdist", "hypothesis"),
}
PYGAME_FIX = "pip uninstall -y pygame pygame-ce && pip install pygame-ce"


def installed(package: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def has_display() -> bool:
    """Return whether a window can be opened, without opening one."""
    if os.environ.get("SDL_VIDEODRIVER") in ("dummy", "offscreen"):
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def kernel_cache() -> dict[str, Any]:
    """Return the folder of compiled kernels, whether it is warm for the present sources, and its size [MB]."""
    from pathlib import Path

    import insectbot
    from insectbot.jit import cache_root, source_hash

    root = cache_root()
    rooms = [Path(insectbot.__path__[0], room).resolve() for room in ("envs", "core", "chips")]
    rooms = [r for r in rooms if any(b"@kernel" in p.read_bytes() for p in r.glob("*.py"))]
    folders = [root / f"{r.name}-{source_hash(str(r))}" for r in rooms] + [root / "networks"]
    warm = bool(folders) and all(any(f.rglob("*.nbc")) for f in folders)
    size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file()) if root.is_dir() else 0
    return {"folder": str(root), "warm": warm, "megabytes": round(size / 1e6, 1), "writable": _writable(root)}


def _writable(folder: os.PathLike[str]) -> bool:
    path = os.fspath(folder)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK)


def examine() -> dict[str, Any]:
    """Return everything ``doctor`` knows; ``problems`` is empty when all is well."""
    import insectbot

    packages = ("numpy", "numba", "gymnasium", "matplotlib", "h5py", "pygame-ce", "pygame")
    found = {name: installed(name) for name in packages}
    cache = kernel_cache()
    problems = []
    if found["pygame"] and found["pygame-ce"]:
        problems.append(f"pygame and pygame-ce are both installed and overwrite each other: {PYGAME_FIX}")
    if not (found["pygame"] or found["pygame-ce"]):
        problems.append("no pygame: pip install pygame-ce")
    if not cache["writable"]:
        problems.append(f"kernel cache {cache['folder']} is not writable: set INSECTBOT_CACHE_DIR to a folder that is")
    extras = {name: all(installed(p) for p in needed) for name, needed in EXTRAS.items()}
    return {
        "insectbot": insectbot.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": found,
        "display": has_display(),
        "kernel_cache": cache,
        "extras": extras,
        "problems": problems,
        "ready": not problems,
    }


def doctor(warm: bool, as_json: bool) -> bool:
    """Print the state of the installation; return True when it is ready.

    Parameters
    ----------
    warm : bool
        Compile every kernel of the shipped scenarios first.
    as_json : bool
        Print JSON instead of a table.
    """
    from insectbot.cli.console import print_json, print_table

    if warm:
        from insectbot.cli.warm import warm_all

        warm_all()
    state = examine()
    if as_json:
        print_json(state)
        return bool(state["ready"])
    cache = state["kernel_cache"]
    rows = [
        ("insectbot", state["insectbot"]),
        ("Python", f"{state['python']} on {state['platform']}, {state['cpus']} CPUs"),
        *((name, found or "not installed") for name, found in state["packages"].items() if found or name != "pygame"),
        ("display", "yes" if state["display"] else "no: videos and reports work, play needs one"),
        (
            "kernel cache",
            f"{'warm' if cache['warm'] else 'cold: the first run compiles, or insectbot doctor --warm'}"
            f" ({cache['folder']}, {cache['megabytes']} MB)",
        ),
        *(
            (f"extra {name}", "present" if present else f'absent: pip install "insectbot[{name}]"')
            for name, present in state["extras"].items()
        ),
    ]
    print_table(("what", "found"), rows)
    for problem in state["problems"]:
        print(f"problem: {problem}")
    print("ready" if state["ready"] else "not ready")
    return bool(state["ready"])
