"""The fast look at bytes never misses what folding finds."""

from __future__ import annotations

from unicodedata import normalize

from chalicelib.services.search.quick_look import OTHER_BYTES, SAME_BYTES, QuickLook
from chalicelib.store.messages.content import Content, packed
from chalicelib.texts.words import folded_words

CHARACTERS = [chr(point) for point in (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1000))]
HEADER = b"\1" + bytes(8)


def test_what_is_folded_to_other_bytes_is_known() -> None:
    """A character that is folded to one that is sought by its bytes, or to nothing, counts as possible."""
    for character in CHARACTERS:
        if not OTHER_BYTES.search(character.encode()):
            folded = folded_words(character)
            assert folded, hex(ord(character))
            others = [one for one in folded if SAME_BYTES.match(one) and one != character.lower()]
            assert not others, hex(ord(character))


def test_what_is_composed_to_other_bytes_is_known() -> None:
    """A decomposed character that is sought by the bytes of the composed one counts as possible."""
    for character in CHARACTERS:
        if SAME_BYTES.match(character) and (apart := normalize("NFD", character)) != character:
            assert OTHER_BYTES.search(apart.encode()), hex(ord(character))


def test_messages_without_the_words_are_passed_over() -> None:
    """The look tells plain texts of each script apart."""
    for text, other in (("Hello there", "bye"), ("火车七点开", "八"), ("สวัสดี", "ไป"), ("ok 🎉 “yes”", "😀")):
        element = HEADER + packed(Content("ann", text))
        assert QuickLook([folded_words(text)[:5]]).may_find(element)
        assert not QuickLook([other]).may_find(element)
