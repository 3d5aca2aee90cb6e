"""Checkpoints: named arrays and a small dictionary in one npz file, whole or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import RunFolderError
from insectbot.loop.files import atomic

_META = "__meta__"


@dataclass(frozen=True)
class Checkpoint:
    """Content of a checkpoint: ``arrays`` by name, and ``meta``, anything JSON can hold (NaN included)."""

    arrays: dict[str, npt.NDArray]
    meta: dict[str, Any]


def save(path: Path, arrays: Mapping[str, npt.ArrayLike], meta: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically: a kill at any moment leaves the previous one or this one.

    Parameters
    ----------
    path : Path
        File, ends in ``.npz``.
    arrays : mapping
        Name -> array.
    meta : mapping
        JSON values.

    Raises
    ------
    RunFolderError
        The file cannot be written.
    """
    text = np.frombuffer(json.dumps(dict(meta)).encode(), np.uint8)
    content: dict[str, Any] = {**{k: np.asarray(v) for k, v in arrays.items()}, _META: text}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **content)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    RunFolderError
        The file is missing, or damaged (its checksums do not match or parts are missing).
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop(_META).tobytes())
    except FileNotFoundError as error:
        raise RunFolderError(f"checkpoint {path} does not exist") from error
    except Exception as error:  # a flipped byte of a zip file can end in nearly any error of zipfile and numpy
        raise RunFolderError(f"checkpoint {path} is damaged: delete it and that seed trains anew") from error
    return Checkpoint(arrays, meta)
