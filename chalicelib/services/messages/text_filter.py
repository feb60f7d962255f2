"""Texts of users on their way into a log: checked, and passed through the operator's word filter."""

from __future__ import annotations

from chalicelib.config import Settings
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.message_limits import checked_text
from chalicelib.word_filter.word_filter import WordFilter


class TextFilter:
    """Returns the texts that may be stored; word_filter: None: there is none."""

    def __init__(self, word_filter: WordFilter | None) -> None:
        self.word_filter = word_filter

    def checked(self, caller: Caller, chat: str, text: str) -> str:
        """Return the text to store; with a word filter, authenticate the caller first.

        chat: Canonical id. Raises BadRequest, TextTooLong, TextRefused, FilterUnavailable, and with a word
        filter what Caller.authenticate raises.
        """
        checked_text(text)
        if self.word_filter is None:
            return text
        caller.authenticate()  # before the filter, which costs its operator
        return self.word_filter.check(chat, caller.handle, text)


def text_filter(settings: Settings) -> TextFilter:
    """Return the filter of texts that the settings name."""
    named = settings.word_filter
    is_open = settings.word_filter_fails == "open"
    return TextFilter(None if named is None else WordFilter(named, checked_text, is_open=is_open))
