"""Telling each event once while two connections bring it."""

from __future__ import annotations

from collections import Counter


class Overlap:
    """What one of two connections has brought, and the other not yet; both are sent the same text."""

    def __init__(self) -> None:
        self._ahead: dict[object, Counter[str]] = {}

    def begin(self, old: object, new: object) -> None:
        """Compare what these two bring from here on."""
        self._ahead = {old: Counter(), new: Counter()}

    def end(self, closed: object) -> None:
        """Compare no more with one that is closed."""
        if closed in self._ahead:
            self._ahead = {}

    def repeats(self, source: object, text: str) -> bool:
        """Return whether the other connection has brought this already; to be asked once a frame."""
        if source not in self._ahead:
            return False
        for other, ahead in self._ahead.items():
            if other is not source and ahead[text]:
                ahead[text] -= 1
                return True
        self._ahead[source][text] += 1
        return False
