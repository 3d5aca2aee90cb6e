"""Errors a user can meet. Each message is one sentence: subject, value, limit, fix."""

from __future__ import annotations


class InsectbotError(Exception):
    """Root of every error insectbot raises on purpose; the command line prints it and exits with 2."""


class ConfigurationError(InsectbotError, ValueError):
    """A scenario, option or argument has a value that is not accepted."""


class UnknownNameError(InsectbotError, LookupError):
    """A name (scenario, env, controller, chip, preset) is not known; the message lists or suggests the known ones."""


class ShapeError(InsectbotError, ValueError):
    """An array has the wrong shape, type or a value that is not finite."""


class DoesNotFit(InsectbotError, ValueError):
    """A network exceeds a chip's resource; the message names the resource, the place, and by how much."""


class Unsupported(InsectbotError, NotImplementedError):
    """A backend cannot express a feature of the network; the message names the feature."""


class RunFolderError(InsectbotError, OSError):
    """A run folder, checkpoint or recording is missing, unreadable or damaged."""


class DisplayError(InsectbotError, RuntimeError):
    """A window was asked for where there is no display."""


class MissingExtraError(InsectbotError, ImportError):
    """An optional package is not installed; the message gives the pip command."""
