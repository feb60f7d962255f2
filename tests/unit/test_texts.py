"""The rule of characters in names and texts, checked with the Unicode tables of a library."""

from __future__ import annotations

import random
import sys
from itertools import product
from unicodedata import normalize

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.texts import (
    beginning,
    check_lines,
    checked_line,
    composed,
    fault_in,
    folded,
    has_visible,
    plain,
)
from chalicelib.texts.characters import EMPTY

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
ASSIGNED_SINCE_14 = ["\U0001fa77", "\U0001fae8", "\U0001cd00", "\U000323b0"]
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
NOTHING_TO_SEE = [
    "",
    " ",
    "\u3164",
    "\u2800",
    "\u115f\u1160",
    "\u200d",
    "\ufe0f",
    "\u3000\u00a0",
    "\U000e0067",
]


def all_of(properties: str) -> set[str]:
    """Return the characters that have one of some properties."""
    return set(filter(regex.compile(properties).match, EVERY))


def detail_of(error: BadRequest) -> tuple[str, str]:
    """Return the field of an error and its reason."""
    (only,) = error.errors
    return only.field, only.detail


# --- characters


def test_no_line_holds_what_cannot_be_shown() -> None:
    """A line has no control, separator, surrogate, noncharacter, or bidirectional control character."""
    wanted = all_of(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Bidi_Control}]")

    assert {character for character in EVERY if fault_in(character)} >= wanted
    assert {character for character in EVERY if fault_in(character, lines=True)} == wanted - {
        "\n",
        *"\u061c\u200e\u200f",
    }


def test_whatever_else_is_refused_in_a_line_is_never_seen() -> None:
    """Beyond that a line is refused only characters that are ignored when shown: no symbol, now or ever."""
    refused = {character for character in EVERY if fault_in(character)}
    hidden = all_of(r"[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]")
    shown = all_of(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]")

    assert refused - shown <= hidden


def test_what_can_be_seen() -> None:
    """A character is seen unless it is blank, ignored when shown, or one of a few that are drawn empty."""
    unseen = {character for character in EVERY if not has_visible(character)}

    assert unseen == all_of(r"[\p{White_Space}\p{Default_Ignorable_Code_Point}\x1C-\x1F\uFFF9-\uFFFB]") | set(
        EMPTY
    )


@pytest.mark.parametrize(
    "name",
    [
        *ASSIGNED_SINCE_14,
        *(f"{symbol} Ela" for symbol in ASSIGNED_SINCE_14),
        ENGLAND,
        FAMILY,
        "\u2764\ufe0f\u200d\U0001f525",
        "1\ufe0f\u20e3",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u0915\u094d\u200d\u0937",
        "\u5c71\u7530\u3000\u592a\u90ce",
        "Jean\u00a0Luc",
        "\u1820\u180b",
        "\uf8ff",
        "a\U0001f9ff\U0003fff0",
    ],
    ids=ascii,
)
def test_names_of_the_world(name: str) -> None:
    """Emoji of any age and kind, joiners, wide blanks, and symbols that are not assigned yet are kept."""
    assert checked_line(name, "name", "a name", 64) == normalize("NFC", name)


@pytest.mark.parametrize("name", NOTHING_TO_SEE, ids=ascii)
def test_a_name_can_be_seen(name: str) -> None:
    """A name of blanks, fillers and joiners alone is refused, and the error says so."""
    with pytest.raises(BadRequest) as raised:
        checked_line(name, "name", "a name", 64)

    assert detail_of(raised.value) == ("name", "a name needs at least one visible character")


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("ab\0", "character 3 is U+0000, a control character; take it out"),
        ("a\nb", "character 2 is U+000A, which breaks the line; take it out"),
        ("\u2029b", "character 1 is U+2029, which breaks the line; take it out"),
        (
            "\U0001f600\ud83d",
            "character 2 is U+D83D, half of a surrogate pair, which is not a character; take it out",
        ),
        ("a\U0010ffff", "character 2 is U+10FFFF, which is not a character; take it out"),
        ("a\u202eb", "character 2 is U+202E, which changes the direction of writing; take it out"),
        ("a\u2067b", "character 2 is U+2067, which changes the direction of writing; take it out"),
        ("a\u200bb", "character 2 is U+200B, which is invisible; take it out"),
        ("a\U000e0001b", "character 2 is U+E0001, which is invisible; take it out"),
    ],
    ids=ascii,
)
def test_an_error_names_the_character(name: str, detail: str) -> None:
    """An error has the character, its position, and the reason."""
    with pytest.raises(BadRequest) as raised:
        checked_line(name, "title", "a name", 64)

    assert detail_of(raised.value) == ("title", detail)


