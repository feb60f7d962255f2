"""Bearer tokens."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.services.values.names import HANDLE
from chalicelib.services.values.tokens import digest_of, handle_of, new_token

SECRET = "A" * 43


@given(handle=st.from_regex(HANDLE, fullmatch=True))
def test_a_token_says_whose_it_is(handle: str) -> None:
    """A token leads back to its handle, dots included, and to no other."""
    assert handle_of(new_token(handle)) == handle


def test_tokens_have_256_bits_and_are_never_alike() -> None:
    """A token has 43 random characters of 6 bits behind a prefix that secret scanners know."""
    tokens = {new_token("ann") for _ in range(1000)}

    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {len("parley_") + 43 + len(".ann")}
    assert len({token[7:15] for token in tokens}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        f"{SECRET}.ann",
        f"parley_{SECRET}",
        f"parley_{SECRET}.",
        f"parley_{SECRET}.Ann",
        f"parley_{SECRET}._ann",
        f"parley_{SECRET}.ann\n",
        f"\nparley_{SECRET}.ann",
        f"parley_{SECRET}.a:b",
        f"parley_{SECRET}.{'a' * 33}",
        f"parley_{SECRET[1:]}.ann",
        f"parley_{SECRET}A.ann",
        f"parley_{SECRET[1:]}\u00c4.ann",
        f"parley_{SECRET}.\u0661",
        f"Parley_{SECRET}.ann",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
    ],
)
def test_what_is_no_token_of_ours(text: str) -> None:
    """A text of any other form is no token."""
    assert handle_of(text) is None


def test_token_digest_covers_the_whole_token() -> None:
    """A token's digest is the SHA-256 of all of it: the same secret with another handle has another one."""
    token = f"parley_{SECRET}.ann"

    assert digest_of(token) == hashlib.sha256(token.encode()).digest()
    assert digest_of(token) != digest_of(f"parley_{SECRET}.bob")
