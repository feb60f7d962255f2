"""Checks the signature of a push (AWS Signature Version 4)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from typing import NamedTuple
from urllib.parse import quote

PREFIX = "/@connections/"
MAX_SKEW_SECONDS = 300.0
MAX_SIGNED_HEADERS = 20
"""The AWS SDKs sign up to ten; each costs time, and anyone may send a request."""
SERVICE = "execute-api"
TIME = "%Y%m%dT%H%M%SZ"
CLAIM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/\s,]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/"
    rf"{SERVICE}/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
NEEDED = frozenset(("host", "x-amz-date"))


class Signed(NamedTuple):
    """A request as it came.

    connection: the id in its path, decoded. headers: their last values, names in lower case.
    """

    method: str
    connection: str
    headers: Mapping[str, str]
    body: bytes


class Verifier:
    """Checks requests against one pair of keys; what it does grows no faster than a request."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        from botocore.auth import SigV4Auth  # before any request waits for it

        self._access_key = access_key
        self._secret_key = secret_key
        self._signer = SigV4Auth

    def allows(self, request: Signed, now: datetime | None = None) -> bool:
        """Say whether a request was signed with these keys within the last minutes.

        now: what time it is, the clock's when left out. Nothing is computed for a request whose headers
        already show that it was not.
        """
        claim = CLAIM.fullmatch(request.headers.get("authorization", ""))
        if claim is None or not self._may_be_right(claim, request.headers, now or datetime.now(UTC)):
            return False
        given = request.headers.get("x-amz-content-sha256")
        if given is not None and given != sha256(request.body).hexdigest():
            return False
        matches = [
            hmac.compare_digest(signature, claim["signature"])
            for signature in self._signatures(request, claim)
        ]
        return any(matches)

    def _may_be_right(self, claim: re.Match[str], headers: Mapping[str, str], now: datetime) -> bool:
        names = claim["headers"].split(";", MAX_SIGNED_HEADERS)
        return (
            len(names) <= MAX_SIGNED_HEADERS
            and len(set(names)) == len(names)
            and NEEDED <= set(names) <= headers.keys()
            and hmac.compare_digest(claim["key"].encode(), self._access_key.encode())
            and self._is_fresh(headers["x-amz-date"], claim["date"], now)
        )

    def _is_fresh(self, stamp: str, day: str, now: datetime) -> bool:
        try:
            signed = datetime.strptime(stamp, TIME).replace(tzinfo=UTC)
        except ValueError:
            return False
        return stamp.startswith(day) and abs((now - signed).total_seconds()) <= MAX_SKEW_SECONDS

    def _signatures(self, request: Signed, claim: re.Match[str]) -> Iterator[str]:
        """Return the right signature for each way to write the path: it arrives here decoded."""
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        signer = self._signer(Credentials(self._access_key, self._secret_key), SERVICE, claim["region"])
        headers = {name: request.headers[name] for name in claim["headers"].split(";")}
        ids = {request.connection, quote(request.connection, safe="-._~")}
        for prefix, one in product((PREFIX, quote(PREFIX)), ids):
            copy = AWSRequest(request.method, f"http://host{prefix}{one}", headers, request.body)
            copy.context["timestamp"] = headers["x-amz-date"]
            text = signer.string_to_sign(copy, signer.canonical_request(copy))
            yield signer.signature(text, copy)
