"""The outputs of `make costs` in a document, between its markers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

BEGIN, END = "<!-- costs: begin", "<!-- costs: end -->"
EXAMPLE = re.compile(
    r'^```\n(?P<command>\$ make costs(?: ARGS="(?P<arguments>[^"\n]*)")?)\n.*?^```$', re.M | re.S
)


def refreshed(document: str, output: Callable[[Sequence[str]], str]) -> str:
    """Return a document in which each example between the markers shows what its command prints.

    output: Returns what `make costs` prints with some arguments.
    Raises ValueError if the document does not have the markers in this order.
    """

    def shown(example: re.Match[str]) -> str:
        printed = output(shlex.split(example["arguments"] or ""))
        return f"```\n{example['command']}\n{printed}\n```"

    before, begin, rest = document.partition(BEGIN)
    examples, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"it has no {BEGIN} … --> with {END} after it")
    return before + begin + EXAMPLE.sub(shown, examples) + end + after
