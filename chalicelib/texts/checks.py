"""Checks of names and texts that a client sent; each refusal names the field and what to do."""

from __future__ import annotations

from chalicelib.errors import bad_field
from chalicelib.texts.characters import fault_in, has_visible
from chalicelib.texts.folding import LONGEST_DECOMPOSITION, composed


def checked_line(text: str, field: str, thing: str, most: int) -> str:
    """Return a text of one line in NFC; raises BadRequest naming the field.

    thing: what it is, with its article. most: characters that it may have in NFC.
    """
    if len(text) <= most * LONGEST_DECOMPOSITION:
        _refuse(fault_in(text), field)
    text = composed(text, most)
    check_line(text, field, thing, most)
    return text


def check_line(text: str, field: str, thing: str, most: int) -> None:
    """Return if a text of one line can be kept as it came; raises BadRequest. See checked_line."""
    if len(text) > most:
        raise bad_field(field, f"{thing} has at most {most} characters; this has {len(text)}")
    _refuse(fault_in(text), field)
    if not has_visible(text):
        raise bad_field(field, f"{thing} needs at least one visible character")


def check_lines(text: str, field: str, thing: str) -> None:
    """Return if a text that may have line breaks (LF) can be kept as it came, or is empty.

    The text's length was checked. Raises BadRequest naming the field.
    """
    _refuse(fault_in(text, lines=True), field)
    if text and not has_visible(text):
        raise bad_field(field, f"{thing} needs at least one visible character")


def _refuse(fault: str | None, field: str) -> None:
    if fault is not None:
        raise bad_field(field, fault)
