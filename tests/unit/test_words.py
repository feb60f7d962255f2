"""How a search folds texts, divides them into words, and finds the places of a folded text again."""

from __future__ import annotations

import time
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.texts.words import MARKS_OF_ONE, folded_words, places_in, split, tokens

TEXTS = st.text() | st.text(st.sampled_from("aZß ﬁé\u0301\u0316ｶﾞกำ火\u200d👩🏽한\u1112\u1161İ²ﷺ\ufe0f-_"))


def words_of(text: str) -> list[str]:
    """Return the words and runs of a text."""
    return [token.text for token in tokens(folded_words(text))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, WORLD!", ["hello", "world"]),
        ("can't e_mail a@b.com 3.5", ["can", "t", "e", "mail", "a", "b", "com", "3", "5"]),
        ("Straße ﬁsh \uff26\uff55\uff4c\uff4c\uff11\uff12 x²", ["strasse", "fish", "full12", "x2"]),
        ("e\u0301tude", ["étude"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("火车七点开\uff0c好吗", ["火车七点开", "好吗"]),
        ("iPhone手机 ok", ["iphone", "手机", "ok"]),
        ("ｶﾞｷﾞ テスト", ["ガギ", "テスト"]),
        ("\u1112\u1161\u11ab국", ["한국"]),
        ("กำลัง ไป", ["กําลัง", "ไป"]),
        ("ok 👩‍👩‍👧❤️🎉!", ["ok", "👩👩👧❤🎉"]),
        ("so\u00adft a\u200bb", ["soft", "ab"]),
        ("\u0301 ... \u200d", []),
    ],
)
def test_text_is_divided_into_words_and_runs(text: str, words: list[str]) -> None:
    """Letters, digits and marks form words; scripts without blanks, and symbols, form runs."""
    assert words_of(text) == words


@given(TEXTS)
def test_folding_again_changes_nothing_that_is_compared(text: str) -> None:
    """What a user types after what a text shows has the same words."""
    assert words_of(normalize("NFD", text)) == words_of(normalize("NFC", text))


@given(TEXTS)
def test_every_character_of_a_folded_text_has_a_place(text: str) -> None:
    """Places lie in the text, and none is empty."""
    folded = folded_words(text)
    places = places_in(text, folded)

    assert len(folded) == len(text) if places is None else len(folded) == len(places)
    assert all(0 <= start < end <= len(text) for start, end in places or [])


@given(st.lists(TEXTS))
def test_words_of_texts_together_are_those_of_each(texts: list[str]) -> None:
    """Dividing texts together, which is faster, gives the words and runs of each of them."""
    found = [token for text in texts for token in tokens(folded_words(text))]
    words, runs = split(folded_words(text) for text in texts)

    assert words == {token.text for token in found if not token.is_run}
    assert runs == {token.text for token in found if token.is_run}


def test_long_rows_of_marks_take_no_time() -> None:
    """Marks beyond MARKS_OF_ONE on a character do not count: sorting them takes time by their square."""
    bomb = "a" + "\u0301\u0316" * 4000
    began = time.process_time()
    folded = folded_words(bomb)
    places_in(bomb, folded)

    assert len(folded) <= MARKS_OF_ONE + 1
    assert time.process_time() - began < 0.2
