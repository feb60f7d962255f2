"""The error of a deployment."""

from __future__ import annotations


class DeployError(Exception):
    """A deployment cannot start or has failed; the message says what is wrong and what to do."""
