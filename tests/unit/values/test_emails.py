"""Valid emails, and the form by which they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.services.values.emails import MAX_EMAIL_CHARACTERS, checked_email

LONGEST = f"{'x' * 64}@{'y' * (MAX_EMAIL_CHARACTERS - 65)}"


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("alice@example.org", "alice@example.org"),
        ("Alice.B+tag@Example.ORG", "alice.b+tag@example.org"),
        ("a@localhost", "a@localhost"),
        ("JÜRGEN@BÜCHER.example", "jürgen@bücher.example"),
        ("jose\u0301@example.org", "josé@example.org"),
        ("{u000}@example.org", "{u000}@example.org"),
        (LONGEST, LONGEST),
    ],
)
def test_compared_form_is_lower_case_nfc(text: str, email: str) -> None:
    """The compared form of an email is in lower case and NFC, and its own compared form."""
    assert checked_email(text, "email") == email
    assert checked_email(email, "email") == email


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@example.org",
        "alice@",
        "a@b@c",
        "a b@c.d",
        " a@b.c",
        "a@b.c\n",
        "a@.b",
        "a@b..c",
        "a@b.",
        "a:b@c.d",
        '"a"@b.c',
        "<a@b.c>",
        "a@[127.0.0.1]",
        "a\0@b.c",
        "a\u202e@b.c",
        "a\u200d@b.c",
        "a\U000e0067@b.c",
        "x" * 65 + "@b.c",
        LONGEST + "y",
    ],
)
def test_invalid_email_is_refused_by_its_field(text: str) -> None:
    """An invalid email is refused by its field's name."""
    with pytest.raises(BadRequest, match=r"^contact: (an email has|character \d)"):
        checked_email(text, "contact")


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("@.aZİΣß"), max_size=20))
def test_accepted_email_has_one_at_sign_and_one_form(text: str) -> None:
    """An accepted email has one @, no colon, no blank, and one form only."""
    try:
        email = checked_email(text, "email")
    except BadRequest:
        return
    assert email.count("@") == 1
    assert not {":", " ", "\0"} & set(email)
    assert checked_email(email, "email") == email == checked_email(email.lower(), "email")


def test_a_long_one_is_not_normalized(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text too long for an email is refused before the slow normalisation."""
    monkeypatch.setattr("chalicelib.services.values.emails.normalize", None)

    with pytest.raises(BadRequest, match="254 characters"):
        checked_email("a" + "\u0301" * 100_000 + "\u0316" * 100_000 + "@b.c", "email")
