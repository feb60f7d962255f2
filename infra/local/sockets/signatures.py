"""Whether a request is signed (AWS Signature Version 4) by who may push."""

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
MOST_SKEW_SECONDS = 300.0
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
    """Checks requests against one pair of keys."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        self._access_key = access_key
        self._secret_key = secret_key

    def allows(self, request: Signed, now: datetime | None = None) -> bool:
        """Say whether a request was signed with these keys within the last minutes.

        now: what time it is, the clock's when left out.
        """
        claim = CLAIM.fullmatch(request.headers.get("authorization", ""))
        if claim is None or not set(claim["headers"].split(";")) >= NEEDED:
            return False
        fresh = self._is_fresh(request.headers.get("x-amz-date", ""), claim["date"], now or datetime.now(UTC))
        right_key = hmac.compare_digest(claim["key"], self._access_key)
        given = request.headers.get("x-amz-content-sha256")
        whole = given is None or given == sha256(request.body).hexdigest()
        matches = [
            hmac.compare_digest(signature, claim["signature"])
            for signature in self._signatures(request, claim)
        ]
        return fresh and right_key and whole and any(matches)

    def _is_fresh(self, stamp: str, day: str, now: datetime) -> bool:
        try:
            signed = datetime.strptime(stamp, TIME).replace(tzinfo=UTC)
        except ValueError:
            return False
        return stamp.startswith(day) and abs((now - signed).total_seconds()) <= MOST_SKEW_SECONDS

    def _signatures(self, request: Signed, claim: re.Match[str]) -> Iterator[str]:
        """Return the right signature for each way to write the path: it arrives here decoded."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        signer = SigV4Auth(Credentials(self._access_key, self._secret_key), SERVICE, claim["region"])
        headers = {name: request.headers.get(name, "") for name in claim["headers"].split(";")}
        ids = {request.connection, quote(request.connection, safe="-._~")}
        for prefix, one in product((PREFIX, quote(PREFIX)), ids):
            copy = AWSRequest(request.method, f"http://host{prefix}{one}", headers, request.body)
            copy.context["timestamp"] = headers["x-amz-date"]
            text = signer.string_to_sign(copy, signer.canonical_request(copy))
            yield signer.signature(text, copy)
