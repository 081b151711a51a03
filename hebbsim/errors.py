"""Errors that a user can act on."""

from __future__ import annotations


class HebbsimError(Exception):
    """A run failed for a reason that one line explains (exit code 1)."""


class BadInputError(HebbsimError, ValueError):
    """Input or arguments that cannot be used (exit code 2).

    The message is one line: what is wrong, where (file and line), what to do.
    """


class DivergenceError(HebbsimError, FloatingPointError):
    """Weights stopped being finite while learning."""


class StoppedError(HebbsimError):
    """A run was interrupted, and what it wrote is there to go on from (exit code 130)."""
