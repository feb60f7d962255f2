"""Characters that names and texts can't have, and invisible characters.

The ranges are those of Unicode properties that do not grow with each version: General_Category Cc and Cs and
Noncharacter_Code_Point never change; Bidi_Control, White_Space and Default_Ignorable_Code_Point hardly ever
do, and the last includes reserved ranges. Sources: Unicode 18, PropList.txt and
DerivedCoreProperties.txt; https://www.unicode.org/policies/stability_policy.html.
"""

from __future__ import annotations

import re

CONTROLS = "\0-\x1f\x7f-\x9f\u2028\u2029"
"""Cc, and the separators of lines and paragraphs."""
SURROGATES = "\ud800-\udfff"
NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17)
)
DIRECTION = "\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates: they show a text in another order than it has (Unicode TR 36, 2.10)."""
UNSEEN = (
    "\u00ad\u061c\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Default ignorables that a name can't have, but a text of several lines can."""
JOINING = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)
"""Default ignorables that words and emoji need: joiners, variation selectors, tags, fillers."""
BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""General_Category Zs."""
EMPTY = "\u2800\U00013441\U00013442\U00016fe4\U0001d159"
"""Symbols and letters that look empty: an empty Braille cell, blanks and fillers of old scripts."""

IN_A_LINE = re.compile(f"[{CONTROLS}{SURROGATES}{NONCHARACTERS}{DIRECTION}{UNSEEN}]")
IN_LINES = re.compile(rf"(?!\n)[{CONTROLS}{SURROGATES}{NONCHARACTERS}{DIRECTION}]")
VISIBLE = re.compile(rf"[^\t-\r\x1c-\x1f\x85\u2028\u2029{BLANKS}{EMPTY}{UNSEEN}{JOINING}{DIRECTION}]")
KINDS = (
    ("\n\r\u2028\u2029", "which breaks the line"),
    (CONTROLS, "a control character"),
    (SURROGATES, "half of a surrogate pair, which is not a character"),
    (NONCHARACTERS, "which is not a character"),
    (DIRECTION, "which changes the direction of writing"),
    (UNSEEN, "which is invisible"),
)


def fault_in(text: str, *, lines: bool = False) -> str | None:
    """Return the problem with the first character that a text can't have, and its position; None without one.

    lines: Whether the text may have line breaks (LF) and invisible characters.
    """
    if text.isascii() and text.isprintable():  # most names, in every Unicode version
        return None
    found = (IN_LINES if lines else IN_A_LINE).search(text)
    return None if found is None else described(found[0], found.start() + 1)


def described(character: str, position: int) -> str:
    """Return the problem with a character, for an error; position: Counted from 1."""
    kind = next(kind for members, kind in KINDS if re.match(f"[{members}]", character))
    return f"character {position} is U+{ord(character):04X}, {kind}; take it out"


def has_visible(text: str) -> bool:
    """Return whether a text has a character that is neither blank nor default ignorable."""
    return "!" <= text[:1] <= "~" or VISIBLE.search(text) is not None


def plain(text: str) -> str:
    """Return a line with U+FFFD in place of each character that it can't have."""
    return IN_A_LINE.sub("\ufffd", text)
