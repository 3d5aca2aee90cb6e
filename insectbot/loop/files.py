"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from insectbot.errors import RunFolderError


def cannot(what: str, path: Path | str, error: BaseException) -> RunFolderError:
    """Return the one-sentence error for an operation on a path that failed."""
    cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return RunFolderError(f"{path} cannot be {what}: {cause}")


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its name when the block ends without an error.

    Raises
    ------
    RunFolderError
        The folder cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise cannot("written", path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text atomically; raises RunFolderError."""
    with atomic(path) as temporary:
        temporary.write_text(text, "utf-8")


def jsonable(value: Any) -> Any:
    """Return a copy that JSON can hold: arrays as lists, NumPy scalars as numbers, NaN and infinities as null."""
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return jsonable(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [jsonable(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON atomically; NaN becomes null."""
    write_text(path, json.dumps(jsonable(value), indent=1, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows atomically; the columns are all keys in order of appearance, NaN and None are empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: "" if (v := jsonable(value)) is None else v for k, value in row.items()})
    write_text(path, text.getvalue())
