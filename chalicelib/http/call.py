"""What a route learns of a request: who calls, and what was sent."""

from __future__ import annotations

import re
from typing import TypeVar, cast

import msgspec
from chalice.app import Request

from chalicelib import services
from chalicelib.errors import CrossSite, NotAuthenticated, PayloadTooLarge, bad_field
from chalicelib.http.decoding import converted, decoded, unquoted
from chalicelib.http.middleware import headers_of

T = TypeVar("T")

MAX_BODY_BYTES = 256 * 1024
USER = "X-Parley-User"
PREFERS_REPRESENTATION = re.compile(
    r'(?:^|[,;])\s*return\s*=\s*"?representation"?\s*(?:[,;]|$)', re.IGNORECASE
)


class Call:
    """One request as a route sees it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._headers = headers_of(request)
        self.services = services.current()

    def refuse_cross_site(self) -> None:
        """Raise CrossSite for a page of another site: an open server would believe any name it gives."""
        origin, host = self.header("Origin"), self.header("Host")
        if (
            self.services.settings.auth == "open"
            and origin is not None
            and origin.partition("://")[2] != host
        ):
            raise CrossSite("An open server takes no calls from pages of another site.")

    @property
    def caller(self) -> str:
        """The name of who calls; raises NotAuthenticated when nobody we know does."""
        self.admit_unnamed()
        name = unquoted(self.header(USER) or "", USER)
        if not name:
            raise NotAuthenticated(f"Say who you are in the {USER} header.", headers=_challenge(USER))
        return self.services.names.user(name, USER)

    def admit_unnamed(self) -> None:
        """Return on an open server, which trusts a request's names; raises NotAuthenticated elsewhere."""
        if self.services.settings.auth != "open":
            raise NotAuthenticated("This server wants a bearer token.", headers=_challenge("Bearer"))

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
        """The path of the request as the client wrote it, the stage included."""
        path: str = self._request.context.get("path") or ""
        return path.rstrip("/")

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


def _challenge(scheme: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'{scheme} realm="parley"'}
