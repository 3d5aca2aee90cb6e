"""The contract kit: everything built in passes, and each way to break a promise is named."""

import json

import numpy as np
import pytest
from cli_help import FAKES, FAST, CommandLine
from loop_fakes import Learner, LineEnv

from insectbot import check, plugins
from insectbot.check import Finding, examine
from insectbot.check_backend import backend_promises
from insectbot.core.simulator import CoreExecutable
from insectbot.errors import InsectbotError, UnknownNameError, Unsupported
from insectbot.protocols import Usage

BUILTIN = ["foraging", "insectbot/Foraging-v0", *plugins.names("chip"), *plugins.names("controller")]


@pytest.mark.parametrize("ref", BUILTIN)
def test_everything_built_in_keeps_its_promises(ref):
    check.require(ref)


class Constant(CoreExecutable):
    """Ignores the seed."""

    def reset(self, seed):
        super().reset(0)


class Lazy(CoreExecutable):
    """Keeps its membrane potentials over a reset."""

    def reset(self, seed):
        left = self._arrays["p0_state"].copy()
        super().reset(seed)
        self._arrays["p0_state"][...] = left


class Hasty(CoreExecutable):
    """Long windows lose a tick."""

    def window(self, drive, n_ticks, modulators=None):
        return super().window(drive, n_ticks - (n_ticks > 40), modulators)


class Forgetful(CoreExecutable):
    """Does not restore its state."""

    def load_state(self, state):
        if "nothing" in state:
            super().load_state(state)


class Shy(CoreExecutable):
    """Runs differently when it is watched."""

    def window(self, drive, n_ticks, modulators=None):
        return super().window(np.asarray(drive) * (1.0 if self.recording else 0.5), n_ticks, modulators)


class Overfull(CoreExecutable):
    """Says that it is beyond a limit."""

    @property
    def usage(self):
        return (Usage("axons", 12, 10, "core 3"),)


class Careless(CoreExecutable):
    """Takes any drive."""

    def window(self, drive, n_ticks, modulators=None):
        return super().window(np.nan_to_num(np.resize(drive, self.network.n_inputs)), n_ticks, modulators)


class Rude(CoreExecutable):
    """Raises something else."""

    def set_weights(self, weights):
        try:
            super().set_weights(weights)
        except InsectbotError as error:
            raise RuntimeError("no") from error


