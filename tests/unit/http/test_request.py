"""The request that every edge gives the application."""

from __future__ import annotations

import pytest

from chalicelib.http.request import Request

CONTEXT = {"httpMethod": "POST", "resourcePath": "/api/send"}


@pytest.mark.parametrize(
    ("body", "encoded", "expected"),
    [
        ('{"a":"ö"}', False, b'{"a":"\xc3\xb6"}'),
        ("/w==", True, b"\xff"),
        (b"\xff", False, b"\xff"),
        (None, False, b""),
    ],
)
def test_body_is_bytes_from_every_edge(body: object, encoded: bool, expected: bytes) -> None:
    """API Gateway gives text or base64, and `chalice local` gives bytes."""
    event = {"requestContext": CONTEXT, "body": body, "isBase64Encoded": encoded}
    assert Request.from_event(event).body == expected
