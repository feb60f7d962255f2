"""The words of a search in messages, and where a text has them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from chalicelib.errors import bad_field
from chalicelib.services.search.quick_look import QuickLook
from chalicelib.services.search.word_terms import beginning_terms, run_terms, word_term
from chalicelib.texts import check_lines
from chalicelib.texts.words import Token, folded_words, places_in, starts_of, tokens

MAX_QUERY_CHARACTERS = 256
MAX_QUERY_WORDS = 16
MAX_TERMS = 32
"""Maximum number of terms by which filters are tested. More would hardly pass over more messages."""
MAX_RANGES = 100
"""Maximum number of ranges that are shown of one message: the first ones."""


class Range(NamedTuple):
    """A part of a text, in code points: from `start` up to `end`, which does not belong to it."""

    start: int
    end: int


class WordsQuery:
    """A search for messages that have all of some words, the last of them also as the beginning of a word.

    terms: Terms that filters of messages with these words have. may_be_in: Returns whether an element of a
    log may have them; see QuickLook.
    """

    def __init__(self, found: list[Token]) -> None:
        *whole, last = found
        self._words = frozenset(token.text for token in whole if not token.is_run)
        self._runs = tuple(dict.fromkeys(token.text for token in found if token.is_run))
        self._prefix = None if last.is_run else last.text
        self._parts = (*self._words, *self._runs, *([self._prefix] if self._prefix else []))
        self.may_be_in = QuickLook(self._parts).may_find
        terms = [word_term(word) for word in self._words]
        terms += beginning_terms(self._prefix or "")
        terms += itertools.chain.from_iterable(map(run_terms, self._runs))
        self.terms = list(dict.fromkeys(terms))[:MAX_TERMS]

    @classmethod
    def of(cls, q: str) -> WordsQuery:
        """Return the search of a text that a user typed; raises BadRequest naming `q`."""
        if len(q) > MAX_QUERY_CHARACTERS:
            raise bad_field("q", f"a search has at most {MAX_QUERY_CHARACTERS} characters; this has {len(q)}")
        check_lines(q, "q", "a search")
        found = list(tokens(folded_words(q)))
        if not found:
            raise bad_field("q", "a search needs a letter, a digit or an emoji")
        if len(found) > MAX_QUERY_WORDS:
            raise bad_field("q", f"a search has at most {MAX_QUERY_WORDS} words; this has {len(found)}")
        return cls(found)

    def ranges_in(self, text: str, folded: str) -> list[Range]:
        """Return where a text has the words, in order, without overlaps; nothing unless it has all.

        folded: The text as folded_words returns it.
        """
        if not all(part in folded for part in self._parts):
            return []
        found: list[Range] = []
        for part, starts in self._starts_in(folded):
            places = [Range(start, start + len(part)) for start in itertools.islice(starts, MAX_RANGES)]
            if not places:
                return []
            found += places
        return _shown(sorted(found), text, folded)

    def _starts_in(self, folded: str) -> Iterator[tuple[str, Iterator[int]]]:
        """Yield each part of the search, and where a folded text has it."""
        for word in self._words:
            yield word, starts_of(folded, word, whole=True)
        for run in self._runs:
            yield run, (found.start() for found in re.finditer(re.escape(run), folded))
        if self._prefix is not None:
            yield self._prefix, starts_of(folded, self._prefix, whole=False)


def _shown(found: list[Range], text: str, folded: str) -> list[Range]:
    """Return places of a folded text as ranges of the text, joined where they meet."""
    places = places_in(text, folded)
    joined: list[Range] = []
    for place in found:
        start, end = place if places is None else (places[place.start][0], places[place.end - 1][1])
        if joined and start <= joined[-1].end:
            joined[-1] = Range(joined[-1].start, max(end, joined[-1].end))
        elif len(joined) < MAX_RANGES:
            joined.append(Range(start, end))
    return joined
