"""The live window, without a display: pictures, keys, films."""

import gc
import os
import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest
from helpers_view import PROJECTION, SCENE, frame, network
from hypothesis import given
from hypothesis import strategies as st

from insectbot.errors import ConfigurationError, DisplayError, MissingExtraError, RunFolderError, ShapeError
from insectbot.view import video as video_module
from insectbot.view.canvas import load_pygame
from insectbot.view.frame import SPEEDS, Commands, Frame, faster, slower, speed_text
from insectbot.view.history import RASTER_SECONDS, History, nice_bound
from insectbot.view.palette import BLUE, VERMILION, signed
from insectbot.view.panels import events, shares
from insectbot.view.video import VideoWriter
from insectbot.view.weight_panel import weight_image
from insectbot.view.window import SMALLEST, Viewer
from insectbot.view.world import thin


@pytest.fixture
def viewer():
    with Viewer(headless=True) as opened:
        opened.open(network())
        yield opened


def picture(viewer, shown):
    viewer.draw(shown)
    return viewer.frame()


def changed(first, second):
    """Bounding box (x0, y0, x1, y1) of the pixels that differ; None if none do."""
    y, x = np.nonzero((first != second).any(-1))
    return (x.min(), y.min(), x.max(), y.max()) if x.size else None


def test_picture_has_the_size_and_many_colours(viewer):
    image = picture(viewer, frame())
    assert image.shape == (800, 1280, 3)
    assert image.dtype == np.uint8
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 500


def test_same_frame_same_picture(viewer):
    assert np.array_equal(picture(viewer, frame(3)), picture(viewer, frame(3)))


def test_each_part_of_a_frame_changes_its_own_part_of_the_screen(viewer):
    base = picture(viewer, frame(3))
    left, right = 0.535 * 1232 + 24, 660
    trail = np.column_stack([np.linspace(130, 900, 50), np.linspace(180, 200, 50)])
    x0, _, x1, _ = changed(base, picture(viewer, frame(3, trail=trail)))
    assert x1 <= left
    assert x1 - x0 > 300
    assert changed(base, picture(viewer, frame(3, weights={PROJECTION: np.full(8, 0.2)})))[0] > right
    assert changed(base, picture(viewer, frame(3, observation=np.ones(5) * 0.1, pose=frame(3).pose)))[1] > 60
    assert changed(base, picture(viewer, frame(3, mode="learning")))[3] < 64
    assert changed(base, picture(viewer, frame(3, late=7)))[1] > 690
    paused = changed(base, picture(viewer, frame(3, paused=True)))
    assert paused[2] < left
    assert paused[3] < 140
    viewer.help = True
    box = changed(base, picture(viewer, frame(3)))
    assert box[2] - box[0] > 600


def test_spikes_appear_in_the_raster_and_leave_it_after_two_seconds(viewer):
    def raster(shown):
        return picture(viewer, shown)[96:210, 785:1180]

    empty = raster(frame(1, spike_tick=(), spike_unit=(), time=10.0))
    full = raster(frame(2, spike_tick=[9990] * 6, spike_unit=range(6), time=10.0))
    assert (empty != full).any(-1).sum() > 20
    later = raster(frame(3, spike_tick=(), spike_unit=(), time=10.0 + RASTER_SECONDS + 0.1))
    assert np.array_equal(empty, later)


def test_an_empty_frame_and_odd_worlds_are_drawn():
    with Viewer(headless=True, size=(10, 10)) as viewer:
        assert picture(viewer, Frame()).shape == (SMALLEST[1], SMALLEST[0], 3)
        partial = {k: SCENE[k] for k in ("extent", "target", "start")}
        picture(viewer, frame(scene=partial))
        picture(viewer, frame(scene={"extent": (0, 1, 0, 1)}))
        picture(viewer, frame(pose=(np.nan,) * 3))
        picture(viewer, frame(2, trail=np.full((5, 2), np.nan)))
        picture(viewer, frame(title="x" * 500, subtitle="\0", observation=np.zeros(500), action=()))
        picture(viewer, frame(3, weights={"a": np.zeros(5000), "b": [np.nan]}, reward=np.nan))


def test_viewer_must_be_open():
    with pytest.raises(DisplayError, match=r"call Viewer\.open"):
        Viewer(headless=True).draw(frame())


