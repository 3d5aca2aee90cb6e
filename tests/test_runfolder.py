"""Run folders, atomic files and checkpoints: whole or not there."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from insectbot.errors import RunFolderError
from insectbot.loop import checkpoint, files
from insectbot.loop.runfolder import RunFolder


def test_a_new_folder_holds_how_to_repeat_it(tmp_path):
    run = RunFolder.create("foraging", 'name = "x"\n', 3, root=tmp_path, command=["insectbot", "run", "a b"])
    assert run.path.parent == tmp_path / "foraging"
    assert run.path.name.endswith("_s3")
    assert run.read_text("scenario.toml") == 'name = "x"\n'
    assert run.read_text("command.txt") == "insectbot run 'a b'\n"
    environment = json.loads(run.read_text("environment.json"))
    assert {"python", "cpu", "cpu_count", "versions", "git"} <= set(environment)
    assert environment["versions"]["numpy"] == np.__version__
    assert (tmp_path / "foraging" / "latest").resolve() == run.path.resolve()
    assert sorted(p.name for p in (tmp_path / "foraging").iterdir()) == sorted([run.path.name, "latest"])


def test_two_runs_in_one_second_differ_and_latest_moves(tmp_path):
    first, second = (RunFolder.create("s", "", 1, root=tmp_path, command=[]) for _ in range(2))
    assert first.path != second.path
    assert RunFolder.open(tmp_path / "s").path == second.path.resolve()
    assert RunFolder.open("latest", root=tmp_path).path == second.path.resolve()
    assert RunFolder.open(first.path).path == first.path.resolve()


def test_no_such_run_is_one_sentence(tmp_path):
    with pytest.raises(RunFolderError, match="there is no run in"):
        RunFolder.open("latest", root=tmp_path)
    with pytest.raises(RunFolderError, match="is not a run folder"):
        RunFolder.open(tmp_path)
    run = RunFolder.create("s", "", 1, root=tmp_path, command=[])
    with pytest.raises(RunFolderError, match="cannot be read: No such file"):
        run.read_text("summary.json")


def test_a_root_that_cannot_be_written_leaves_nothing(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(RunFolderError, match=r"cannot be written: Not a directory"):
        RunFolder.create("s", "", 1, root=blocker / "runs", command=[])
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_error_while_writing_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def fail():
        with files.atomic(path) as temporary:
            temporary.write_text("half")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_writing_into_a_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(RunFolderError, match="cannot be written: No such file"):
        files.write_text(tmp_path / "none" / "a.txt", "x")


def test_nan_becomes_null_and_empty(tmp_path):
    value = {
        "a": [1.0, math.nan, np.float32(2)],
        "b": np.array([math.inf, 1]),
        "c": (np.int64(3), None, "x"),
    }
    files.write_json(tmp_path / "a.json", value)
    read = json.loads((tmp_path / "a.json").read_text())
    assert read == {"a": [1.0, None, 2.0], "b": [None, 1.0], "c": [3, None, "x"]}
    files.write_csv(tmp_path / "a.csv", [{"x": 1, "y": math.nan}, {"x": None, "z": "a,b"}])
    assert (tmp_path / "a.csv").read_text() == 'x,y,z\n1,,\n,,"a,b"\n'


arrays = st.dictionaries(
    st.text("abc/>-", min_size=1, max_size=6).filter(lambda s: not s.startswith("/") and "//" not in s),
    hnp.arrays(st.sampled_from([np.float32, np.int64, np.bool_, np.float64]), hnp.array_shapes(max_dims=2, max_side=4)),
    max_size=3,
)


@given(arrays, st.dictionaries(st.text(max_size=4), st.floats() | st.integers() | st.text(max_size=3), max_size=3))
def test_checkpoints_come_back_bit_for_bit(tmp_path_factory, content, meta):
    path = tmp_path_factory.mktemp("c") / "a.npz"
    checkpoint.save(path, content, meta)
    found = checkpoint.load(path)
    assert set(found.arrays) == set(content)
    for name, array in content.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()
    assert repr(found.meta) == repr(meta)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_never_passes_unseen(tmp_path_factory, position, change):
    path = tmp_path_factory.mktemp("c") / "a.npz"
    content = {"w": np.arange(100, dtype=np.float64)}
    checkpoint.save(path, content, {"k": 1})
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= change
    path.write_bytes(data)
    found = checkpoint.Checkpoint(content, {"k": 1})
    sentence = "is damaged"
    try:
        found = checkpoint.load(path)  # dates and attributes of the zip format carry nothing
    except RunFolderError as error:
        sentence = str(error)
    assert "is damaged" in sentence
    assert found.arrays["w"].tobytes() == content["w"].tobytes()
    assert found.meta == {"k": 1}


def test_missing_checkpoint(tmp_path):
    with pytest.raises(RunFolderError, match="does not exist"):
        checkpoint.load(Path(tmp_path / "none.npz"))
