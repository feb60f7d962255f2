"""A request as a view sees it: its decoded body and parameters, and the client's address."""

from __future__ import annotations

import functools
import re
from typing import TypeVar, cast

import msgspec

from chalicelib import services
from chalicelib.errors import PayloadTooLarge, UnsupportedMediaType, bad_field
from chalicelib.http.decoding import check_names, converted, from_json_in_any_case
from chalicelib.http.request import Request
from chalicelib.schemas.decoding import Nothing, decoded, from_json
from chalicelib.services.values.message_limits import checked_id
from chalicelib.services.values.tokens import digest_of
from chalicelib.store.accounts.sessions import Details, details_of

T = TypeVar("T")

MAX_BODY_BYTES = 256 * 1024
IDEMPOTENCY_KEY = "Idempotency-Key"
PREFERS_REPRESENTATION = re.compile(
    r'(?:^|[,;])\s*return\s*=\s*"?representation"?\s*(?:[,;]|$)', re.IGNORECASE
)


class Call:
    """One request, without its caller.

    bearer: The bearer token that came with it (RFC 6750); empty for credentials of another kind.
    """

    __slots__ = ("_request", "bearer", "services")

    def __init__(self, request: Request) -> None:
        self._request = request
        self.services = services.current()
        self.bearer = _bearer(request.headers.get("authorization"))

    @property
    def digest(self) -> bytes:
        """The digest of the bearer token, by which the store knows a session."""
        return digest_of(self.bearer or "")

    @property
    def details(self) -> Details:
        """The address and User-Agent of the client."""
        headers = self._request.headers
        return details_of(self._request.address, headers.get("user-agent") or "")

    @property
    def address(self) -> str:
        """The client's address, as API Gateway saw it; no header can change it."""
        return self._request.address

    def idempotency_id(self, in_body: str | None) -> str | None:
        """Return the id of the message to send: the body's, or the Idempotency-Key header's.

        Raises BadRequest if the header is not a valid id, or differs from the body's.
        """
        key = self._request.headers.get("idempotency-key")
        if key is None:
            return in_body
        if not key.isascii():  # in which encoding it came differs from one HTTP server to the next
            raise bad_field(IDEMPOTENCY_KEY, "it must be ASCII; send any other id as `id` in the body")
        if in_body not in (None, key):
            raise bad_field(
                "id", "the Idempotency-Key header and the body's `id` differ: send only one of them"
            )
        return checked_id(key, IDEMPOTENCY_KEY)

    def refuse_encoded(self) -> None:
        """Raise UnsupportedMediaType for a body that is compressed, or encoded in another way."""
        encoding = self._request.headers.get("content-encoding")
        if encoding is not None and encoding.strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType(
                "Send the body without compression or any other Content-Encoding.",
                headers={"Accept-Encoding": "identity"},
            )

    def header(self, name: str) -> str | None:
        """Return a request header's value by its name in any case."""
        return self._request.headers.get(name.lower())

    @property
    def path(self) -> str:
        """The path as the client wrote it, with the stage, without a slash at its end."""
        return self.path_as_written.rstrip("/")

    @property
    def path_as_written(self) -> str:
        """The path as the client wrote it, with the stage, also with a slash at its end."""
        return self._request.path

    @property
    def api_id(self) -> str:
        """The id of the API that received the request; empty if the gateway does not send it."""
        return self._request.api_id

    @property
    def prefers_representation(self) -> bool:
        """Whether the client wants the created resource in the answer (RFC 7240)."""
        preference = self._request.headers.get("prefer")
        return preference is not None and PREFERS_REPRESENTATION.search(preference) is not None

    def body(self, kind: type[T]) -> T:
        """Decode the JSON body; raises BadRequest naming the field at fault."""
        return cast(T, from_json(self._raw(), kind))

    def body_or_query(self, kind: type[T]) -> T:
        """Decode a JSON body whose keys may be in any case, or the query parameters when there is no body."""
        raw = self._raw()
        if not raw.strip():
            return self.query(kind)
        return from_json_in_any_case(raw, kind)

    def query(self, kind: type[T]) -> T:
        """Decode the query parameters; of repeated ones the last counts."""
        return converted(self._request.query, kind, strict=False)

    def refuse_unknown(self, query: type | None, *, bodiless: bool) -> None:
        """Raise BadRequest for a query parameter, or a field of the body, that the route does not take.

        query: Type of the parameters; None: there are none. bodiless: Whether it takes no fields in the body.
        """
        check_names(self._request.query, query)
        if bodiless and (raw := self._request.body).lstrip()[:1] == b"{":
            decoded(functools.partial(msgspec.json.decode, type=Nothing), raw, kind=Nothing)

    def _raw(self) -> bytes:
        raw = self._request.body
        if len(raw) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"The body is too large: send at most {MAX_BODY_BYTES} bytes.")
        if not raw.isascii():
            decoded(bytes.decode, raw)
        return raw


def _bearer(given: str | None) -> str | None:
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
