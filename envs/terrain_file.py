"""Land from the user's own file, for the ``dem`` preset: PNG, npy or GeoTIFF become an elevation map."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.envs.terrain import COLUMNS, ROWS, Map
from insectbot.errors import ConfigurationError, MissingExtraError, UnknownNameError

SUFFIXES = (".png", ".npy", ".tif", ".tiff")


@cache
def read_terrain(path: str, relief: float) -> Map:
    """Return elevations [m], float32 of shape (344, 403), row 0 in the south, read-only.

    The land is stretched over the arena of the ``dem`` preset, 30 km by 32 km, by bilinear interpolation. A file has
    its north above: row 0 of an array or image is the northern edge.

    Parameters
    ----------
    path : str
        ``.npy``: a two-dimensional array of elevations [m]. ``.tif``: a GeoTIFF of one band [m]; needs rasterio; holes
        take the lowest elevation. ``.png``: grey levels, black lowest.
    relief : float
        Elevation of white above black in an image [m].

    Raises
    ------
    UnknownNameError
        If the file cannot be read.
    ConfigurationError
        If it holds no land: no two-dimensional array of at least 4 x 4 finite numbers.
    MissingExtraError
        If it is a GeoTIFF and rasterio is not installed.
    """
    file = Path(path).expanduser()
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigurationError(f"terrain {path!r}: the file must end in {', '.join(SUFFIXES)}")
    try:
        heights = {".png": _image, ".npy": _array}.get(suffix, _geotiff)(file, relief)
    except (OSError, ValueError) as error:
        raise UnknownNameError(f"terrain {path!r} cannot be read: {' '.join(str(error).split())}") from None
    if heights.ndim != 2 or min(heights.shape) < 4:
        raise ConfigurationError(f"terrain {path!r} has shape {heights.shape}, must be at least 4 x 4")
    if not np.isfinite(heights).all():
        raise ConfigurationError(f"terrain {path!r} holds numbers that are not finite: fill its holes")
    stretched = np.ascontiguousarray(_stretch(heights)[::-1], np.float32)
    stretched.setflags(write=False)
    return stretched


def _array(file: Path, relief: float) -> npt.NDArray[np.float64]:
    found = np.load(file, allow_pickle=False)
    if found.dtype.kind not in "iuf":
        raise ValueError(f"numbers of type {found.dtype}")
    return found.astype(np.float64)


def _image(file: Path, relief: float) -> npt.NDArray[np.float64]:
    import pygame

    try:
        surface = pygame.image.load(str(file))
    except pygame.error as error:
        raise ValueError(str(error)) from None
    colours = pygame.surfarray.array3d(surface).astype(np.float64)
    return colours.mean(axis=2).T / 255.0 * relief


def _geotiff(file: Path, relief: float) -> npt.NDArray[np.float64]:
    try:
        rasterio: Any = importlib.import_module("rasterio")
    except ImportError:
        raise MissingExtraError(f"terrain {str(file)!r}: a GeoTIFF needs rasterio: pip install rasterio") from None
    with rasterio.open(file) as source:
        band = source.read(1, masked=True)
    return np.ma.filled(band.astype(np.float64), float(band.min()))


def _stretch(heights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the land on the grid of the preset, bilinear."""
    rows = np.linspace(0.0, heights.shape[0] - 1.0, ROWS)
    columns = np.linspace(0.0, heights.shape[1] - 1.0, COLUMNS)
    i, j = np.minimum(rows.astype(int), heights.shape[0] - 2), np.minimum(columns.astype(int), heights.shape[1] - 2)
    u, v = (rows - i)[:, None], (columns - j)[None]
    a, b = heights[i][:, j], heights[i][:, j + 1]
    c, d = heights[i + 1][:, j], heights[i + 1][:, j + 1]
    return (1 - u) * ((1 - v) * a + v * b) + u * ((1 - v) * c + v * d)
