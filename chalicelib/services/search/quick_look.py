"""A fast look at the bytes of a stored message: whether it may have some words."""

from __future__ import annotations

import re
from collections.abc import Iterable

TEXT = 9
"""Index in an element before which no text begins."""
SAME_BYTES = re.compile(
    "[0-9a-z\u0e01-\u0e3a\u0e40-\u0e4e\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff\uac00-\ud7a3"
    "\U0001f300-\U0001f9ff]+"
)
"""Folded parts that a text has in the same bytes, but for the case of ASCII, unless OTHER_BYTES finds any."""
OTHER_BYTES = re.compile(
    rb"[\xc2-\xcf\xd2-\xdf\xe1\xee\xf1-\xf4][\x80-\xbf]"  # not Cyrillic
    rb"|\xe0(?![\xb8\xb9])[\x80-\xbf]|\xe0\xb8\xb3"  # not Thai, but for the letter that is folded to two
    rb"|\xe2(?!\x80[\x90-\xa7])[\x80-\xbf]"  # not dashes, quotes and dots
    rb"|\xe3[\x84-\xbf]|\xe3\x80[\xb6-\xba]|\xe3\x82[\x99-\x9f]|\xe3\x83\xbf"  # not Kana
    rb"|\xea[\x80-\xaf]"  # not Hangul; nothing of E4 to E9, which are Han
    rb"|\xef(?!\xbc[\x81-\x8f\x9a-\x9f])[\x80-\xbf]"  # not wide punctuation
    rb"|\xf0(?!\x9f[\x8c-\xa7])[\x80-\xbf]"  # not pictographs
)
"""Characters that may be folded to one of SAME_BYTES, or to nothing; other bytes may look like one."""


class QuickLook:
    """Looks for the parts of a search in elements, before they are decoded; it never misses one.

    parts: Folded words, beginnings and runs.
    """

    def __init__(self, parts: Iterable[str]) -> None:
        self._parts = [part.encode() for part in parts if SAME_BYTES.fullmatch(part)]

    def may_find(self, element: bytes) -> bool:
        """Return whether the text in an element of a log may have all parts."""
        lowered = element.lower()
        for part in self._parts:
            if part not in lowered:
                return OTHER_BYTES.search(element, TEXT) is not None
        return True
