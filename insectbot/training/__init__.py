"""Training over episodes and seeds, evaluation on unseen worlds, chip benchmarks."""
