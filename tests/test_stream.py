"""State variables and spikes on disk: exact, bounded in memory, and without an effect on results."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from insectbot.core.simulator import Simulator
from insectbot.core.standard import w1, w1_drive
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.loop import stream as module
from insectbot.loop.stream import Stream
from insectbot.snn import LIF, CurrentInput, Exponential, Input, Network, Population, Projection


def driven(n=3, v_rest=-65.0):
    model = LIF(tau_m=10.0, v_rest=v_rest, v_th=v_rest + 15, v_reset=v_rest, t_ref=2.0)
    population = Population("n", n, model, receptors={"exc": Exponential(5.0), "inh": Exponential(3.0)})
    links = (
        Projection.dense("i", "n", np.ones((n, 1)), delay=0.5),
        Projection.dense("n", "n", np.ones((n, n)), delay=0.5, receptor="inh"),
    )
    return Network((Input("i", 1, CurrentInput(20.0)),), (population,), links, ("n",), dt=0.5)


def test_states_are_those_that_single_ticks_show():
    whole, split = Simulator().compile(driven()), Simulator().compile(driven())
    whole.record({"n": ["v", "inh.g"]})
    whole.window([1.0], 80)
    states = whole.states()
    for k in range(80):
        split.window([1.0], 1)
        for name in ("v", "inh.g"):
            np.testing.assert_array_equal(states["n", name][k], split.variable("n", name))
    assert states["n", "v"].min() == -65.0
    assert states["n", "inh.g"].max() > 1.0


def test_recording_states_changes_nothing_and_threads_agree():
    quiet, watched = (Simulator().compile(w1(200)) for _ in range(2))
    threaded = Simulator(threads=2).compile(w1(200))
    watched.record({"n": ["v"]})
    threaded.record({"n": ["v"]})
    for drive in w1_drive(30):
        for executable in (quiet, watched, threaded):
            executable.window(drive, 10)
        np.testing.assert_array_equal(watched.states()["n", "v"], threaded.states()["n", "v"])
    for name, array in quiet.state().items():
        np.testing.assert_array_equal(array, watched.state()[name], err_msg=name)


@pytest.mark.parametrize("memory", [1 << 26, 4096])
def test_a_stream_holds_what_a_window_does_whatever_the_pieces(tmp_path, monkeypatch, memory):
    monkeypatch.setattr(module, "MEMORY", memory)
    plain, streamed = Simulator().compile(driven()), Simulator().compile(driven())
    plain.recording = True
    plain.record({"n": ["v"]})
    with Stream(streamed, tmp_path / "run.h5", {"n": ["v"]}, every=4) as stream:
        for n_ticks in (333, 0, 250):
            expected, found = plain.window([0.9], n_ticks), stream.window([0.9], n_ticks)
            for name in ("counts", "first", "interval"):
                np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert not (tmp_path / "run.h5").exists()
    assert not streamed.recording
    again = Simulator().compile(driven())
    again.recording = True
    again.record({"n": ["v"]})
    again.window([0.9], 583)
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(file["states/n.v"][()], again.states()["n", "v"][::4])
        np.testing.assert_array_equal(file["spike_tick"][()], again.spikes()[0])
        np.testing.assert_array_equal(file["spike_unit"][()], again.spikes()[1])
        assert (file.attrs["dt"], file.attrs["every"]) == (0.5, 4)


def test_memory_stays_bounded_in_a_long_window(tmp_path, monkeypatch):
    import tracemalloc

    monkeypatch.setattr(module, "MEMORY", 1 << 20)
    executable = Simulator().compile(w1(200))
    tracemalloc.start()
    with Stream(executable, tmp_path / "long.h5", {"n": ["v"]}) as stream:
        stream.window(np.zeros(8), 50_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20  # 50 000 ticks x 200 values are 40 MB
    with h5py.File(tmp_path / "long.h5") as file:
        assert file["states/n.v"].shape == (50_000, 200)


def test_mistakes(tmp_path):
    executable = Simulator().compile(driven())
    with pytest.raises(ConfigurationError, match=r"no state variable 'u', only 'v', 'exc.g', 'inh.g'"):
        executable.record({"n": ["u"]})
    with pytest.raises(ConfigurationError, match="no population 'm'"):
        executable.record({"m": ["v"]})
    with pytest.raises(ConfigurationError, match="every = 0, must be at least 1"):
        Stream(executable, tmp_path / "x.h5", every=0)
    with pytest.raises(RuntimeError), Stream(executable, tmp_path / "x.h5"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_a_scenario_records_states(tmp_path):
    import insectbot

    run = insectbot.run("foraging", episodes=1, overrides={"record.states": ["motors.v"]})
    assert run.states[-1]["motors.v"].shape == (run.positions[-1].shape[0] * 50 - 50, 2)
    with pytest.raises(ConfigurationError, match=r"'v' must be 'population.variable', such as 'motors.v'"):
        insectbot.run("foraging", overrides={"record.states": ["v"]})
    with pytest.raises(Unsupported, match="keeps no state variables"):
        insectbot.run("foraging", chip="loihi", learn=False, overrides={"record.states": ["motors.v"]})
