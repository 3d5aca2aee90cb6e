"""insectbot: put a spiking brain into a body."""

__version__ = "0.1.0"