def test_texts_of_several_lines() -> None:
    """Several lines may have line breaks and invisible characters, but no bidirectional controls."""
    check_lines("one\ntwo\u200b\u200f \ufeff", "bio", "a bio")
    check_lines("", "bio", "a bio")
    for text in ("a\tb", "a\r\nb", "a\u202eb", "a\u2068b", "\u3164\n"):
        with pytest.raises(BadRequest, match=r"^bio: "):
            check_lines(text, "bio", "a bio")


def test_what_cannot_be_refused_is_shown_plainly() -> None:
    """Each character that a line cannot hold becomes U+FFFD."""
    assert plain("a\x1b[31m\u202e\ud800 \U0001fa77") == "a\ufffd[31m\ufffd\ufffd \U0001fa77"


# --- folding


def test_spellings_of_a_name_are_one() -> None:
    """A name is the same in every composition of its characters, and in every case."""
    for name in ("\u00c9va", "E\u0301VA", "e\u0301va"):
        assert folded(name) == "\u00e9va"
    assert folded("\uac01") == folded("\u1100\u1161\u11a8")
    assert folded("\u1fb3\u0301") == folded("\u03b1\u0301\u0345") == folded("\u03b1\u0345\u0301")


def test_folding_again_changes_nothing() -> None:
    """The folded form of each character is its own, and that of its decomposition."""
    for character in EVERY:
        same = folded(character)
        assert folded(same) == same == folded(normalize("NFD", character))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_folding_is_stable(name: str) -> None:
    """A folded name folds to itself, and every spelling of a name to the same."""
    same = folded(name)

    assert folded(same) == same
    assert {folded(normalize(form, name)) for form in ("NFC", "NFD")} == {same}


def test_length_counts_after_composing() -> None:
    """A name of 64 characters may come as 256 that compose to them; one more is refused."""
    name = "\u1f82" * 64

    assert checked_line(normalize("NFD", name), "name", "a name", 64) == name
    with pytest.raises(BadRequest, match="at most 64 characters; this has 65"):
        checked_line(name + "x", "name", "a name", 64)


def test_a_long_text_is_not_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is too long in any form is refused before the slow normalisation."""
    monkeypatch.setattr("chalicelib.texts.folding.normalize", None)
    text = "a" + "\u0301" * 100_000 + "\u0316" * 100_000

    assert composed(text, 64) == text
    assert folded(text) == text
    with pytest.raises(BadRequest, match="at most 64 characters; this has 200001"):
        checked_line(text, "name", "a name", 64)


# --- graphemes

WORDS = [
    FAMILY,
    ENGLAND,
    "\U0001f1eb\U0001f1f7",
    "\U0001f44b\U0001f3fd",
    "e\u0301\u0316",
    "\u0915\u094d\u0937\u093f",
]
WORDS += [
    "\u0e01\u0e33",
    "\u1100\u1161\u11a8",
    "\r\n",
    "1\ufe0f\u20e3",
    "\u0600\u0661",
    "\u2764\ufe0f\u200d\U0001f525",
]


@pytest.mark.parametrize("grapheme", WORDS, ids=ascii)
def test_no_grapheme_is_cut(grapheme: str) -> None:
    """A text is cut before the grapheme that does not fit whole, wherever the limit falls in it."""
    for most in range(3, 4 + len(grapheme)):
        whole = 3 + len(grapheme) <= most
        assert beginning(f"abc{grapheme}", most) == f"abc{grapheme}"[: None if whole else 3]
        assert beginning(f"abc{grapheme}xyz", most) == f"abc{grapheme}xyz"[: most if whole else 3]


def test_a_text_is_cut_like_a_row_of_graphemes() -> None:
    """The beginning of any text is the longest run of whole graphemes that fits."""
    parts = sorted({character for word in WORDS for character in word} | set(" ab"))
    draw = random.Random(1)
    for _ in range(5000):
        text, most = "".join(draw.choices(parts, k=draw.randint(0, 14))), draw.randint(1, 12)
        row = ""
        for grapheme in regex.findall(r"\X", text):
            if len(row + grapheme) > most:
                break
            row += grapheme
        assert beginning(text, most) == (row or text[:most]), (ascii(text), most)


@pytest.mark.parametrize("text", ["\u0301" * 16_384, "a" + "\u0301\u0316" * 8192, "\u200d" * 16_384])
def test_a_grapheme_without_end(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of one grapheme is cut at the limit, and no text beyond the limit is examined."""
    looked, fullmatch = [], regex.fullmatch

    def counting(pattern: str, given: str) -> object:
        looked.append(len(given))
        return fullmatch(pattern, given)

    monkeypatch.setattr(regex, "fullmatch", counting)

    assert beginning(text, 256) == text[:256]
    assert max(looked) == 257


def test_ascii_needs_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text whose characters at the limit are ASCII is cut without the library."""
    monkeypatch.setattr(regex, "fullmatch", None)

    for text, most in product(("x" * 300, "\U0001fa77" * 100 + "abc" * 100), (256, 299)):
        assert beginning(text, most) == text[:most]
