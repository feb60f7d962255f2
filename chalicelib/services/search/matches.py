"""The messages of one chat that a search finds, step by step from the newest down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from chalicelib.services.search.word_terms import is_searched, sender_term, terms_of_messages
from chalicelib.services.search.words_query import Range, WordsQuery
from chalicelib.services.values.cursors import LAST_TIME
from chalicelib.store.messages.bloom_filter import MAX_TERMS, BloomFilter
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.log_search import LogSearch, Run, SearchStart, SearchStep
from chalicelib.store.messages.word_filters import BLOCK, WordFilters
from chalicelib.store.redis.query import Query
from chalicelib.texts import folded
from chalicelib.texts.words import folded_words

BYTES_OF_WORK, CHARACTERS_OF_WORK, FILTERS_OF_WORK, FILTERING, CALL = 256, 64, 8, 3 * BLOCK, 8
"""What costs as much as a message: bytes, folded characters, tests; what a new filter and a call cost."""


class Sought(NamedTuple):
    """What a search looks for. sender: Handle; None: anybody's messages."""

    words: WordsQuery
    sender: str | None = None

    @property
    def terms(self) -> list[int]:
        """The terms that filters of such messages have."""
        return [*self.words.terms, *([] if self.sender is None else [sender_term(self.sender)])]

    def may_be(self, entry: LogEntry) -> bool:
        """Return whether a message is sought if it has the words."""
        return is_searched(entry) and self.sender in (None, folded(entry.content.sender))


class Hit(NamedTuple):
    """A message that a search has found, in the order of time and chat. ranges: Where it has the words."""

    time: int
    chat: str
    entry: LogEntry
    ranges: list[Range]


class ChatScan:
    """The progress of a search in one chat.

    chat: Canonical id. reader: Handle of a user who may read the chat, or may not.
    upper: Time before which messages may be left to be searched, µs.
    """

    def __init__(
        self, chat: str, reader: str, sought: Sought, start: SearchStart, upper: int = LAST_TIME
    ) -> None:
        self.chat = chat
        self.upper = upper
        self.ends = upper <= 0
        self.work = 0
        self.filters: list[Query[bool]] = []
        self.last: SearchStep | None = None
        self._reader = reader
        self._sought = sought
        self._start = start

    def step(self, limit: int) -> Query[SearchStep]:
        """Return the query for the next messages; limit: Maximum number of them."""
        return LogSearch.step(self.chat, self._reader, self._sought.terms, self._start, limit)

    def take(self, step: SearchStep) -> Iterator[Hit]:
        """Yield the hits of a step, newest first, and go on below it; `filters` gets those to be kept."""
        self.last, self.ends = step, step.ends
        self.upper = step.time if step.time else self.upper
        self._start = SearchStart(step.position)
        self.work += CALL + step.tested // FILTERS_OF_WORK
        for run in step.runs:
            yield from self._hits(run)

    def _hits(self, run: Run) -> Iterator[Hit]:
        self.work += max(len(run.elements), sum(map(len, run.elements)) // BYTES_OF_WORK)
        if run.whole:
            self._filter(run)
        for place in range(len(run.elements) - 1, -1, -1):
            if not self._sought.words.may_be_in(run.elements[place]):
                continue
            entry = run.entry(place)
            if self._sought.may_be(entry) and (ranges := self._ranges_in(entry.content.text)):
                yield Hit(entry.time, self.chat, entry, ranges)

    def _ranges_in(self, text: str) -> list[Range]:
        compared = folded_words(text)
        self.work += len(compared) // CHARACTERS_OF_WORK
        return self._sought.words.ranges_in(text, compared)

    def _filter(self, run: Run) -> None:
        self.work += FILTERING
        entries = map(run.entry, range(len(run.elements)))
        made = BloomFilter.of(terms_of_messages(entries, MAX_TERMS)).packed
        block = (run.first - 1) // BLOCK
        self.filters.append(WordFilters().keep(self.chat, block, made, run.elements))
