"""Where else a network runs: emulated neuromorphic silicon."""
