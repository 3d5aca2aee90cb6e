"""The recording holds what happened, exactly; recording never changes what happens; memory stays bounded."""

import json

import h5py
import numpy as np
import pytest
from loop_fakes import Learner, LineEnv, Spiking

from insectbot import api
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, RunFolderError
from insectbot.loop import recorder as recording
from insectbot.loop.episode import run_episode
from insectbot.loop.recorder import Header, Label, Recorder
from insectbot.protocols import Executable
from insectbot.view.recording import Recording

LABEL = Label("run", 1, 0, "plain", "fake", "ideal")


def spiking(seed=1):
    brain = Spiking(seed)
    brain.attach(Simulator().compile(brain.network, seed=seed), 50)
    assert isinstance(brain.executable, Executable)
    return brain


def record(path, brain, env=None, label=LABEL, **options):
    header = Header.of("line", "LineEnv", 0.05, brain)
    with Recorder(path, header) as recorder:
        return run_episode(env or LineEnv(), brain, learn=True, recorder=recorder.episode(label), **options)


class Transcript:
    def __init__(self):
        self.rows, self.spikes = [], []

    def start(self, env, controller, observation):
        self.world, self.brain = env, controller
        self.poses = [env.pose]

    def step(self, step):
        self.rows.append((step.observation[0], step.action[0], step.reward, self.brain.modulator))
        self.poses.append(self.world.pose)
        if hasattr(self.brain, "executable"):
            self.spikes.append(self.brain.executable.spikes())

    def end(self, result):
        pass


def test_the_file_holds_the_episode(tmp_path):
    brain, transcript = spiking(), Transcript()
    before = brain.weights()["sense->motor"]
    result = record(tmp_path / "r.h5", brain, seed=4, viewer=transcript)
    with h5py.File(tmp_path / "r.h5") as file:
        assert file.attrs["scenario"] == "line"
        assert file.attrs["control_period"] == 0.05
        assert file.attrs["dt"] == 1.0
        assert json.loads(file.attrs["units"]) == {"sense": [0, 1], "motor": [1, 3]}
        (group,) = file["episodes"].values()
        n = result.steps
        columns = [group[name][()] for name in ("observation", "action", "reward", "modulator")]
        assert [c.shape for c in columns] == [(n, 1), (n, 1), (n,), (n,)]
        assert np.array_equal(np.column_stack(columns), np.array(transcript.rows, np.float32))
        assert np.array_equal(group["pose"][()], np.array(transcript.poses, np.float32))
        assert group["pose"].dtype == np.float32
        ticks, units = (np.concatenate(c) for c in zip(*transcript.spikes, strict=True))
        assert len(ticks) > 20
        assert np.array_equal(group["spike_tick"][()], ticks)
        assert np.array_equal(group["spike_unit"][()], units)
        assert (group["spike_tick"].dtype, group["spike_unit"].dtype) == (np.int64, np.int32)
        assert np.array_equal(group["weights_before/sense->motor"][()], before)
        assert brain.executable.recording is False
        assert set(group["weights_after"]) == {"sense->motor"}
        assert group["scene/roughness"].shape == (2, 3)
        assert group["scene/obstacles"].shape == (0, 3)
        assert json.loads(group.attrs["scene"])["target"] == [1.0, 0.0, 0.1]
        metrics = json.loads(group.attrs["metrics"])
        assert metrics["steps"] == n
        assert metrics["T_ratio"] is None or metrics["success"] == 1.0
        assert dict(group.attrs) | {"scene": 0, "metrics": 0} == {
            **vars(LABEL),
            "world": 4,
            "scene": 0,
            "metrics": 0,
        }


class HillyEnv(LineEnv):
    """A world with maps: the same elevation in every episode, another heat in each."""

    def scene(self):
        x, y = np.meshgrid(np.linspace(-1, 1, 50), np.linspace(0, 1, 40))
        kinds = (np.arange(100).reshape(10, 10), [[0.0, 1.0, 2.0]])
        return super().scene() | {"elevation": x * y, "heat": self.x + x, "kinds": kinds[0], "obstacles": kinds[1]}


def test_maps_of_the_scene_are_kept_once_and_read_back(tmp_path):
    env, scenes = HillyEnv(), []

    class Look(Transcript):
        def start(self, env, controller, observation):
            super().start(env, controller, observation)
            scenes.append(env.scene())

    paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for k, path in enumerate(paths):
        with Recorder(path, Header("line", "LineEnv", 0.05)) as recorder:
            for episode in (2 * k, 2 * k + 1):
                label = Label("run", 1, episode, "plain", "fake", "ideal")
                observer = recorder.episode(label)
                run_episode(env, Learner(), learn=True, seed=episode, recorder=observer, viewer=Look())
    with Recorder(tmp_path / "both.h5", Header("line", "LineEnv", 0.05)) as recorder:
        for path in paths:
            recorder.merge(path)
    with h5py.File(tmp_path / "both.h5") as file:
        assert len(file["maps"]) == 1 + 4 + 1
        assert all("elevation" not in json.loads(g.attrs["scene"]) for g in file["episodes"].values())
    episodes = Recording.open(tmp_path / "both.h5").episodes()
    assert len(episodes) == 4
    for episode, scene in zip(episodes, scenes, strict=True):
        for name in ("elevation", "heat", "kinds", "obstacles", "roughness"):
            assert np.array_equal(episode.scene[name], np.asarray(scene[name], np.float32))
        assert episode.scene["kinds"].dtype == np.int64
        assert episode.scene["target"] == scene["target"]
    one, two = ((tmp_path / name).stat().st_size for name in ("a.h5", "both.h5"))
    assert two < 1.8 * one