class Miscounting(CoreExecutable):
    """Forgets half of its spikes."""

    def counters(self):
        found = super().counters()
        return type(found)(**{**vars(found), "spikes": found.spikes // 2})


class Silent(CoreExecutable):
    """Never spikes."""

    def window(self, drive, n_ticks, modulators=None):
        return super().window(np.asarray(drive) * 0, n_ticks, modulators)


class Frozen(CoreExecutable):
    """Does not learn and says so."""

    @property
    def learning(self):
        return False

    @learning.setter
    def learning(self, value):
        if value:
            raise Unsupported("frozen: RewardSTDP is not supported, train on ideal")


class Chip:
    """A backend of one executable."""

    name = "broken"
    fidelity = "none"

    def __init__(self, executable):
        self.executable = executable

    def compile(self, network, *, seed=0):
        return self.executable(network, seed=seed)


BROKEN_CHIPS = {
    Constant: "another seed gives other spikes",
    Lazy: "reset really resets",
    Hasty: "window(50) equals 50 times window(1)",
    Forgetful: "the state round-trips",
    Shy: "recording changes nothing",
    Overfull: "usage is within limits",
    Careless: "misuse raises the documented errors",
    Rude: "misuse raises the documented errors",
    Miscounting: "counters count what was recorded",
    Silent: "it is an executable, says its fidelity, and spikes",
}


@pytest.mark.parametrize("executable", BROKEN_CHIPS, ids=lambda e: e.__name__)
def test_broken_chips_are_caught(executable):
    broken = {f.promise for f in examine(backend_promises(Chip(executable))) if not f.kept}
    assert BROKEN_CHIPS[executable] in broken


def test_a_chip_that_does_not_learn_is_checked_frozen():
    promises = backend_promises(Chip(Frozen))
    assert not any("learning" in promise for promise in promises)
    assert all(f.kept for f in examine(promises))


class Random(Learner):
    """Ignores seeds."""

    def act(self, observation):
        return np.random.default_rng().uniform(-1, 1, 1).astype(np.float32)


class Stale(Learner):
    """Remembers the last episode."""

    n = 0

    def act(self, observation):
        self.n += 1
        return np.array([1.0 / self.n], np.float32)


class Restless(Learner):
    """Changes its weights while frozen."""

    def act(self, observation):
        self.w = np.float32(self.w + 0.01)
        return super().act(observation)


class Wild(Learner):
    """Acts outside the action space."""

    def act(self, observation):
        return np.array([3.0], np.float32)


class Amnesic(Learner):
    """Saves nothing."""

    def load_state(self, state):
        pass


BROKEN_BRAINS = {
    "Random": "the same seed gives the same actions, twice (frozen)",
    "Stale": "reset really resets",
    "Restless": "frozen weights stay",
    "Wild": "its actions are in the action space",
    "Amnesic": "its state round-trips",
}


@pytest.fixture
def fast(tmp_path):
    """Path of the fast scenario."""
    path = tmp_path / "line.toml"
    path.write_text(FAST)
    return str(path)


@pytest.mark.parametrize("name", BROKEN_BRAINS)
def test_broken_controllers_are_caught(fast, name):
    broken = [f.promise for f in check.check(f"{__file__}:{name}", fast) if not f.kept]
    assert BROKEN_BRAINS[name] in broken


@pytest.mark.parametrize("name", ["Learner", "follow"])
def test_sound_controllers_pass(fast, name):
    check.require(f"{FAKES}:{name}", fast)


class Unseeded(LineEnv):
    """Starts anywhere."""

    def reset(self, *, seed=None, options=None):
        found = super().reset(seed=seed)
        self.x = float(np.random.default_rng().uniform(-1, 0))
        return np.array([self.x], np.float32), found[1]


class Timeless(LineEnv):
    """Does not say how long a step is."""

    def __init__(self):
        super().__init__()
        self.control_period = None


class Bare(LineEnv):
    """Describes half of its scene."""

    def scene(self):
        return {"extent": (0, 1, 0, 1)}


class Sticky(LineEnv):
    """Cannot be put back."""

    def get_state(self):
        return np.array([self.x])

    def set_state(self, state):
        pass


class Lying(LineEnv):
    """Observes outside its space."""

    def _observe(self):
        return np.array([self.x, 9.0], np.float32)


BROKEN_WORLDS = {
    "Unseeded": "the same seed gives the same episode, twice",
    "Timeless": "it says its control period",
    "Bare": "scene() and pose, if any, are complete",
    "Sticky": "its state, if any, round-trips",
    "Lying": "gymnasium's check_env passes",
}


@pytest.mark.parametrize("name", BROKEN_WORLDS)
def test_broken_worlds_are_caught(name):
    broken = [f.promise for f in check.check(f"{__file__}:{name}") if not f.kept]
    assert BROKEN_WORLDS[name] in broken


def test_scenario_of_the_user(fast):
    check.require(fast)


def test_kind_is_found():
    kinds = {"ideal": "chip", "taxis": "controller", "foraging": "scenario", "CartPole-v1": "env", "x.toml": "scenario"}
    kinds |= {f"{__file__}:Sticky": "env", f"{__file__}:Wild": "controller", f"{__file__}:Chip": "chip"}
    assert {ref: check.kind_of(ref) for ref in kinds} == kinds
    with pytest.raises(
        UnknownNameError, match=r"no scenario, chip, controller, env or model has this name; 'insectbot list'"
    ):
        check.kind_of("qqq")
    with pytest.raises(UnknownNameError, match=r"did you mean 'AdEx'\?"):
        check.kind_of("AdExp")
    kinds = {"AdEx": "neuron", "Alpha": "synapse", "TsodyksMarkram": "synapse", "BurstInput": "code"}
    assert {ref: check.kind_of(ref) for ref in kinds} == kinds


def test_an_exception_breaks_a_promise_and_stops_nothing():
    found = list(examine({"one": lambda: str(1 // 0), "two": lambda: ""}))
    assert found == [
        Finding("one", False, "ZeroDivisionError: integer division or modulo by zero"),
        Finding("two", True),
    ]


def test_command(fast, tmp_path, capsys):
    cli = CommandLine(tmp_path, capsys)
    result = cli("check", f"{__file__}:Wild", "--scenario", fast)
    assert result.code == 1
    assert "BROKEN  its actions are in the action space: action [3.] of step 0" in result.out
    document = json.loads(cli("check", f"{FAKES}:Learner", "--scenario", fast, "--json").out)
    assert document["kept"] is True
    assert document["kind"] == "controller"
