"""Passing each event on once while two connections deliver it."""

from __future__ import annotations

from collections import Counter


class Overlap:
    """Frames that one of two connections has delivered first; both connections get the same text."""

    def __init__(self) -> None:
        self._ahead: dict[object, Counter[str]] = {}

    def begin(self, old: object, new: object) -> None:
        """Compare the frames of two connections from now on."""
        self._ahead = {old: Counter(), new: Counter()}

    def end(self, closed: object) -> None:
        """Stop comparing with a connection that is closed."""
        if closed in self._ahead:
            self._ahead = {}

    def repeats(self, source: object, text: str) -> bool:
        """Return whether the other connection has delivered this frame; call it once for each frame."""
        if source not in self._ahead:
            return False
        for other, ahead in self._ahead.items():
            if other is not source and ahead[text]:
                ahead[text] -= 1
                return True
        self._ahead[source][text] += 1
        return False
