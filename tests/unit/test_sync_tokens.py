"""Tokens of the sync."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.services.sync_tokens import DIGEST_BYTES, MAX_TIME, SyncToken, digest

TIMES = st.integers(0, MAX_TIME)
TOKENS = st.builds(
    SyncToken,
    version=TIMES,
    lineage=st.binary(min_size=8, max_size=8).map(bytes.hex),
    floor=TIMES,
    at=TIMES,
    told=st.frozensets(st.binary(min_size=DIGEST_BYTES, max_size=DIGEST_BYTES), max_size=20),
)
EMPTY = SyncToken(1_764_500_000_000_000, "0123456789abcdef")


@given(token=TOKENS)
def test_round_trip(token: SyncToken) -> None:
    """A token is read as it was written, and fits a query as it is."""
    text = str(token)

    assert SyncToken.parse(text, "since") == token
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()


@given(text=st.text(max_size=80))
def test_whatever_a_client_sends(text: str) -> None:
    """A text is a token that means itself, or it is refused."""
    try:
        token = SyncToken.parse(text, "since")
    except BadRequest:
        return
    assert SyncToken.parse(str(token), "since") == token


@given(token=TOKENS, place=st.integers(0, 400), flip=st.integers(1, 255))
def test_a_damaged_token(token: SyncToken, place: int, flip: int) -> None:
    """A token with another byte is refused, or is another token: never one that cannot be kept."""
    raw = bytearray(urlsafe_b64decode(str(token) + "=="))
    raw[place % len(raw)] ^= flip
    try:
        other = SyncToken.parse(urlsafe_b64encode(raw).rstrip(b"=").decode(), "since")
    except BadRequest:
        return
    assert other != token
    assert max(other.version, other.floor, other.at) <= MAX_TIME


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8, 43])
def test_a_cut_token(cut: int) -> None:
    """A token of which the end is missing is refused."""
    with pytest.raises(BadRequest):
        SyncToken.parse(str(EMPTY)[:-cut], "since")


def test_a_token_of_another_version() -> None:
    """A token of a format that is not known is refused."""
    raw = urlsafe_b64decode(str(EMPTY))
    with pytest.raises(BadRequest):
        SyncToken.parse(urlsafe_b64encode(b"\2" + raw[1:]).decode(), "since")


def test_lineages_are_drawn() -> None:
    """Two first syncs have lineages of their own."""
    assert SyncToken.first(1).lineage != SyncToken.first(1).lineage


def test_after() -> None:
    """What was told raises the version and replaces the digests; lineage, floor and time stay."""
    token = SyncToken(1, "0123456789abcdef", 7, 9, frozenset([b"123456"]))

    assert token.after(5, [b"abcdef"]) == token._replace(version=5, told=frozenset([b"abcdef"]))


def test_size() -> None:
    """A token with 500 large chats fits a URL of 8,000 bytes."""
    told = frozenset(number.to_bytes(DIGEST_BYTES) for number in range(500))

    assert len(str(EMPTY.after(1, told))) < 4_100


@given(
    first=st.tuples(st.text(max_size=5), st.integers(0, 9)),
    other=st.tuples(st.text(max_size=5), st.integers(0, 9)),
)
def test_digest(first: tuple[str, int], other: tuple[str, int]) -> None:
    """Digests are the same for the same parts, and for no others."""
    assert (digest(*first) == digest(*other)) == (first == other)
    assert len(digest(*first)) == DIGEST_BYTES
