"""The kernel cache: never stale, never beside the sources, usable everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from insectbot import jit
from insectbot.core import library, text_synapses
from insectbot.core.compile import kernel_name
from insectbot.core.standard import w1
from insectbot.core.structure import Structure

USE = "import sys; sys.path.insert(0, sys.argv[1]); import outer; print(outer.outer(3.0))"


def run(folder, cache):
    env = os.environ | {"INSECTBOT_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", USE, str(folder)], capture_output=True, text=True, env=env, check=True)
    return done.stdout.strip()


def test_an_edited_callee_in_another_file_is_seen(tmp_path):
    """Numba's own cache keeps the old result here (numba issue 8926)."""
    (tmp_path / "inner.py").write_text("from insectbot.jit import kernel\n\n@kernel\ndef inner(x):\n    return x + 1\n")
    (tmp_path / "outer.py").write_text(
        "from inner import inner\nfrom insectbot.jit import kernel\n\n@kernel\ndef outer(x):\n    return inner(x) * 2\n"
    )
    cache = tmp_path / "cache"
    assert run(tmp_path, cache) == run(tmp_path, cache) == "8.0"
    assert len(list(cache.rglob("*.nbc"))) == 2
    (tmp_path / "inner.py").write_text("from insectbot.jit import kernel\n\n@kernel\ndef inner(x):\n    return x + 9\n")
    assert run(tmp_path, cache) == "24.0"
    assert not list((tmp_path / "__pycache__").glob("*.nbc"))


def test_a_cache_that_cannot_be_written_moves_to_a_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INSECTBOT_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert jit.cache_root().name == "insectbot-kernels"
    monkeypatch.setenv("INSECTBOT_CACHE_DIR", str(tmp_path / "fine"))
    assert jit.cache_root() == tmp_path / "fine"


def test_sums_are_never_reordered():
    with pytest.raises(ValueError, match="reorders sums"):
        jit.kernel(**{"fastmath": True})(abs)


def test_a_generated_kernel_is_named_by_all_its_source(monkeypatch, tmp_path):
    structure = Structure.of(w1(100))
    names = {kernel_name(structure)}
    edited = tmp_path / "library.py"
    edited.write_text(Path(library.__file__).read_text() + "\n# edited\n")
    with monkeypatch.context() as patch:
        patch.setattr("insectbot.core.generate._LIBRARY", (edited,))
        names.add(kernel_name(structure))
    with monkeypatch.context() as patch:
        patch.setattr("insectbot.core.text_synapses.WALK", text_synapses.WALK + "\n        pass\n")
        names.add(kernel_name(structure))
    assert len(names) == 3
    assert kernel_name(structure) in names
