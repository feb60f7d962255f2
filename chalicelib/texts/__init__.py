"""The one rule of what a name or text may hold, how names compare, and where a text may be cut.

Nothing here asks the interpreter which characters exist: docs/adr says why.
"""

from chalicelib.texts.characters import BLANKS, described, fault_in, has_visible, plain
from chalicelib.texts.checks import check_line, check_lines, checked_line
from chalicelib.texts.folding import MAX_NAME_CHARACTERS, MOST_NAME_CHARACTERS, composed, folded
from chalicelib.texts.graphemes import beginning

__all__ = [
    "BLANKS",
    "MAX_NAME_CHARACTERS",
    "MOST_NAME_CHARACTERS",
    "beginning",
    "check_line",
    "check_lines",
    "checked_line",
    "composed",
    "described",
    "fault_in",
    "folded",
    "has_visible",
    "plain",
]
