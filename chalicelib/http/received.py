"""A request as it came."""

from __future__ import annotations

import re
from typing import Any, TypeVar, cast

import msgspec
from chalice.app import Request

from chalicelib.errors import PayloadTooLarge, bad_field
from chalicelib.http.decoding import converted
from chalicelib.http.middleware import headers_of
from chalicelib.schemas.decoding import decoded
from chalicelib.store.sessions import Details, details_of

T = TypeVar("T")

MAX_BODY_BYTES = 256 * 1024
PREFERS_REPRESENTATION = re.compile(
    r'(?:^|[,;])\s*return\s*=\s*"?representation"?\s*(?:[,;]|$)', re.IGNORECASE
)


class ReceivedRequest:
    """What was sent, decoded, and from where."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._headers = headers_of(request)

    @property
    def bearer(self) -> str | None:
        """The bearer token that came with the request (RFC 6750); empty for credentials of another kind."""
        given = self.header("Authorization")
        if given is None:
            return None
        scheme, _, token = given.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @property
    def details(self) -> Details:
        """Where the request came from."""
        return details_of(self.address, self.header("User-Agent") or "")

    @property
    def address(self) -> str:
        """The client's address, as API Gateway saw it; no header can change it."""
        identity: dict[str, Any] = self._request.context.get("identity") or {}
        return str(identity.get("sourceIp") or "")

    def idempotency_id(self, in_body: str | None) -> str | None:
        """Return the id of the message to send: the body's, or the Idempotency-Key header's.

        Raises BadRequest when both are there and differ.
        """
        key = self.header("Idempotency-Key")
        if key is None or in_body is None:
            return in_body if key is None else key
        if key != in_body:
            raise bad_field("id", "the Idempotency-Key header and the body's id differ")
        return in_body

    def header(self, name: str) -> str | None:
        """Return a request header's value by its name in any case."""
        return self._headers.get(name.lower())

    @property
    def path(self) -> str:
        """The path of the request as the client wrote it, the stage included, without a slash at its end."""
        return self.path_as_written.rstrip("/")

    @property
    def path_as_written(self) -> str:
        """The same, with a slash at its end if it was written with one."""
        return self._request.context.get("path") or "/"

    @property
    def prefers_representation(self) -> bool:
        """Whether the client asked for the made thing in the answer (RFC 7240)."""
        return bool(PREFERS_REPRESENTATION.search(self.header("Prefer") or ""))

    def body(self, kind: type[T]) -> T:
        """Decode the JSON body; raises BadRequest naming the field at fault."""
        return decoded(lambda raw: msgspec.json.decode(raw, type=kind), self._raw())

    def body_or_query(self, kind: type[T]) -> T:
        """Decode a JSON body whose keys may be in any case, or the query parameters when there is no body."""
        raw = self._raw()
        if not raw.strip():
            return self.query(kind)
        return converted(decoded(msgspec.json.decode, raw), kind)

    def query(self, kind: type[T]) -> T:
        """Decode the query parameters, the last of two alike counting."""
        values = dict((self._request.query_params or {}).items())
        return converted(values, kind, strict=False)

    def _raw(self) -> bytes:
        raw = cast(bytes, self._request.raw_body)
        if len(raw) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"A request's body is {MAX_BODY_BYTES} bytes at the most.")
        decoded(bytes.decode, raw)
        return raw
