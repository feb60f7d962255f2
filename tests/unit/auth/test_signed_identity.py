"""The value that replaces a session for a signed identity."""

from __future__ import annotations

import pytest

from chalicelib.schemas.realtime import Ping, Pull
from chalicelib.services.realtime.frame_limits import FrameLimits, Known
from chalicelib.store.accounts.signed_identity import LATEST, digest_in, signed_mark
from chalicelib.store.realtime.user_connections import NAMED

DIGEST = b"\1" * 32


def test_mark_holds_both_times() -> None:
    """The value has a byte, the signing time and the expiry; times beyond a script's range are cut."""
    assert signed_mark(5, 7) == b"\1" + (5).to_bytes(8) + (7).to_bytes(8)
    assert signed_mark(5, 10**30)[9:] == LATEST.to_bytes(8)


@pytest.mark.parametrize(
    ("session", "digest"), [(DIGEST, DIGEST), (signed_mark(1, 2), b""), (NAMED, b""), (b"", b"")]
)
def test_only_a_session_has_a_digest(session: bytes, digest: bytes) -> None:
    """A name, and an outside token, have no session."""
    assert digest_in(session) == digest


def test_frames_of_outside_tokens_count_as_their_requests() -> None:
    """Frames of all outside tokens of a user share the limit of the requests by them."""
    limits = FrameLimits({"frame": 10, "read": 5, "write": 5})
    taken = [
        limits.taking(Known("zed", signed_mark(made, 9), protobuf=False), Pull(chat="a:b")) for made in (1, 2)
    ]

    assert [query.args[:2] for query in taken if query is not None] == [("zed", b"")] * 2  # type: ignore[attr-defined]
    assert limits.taking(Known("zed", signed_mark(1, 9), protobuf=False), Ping()) is None
