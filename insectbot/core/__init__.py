"""How a network runs: the real-time jitted engine and reference backend."""
