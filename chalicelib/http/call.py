"""What a route learns of a request: who calls, and what was sent."""

from __future__ import annotations

from collections.abc import Callable

from chalice.app import Request

from chalicelib import services
from chalicelib.errors import BEARER, CrossSite, NotAuthenticated, ParleyError, bad_field
from chalicelib.http.cors import is_page_of
from chalicelib.http.decoding import unquoted
from chalicelib.http.received import ReceivedRequest
from chalicelib.services.auth.caller import Caller, rate_headers
from chalicelib.services.values.tokens import digest_of
from chalicelib.store.accounts.rate_limits import Rate
from chalicelib.store.realtime.user_connections import NAMED

USER = "X-Parley-User"
NO_UTF_8 = "\ufffd"
"""What the edge gives for bytes of a header that are not UTF-8."""


class Call(ReceivedRequest):
    """One request as a route sees it; kind: the class of the route, by which requests are limited."""

    def __init__(self, request: Request, kind: str) -> None:
        super().__init__(request)
        self.kind = kind
        self.rate: Rate | None = None
        self._caller: Caller | None = None
        self.services = services.current()

    def refuse_cross_site(self) -> None:
        """Raise CrossSite for a page of a site not listed: an open server would believe any name it gives.

        Listed are the origins of the CORS setting and, on any port, the hosts that the server answers to.

        `*` lists none here: a page that may act as anybody is named.
        """
        origin, host = self.header("Origin"), self.header("Host")
        settings = self.services.settings
        if (
            settings.auth == "open"
            and origin is not None
            and origin.partition("://")[2] != host
            and origin not in settings.cors_origins
            and not is_page_of(origin, settings.open_hosts)
        ):
            raise CrossSite("An open server takes no calls from pages of another site.")

    @property
    def caller(self) -> Caller:
        """Who calls, judged; raises NotAuthenticated when nobody we know does, or TooManyRequests."""
        caller = self.claimed
        caller.authenticate()
        return caller

    @property
    def claimed(self) -> Caller:
        """Who says to call, not judged yet; what reads on their behalf judges them in the same trip."""
        return self.speaking_as(self._name)

    @property
    def account(self) -> Caller:
        """Whose account calls, judged; a name alone does not do, on an open server either."""
        if self.bearer is None:
            raise NotAuthenticated("This call wants a bearer token.")
        return self.caller

    @property
    def judged(self) -> bool:
        """Whether it was asked who calls, and they have been let in."""
        return self._caller is not None and self._caller.authenticated

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
                self._caller = self.services.authenticator.by_name(given)
            else:
                self._caller = self.services.authenticator.by_bearer(self.bearer, self.kind, self.details)
        return self._caller

    @property
    def digest(self) -> bytes:
        """What stands for the caller's token in the store."""
        return digest_of(self.bearer or "")

    @property
    def session_digest(self) -> bytes:
        """What stands in the store for how the caller came: session, NAMED, a signed mark."""
        if self._caller is not None and self._caller.session is None:
            return NAMED
        if self._caller is None:
            return b""
        return self.digest if self._caller.session else self._caller.signed

    def take_from_address(self, kind: str | None = None) -> None:
        """Take the request from its address's limit, where it is of nobody yet; raises TooManyRequests.

        kind: another class than the route's.
        """
        self.rate = self.services.authenticator.take(self.address, kind or self.kind)

    @property
    def rate_headers(self) -> dict[str, str]:
        """The headers that say how much the caller, or the address, may still do."""
        rate = self.rate if self._caller is None else self._caller.rate
        return rate_headers(rate) if rate is not None and rate.limit else {}

    def settled(self, error: ParleyError) -> ParleyError:
        """Return what to answer in place of an error: who is not let in is told that before anything else."""
        caller = self._caller
        if caller is not None and not caller.authenticated and not isinstance(error, NotAuthenticated):
            try:
                caller.authenticate()
            except ParleyError as refusal:
                return refusal
        return error

    def _name(self) -> str:
        if self.services.settings.auth != "open":
            return ""
        given = self.header(USER) or ""
        if NO_UTF_8 in given:
            raise bad_field(USER, "it is not UTF-8; percent-encode what is not ASCII, such as `Zo%C3%A9`")
        name = unquoted(given, USER)
        if not name:
            raise NotAuthenticated(
                f"Say who you are: by a bearer token, or by name in the {USER} header.",
                challenge=f'{BEARER}, {USER} realm="parley"',
            )
        return self.services.names.user(name, USER)
