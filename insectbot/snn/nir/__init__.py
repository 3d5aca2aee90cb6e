"""Networks as NIR graphs (https://neuroir.org) and NIR graphs as networks.

NIR is written in continuous time and seconds; networks here run on a grid of milliseconds. What a file leaves open
(its writer's step, what a spike is, how the leak is stepped) is a :class:`~insectbot.snn.nir.dialect.Dialect`:

============  =================================================================================================
``nir``       as the equations say: a spike is an impulse of unit area; exact steps of ``dt``
``grid``      the same, but a spike is 1 for one step, as every simulator on a grid has it
``snntorch``  a step of 0.1 ms, Euler steps, all layers within one step
``norse``     a step of 1 ms, Euler steps, all layers within one step; Norse 1.1 writes ``dt tau`` for ``tau``
``sinabs``    times in steps, exact steps, spikes at the threshold too, all layers within one step
============  =================================================================================================

Linear nodes between neurons are composed into one projection; gains (``r``, ``w_in``) go into its weights; a bias is
the weights of a unit that spikes in every step; a delay of one step here is no delay in NIR. What NIR cannot say goes
into ``metadata["insectbot"]``, from which the same network comes back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insectbot.errors import ConfigurationError, RunFolderError, Unsupported
from insectbot.snn.inputs import InputSource
from insectbot.snn.network import Network
from insectbot.snn.nir.dialect import DIALECTS, READERS, Dialect, Grid, find
from insectbot.snn.nir.export import Written, graph_of
from insectbot.snn.nir.graph import flatten, read
from insectbot.snn.nir.layout import Options
from insectbot.snn.nir.reading import Imported, build
from insectbot.snn.nir.sidecar import KEY, difference, pack, unpack

if TYPE_CHECKING:
    import nir

__all__ = ["DIALECTS", "READERS", "Dialect", "Imported", "from_nir", "load", "lost", "to_nir", "write"]


def lost(network: Network, *, dialect: str | Dialect = "nir") -> tuple[str, ...]:
    """Return what NIR nodes cannot say of a network, by name, such as ``"LIF.t_ref of population 'motor'"``.

    Parameters
    ----------
    network : Network
        The network.
    dialect : str or Dialect
        Whom it is written for, see :func:`to_nir`.

    Notes
    -----
    How a drive becomes spikes, the step, the precision and the name are no part of what a graph means, and not listed.
    """
    return tuple(_written(network, dialect).lost)


def to_nir(network: Network, *, lossless: bool = True, dialect: str | Dialect = "nir") -> nir.NIRGraph:
    """Return a network as NIR graph.

    Parameters
    ----------
    network : Network
        The network.
    lossless : bool
        Whether the whole network goes into the metadata, too, so that nothing is lost: nodes stand in for what NIR
        does not have. If False, there is no metadata, and what would be lost is refused.
    dialect : str or Dialect
        How the nodes are to be read: one of :data:`READERS`, by its name.

    Raises
    ------
    Unsupported
        If not ``lossless``, and something would be lost; the message lists all of it.
    ConfigurationError
        If a matrix would be too large, or a time constant too short for the dialect.
    """
    import nir

    written = _written(network, dialect)
    if written.lost and not lossless:
        raise Unsupported(f"NIR cannot say: {'; '.join(written.lost)}; export with lossless=True keeps it as metadata")
    metadata = {KEY: pack(network, find(dialect, READERS))} if lossless else {}
    return nir.NIRGraph(written.nodes, written.edges, metadata=metadata, type_check=False)


def write(
    network: Network, path: str | PathLike[str], *, lossless: bool = True, dialect: str | Dialect = "nir"
) -> None:
    """Write a network to a NIR file; the arguments are those of :func:`to_nir`. The file is renamed into place."""
    import nir

    graph = to_nir(network, lossless=lossless, dialect=dialect)
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        nir.write(temporary, graph)
        temporary.replace(target)
    except OSError as error:
        raise RunFolderError(f"{target} cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def from_nir(graph: nir.NIRGraph | str | PathLike[str], **options: Any) -> Network:
    """Return the network of a NIR graph or file: :func:`load` without its notes; the options are the same."""
    return load(graph, **options).network


def load(
    graph: nir.NIRGraph | str | PathLike[str],
    *,
    dialect: str | Dialect = "nir",
    dt: float | None = None,
    scheme: str | None = None,
    reset: str = "value",
    inputs: InputSource | Mapping[str, InputSource] | None = None,
    precision: str = "float32",
    round_delays: bool = False,
    metadata: bool = True,
) -> Imported:
    """Return the network of a NIR graph or file, and what is to be known about it.

    Parameters
    ----------
    graph : NIRGraph, str or path
        Graph or file.
    dialect : str or Dialect
        Who wrote it: one of :data:`DIALECTS`, by its name. A file does not say.
    dt : float, optional
        Step [ms]; default: that of the dialect, else 1 ms.
    scheme : {"exact", "euler"}, optional
        Steps other than those of the dialect.
    reset : {"value", "subtract", "subtract next step"}
        What a spike does, which a file does not say either: ``v = v_reset``; the threshold is taken from v; it is
        taken in the next step, after the leak (the default of snnTorch).
    inputs : InputSource, or mapping of Input node to one, optional
        What Input nodes become. Default: ``RegularInput`` whose drive of 1 is a spike in every step. A
        ``CurrentInput`` makes the drive an analog signal.
    precision : {"float32", "float64"}
        Of the network.
    round_delays : bool
        Whether delays between steps are rounded up instead of refused.
    metadata : bool
        Whether a network that insectbot left in the metadata is taken, if there is one. The other options are for
        graphs without; with metadata they must be left alone.

    Raises
    ------
    ConfigurationError, ShapeError, Unsupported
        If the file cannot be read, a node cannot be run, or values are out of range.
    """
    name = "network"
    if isinstance(graph, str | PathLike):
        name, graph = Path(fspath(graph)).stem, read(graph)
    own = (getattr(graph, "metadata", None) or {}).get(KEY)
    defaults = (dialect, dt, scheme, reset, inputs, precision) == ("nir", None, None, "value", None, "float32")
    if own is not None and metadata:
        if not defaults:
            raise ConfigurationError(
                "NIR graph: its metadata says how it was run in insectbot; take metadata=False to read it otherwise"
            )
        return Imported(_restored(graph, own))
    chosen = find(dialect, DIALECTS, scheme)
    step = float(dt if dt is not None else chosen.dt or 1.0)
    options = Options(Grid(chosen, step, precision), reset, inputs, round_delays, name)
    return build(flatten(graph), options)


def _written(network: Network, dialect: str | Dialect) -> Written:
    return graph_of(network, Grid(find(dialect, READERS), network.dt, network.precision))


def _restored(graph: Any, own: Mapping[str, Any]) -> Network:
    """Return the network in the metadata, if the nodes are still those it was written with."""
    network, dialect = unpack(own)
    changed = difference(_written(network, dialect), graph)
    if changed is not None:
        raise ConfigurationError(
            f"NIR {changed} was changed since insectbot wrote the metadata; "
            "take metadata=False to have the nodes as they are now, without what only the metadata says"
        )
    return network
