"""The caller of a request, authenticated before its view runs or by the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chalicelib.errors import BEARER, CrossSite, NotAuthenticated, ParleyError, bad_field
from chalicelib.http.call import Call
from chalicelib.http.cors import is_page_of
from chalicelib.http.decoding import unquoted
from chalicelib.http.who import Who
from chalicelib.services.auth.caller import Caller, rate_headers
from chalicelib.store.accounts.rate_limits import Rate

ANYBODY, CALLER, ACCOUNT, CALLER_NAMED = Who.ANYBODY, Who.CALLER, Who.ACCOUNT, Who.CALLER_NAMED
USER = "X-Parley-User"
NO_UTF_8 = "\ufffd"
"""What the edge gives for bytes of a header that are not UTF-8."""

Name = Callable[[], str] | str
"""A case-folded name, or what returns one; it is called only when a name is needed."""


class CallerNamed(Protocol):
    """Returns the caller of a bearer token, or on an open server the first name without an account."""

    def __call__(self, *names: Name) -> Caller:
        """Raise NotAuthenticated, HandleNeeded, BadRequest."""


class Authentication:
    """The caller of one request; kind: Class of its route, by which requests are limited."""

    __slots__ = ("_call", "_caller", "_kind", "_rate_of_address")

    def __init__(self, call: Call, kind: str) -> None:
        self._call = call
        self._kind = kind
        self._caller: Caller | None = None
        self._rate_of_address: Rate | None = None

    def begin(self, who: Who, *, limits_address: bool) -> None:
        """Refuse a caller without permission, as far as possible before the request's body is read.

        limits_address: Whether calls of ANYBODY count against the limit of their address.
        Raises CrossSite, NotAuthenticated, HandleNeeded, TooManyRequests, BadRequest.
        """
        self._refuse_cross_site()
        if who is ANYBODY:
            if limits_address:
                self._rate_of_address = self._call.services.authenticator.take(self._call.address, self._kind)
        elif who is ACCOUNT and self._call.bearer is None:
            raise NotAuthenticated("This call needs a bearer token. Log in to get one.")
        elif who is CALLER or who is ACCOUNT:
            self.caller_named(self._name_in_header).authenticate()
        elif self._call.services.settings.auth != "open" or self._call.bearer is not None:
            self.caller_named()

    def given(self, who: Who) -> tuple[Caller | CallerNamed, ...]:
        """Return the arguments of a view after the call."""
        if who is ANYBODY:
            return ()
        return (self.caller_named if who is CALLER_NAMED else self.caller_named(self._name_in_header),)

    def caller_named(self, *names: Name) -> Caller:
        """Return the caller, once for a request; see CallerNamed."""
        if self._caller is None:
            authenticator, bearer = self._call.services.authenticator, self._call.bearer
            if bearer is None:
                given = [name if isinstance(name, str) else name() for name in names]
                self._caller = authenticator.by_name(given)
            else:
                self._caller = authenticator.by_bearer(bearer, self._kind, self._call.details)
        return self._caller

    @property
    def is_done(self) -> bool:
        """Whether the caller is authenticated."""
        return self._caller is not None and self._caller.authenticated

    @property
    def rate_headers(self) -> dict[str, str]:
        """The headers with the number of requests left for the caller or the address."""
        rate = self._rate_of_address if self._caller is None else self._caller.rate
        return rate_headers(rate) if rate is not None and rate.limit else {}

    def refusal(self, error: ParleyError) -> ParleyError:
        """Return the error to respond with instead of another one: a refused caller learns nothing else."""
        caller = self._caller
        if caller is not None and not caller.authenticated and not isinstance(error, NotAuthenticated):
            try:
                caller.authenticate()
            except ParleyError as refusal:
                return refusal
        return error

    def _name_in_header(self) -> str:
        if self._call.services.settings.auth != "open":
            return ""
        given = self._call.header(USER) or ""
        if NO_UTF_8 in given:
            raise bad_field(
                USER, "it is not UTF-8: percent-encode every character that is not ASCII, such as `Zo%C3%A9`"
            )
        name = unquoted(given, USER)
        if not name:
            raise NotAuthenticated(
                f"Say who is calling: send a bearer token, or a name in the {USER} header.",
                challenge=f'{BEARER}, {USER} realm="parley"',
            )
        return self._call.services.names.user(name, USER)

    def _refuse_cross_site(self) -> None:
        """Raise CrossSite for a page of another site: an open server would trust any name from it.

        Pages of the origins of the CORS setting may call, and those of the server's own hosts on any port.
        `*` lists none here: a page that may act as anybody is named.
        """
        settings = self._call.services.settings
        if settings.auth != "open" or (origin := self._call.header("Origin")) is None:
            return
        if (
            origin.partition("://")[2] != self._call.header("Host")
            and origin not in settings.cors_origins
            and not is_page_of(origin, settings.open_hosts)
        ):
            raise CrossSite(
                "An open server refuses calls from web pages of other sites. Its setting "
                "PARLEY_CORS_ORIGINS lists the pages that may call."
            )
