"""From a network to a NIR graph with few nodes: one per population, one per projection, a Delay where one is needed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.snn.inputs import CurrentInput
from insectbot.snn.network import Input, Network, Projection
from insectbot.snn.nir.bias import beats, port_of, steady, without_steady
from insectbot.snn.nir.dialect import Grid
from insectbot.snn.nir.schedule import Schedule, schedule
from insectbot.snn.nir.sites import Gate, Site
from insectbot.snn.nir.wires import Wire, constant, wires
from insectbot.snn.nir.writing import site_of

Floats = npt.NDArray[np.float64]


@dataclass
class Written:
    """A network as nodes and edges, and the names of what they do not say."""

    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def free(self, name: str) -> str:
        """Return a name that no node has and HDF5 accepts."""
        name = name.replace("/", "_").strip(".") or "node"
        while name in self.nodes:
            name += "_"
        return name

    def join(self, source: str, wire: Wire, target: str) -> None:
        """Add a row of nodes between two nodes."""
        import nir

        row = wire.nodes
        if not row and (source, target) in self.edges:
            n = int(self.nodes[target].input_type["input"][0])
            row = ((f"{source}->{target}", nir.Scale(scale=np.ones(n, np.float32))),)
        names = [source]
        for name, node in row:
            names.append(self.free(name))
            self.nodes[names[-1]] = node
        names.append(target)
        self.edges += list(pairwise(names))


def graph_of(network: Network, grid: Grid) -> Written:
    """Return the nodes and edges of a network.

    Raises
    ------
    ConfigurationError
        If a projection would make a matrix that is too large.
    """
    return _Exporter(network, grid).write()


class _Exporter:
    def __init__(self, network: Network, grid: Grid) -> None:
        self.network, self.grid, self.out = network, grid, Written()
        self.beats = beats(network)
        self.names: dict[str, str] = {}
        self.sites: dict[str, Site] = {}
        self.size = {g.name: g.n for g in network.groups}
        self.analog = {g.name: g.source.gain for g in network.inputs if isinstance(g.source, CurrentInput)}
        self.graded = {p.name for p in network.populations if not p.model.spiking}

    def write(self) -> Written:
        """Write everything."""
        for group in self.network.groups:
            if group.name not in self.beats:
                self.write_group(group.name)
        shown = [p for p in self.network.projections if p.source not in self.beats]
        plan = schedule(self.network, self.grid.dialect, self.beats, self.slow())
        self.out.lost += plan.lost
        biases = self.biases()
        for projection in shown:
            self.write_projection(projection, plan, biases)
        for (target, port), bias in biases.items():
            source = (self.network.inputs or (self.network.population(target),))[0].name
            wire = constant(f"{target}.bias", self.size[source], bias)
            self.out.join(self.names[source], wire, self.sites[target].gates[port].node)
        self.write_outputs()
        self.out.lost = list(dict.fromkeys(self.out.lost))
        return self.out

    def write_group(self, name: str) -> None:
        """Write the nodes of an input or a population."""
        import nir

        group = next(g for g in self.network.groups if g.name == name)
        self.names[name] = self.out.free(name)
        if isinstance(group, Input):
            self.out.nodes[self.names[name]] = nir.Input(input_type={"input": np.array([group.n])})
            return
        fed = any(p.target == name and p.source in self.analog for p in self.network.projections)
        simple = without_steady(self.network, self.beats, group)
        site = self.sites[name] = site_of(simple, self.names[name], self.grid, fed, self.out.nodes)
        self.out.nodes |= site.nodes
        self.out.edges += site.edges
        self.out.lost += site.lost

    def slow(self) -> set[str]:
        """Return the populations that feel a spike a step earlier in the file than here: Euler steps of a synapse."""
        import nir

        kinds = (nir.CubaLI, nir.CubaLIF)
        exact = {
            n for n, s in self.sites.items() if isinstance(s.nodes[self.names[n]], kinds) and "events" not in s.gates
        }
        return exact if self.grid.euler else set()

    def biases(self) -> dict[tuple[str, str], Floats]:
        """Return (population, port) -> constant in the file's terms."""
        found = {}
        for name, site in self.sites.items():
            for port, gate in site.gates.items():
                total = steady(self.network, self.beats, self.network.population(name), port)
                if total.any():
                    found[name, port] = total * gate.hold
        return found

    def gate(self, projection: Projection) -> tuple[Gate, Floats]:
        """Return where a projection enters, and what multiplies its weights."""
        site = self.sites[projection.target]
        if projection.source in self.analog:
            gate = site.current or next(iter(site.gates.values()))
            if site.current is None:
                self.out.lost.append(f"analog current of projection {projection.name!r}")
            return gate, self.analog[projection.source] * gate.hold
        gate = site.gates[port_of(self.network, projection)]
        return gate, gate.hold if projection.source in self.graded else gate.event

    def write_projection(self, p: Projection, plan: Schedule, biases: dict[tuple[str, str], Floats]) -> None:
        """Write the nodes of a projection, with a bias of its target if that has none yet."""
        gate, factor = self.gate(p)
        for f in fields(p):
            value = getattr(p, f.name)
            if f.name not in ("name", "source", "target", "synapses", "receptor") and value is not None:
                self.out.lost.append(f"{f.name} ({type(value).__name__}) of projection {p.name!r}")
        bias = None if p.source in self.analog else biases.pop((p.target, port_of(self.network, p)), None)
        delay = plan.written[p.name] * self.network.dt / self.grid.unit
        for wire in wires(p, (self.size[p.target], self.size[p.source]), factor, delay, bias):
            self.out.join(self.names[p.source], wire, gate.node)

    def write_outputs(self) -> None:
        """Write an Output per population that is read out."""
        import nir

        read = list(dict.fromkeys(r.population for r in self.network.readouts))
        for r in self.network.readouts:
            if r.pooled or (r.start, r.stop) != (0, self.size[r.population]):
                self.out.lost.append(f"part of population {r.population!r} that is read out")
        for name in read:
            node = self.out.free("output" if len(read) == 1 else f"{name}.output")
            self.out.nodes[node] = nir.Output(output_type={"output": np.array([self.size[name]])})
            self.out.edges.append((self.names[name], node))