def test_unit_names_reach_the_reader(tmp_path):
    record(tmp_path / "plain.h5", spiking(), seed=1)
    assert Recording.open(tmp_path / "plain.h5").unit_names == {}
    brain = spiking()
    brain.unit_names = {"motor": ("left", "right")}
    record(tmp_path / "named.h5", brain, seed=1)
    read = Recording.open(tmp_path / "named.h5")
    assert read.unit_names == read.episodes()[0].unit_names == {"motor": ["left", "right"]}


@pytest.mark.parametrize("make", [spiking, Learner])
def test_recording_changes_nothing(tmp_path, make):
    def outcome(recorded):
        brain, transcript = make(), Transcript()
        if recorded:
            record(tmp_path / "r.h5", brain, seed=2, viewer=transcript)
        else:
            run_episode(LineEnv(), brain, learn=True, seed=2, viewer=transcript)
        after = Transcript()
        run_episode(LineEnv(), brain, learn=True, seed=3, viewer=after)
        return transcript.rows, after.rows, {k: v.tobytes() for k, v in brain.weights().items()}

    assert outcome(True) == outcome(False)


def test_blocks_are_flushed_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "FLUSH", 7)
    most = []

    class Watch(Transcript):
        def step(self, step):
            super().step(step)
            most.append(max(len(c.pending) for c in observer._columns.values()))

    brain, watch = spiking(), Watch()
    header = Header.of("line", "LineEnv", 0.05, brain)
    with Recorder(tmp_path / "r.h5", header) as recorder:
        observer = recorder.episode(LABEL)
        result = run_episode(LineEnv(gain=0.001), brain, learn=True, seed=2, recorder=observer, viewer=watch)
    assert result.steps == 20
    assert max(most) <= 8
    with h5py.File(tmp_path / "r.h5") as file:
        group = file[f"episodes/{LABEL.key}"]
        assert np.array_equal(group["reward"][()], np.array(watch.rows, np.float32)[:, 2])
        assert group["pose"].shape == (21, 3)


def test_an_error_keeps_complete_episodes_only(tmp_path):
    path = tmp_path / "r.h5"

    class Broken(Learner):
        def act(self, observation):
            raise RuntimeError("broken")

    def two():
        with Recorder(path, Header("line", "LineEnv", 0.05)) as recorder:
            run_episode(LineEnv(), Learner(), seed=0, learn=True, recorder=recorder.episode(LABEL))
            second = recorder.episode(Label("run", 1, 1, "plain", "fake", "ideal"))
            run_episode(LineEnv(), Broken(), seed=0, learn=True, recorder=second)

    with pytest.raises(RuntimeError, match="broken"):
        two()
    assert [p.name for p in tmp_path.iterdir()] == ["r.h5"]
    with h5py.File(path) as file:
        assert list(file["episodes"]) == [LABEL.key]
    path.unlink()
    with pytest.raises(RuntimeError, match="broken"):
        record(path, Broken(), seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(RunFolderError, match=r"r\.h5 cannot be written"):
        Recorder(tmp_path / "none" / "r.h5", Header("line", "LineEnv", 0.05))


def test_merge_replaces_what_is_there(tmp_path):
    record(tmp_path / "a.h5", Learner(), seed=1)
    record(tmp_path / "b.h5", Learner(), seed=2)
    with Recorder(tmp_path / "c.h5", Header("line", "LineEnv", 0.05)) as recorder:
        recorder.merge(tmp_path / "a.h5")
        recorder.merge(tmp_path / "b.h5")
    with h5py.File(tmp_path / "c.h5") as file:
        assert [g.attrs["world"] for g in file["episodes"].values()] == [2]
    (tmp_path / "d.h5").write_text("no")
    with (
        pytest.raises(RunFolderError, match="cannot be merged"),
        Recorder(tmp_path / "e.h5", Header("line", "LineEnv", 0.05)) as recorder,
    ):
        recorder.merge(tmp_path / "d.h5")
    assert not (tmp_path / "e.h5").exists()


def test_the_python_journey(tmp_path):
    run = api.run("foraging", seed=1, episodes=2, overrides={"training.options": {"time_limit": 3.0}})
    assert [m["steps"] for m in run.metrics] == [60, 60]
    assert [p.shape for p in run.positions] == [(61, 3)] * 2
    assert all(len(weights) == 3 for weights in run.weights.values())
    assert any(not np.array_equal(weights[0], weights[2]) for weights in run.weights.values())
    ticks, units = run.spikes[0].T
    assert 0 <= ticks.min() <= ticks.max() < 60 * 50 * run.dt
    assert set(np.unique(units)) <= set(range(run.units["motors"][1]))
    again = api.run("foraging", seed=1, episodes=2, overrides={"training.options": {"time_limit": 3.0}})
    assert all(np.array_equal(a, b) for a, b in zip(run.spikes, again.spikes, strict=True))
    other = api.run("foraging", seed=2, overrides={"training.options": {"time_limit": 3.0}})
    assert not np.array_equal(run.positions[0], other.positions[0])
    run.plot(tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 5000
    with pytest.raises(ConfigurationError, match="episodes = 0"):
        api.run("foraging", episodes=0)
