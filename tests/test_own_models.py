"""Models of a user: one file, no engine edit, fast, compiled once, never stale (docs/own_models.md)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from insectbot import plugins
from insectbot.check import check
from insectbot.core.simulator import Simulator
from insectbot.errors import Unsupported
from insectbot.snn import AdEx, CurrentInput, Input, Network, Population, Projection

DOCS = (Path(__file__).parents[1] / "docs" / "own_models.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", DOCS, flags=re.S))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in BLOCKS.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder, code, cache):
    environment = os.environ | {"INSECTBOT_CACHE_DIR": str(cache), "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("ref", ["my_neuron.py:AdaptingLeaky", "my_synapses.py:NMDA", "my_synapses.py:Depressing"])
def test_the_models_of_the_docs_keep_every_promise(folder, ref):
    findings = check(f"./{ref}")
    assert len(findings) >= 7
    assert not [f for f in findings if not f.kept]


def test_the_network_of_the_docs_runs_and_an_edit_is_seen_at_once(folder, tmp_path):
    """Compiled once: the second process adds nothing to the cache. Never stale: an edited file gives another result."""
    cache, code = tmp_path / "cache", BLOCKS["run_my_neuron.py"]
    first = run(folder, code, cache)
    kernels = sorted(p.name for p in cache.rglob("window*.nb?"))
    assert run(folder, code, cache) == first
    assert sorted(p.name for p in cache.rglob("window*.nb?")) == kernels
    counts, highest = map(float, first)
    assert counts > 5
    assert highest > 0.5
    text = BLOCKS["my_neuron.py"]
    (folder / "my_neuron.py").write_text(text.replace("a = a + jump", "a = a + jump + jump"))
    edited = run(folder, code, cache)
    assert float(edited[1]) > highest
    assert float(edited[0]) < counts
    (folder / "my_neuron.py").write_text(text)
    assert run(folder, code, cache) == first


OWN = '''
from dataclasses import dataclass
from typing import ClassVar

from insectbot.snn.functions import exp
from insectbot.snn.model import NeuronModel, parameter


@dataclass(frozen=True)
class Own(NeuronModel):
    """The adaptive exponential neuron, written by a user: forward Euler, exponent clipped."""

    states: ClassVar[dict] = {"v": -70.6, "w": 0.0}
    g_l: float = parameter(30.0, "nS")
    c_m: float = parameter(281.0, "pF")

    @staticmethod
    def update(v, w, i, dt, g_l, c_m):
        x = min((v + 50.4) / 2.0, 20.0)
        slope = (g_l * (-70.6 - v) + g_l * 2.0 * exp(x) + i - w) / c_m
        w = w + dt / 144.0 * (4.0 * (v + 70.6) - w)
        v = min(v + dt * slope, 0.0)
        return v, w

    @staticmethod
    def threshold(v):
        return v >= 0.0

    @staticmethod
    def reset(w):
        v = -70.6
        w = w + 80.5
        return v, w
'''


def test_it_runs_within_a_third_of_a_built_in(tmp_path):
    """One run, process time, medians: 4096 neurons, current drive, about as many operations. Measured: 0.9 to 1.1."""
    (tmp_path / "own.py").write_text(OWN)
    own = plugins.resolve("neuron", f"{tmp_path / 'own.py'}:Own")
    executables = []
    for model in (own(), AdEx(scheme="euler")):
        network = Network(
            inputs=(Input("i", 1, CurrentInput(700.0)),),
            populations=(Population("n", 4096, model),),
            projections=(Projection.sparse("i", "n", pre=np.zeros(4096), post=np.arange(4096), weight=1.0),),
            outputs=(),
            dt=0.1,
        )
        executables.append(Simulator().compile(network))
    times = np.zeros((9, 2))
    for row in times:
        for k, executable in enumerate(executables):
            began = time.process_time()
            executable.window([1.0], 300)
            row[k] = time.process_time() - began
    assert executables[0].counters().spikes > 4096
    assert np.median(times[:, 0] / times[:, 1]) < 1.3


MISTAKES = {
    "takes 'tau', which is no state or parameter": "def update(v, tau):\n    return v",
    "returns 'u', which is no state": "def update(v):\n    u = v\n    return u",
    "If is not straight-line code": "def update(v):\n    if v > 0:\n        v = 0.0\n    return v",
    "calls 'sin', which is not one of": "def update(v):\n    v = sin(v)\n    return v",
    "'x' is not an argument and was not assigned before": "def update(v):\n    v = x\n    return v",
    "must end with return": "def update(v):\n    v = 1.0",
    "only powers 2, 3 and 4 are known": "def update(v):\n    v = v ** 0.5\n    return v",
    "a loop must be 'for _ in range(n)'": "def update(v):\n    for x in v:\n        v = 1.0\n    return v",
}


@pytest.mark.parametrize("message", MISTAKES)
def test_what_a_function_may_not_be_is_said_in_one_sentence(tmp_path, message):
    body = textwrap.indent("@staticmethod\n" + MISTAKES[message], "    ")
    head = "from dataclasses import dataclass\nfrom insectbot.snn.model import NeuronModel\n"
    reset = "    @staticmethod\n    def reset():\n        v = 0.0\n        return v\n"
    test = "    @staticmethod\n    def threshold(v):\n        return v >= 1.0\n"
    text = f"{head}\n@dataclass(frozen=True)\nclass Bad(NeuronModel):\n{test}{reset}{body}\n"
    (tmp_path / "bad.py").write_text(text)
    model = plugins.resolve("neuron", f"{tmp_path / 'bad.py'}:Bad")
    network = Network((), (Population("n", 3, model()),), (), ())
    with pytest.raises(Unsupported, match=re.escape(message)) as error:
        Simulator().compile(network)
    assert "\n" not in str(error.value)


def test_an_edit_after_the_import_is_refused(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    model = plugins.resolve("neuron", f"{tmp_path / 'own.py'}:Own")
    (tmp_path / "own.py").write_text(OWN.replace("v = -70.6", "v = -60.0"))
    with pytest.raises(Unsupported, match="its file was edited after its import; start anew"):
        Simulator().compile(Network((), (Population("n", 3, model()),), (), ()))


@pytest.mark.parametrize("kind", ["neuron", "synapse", "code"])
def test_every_built_in_model_keeps_every_promise(kind):
    for name in plugins.names(kind):
        assert not [f"{name}: {f.promise}: {f.detail}" for f in check(name) if not f.kept]
