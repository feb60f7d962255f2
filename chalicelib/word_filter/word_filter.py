"""The word filter as the services use it: one call that returns the text to store, or refuses it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from chalicelib import waits
from chalicelib.errors import FilterUnavailable, ParleyError, TextRefused
from chalicelib.logs import LOGGER
from chalicelib.word_filter.asking import CONNECTIONS, Asked, LambdaFunction, WebHook
from chalicelib.word_filter.verdict import FilterFailure, Question, Verdict, encode, verdict_of

SECONDS = 0.3
"""Maximum that a send waits for the filter, in all."""


class WordFilter:
    """Asks the operator's function about the texts of users.

    Each question is asked in a thread, so that an answer which arrives byte by byte holds no send for longer
    than SECONDS. No text is logged.

    named: A URL, or a Lambda function's name or ARN. check_text: Raises ParleyError for a text that cannot be
    stored. is_open: Whether a text passes if the filter fails.
    """

    def __init__(
        self, named: str, check_text: Callable[[str], object], *, is_open: bool, seconds: float = SECONDS
    ) -> None:
        self._named = named
        self._check_text = check_text
        self._is_open = is_open
        self._seconds = seconds

    def prepare(self) -> None:
        """Make all that a question needs except connections; otherwise the first question does."""
        _ = self._asked

    def check(self, chat: str, sender: str, text: str) -> str:
        """Return the text that may be stored: the given one, or a redacted one.

        chat: Canonical id. sender: Handle. Raises TextRefused; FilterUnavailable if the filter fails.
        """
        try:
            verdict = self._verdict(Question(chat, sender, text))
        except Exception as failure:
            LOGGER.error({"event": "word_filter_failed", "reason": _reason(failure), "open": self._is_open})
            if self._is_open:
                return text
            raise FilterUnavailable from None
        if verdict.action == "deny":
            raise TextRefused(verdict.detail or "The server does not accept this text. Change it.")
        return verdict.text or text

    def _verdict(self, question: Question) -> Verdict:
        asked = self._asked
        asking = self._threads.submit(lambda: asked.ask(encode(question)))
        verdict = verdict_of(waits.outcome(asking, self._seconds))
        try:
            if verdict.action == "redact":
                self._check_text(verdict.text or "")
        except ParleyError:
            raise FilterFailure("the redacted text cannot be stored") from None
        return verdict

    @functools.cached_property
    def _asked(self) -> Asked:
        if self._named.startswith(("http://", "https://")):
            return WebHook(self._named, self._seconds)
        return LambdaFunction(self._named, self._seconds)

    @functools.cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(CONNECTIONS, "word-filter")


def _reason(failure: Exception) -> str:
    """Return why the filter failed, in a text that has nothing of the question."""
    if isinstance(failure, FilterFailure):
        return str(failure)
    return "no answer in time" if isinstance(failure, TimeoutError) else type(failure).__name__
