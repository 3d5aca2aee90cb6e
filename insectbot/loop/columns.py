"""A data set of HDF5 that grows by blocks, so that memory stays bounded."""

from __future__ import annotations

import h5py
import numpy as np
import numpy.typing as npt

FLUSH = 512
"""Rows of a chunk."""
COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


class Column:
    """A data set that grows by blocks."""

    def __init__(self, group: h5py.Group, name: str, dtype: str) -> None:
        self.group, self.name, self.dtype = group, name, dtype
        self.pending: list[npt.NDArray] = []
        self.data: h5py.Dataset | None = None

    def append(self, rows: npt.NDArray) -> None:
        """Keep rows until the next flush."""
        self.pending.append(rows)

    def flush(self) -> None:
        """Write the kept rows."""
        if not self.pending:
            return
        block = np.concatenate(self.pending).astype(self.dtype)
        self.pending.clear()
        if self.data is None:
            shape = block.shape[1:]
            self.data = self.group.create_dataset(
                self.name, (0, *shape), self.dtype, maxshape=(None, *shape), chunks=(FLUSH, *shape), **COMPRESSION
            )
        start = self.data.shape[0]
        self.data.resize(start + len(block), axis=0)
        self.data[start:] = block
