"""Recordings read back, figures, and the report that holds everything and reaches for nothing."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import h5py
import numpy as np
import pytest
from helpers_view import PROJECTION, UNITS, summary, write_recording, write_run

from insectbot.errors import RunFolderError
from insectbot.view import report as report_module
from insectbot.view.markup import MISSING
from insectbot.view.recording import Recording, weight_matrix
from insectbot.view.report import result_sentence, write_report
from insectbot.view.report_figures import before_and_after, trajectory_section, weights_by_seed
from insectbot.view.run_data import RunData

SECTIONS = (
    "Results",
    "Learning curve",
    "Paths through the terrain",
    "Spikes",
    "Weights",
    "Chips",
    "Repeat it",
    "Environment",
)
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Collects text, tags and addresses of a page, and checks that tags are nested."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.text, self.ids = [], [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, name, attributes):
        self.tags.append(name)
        self.links += [v for k, v in attributes if k in ("href", "src", "xlink:href", "action", "data")]
        self.ids += [v for k, v in attributes if k == "id"]
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.handle_starttag(name, attributes)
        if name not in VOID:
            self.open.pop()

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "2026-01-01_s1")


@pytest.fixture(scope="module")
def page(run_folder):
    path = write_report(run_folder)
    assert path == run_folder / "report.html"
    assert not list(run_folder.glob(".report*"))
    return path.read_text("utf-8")


def copy(run_folder, tmp_path):
    return shutil.copytree(run_folder, tmp_path / "run", ignore=shutil.ignore_patterns("report.html"))


def test_page_is_whole_and_self_contained(page):
    read = Page(page)
    assert "http://" not in page
    assert "https://" not in page
    assert "url(http" not in page
    assert "@import" not in page
    assert not {"script", "link", "iframe"} & set(read.tags)
    assert all(link.startswith(("#", "data:")) for link in read.links)
    assert len(set(read.ids)) == len(read.ids)
    targets = {link[1:] for link in read.links if link.startswith("#")} | set(re.findall(r"url\(#([^)]+)\)", page))
    assert targets
    assert targets <= set(read.ids)


def test_page_has_every_section_and_its_content(page):
    read = Page(page)
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == list(SECTIONS)
    assert "Left out" not in read.words
    assert read.tags.count("svg") == 5
    assert read.tags.count("table") == 2
    for text in ("insectbot train foraging -n 3", "Abacus 2000", "2.4.6", "taxis", "planner", "cluttered", "untrained"):
        assert text in read.words
    chip = ("loihi", "1.20 µJ†", "8.60 mJ†", "host byte.", "716 nJ + 10.6 nJ + 469 nJ", "7.29 M", "1 / 128", "1.5")
    for text in (*chip, "p99 16.4 µs"):
        assert text in read.words.replace("\N{NO-BREAK SPACE}", " ")
    assert "tiny: synapses 18 > 16 on core 3" in read.words
    assert "Bit-exact with its registers." in read.words


def test_result_is_one_sentence_with_its_controls(run_folder):
    sentence = result_sentence(RunData.load(run_folder))
    assert sentence.replace(MISSING, "-") == (
        "rstdp-forager succeeds in 98 % [95-98] of unseen smooth worlds with an SPT of 0.69 after 3 training "
        "episodes (2 seeds, 0 failed); the untrained network in 3 % [0-3]; the best control without a map, taxis, "
        "reaches it with an SPT of 0.70."
    )


def test_where_cost_counts_it_is_the_score(run_folder, tmp_path):
    folder = copy(run_folder, tmp_path)
    content = json.loads((folder / "summary.json").read_text())
    for k, row in enumerate(content["tables"]["evaluation"]):
        row["metrics"]["cost_ratio"] = [1.2 + 0.1 * k, 1.1, 1.9]
    (folder / "summary.json").write_text(json.dumps(content))
    sentence = result_sentence(RunData.load(folder))
    assert "worlds at 1.20 times the cost of the best route after" in sentence
    assert "SPT" not in sentence
    text = write_report(folder).read_text("utf-8")
    assert "Cost ratio" in text
    assert "T<sub>opt</sub>" not in text.split("Results", 1)[1].split("</table>")[0]


def test_result_of_a_run_without_training_claims_no_training(tmp_path):
    content = summary()
    del content["training_episodes"]
    content["tables"] = {"evaluation": content["tables"]["evaluation"][:1]}
    sentence = result_sentence(RunData.load(write_run(tmp_path / "run", content=content)))
    assert sentence.replace(MISSING, "-") == (
        "rstdp-forager succeeds in 98 % [95-98] of smooth worlds with an SPT of 0.69 (episodes: 60)."
    )
    empty = RunData(tmp_path)
    assert result_sentence(empty) == "This run has no evaluation yet, so there is no result to report."


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("summary.json", ("Results", "Learning curve", "Chips")),
        ("recording.h5", ("Paths through the terrain", "Spikes", "Weights")),
        ("command.txt", ("Repeat it",)),
        ("environment.json", ("Environment",)),
        ("metrics.csv", ()),
        ("scenario.toml", ()),
    ],
)
@pytest.mark.parametrize("damage", ["gone", "garbage", "folder"])
def test_a_missing_or_damaged_part_leaves_its_sections_out(run_folder, tmp_path, name, sections, damage):
    folder = copy(run_folder, tmp_path)
    if name != "recording.h5":  # its figures take time
        (folder / "recording.h5").unlink()
        sections += ("Paths through the terrain", "Spikes", "Weights")
    (folder / name).unlink()
    if damage == "garbage":
        (folder / name).write_bytes(b"\xff\xfe{[=" * 9)
    elif damage == "folder":
        (folder / name).mkdir()
    page = write_report(folder).read_text("utf-8")
    Page(page)
    for section in SECTIONS:
        body = page.split(f"<h2>{section}</h2>")[1].split("</section>")[0]
        assert ("Left out" in body) == (section in sections), section
        if "Left out" in body and damage == "gone" and section in sections:
            assert "is not there" in body


@pytest.mark.parametrize("value", [None, [], {}, 3, "x", {"evaluation": 3}, {"evaluation": [{}], "bench": [{}, 7]}])
def test_tables_of_any_form_do_not_break_the_page(run_folder, tmp_path, value):
    folder = copy(run_folder, tmp_path)
    (folder / "recording.h5").unlink()
    for key in ("tables", "learning_curve"):
        (folder / "summary.json").write_text(json.dumps(summary() | {key: value}))
        read = Page(write_report(folder).read_text("utf-8"))
        assert "Repeat it" in read.words


def test_hostile_text_stays_text(tmp_path):
    evil = "<script>alert('x')</script>\"&amp;$title ${body} \x00\x1b"
    content = json.loads(json.dumps(summary()))
    content["title"] = content["scenario"] = evil
    for row in content["tables"]["evaluation"] + content["tables"]["bench"]:
        row |= {"controller": evil, "chip": evil, "preset": evil, "fidelity": evil, "cause": evil}
    folder = write_run(tmp_path / "run", content=content, controller=evil.replace("\x00", ""), preset="<b>")
    (folder / "command.txt").write_text(evil)
    (folder / "environment.json").write_text(json.dumps({"python": evil, evil: evil, "versions": {evil: evil}}))
    page = write_report(folder).read_text("utf-8")
    read = Page(page)
    assert "script" not in read.tags
    assert "b" not in read.tags
    assert evil[:28] in read.words
    assert "${body}" in read.words
    assert "\x00" not in page


def test_no_run_folder_is_one_sentence(tmp_path):
    with pytest.raises(RunFolderError, match="no such run folder"):
        write_report(tmp_path / "none")
    with pytest.raises(RunFolderError, match="is not a run folder"):
        write_report(tmp_path)


def test_report_that_cannot_be_written_is_one_sentence(run_folder, tmp_path):
    folder = copy(run_folder, tmp_path)
    (folder / "report.html").mkdir()
    (folder / "report.html" / "x").touch()
    with pytest.raises(RunFolderError, match="cannot write the report"):
        write_report(folder)
    assert not list(folder.glob(".report*"))


def test_a_failing_section_does_not_take_the_others_along(run_folder, monkeypatch):
    def fail(run):
        raise ValueError("no\nway")

    monkeypatch.setattr(report_module, "chip_table", fail)
    monkeypatch.setattr(report_module, "trajectory_section", fail)
    page = report_module.render(RunData.load(run_folder))
    assert page.count("not of the expected form (ValueError: no way)") == 2
    assert page.count("<svg") == 3


def test_recording_comes_back(run_folder):
    recording = Recording.open(run_folder)
    assert (recording.scenario, recording.control_period, recording.dt) == ("foraging", 0.05, 1.0)
    assert recording.units == {name: slice(*ends) for name, ends in UNITS.items()}
    episodes = recording.episodes()
    assert len(episodes) == 8
    assert [e.phase for e in episodes] == ["train"] * 4 + ["evaluate"] * 4
    assert [(e.seed, e.episode) for e in episodes[:4]] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    first = recording.episode(recording.keys[0])
    assert first.n_steps == 40
    assert first.duration == pytest.approx(2.0)
    assert first.success
    assert first.metrics["T_ratio"] is None
    assert first.scene["unit"] == "mm"
    assert first.scene["roughness"].shape == (21, 21)
    assert first.pose.dtype == np.float32
    assert first.spike_unit.max() == 5
    with h5py.File(run_folder / "recording.h5") as file:
        raw = file[f"episodes/{first.key}/weights_after/{PROJECTION}"][()]
    assert np.array_equal(first.weights_after[PROJECTION], raw)
    assert len(recording.episodes("train")) == 4
    with pytest.raises(RunFolderError, match="has no episode 'x'"):
        recording.episode("x")


def test_damaged_recordings_are_one_sentence(tmp_path):
    with pytest.raises(RunFolderError, match="no such recording"):
        Recording.open(tmp_path)
    path = tmp_path / "recording.h5"
    path.write_bytes(b"nonsense")
    with pytest.raises(RunFolderError, match="not a readable HDF5 file"):
        Recording.open(path)
    path.unlink()
    write_recording(path)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(RunFolderError, match=r"recording\.h5"):
        Recording.open(path).episodes()
    with h5py.File(path, "w") as file:
        file.attrs["units"] = "{not json"
        file.create_group("episodes")
    with pytest.raises(RunFolderError, match="the recording is damaged"):
        Recording.open(path)
    with h5py.File(path, "w"):
        pass
    with pytest.raises(RunFolderError, match="the recording is damaged"):
        Recording.open(path)


def test_weight_matrix_is_post_by_pre():
    units = {"a": slice(0, 3), "b": slice(3, 5)}
    # Projection order: by source, then target.
    assert weight_matrix("a->b", [1, 2, 3, 4, 5, 6], units).tolist() == [[1, 3, 5], [2, 4, 6]]
    assert weight_matrix("a->b", [1, 2], units) is None
    assert weight_matrix("named", [1, 2], units) is None


def test_paths_shown_are_of_the_learner_and_what_it_is_compared_with(run_folder):
    run = RunData.load(run_folder)
    both = before_and_after(run)
    assert [(label, {e.controller for e in shown}) for label, shown in both] == [
        ("before learning", {"untrained"}),
        ("after learning", {"rstdp-forager"}),
    ]
    run.episodes = [e for e in run.episodes if e.phase == "train"]
    assert [(label, [(e.seed, e.episode) for e in shown]) for label, shown in before_and_after(run)] == [
        ("training episode 0", [(1, 0)]),
        ("training episode 1", [(1, 1)]),
    ]
    run.episodes = [replace(run.episodes[0], phase="run")]
    assert [label for label, _ in before_and_after(run)] == ["rstdp-forager"]
    assert "scene or no path" in trajectory_section(replace(run, episodes=[replace(run.episodes[0], scene={})]))
    run.episodes = []
    assert before_and_after(run) == []


def test_weights_by_seed_start_before_training_and_end_after_it(run_folder):
    run = RunData.load(run_folder)
    before, after = weights_by_seed(run)
    assert list(before) == list(after) == [1, 2]
    assert (before[2][PROJECTION] == np.float32(0.1)).all()
    last = [e for e in run.episodes if e.phase == "train" and e.seed == 2][-1]
    assert np.array_equal(after[2][PROJECTION], last.weights_after[PROJECTION])


def test_weights_of_all_seeds_come_from_the_summary(run_folder, tmp_path):
    run_folder = shutil.copytree(run_folder, tmp_path / "run")
    rng = np.random.default_rng(3)
    before, after = rng.normal(0, 0.1, (2, 5, 8)).tolist()
    told = summary() | {"seeds": [1, 2, 3, 4, 7], "weights": {PROJECTION: {"before": before, "after": after}}}
    (run_folder / "summary.json").write_text(json.dumps(told))
    run = RunData.load(run_folder)
    old, new = weights_by_seed(run)
    assert list(old) == list(new) == [1, 2, 3, 4, 7]
    assert np.allclose([w[PROJECTION] for w in old.values()], before)
    assert np.allclose([w[PROJECTION] for w in new.values()], after)
    page = report_module.render(run)
    assert "each synapse, 5 seeds" in page
    assert "Weights of 5 seeds before training and after learning" in page
    (run_folder / "recording.h5").unlink()
    assert "each synapse, 5 seeds" in report_module.render(RunData.load(run_folder))
