"""What is one emoji, and the one form of each."""

from __future__ import annotations

import pytest

from chalicelib.texts import MAX_EMOJI_CHARACTERS, emoji_in

FAMILY, RAINBOW, ENGLAND = "👨‍👩‍👧‍👦", "🏳️‍🌈", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
WHOLE = ("👍", "👍🏽", "❤️", FAMILY, RAINBOW, ENGLAND, "🇩🇪", "1️⃣", "#️⃣", "🕵🏻‍♂️", "©️", "🫩")
TEXTS = ("", "a", "1", "#", "ok", "👍👍", "👍 ", " 👍", "👍a", "e\u0301", "\ud83d", "👍\0", "1" * 500)
HALVES = ("🇩", "🇩🇪🇫🇷", "❤\ufe0e", "👍\u200d", "\u200d", "\ufe0f", "👍" + "\u200d👍" * MAX_EMOJI_CHARACTERS)


@pytest.mark.parametrize("text", WHOLE)
def test_an_emoji_is_itself(text: str) -> None:
    """Single emoji, skin tones, sequences, flags, tags and keycaps are emoji in their full form."""
    assert emoji_in(text) == text


@pytest.mark.parametrize("text", ["❤", "☹", "©", "🏃‍♂", "🏳‍🌈", "👁‍🗨", "❤‍🔥", "*⃣", "☝🏽", "👍\ufe0f"])
def test_variation_selectors_do_not_matter(text: str) -> None:
    """An emoji is the same with and without selectors, and its full form is stable."""
    full = emoji_in(text)
    assert full is not None
    assert emoji_in(full) == emoji_in(full.replace("\ufe0f", "")) == full


@pytest.mark.parametrize("text", [*TEXTS, *HALVES])
def test_other_texts_are_no_emoji(text: str) -> None:
    """Letters, digits, several emoji, halves of flags and text style are none; a sequence has a maximum."""
    assert emoji_in(text) is None