def test_window_without_display_is_one_sentence(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform.startswith("linux"):
        with pytest.raises(DisplayError, match=r"^no display: use --video out\.mp4"):
            Viewer().open()
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(DisplayError, match=r"^no display: use --video out\.mp4"):
        Viewer().open()


@pytest.fixture
def keyboard(monkeypatch):
    """A window on SDL's dummy driver, and a function that presses keys and polls."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame = load_pygame()
    viewer = Viewer()
    viewer.open(network())
    pygame.event.clear()

    def press(*names):
        for name in names:
            event = {"key": getattr(pygame, f"K_{name}"), "unicode": "", "mod": 0, "scancode": 0}
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, event))
        return viewer.poll()

    yield viewer, press, pygame
    viewer.close()
    assert not pygame.display.get_init()


def test_keys_become_commands(keyboard, tmp_path):
    viewer, press, pygame = keyboard
    assert press() == Commands()
    assert press("SPACE") == Commands(paused=True)
    assert press() == Commands(paused=True)
    assert press("SPACE").paused is False
    assert press("RIGHT") == Commands(single_step=True, paused=True)
    assert press("PERIOD").single_step
    assert press("SPACE") == Commands()
    assert press("l").toggle_learning
    assert press("r").next_episode
    assert press("q").quit
    assert press("PLUS").speed == 2.0
    assert press("EQUALS", "KP_PLUS").speed == 8.0
    assert press("MINUS", "KP_MINUS", "MINUS", "MINUS").speed == 0.5
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert viewer.poll().quit
    press("h")
    assert viewer.help
    assert not press("ESCAPE").quit
    assert not viewer.help
    assert press("ESCAPE").quit
    viewer.screenshots = tmp_path
    viewer.draw(frame())
    assert press("s").screenshot
    (saved,) = tmp_path.glob("insectbot_*.png")
    assert saved.stat().st_size > 10_000


def test_resizing_the_window_keeps_the_picture_whole(keyboard):
    viewer, _, pygame = keyboard
    pygame.display.set_mode((1000, 700), pygame.RESIZABLE)
    viewer.draw(frame())
    assert viewer.frame().shape == (700, 1000, 3)


def test_screenshot_to_nowhere_is_one_sentence(viewer):
    viewer.draw(frame())
    with pytest.raises(RunFolderError, match="cannot write the picture"):
        viewer.screenshot("/nowhere/at/all.png")


def test_speeds_walk_up_and_down():
    assert [faster(s) for s in SPEEDS] == [*SPEEDS[1:], SPEEDS[-1]]
    assert [slower(s) for s in SPEEDS] == [SPEEDS[0], *SPEEDS[:-1]]
    assert faster(3.0) == 4.0
    assert (speed_text(0.25), speed_text(float("inf"))) == ("0.25\N{MULTIPLICATION SIGN}", "max")


def test_history_takes_rewards_of_skipped_steps_or_says_that_it_lacks_them(viewer):
    history = History.of(None)
    history.add(frame(3, reward=[1.0, 2.0, 3.0], modulator=[0.1, 0.2, 0.3]))
    history.add(frame(4, reward=4.0, modulator=0.4))
    assert history.reward_sum == 10.0
    expected = [[0.05, 1, 0.1], [0.1, 2, 0.2], [0.15, 3, 0.3], [0.2, 4, 0.4]]
    assert history.traces() == pytest.approx(np.array(expected))
    history.add(frame(6, reward=5.0))
    assert history.reward_sum is None
    history.add(frame(1, reward=1.0, episode=2))
    assert history.reward_sum == 1.0
    skipping, whole = picture(viewer, frame(2, reward=[9.0])), picture(viewer, frame(3, reward=[9.0], episode=2))
    assert changed(skipping, whole) is not None


def test_history_forgets_at_a_new_episode_but_keeps_first_weights():
    history = History.of(network())
    history.add(frame(1, weights={PROJECTION: np.zeros(8)}))
    history.add(frame(1))  # the same step again, while paused
    history.add(frame(2))
    assert len(history.traces()) == 2
    assert history.spikes(0.1)[0].size == 20
    assert history.reward_sum == pytest.approx(frame(1).reward + frame(2).reward)
    history.add(frame(1, episode=2))
    assert len(history.traces()) == 1
    assert history.reward_sum == frame(1).reward
    assert not history.before[PROJECTION].any()


@given(st.floats(1e-9, 1e9))
def test_nice_bound_is_near_above(value):
    bound = nice_bound([-value, value / 2])
    assert value <= bound * (1 + 1e-6)
    assert bound <= 2.0001 * value


def test_events_puts_now_right_and_first_unit_on_top_row_of_its_band():
    image = events(np.array([0.0, RASTER_SECONDS]), np.array([0, 1]), 2, 101, 20, BLUE)
    assert tuple(image[15, 100]) == BLUE
    assert tuple(image[5, 0]) == BLUE
    assert (image == BLUE).all(-1).sum() == 2 * 9
    many = np.arange(500)
    dense = events(np.full(500, RASTER_SECONDS / 2), many, 500, 100, 40, BLUE)
    assert dense.shape == (40, 100, 3)
    assert abs(np.nonzero((dense == BLUE).all(-1))[1] - 50).max() <= 2


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=8), st.integers(40, 400))
def test_shares_fill_the_height(counts, total):
    rows = shares(counts, total, 18)
    assert sum(rows) == total
    assert min(rows) >= 1


def test_weight_image_follows_sign_and_structure():
    synapses = ("a", "b", np.array([0, 1]), np.array([0, 1]))
    image = weight_image(np.array([1.0, -1.0]), synapses, 1.0)
    assert tuple(image[0, 0]) == VERMILION
    assert tuple(image[1, 1]) == BLUE
    assert tuple(image[0, 1]) == tuple(image[1, 0])
    assert tuple(image[0, 1]) not in (VERMILION, BLUE)
    assert (signed(np.zeros(3), 0.0) == signed(0.0, 1.0)).all()


def test_thin_keeps_both_ends():
    trail = np.arange(10_000.0).reshape(-1, 2)
    thinned = thin(trail, 100)
    assert len(thinned) == 100
    assert (thinned[[0, -1]] == trail[[0, -1]]).all()


def read_film(path, width, height):
    """Decode a film into uint8 [n, height, width, 3] with ffmpeg itself."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    command = [ffmpeg, "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


@pytest.mark.parametrize(("suffix", "width", "height"), [(".mp4", 1280, 800), (".gif", 640, 400)])
def test_film_is_written_and_readable(viewer, tmp_path, suffix, width, height):
    path = tmp_path / f"film{suffix}"
    images = [picture(viewer, frame(k + 1)) for k in range(6)]
    with VideoWriter(path, fps=10) as writer:
        for image in images:
            writer.write(image)
            assert not path.exists()
    film = writer.close()
    assert (film.path, film.frames, film.size) == (path, 6, path.stat().st_size)
    gc.collect()  # a pipe left open by the encoder would warn here
    decoded = read_film(path, width, height)
    assert len(decoded) == 6
    error = decoded.astype(float) - np.array(images)[:, :: 800 // height, :: 1280 // width]
    assert np.abs(error).mean() < 8
    assert list(tmp_path.iterdir()) == [path]
    assert "6 frames" in str(film)


def test_film_survives_an_error_and_an_empty_one_leaves_nothing(viewer, tmp_path):
    image = picture(viewer, frame())

    def film():
        with VideoWriter(tmp_path / "a.gif") as writer:
            writer.write(image)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        film()
    assert (tmp_path / "a.gif").exists()
    with VideoWriter(tmp_path / "b.mp4"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a.gif"]


def test_film_mistakes_are_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match=r"unknown suffix '\.avi', must be \.mp4 or \.gif"):
        VideoWriter(tmp_path / "a.avi")
    with pytest.raises(ConfigurationError, match="fps = 0"):
        VideoWriter(tmp_path / "a.gif", fps=0)
    with pytest.raises(RunFolderError, match="does not exist"):
        VideoWriter(tmp_path / "no" / "a.gif")
    with VideoWriter(tmp_path / "a.gif") as writer:
        with pytest.raises(ShapeError, match="must be uint8"):
            writer.write(np.zeros((4, 4)))
        writer.write(np.zeros((4, 4, 3), np.uint8))
        with pytest.raises(ShapeError, match="as the first one"):
            writer.write(np.zeros((6, 4, 3), np.uint8))
    monkeypatch.setattr(video_module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "insectbot\[video\]"'):
        VideoWriter(tmp_path / "a.mp4")


def test_imports_are_light_and_leave_no_mark_on_the_environment():
    code = """
import sys, os, gymnasium
before = dict(os.environ)
import insectbot.view, insectbot.view.window, insectbot.view.video, insectbot.view.figures, insectbot.view.report
heavy = {"pygame", "matplotlib", "numba", "PIL", "imageio"} & set(sys.modules)
assert not heavy, heavy
viewer = insectbot.view.window.Viewer(headless=True)
viewer.open()
viewer.draw(insectbot.view.window.Frame())
assert viewer.frame().any()
assert dict(os.environ) == before
assert not sys.modules["pygame"].display.get_init()
"""
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
