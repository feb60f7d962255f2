"""What a route learns of a request: who calls, and what was sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec
from chalice.app import Request

from chalicelib import services
from chalicelib.errors import CrossSite, NotAuthenticated, ParleyError, PayloadTooLarge, bad_field
from chalicelib.http.decoding import converted, decoded, unquoted
from chalicelib.http.middleware import headers_of
from chalicelib.services.callers import BEARER, Caller, rate_headers
from chalicelib.services.tokens import digest_of
from chalicelib.store.rates import Rate
from chalicelib.store.sessions import AGENT_CHARACTERS, Details

T = TypeVar("T")

MAX_BODY_BYTES = 256 * 1024
USER = "X-Parley-User"
PREFERS_REPRESENTATION = re.compile(
    r'(?:^|[,;])\s*return\s*=\s*"?representation"?\s*(?:[,;]|$)', re.IGNORECASE
)


class Call:
    """One request as a route sees it; kind: the class of the route, by which requests are limited."""

    def __init__(self, request: Request, kind: str) -> None:
        self._request = request
        self.kind = kind
        self.rate: Rate | None = None
        self._caller: Caller | None = None
        self._headers = headers_of(request)
        self.services = services.current()

    def refuse_cross_site(self) -> None:
        """Raise CrossSite for a page of a site not listed: an open server would believe any name it gives.

        `*` lists none here: a page that may act as anybody is named.
        """
        origin, host = self.header("Origin"), self.header("Host")
        settings = self.services.settings
        if (
            settings.auth == "open"
            and origin is not None
            and origin.partition("://")[2] != host
            and origin not in settings.cors_origins
        ):
            raise CrossSite("An open server takes no calls from pages of another site.")

    @property
    def caller(self) -> Caller:
        """Who calls, judged; raises NotAuthenticated when nobody we know does, or TooManyRequests."""
        caller = self.claimed
        caller.admit()
        return caller

    @property
    def claimed(self) -> Caller:
        """Who says to call, not judged yet; what reads on their behalf judges them in the same trip."""
        return self.speaking_as(self._name)

    @property
    def account(self) -> Caller:
        """Whose account calls, judged; a name alone does not do, on an open server either."""
        if self.bearer is None:
            raise NotAuthenticated("This call wants a bearer token.", headers={"WWW-Authenticate": BEARER})
        return self.caller

    def identify(self) -> None:
        """Return if the request says in some way who calls, without judging it; raises NotAuthenticated."""
        if self.bearer is not None or self.services.settings.auth != "open":
            self.speaking_as()

    def speaking_as(self, *names: Callable[[], str] | str) -> Caller:
        """Return who a token says calls, or on an open server the first of some names that no account has.

        names: case-folded, or what returns one. Raises NotAuthenticated, HandleNeeded, BadRequest.
        """
        if self._caller is None:
            if self.bearer is None:
                given = [name if isinstance(name, str) else name() for name in names]
                self._caller = self.services.admission.by_name(given)
            else:
                self._caller = self.services.admission.by_bearer(self.bearer, self.kind, self.details)
        return self._caller

    @property
    def bearer(self) -> str | None:
        """The bearer token that came with the request (RFC 6750); empty for credentials of another kind."""
        given = self.header("Authorization")
        if given is None:
            return None
        scheme, _, token = given.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @property
    def digest(self) -> bytes:
        """What stands for the caller's token in the store."""
        return digest_of(self.bearer or "")

    @property
    def details(self) -> Details:
        """Where the request came from."""
        return Details(self.address, (self.header("User-Agent") or "")[:AGENT_CHARACTERS])

    @property
    def address(self) -> str:
        """The client's address, as API Gateway saw it; no header can change it."""
        identity: dict[str, Any] = self._request.context.get("identity") or {}
        return str(identity.get("sourceIp") or "")

    def take_from_address(self, kind: str | None = None) -> None:
        """Take the request from its address's limit, where it is of nobody yet; raises TooManyRequests.

        kind: another class than the route's.
        """
        self.rate = self.services.admission.take(self.address, kind or self.kind)

    @property
    def rate_headers(self) -> dict[str, str]:
        """The headers that say how much the caller, or the address, may still do."""
        rate = self.rate if self._caller is None else self._caller.rate
        return rate_headers(rate) if rate is not None and rate.limit else {}

    def settled(self, error: ParleyError) -> ParleyError:
        """Return what to answer in place of an error: who is not let in is told that before anything else."""
        caller = self._caller
        if caller is not None and not caller.judged and not isinstance(error, NotAuthenticated):
            try:
                caller.admit()
            except ParleyError as refusal:
                return refusal
        return error

    def _name(self) -> str:
        if self.services.settings.auth != "open":
            return ""
        name = unquoted(self.header(USER) or "", USER)
        if not name:
            raise NotAuthenticated(
                f"Say who you are: by a bearer token, or by name in the {USER} header.",
                headers={"WWW-Authenticate": f'{BEARER}, {USER} realm="parley"'},
            )
        return self.services.names.user(name, USER)

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
