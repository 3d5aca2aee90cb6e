"""From observation to action: encoders, decoders, the spiking controller, circuits, baselines."""

if __name__ == "controllers":
    raise ImportError("import insectbot.controllers, not controllers")
