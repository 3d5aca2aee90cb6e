"""Films of the window: ``.mp4`` through ffmpeg, ``.gif`` through Pillow; whole when closed, nothing before."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, MissingExtraError, RunFolderError, ShapeError

SUFFIXES = (".mp4", ".gif")
_GIF_WIDTH = 640


@dataclass(frozen=True)
class Film:
    """A finished film.

    Attributes
    ----------
    path : Path
        The file.
    frames : int
        Number of frames.
    size : int
        Size of the file [byte].
    """

    path: Path
    frames: int
    size: int

    def __str__(self) -> str:
        return f"{self.path} ({self.frames} frames, {self.size / 1e6:.1f} MB)"


class VideoWriter:
    """Writes frames to a film; a context manager.

    The film is written under a temporary name and gets its own when :meth:`close` is called with at least one
    frame, which leaving the ``with`` block does even after an error, so that a stopped run keeps its film.

    Parameters
    ----------
    path : path
        File; ``.mp4`` needs the extra ``video``, ``.gif`` needs nothing and is scaled to 640 pixels of width.
    fps : float
        Frames per second, > 0.

    Raises
    ------
    ConfigurationError
        The suffix is unknown or ``fps`` is not positive.
    MissingExtraError
        ``.mp4`` without imageio-ffmpeg.
    RunFolderError
        The file cannot be written.
    """

    def __init__(self, path: Path | str, fps: float = 20.0) -> None:
        self.path = Path(path)
        self.fps = float(fps)
        suffix = self.path.suffix.lower()
        if suffix not in SUFFIXES:
            raise ConfigurationError(f"video {str(path)!r}: unknown suffix {suffix!r}, must be {' or '.join(SUFFIXES)}")
        if not self.fps > 0:
            raise ConfigurationError(f"video {str(path)!r}: fps = {fps}, must be above 0")
        if not self.path.parent.is_dir():
            raise RunFolderError(f"video {str(path)!r}: the folder {str(self.path.parent)!r} does not exist")
        self._temporary = self.path.with_name(f".{self.path.stem}.{os.getpid()}{suffix}")
        self._sink: Any = _GifSink(self._temporary, self.fps) if suffix == ".gif" else _mp4_sink(self._temporary, fps)
        self._shape: tuple[int, ...] | None = None
        self.frames = 0
        self._film: Film | None = None

    def write(self, frame: npt.NDArray[np.uint8]) -> None:
        """Append a frame uint8 [height, width, 3]; raises ShapeError for another type or size than the first's."""
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise ShapeError(f"video frame of type {frame.dtype} and shape {frame.shape}: must be uint8 [h, w, 3]")
        if self._shape is None:
            self._shape = frame.shape
        if frame.shape != self._shape:
            raise ShapeError(f"video frame of shape {frame.shape}: must be {self._shape} as the first one")
        try:
            self._sink.append_data(_even(frame))
        except OSError as error:
            raise RunFolderError(f"{self.path}: cannot write the film ({_reason(error)})") from error
        self.frames += 1

    def close(self) -> Film | None:
        """Finish the film and return what it is; None if there was no frame (then there is no file)."""
        if self._sink is None:
            return self._film
        sink, self._sink = self._sink, None
        try:
            sink.close()
            if self.frames:
                os.replace(self._temporary, self.path)
                self._film = Film(self.path, self.frames, self.path.stat().st_size)
        except OSError as error:
            raise RunFolderError(f"{self.path}: cannot write the film ({_reason(error)})") from error
        finally:
            self._temporary.unlink(missing_ok=True)
        return self._film

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _GifSink:
    """Collects palette images; Pillow writes them with the differences only."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._delay = path, max(20, round(1000 / fps))
        self._images: list[Any] = []

    def append_data(self, frame: npt.NDArray[np.uint8]) -> None:
        from PIL import Image

        image = Image.fromarray(frame)
        if image.width > _GIF_WIDTH:
            height = round(image.height * _GIF_WIDTH / image.width)
            image = image.resize((_GIF_WIDTH, height), Image.Resampling.LANCZOS)
        self._images.append(image.convert("P", palette=Image.Palette.ADAPTIVE))

    def close(self) -> None:
        if self._images:
            first, *rest = self._images
            first.save(self._path, save_all=True, append_images=rest, duration=self._delay, loop=0)


def _mp4_sink(path: Path, fps: float) -> Any:
    if find_spec("imageio") is None or find_spec("imageio_ffmpeg") is None:
        raise MissingExtraError('.mp4 films need imageio-ffmpeg: pip install "insectbot[video]" (or write a .gif)')
    import imageio

    return imageio.get_writer(
        path,
        fps=fps,
        codec="libx264",
        quality=None,
        macro_block_size=1,
        pixelformat="yuv420p",
        output_params=["-preset", "veryfast", "-crf", "21", "-movflags", "+faststart"],
    )


def _even(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Cut the last odd row and column: the pixel format shares colour between pairs."""
    return np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])


def _reason(error: OSError) -> str:
    return " ".join((error.strerror or str(error)).split())
