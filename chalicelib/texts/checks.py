"""Checks of names and texts from clients; each error names the field and says what to do."""

from __future__ import annotations

from chalicelib.errors import bad_field
from chalicelib.texts.characters import fault_in, has_visible
from chalicelib.texts.folding import LONGEST_DECOMPOSITION, composed


def checked_line(text: str, field: str, thing: str, most: int) -> str:
    """Return a text of one line in NFC; raises BadRequest naming the field.

    thing: Name of the text for the error, with its article.
    most: Maximum number of characters in NFC.
    """
    if len(text) <= most * LONGEST_DECOMPOSITION:
        _refuse(fault_in(text), field)
    text = composed(text, most)
    check_line(text, field, thing, most)
    return text


def check_line(text: str, field: str, thing: str, most: int) -> None:
    """Return if a line is valid as it is; raises BadRequest. See checked_line."""
    if len(text) > most:
        raise bad_field(field, f"{thing} has at most {most} characters; this has {len(text)}")
    _refuse(fault_in(text), field)
    if not has_visible(text):
        raise bad_field(field, f"{thing} needs at least one visible character")


def check_lines(text: str, field: str, thing: str) -> None:
    """Return if a text with or without line breaks (LF) is valid as it is, or empty; raises BadRequest.

    The caller checks the length.
    """
    _refuse(fault_in(text, lines=True), field)
    if text and not has_visible(text):
        raise bad_field(field, f"{thing} needs at least one visible character")


def _refuse(fault: str | None, field: str) -> None:
    if fault is not None:
        raise bad_field(field, fault)
