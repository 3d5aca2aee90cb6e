"""The command line: parse, call, print. Nobody imports it; nothing heavy is imported before a command runs."""

from insectbot.cli.app import main

__all__ = ["main"]
