"""The terms that the filters of words hold of messages, and those that a search needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from chalicelib.store.messages.content import LogEntry
from chalicelib.texts import folded
from chalicelib.texts.words import folded_words, split

SENDER, WORD, BEGINNING, RUN = range(4)
"""The kinds of terms: a handle, a whole word, the beginning of one, and characters of a run."""
BEGINNINGS = (2, 3, 5)
"""Lengths of the beginnings of words that the filters hold. A longer beginning is sought by 5 characters."""
LONGEST_WORD = 64
"""Number of leading characters of a word that the filters tell from another's."""
LAST_LETTER = "\u312f"
"""The last character of runs that belongs to an alphabet or a syllabary: Thai and Kana are below it."""


def is_searched(entry: LogEntry) -> bool:
    """Return whether a message is searched: a text that a user wrote, and that is not deleted."""
    return entry.content.event is None and entry.content.text != ""


def terms_of_messages(entries: Iterable[LogEntry], most: int) -> set[int]:
    """Return the terms of messages; some, but more than `most`, if there are more."""
    searched = [entry.content for entry in entries if is_searched(entry)]
    words, runs = split([folded_words(content.text) for content in searched])
    terms = {sender_term(sender) for sender in {content.sender for content in searched}}
    for made in (*map(_word_terms, words), *map(_all_run_terms, runs)):
        terms.update(made)
        if len(terms) > most:
            break
    return terms


def sender_term(sender: str) -> int:
    """Return the term of the messages of a sender."""
    return crc32(folded(sender).encode(), SENDER)


def word_term(word: str) -> int:
    """Return the term of a whole word."""
    return crc32(word[:LONGEST_WORD].encode(), WORD)


def beginning_terms(beginning: str) -> list[int]:
    """Return the term of the words with a beginning, if it is long enough to have one."""
    longest = [length for length in BEGINNINGS if length <= len(beginning)][-1:]
    return [crc32(beginning[:length].encode(), BEGINNING) for length in longest]


def run_terms(run: str) -> list[int]:
    """Return the terms of a run in a search: its triples and pairs of characters, or the only one."""
    found = [*_triples(run), *_pairs(run)] or [run]
    return [crc32(part.encode(), RUN) for part in found]


def _word_terms(word: str) -> list[int]:
    lengths = [length for length in BEGINNINGS if length <= len(word)]
    return [word_term(word), *[crc32(word[:length].encode(), BEGINNING) for length in lengths]]


def _all_run_terms(run: str) -> list[int]:
    return [crc32(part.encode(), RUN) for part in {*_triples(run), *_pairs(run), *run}]


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _triples(run: str) -> Iterator[str]:
    """Yield triples of letters of alphabets, which have too few pairs to tell messages apart."""
    if min(run) <= LAST_LETTER:
        triples = (run[at : at + 3] for at in range(len(run) - 2))
        yield from (triple for triple in triples if max(triple) <= LAST_LETTER)
