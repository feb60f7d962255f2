"""Emoji: the texts that are one of them, in one form each (Unicode TS 51)."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

MAX_EMOJI_CHARACTERS = 32
"""Maximum number of code points without variation selectors; Unicode recommends no emoji with over 8."""
TEXT_STYLE, EMOJI_STYLE = "\ufe0e", "\ufe0f"

KEYCAP = "[0-9#*]\ufe0f?\u20e3"
FLAG = r"\p{Regional_Indicator}{2}"
TAGS = r"[\U000E0020-\U000E007E]+\U000E007F"
PART = rf"[\p{{Emoji}}--[0-9#*\p{{Regional_Indicator}}]](?:\p{{Emoji_Modifier}}|\ufe0f|{TAGS})?"
EMOJI = rf"{KEYCAP}|{FLAG}|{PART}(?:\u200d{PART})*"
UNSTYLED = r"[\p{Emoji}--\p{Emoji_Presentation}](?!\p{Emoji_Modifier})"


class _Patterns(NamedTuple):
    emoji: Any
    grapheme: Any
    unstyled: Any


def emoji_in(text: str) -> str | None:
    """Return the emoji that a text is, in the form that Unicode calls fully qualified; None: it is not one.

    It must be one grapheme. With or without the variation selector U+FE0F, it is the same emoji.
    """
    if text.isascii() or TEXT_STYLE in text or len(text) > 2 * MAX_EMOJI_CHARACTERS:
        return None
    bare = text.replace(EMOJI_STYLE, "")
    if len(bare) > MAX_EMOJI_CHARACTERS:
        return None
    patterns = _patterns()
    if not (patterns.emoji.fullmatch(text) and patterns.grapheme.fullmatch(text)):
        return None
    return str(patterns.unstyled.sub(rf"\g<0>{EMOJI_STYLE}", bare))


@functools.cache
def _patterns() -> _Patterns:
    import regex  # takes 14 ms, and few calls need it

    return _Patterns(*(regex.compile(pattern, regex.V1) for pattern in (EMOJI, r"\X", UNSTYLED)))
