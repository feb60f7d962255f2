"""The words of a search: what it accepts, what it finds, and which filters it passes over."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.services.search.matches import Sought
from chalicelib.services.search.word_terms import terms_of_messages
from chalicelib.services.search.words_query import MAX_QUERY_CHARACTERS, MAX_RANGES, WordsQuery
from chalicelib.store.messages.bloom_filter import MAX_TERMS, PLACES, BloomFilter, packed_terms
from chalicelib.store.messages.content import Content, LogEntry, packed
from chalicelib.texts.words import folded_words, tokens

PARTS = (
    "the",
    "Train",
    "ﬁsh",
    "Straße",
    "火车",
    "七",
    "กำลัง",
    "🎉",
    "👩‍👧",
    "हिन्दी",
    "ガ",
    "한국",
    " ",
    "-",
    "é",
    "x1",
)
TEXTS = st.lists(st.sampled_from(PARTS)).map("".join)


def found(q: str, text: str) -> list[str]:
    """Return the parts of a text that a search finds."""
    return [text[start:end] for start, end in WordsQuery.of(q).ranges_in(text, folded_words(text))]


def may_have(made: BloomFilter, term: int) -> bool:
    """Return whether a filter has a term, as lua/messages/search_log.lua tests it."""
    place, step = PLACES.unpack(packed_terms([term]))
    places = [(place + number * step) % (len(made.bits) * 8) for number in range(made.hashes)]
    return all(made.bits[place // 8] >> place % 8 & 1 for place in places)


@pytest.mark.parametrize(
    ("q", "text", "parts"),
    [
        ("hello wor", "Hello, World! hello", ["Hello", "Wor", "hello"]),
        ("strasse", "Die STRAẞE, die Straße", ["STRAẞE", "Straße"]),
        ("fi", "ﬁsh ﬁ", ["ﬁ", "ﬁ"]),
        ("ÉT", "e\u0301tude", ["e\u0301t"]),
        ("点开", "火车七点开 点开点开", ["点开", "点开点开"]),
        ("กํา", "กำลัง", ["กำ"]),
        ("👩👧", "a 👩‍👧!", ["👩‍👧"]),
        ("can can", "can canoe", ["can", "can"]),
        ("the cat", "cat the", ["cat", "the"]),
        ("12 a", "\uff11\uff12 abc", ["\uff11\uff12", "a"]),
        (".* [a-z]+ %", "a z", ["a", "z"]),
        ("cafe", "café", []),
        ("hell hello", "hello", []),
        ("a b", "ab", []),
    ],
)
def test_ranges_are_of_the_text_as_it_was_sent(q: str, text: str, parts: list[str]) -> None:
    """All words are found, the last one by its beginning, and where the text itself has them."""
    assert found(q, text) == parts


@pytest.mark.parametrize(
    "q",
    [
        "",
        " ",
        "...",
        "\u0301",
        "\u200d",
        "a" * (MAX_QUERY_CHARACTERS + 1),
        "a " * 17,
        "a\0b",
        "\u202ea",
        "\ud800",
    ],
)
def test_searches_that_cannot_be_made_are_refused(q: str) -> None:
    """No word, too many, a text that is too long, and characters that no text has: a 400 that names q."""
    with pytest.raises(BadRequest) as refused:
        WordsQuery.of(q)

    assert [error.field for error in refused.value.errors] == ["q"]


@given(TEXTS, TEXTS)
def test_words_are_found_where_the_text_is_divided(said: str, q: str) -> None:
    """A word is found exactly if it is a word of the text, the last one if a word begins with it."""
    try:
        query = WordsQuery.of(q[:64])
    except BadRequest:
        return
    *whole, last = tokens(folded_words(q[:64]))
    folded, held = folded_words(said), list(tokens(folded_words(said)))
    words = {token.text for token in held if not token.is_run}
    expected = all(part.text in folded if part.is_run else part.text in words for part in whole)
    expected &= last.text in folded if last.is_run else any(word.startswith(last.text) for word in words)
    assert bool(query.ranges_in(said, folded)) is expected


def test_hostile_texts_take_little_time() -> None:
    """Texts of 16 KiB that are folded to much, or have thousands of words like the one that is sought."""
    for text in (
        "\ufdfa" * 5461,
        "xb " * 5461,
        "xb é" * 3000,
        "a\u0301" * 5000,
        "b" * 16_384,
        "é" + "b" * 16_000,
    ):
        began = time.process_time()
        found("b", text), found("\u0645", text), found("b b", text)
        assert time.process_time() - began < 0.5


def test_only_so_many_ranges_are_shown() -> None:
    """A text with a word again and again shows the first ranges."""
    assert found("a", "a " * 8000) == ["a"] * MAX_RANGES
    assert found("🎉", "🎉 " * 4000) == ["🎉"] * MAX_RANGES


@given(TEXTS, TEXTS)
def test_filters_miss_nothing_that_a_search_finds(said: str, q: str) -> None:
    """A text with the words has all terms of the search, and its element passes the fast look."""
    entry = LogEntry(1, 1, Content("Ann", said))
    try:
        sought = Sought(WordsQuery.of(q[:64]), "ann")
    except BadRequest:
        return
    if sought.words.ranges_in(said, folded_words(said)):
        assert sought.may_be(entry) is bool(said)
        made = BloomFilter.of(terms_of_messages([entry], MAX_TERMS))
        assert all(may_have(made, term) for term in sought.terms)
        assert sought.words.may_be_in(b"\1" + bytes(8) + packed(entry.content))


def test_a_filter_takes_one_term_in_eighty_for_its_own() -> None:
    """At 10 bits a term, 1.2 % of other terms pass, and at 2 bits four in ten."""
    chance = random.Random(1)
    for count, share in ((1000, 0.012), (MAX_TERMS, 0.39)):
        made = BloomFilter.of({chance.getrandbits(32) for _ in range(count)})
        others = [chance.getrandbits(32) for _ in range(20_000)]
        assert sum(may_have(made, term) for term in others) / len(others) == pytest.approx(share, abs=0.01)


def test_a_book_of_words_takes_no_time() -> None:
    """Terms of long messages are counted only as far as a filter may have them."""
    chance = random.Random(1)
    book = [
        LogEntry(1, 1, Content("ann", f"{chance.getrandbits(80_000):x}".replace("f", " "))) for _ in range(12)
    ]
    runs = [
        LogEntry(1, 1, Content("ann", "".join(chr(chance.randrange(0x4E00, 0x9000)) for _ in range(5000))))
        for _ in range(9)
    ]
    began = time.process_time()

    assert len(terms_of_messages(book, 100)) < 400
    assert BloomFilter.of(terms_of_messages(runs, MAX_TERMS)) == BloomFilter(0, b"")
    assert time.process_time() - began < 0.5
