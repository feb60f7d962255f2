"""The rules for names and texts: allowed characters, how names compare, where a text may be cut.

They don't depend on the Unicode version of the interpreter: docs/adr says why.
"""

from chalicelib.texts.characters import BLANKS, described, fault_in, has_visible, plain
from chalicelib.texts.checks import check_line, check_lines, checked_line
from chalicelib.texts.emoji import MAX_EMOJI_CHARACTERS, emoji_in
from chalicelib.texts.folding import MAX_DECOMPOSED_CHARACTERS, MAX_NAME_CHARACTERS, composed, folded
from chalicelib.texts.graphemes import beginning

__all__ = [
    "BLANKS",
    "MAX_DECOMPOSED_CHARACTERS",
    "MAX_EMOJI_CHARACTERS",
    "MAX_NAME_CHARACTERS",
    "beginning",
    "check_line",
    "check_lines",
    "checked_line",
    "composed",
    "described",
    "emoji_in",
    "fault_in",
    "folded",
    "has_visible",
    "plain",
]
