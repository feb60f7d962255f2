"""What goes wrong on the way to a stack."""

from __future__ import annotations


class DeployError(Exception):
    """A deployment cannot be started or did not succeed; the text says what is wrong and what to do."""
