"""Tokens of the sync."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.services.inbox.sync_token import MAX_TIME, OLD_DIGEST_BYTES, OLD_HEAD, SYNC_TOKEN, SyncToken

TIMES = st.integers(0, MAX_TIME)
TOKENS = st.builds(
    SyncToken,
    version=TIMES,
    lineage=st.binary(min_size=8, max_size=8).map(bytes.hex),
    floor=TIMES,
    at=TIMES,
    began=TIMES,
)
EMPTY = SyncToken(1_764_500_000_000_000, "0123456789abcdef")


@given(token=TOKENS)
def test_token_decodes_to_its_values_and_fits_a_query(token: SyncToken) -> None:
    """A token decodes to the values it was made of, and needs no escaping in a query."""
    text = str(token)

    assert SYNC_TOKEN.decode(text, "since") == token
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()


@given(text=st.text(max_size=80))
def test_whatever_a_client_sends(text: str) -> None:
    """A text is a token that encodes to itself, or it is refused."""
    try:
        token = SYNC_TOKEN.decode(text, "since")
    except BadRequest:
        return
    assert SYNC_TOKEN.decode(str(token), "since") == token


@given(token=TOKENS, index=st.integers(0, 100), flip=st.integers(1, 255))
def test_damaged_token_is_refused_or_another_token(token: SyncToken, index: int, flip: int) -> None:
    """A token with another byte is refused, or is another valid token."""
    raw = bytearray(urlsafe_b64decode(str(token) + "="))
    raw[index % len(raw)] ^= flip
    try:
        other = SYNC_TOKEN.decode(urlsafe_b64encode(raw).rstrip(b"=").decode(), "since")
    except BadRequest:
        return
    assert other != token
    assert max(other.version, other.floor, other.at, other.began) <= MAX_TIME


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8, 43])
def test_token_without_its_end_is_refused(cut: int) -> None:
    """A token without its end is refused."""
    with pytest.raises(BadRequest):
        SYNC_TOKEN.decode(str(EMPTY)[:-cut], "since")


def test_a_token_of_another_version() -> None:
    """A token of an unknown format is refused."""
    raw = urlsafe_b64decode(str(EMPTY) + "=")
    with pytest.raises(BadRequest):
        SYNC_TOKEN.decode(urlsafe_b64encode(b"\3" + raw[1:]).decode(), "since")


def test_lineages_are_drawn() -> None:
    """Two first syncs have lineages of their own."""
    assert SyncToken.first(1).lineage != SyncToken.first(1).lineage


@pytest.mark.parametrize("chats", [0, 1, 4000])
def test_a_token_of_an_earlier_server(chats: int) -> None:
    """A token with a digest for each large chat is read as one without."""
    raw = OLD_HEAD.pack(1, 5, b"lineages", 3, 4) + b"d" * OLD_DIGEST_BYTES * chats
    token = SYNC_TOKEN.decode(urlsafe_b64encode(raw).rstrip(b"=").decode(), "since")

    assert token == SyncToken(5, b"lineages".hex(), 3, 4)
    assert SYNC_TOKEN.decode(str(token), "since") == token


@given(token=TOKENS)
def test_token_always_has_55_characters(token: SyncToken) -> None:
    """A token has 55 characters, whatever its client has received."""
    assert len(str(token)) == 55
