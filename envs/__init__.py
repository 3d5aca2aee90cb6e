"""Gymnasium worlds, registered as ``insectbot/<Name>-v0`` on ``import insectbot``."""

if __name__ == "envs":
    raise ImportError("import insectbot.envs, not envs")
