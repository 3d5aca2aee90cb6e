"""A world that does not wait: when a decision arrives, by the clock of the chip."""

import numpy as np
import pytest

from insectbot.check_backend import backend_promises
from insectbot.chips.datasheet import Datasheet, Figure, load
from insectbot.chips.loihi import Loihi
from insectbot.snn import LIF, Input, Network, Population, Projection, RegularInput


def sheet(step_ms, round_trip_s=0.0):
    """Return Loihi's datasheet with another real-time step, and a host that takes its time."""
    loihi = load("loihi")
    changed = {
        "host.realtime_step": Figure(step_ms, "ms", "assumed", "test"),
        "host.round_trip": Figure(round_trip_s, "s", "assumed", "test"),
    }
    return Datasheet("loihi", {**loihi.figures, **changed}, loihi.prices)


def network():
    """Return one neuron that repeats every spike of a regular input."""
    return Network(
        inputs=(Input("in", 1, RegularInput(1000.0)),),
        populations=(Population("out", 1, LIF(tau_m=1.0, v_th=1.0)),),
        projections=(Projection.dense("in", "out", [[1.5]]),),
        outputs=("out",),
    )


DRIVES = (0.1, 0.5, 0.2, 0.8, 0.3, 0.0, 0.4, 0.6)


def counts(chip, n_ticks=50):
    executable = chip.compile(network(), seed=1)
    return [int(executable.window([d], n_ticks).counts[0]) for d in DRIVES], executable


@pytest.mark.parametrize(
    ("step_ms", "round_trip", "delay"),
    [(1.0, 0.0, 1), (0.001, 0.0, 0), (0.001, 0.024, 0), (0.001, 0.026, 1), (1.0, 0.06, None)],
)
def test_decisions_arrive_when_they_are_ready(step_ms, round_trip, delay):
    """Real time: one window late. Accelerated: at once, unless the host takes half a period. Too slow: ever later."""
    chip = sheet(step_ms, round_trip)
    lock, _ = counts(Loihi(sheet=chip))
    free, executable = counts(Loihi(sheet=chip, free_running=True))
    late = executable.counters().soft_failures["late_windows"]
    if delay is None:
        # Window k is ready at (k + 1) * 110 ms, to the nearest of 50 ms: 2, 4, 7, 9 ...
        assert free == [0, 0, lock[0], lock[0], lock[1], lock[1], lock[1], lock[2]]
        assert late == len(DRIVES)
    else:
        assert free == [0] * delay + lock[: len(lock) - delay]
        assert late == 0
    assert len(set(lock)) > 4


def test_the_chip_itself_runs_as_in_lock_step():
    (_, lock), (_, free) = counts(Loihi()), counts(Loihi(free_running=True))
    a, b = lock.counters(), free.counters()
    assert (a.spikes, a.synops, a.energy, a.chip_time) == (b.spikes, b.synops, b.energy, b.chip_time)


@pytest.mark.parametrize("promise", [p for p in backend_promises(Loihi()) if "50 times" not in p])
def test_it_keeps_the_promises_of_a_chip(promise):
    """All but one: fifty windows of a tick are fifty decisions, which arrive one tick late each."""
    assert backend_promises(Loihi(free_running=True))[promise]() == ""


def test_its_queue_survives_a_checkpoint():
    chip = Loihi(free_running=True)
    one, two = (chip.compile(network(), seed=s) for s in (1, 9))
    for d in DRIVES[:3]:
        one.window([d], 50)
    two.load_state(one.state())
    for d in DRIVES[3:]:
        np.testing.assert_array_equal(one.window([d], 50).counts, two.window([d], 50).counts)
