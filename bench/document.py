"""The generated section of docs/performance.md."""

from __future__ import annotations

from pathlib import Path

PATH = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN = "<!-- bench: begin; `make bench` writes what is between the markers -->"
END = "<!-- bench: end -->"


class DocumentError(Exception):
    """The document has no section for the figures."""


def write(section: str) -> None:
    """Replace the section between the document's markers, and leave the rest as it is.

    Raises DocumentError if the markers are missing.
    """
    text = PATH.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise DocumentError(f"{PATH} needs these two lines, in this order: {BEGIN} and {END}")
    PATH.write_text(f"{before}{begin}\n\n{section}\n\n{end}{after}", encoding="utf-8")
