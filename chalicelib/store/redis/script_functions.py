"""The functions of a script's parts that the script needs: a store makes all of them again in every call."""

from __future__ import annotations

import re
from collections.abc import Sequence

FUNCTION = re.compile(
    r"^local function (\w+)\([^)\n]*\)(?:(?! *--) [^\n]*\bend(?: *--[^\n]*)?|(?: *--[^\n]*)?\n.*?^end)\n",
    re.MULTILINE | re.DOTALL,
)
"""A function on one line, or on several, of which the last is `end`."""
COMMENT = re.compile(r"--[^\n]*")
WORD = re.compile(r"\w+")


def needed(parts: Sequence[str], rest: str) -> list[str]:
    """Return parts without the functions that neither a later function nor the rest of the script names.

    parts: Texts, each after those that it uses itself. rest: The script that follows them.
    """
    used = _words(rest)
    return [_needed(part, used) for part in reversed(parts)][::-1]


def _needed(part: str, used: set[str]) -> str:
    """Return a part without unused functions; used: The words that follow it, to which its own are added."""
    kept, end = [], len(part)
    for function in reversed(list(FUNCTION.finditer(part))):
        kept.append(part[function.end() : end])
        end = function.start()
        used |= _words(kept[-1])
        if function[1] in used:
            kept.append(function[0])
            used |= _words(function[0])
    kept.append(part[:end])
    used |= _words(kept[-1])
    return "".join(reversed(kept))


def _words(code: str) -> set[str]:
    return set(WORD.findall(COMMENT.sub("", code)))
