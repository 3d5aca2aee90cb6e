"""What is compared: the networks at their sizes, and the scripts of the peers."""

from __future__ import annotations

from dataclasses import dataclass

OURS = "insectbot"
PEERS = {
    OURS: "insectbot_.py",
    "genn": "genn.py",
    "brian2_cython": "brian2_cython.py",
    "brian2_standalone": "brian2_standalone.py",
    "annarchy": "annarchy_.py",
    "nest": "nest_.py",
    "norse": "norse_.py",
    "snntorch": "snntorch_.py",
}
"""Name -> script, in the order of the table's columns."""
NAMES = {
    OURS: "insectbot",
    "genn": "GeNN (CPU)",
    "brian2_cython": "Brian2 (Cython)",
    "brian2_standalone": "Brian2 (C++)",
    "annarchy": "ANNarchy",
    "nest": "NEST",
    "norse": "Norse",
    "snntorch": "snnTorch",
}


@dataclass(frozen=True)
class Case:
    """One network: "w1" of ``n`` neurons, "w2" of a kind, "w3"; static or plastic."""

    net: str
    n: int | None = None
    plastic: bool = False
    kind: str | None = None

    @property
    def variant(self) -> str:
        """Name of what differs within a network."""
        return self.kind.upper() if self.kind else "plastic" if self.plastic else "static"

    @property
    def label(self) -> str:
        """Name of the row."""
        words = (self.net.upper(), f"{self.n:,}".replace(",", " ") if self.n else "", self.variant)
        return " ".join(word for word in words if word)

    @property
    def unit(self) -> str:
        """Unit of the figure that is compared."""
        return "µs" if self.net == "w1" else "RTF"

    def arguments(self) -> list[str]:
        """Return the command line of a peer's script."""
        found = ["--net", self.net]
        found += ["--n", str(self.n)] if self.n else []
        found += ["--kind", self.kind] if self.kind else []
        return found + (["--plastic"] if self.plastic else [])


def cases(nets: list[str], sizes: list[int]) -> list[Case]:
    """Return the cases of the chosen networks; ``sizes`` are those of W1."""
    found: list[Case] = []
    if "w1" in nets:
        found += [Case("w1", n, plastic) for plastic in (False, True) for n in sizes]
    if "w2" in nets:
        found += [Case("w2", kind=kind) for kind in ("cuba", "coba")]
    if "w3" in nets:
        found += [Case("w3", plastic=plastic) for plastic in (False, True)]
    return found
