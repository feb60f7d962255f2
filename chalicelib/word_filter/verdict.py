"""What a word filter is asked, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_DETAIL_CHARACTERS = 200


class Question(msgspec.Struct, frozen=True):
    """A text that a user wants to send to a chat."""

    chat: str
    sender: str
    text: str


class Verdict(msgspec.Struct, frozen=True):
    """The answer of a word filter.

    text: With `redact`, the text in place of the user's. detail: With `deny`, a sentence for the user.
    """

    action: Literal["allow", "deny", "redact"]
    text: str | None = None
    detail: Annotated[str, Meta(max_length=MAX_DETAIL_CHARACTERS)] | None = None


class FilterFailure(Exception):
    """The word filter gave no usable answer in time; the text says why, without the user's text."""


encode = msgspec.json.Encoder().encode
"""Returns a question as JSON."""
_decode = msgspec.json.Decoder(Verdict).decode


def verdict_of(answer: bytes) -> Verdict:
    """Return the verdict in an answer; raises FilterFailure."""
    try:
        verdict = _decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise FilterFailure('the answer is not a verdict such as {"action": "allow"}') from None
    if (verdict.action == "redact") != (verdict.text is not None):
        raise FilterFailure("the answer needs a text with the action redact, and no other")
    return verdict
