"""Outside tokens that upgrade requests show: checked in threads, since their issuer may be asked."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.services.values.tokens import PREFIX
from chalicelib.store.accounts.rate_limits import site_of
from infra.local.requests import Request
from infra.local.slow import SlowCalls

Prove = Callable[[str, str], None]
"""Checks a bearer token that came from an address; raises ParleyError."""


class OutsideTokens:
    """Checks the outside tokens of upgrade requests before those are handled on the loop."""

    def __init__(self, prove: Prove, calls: SlowCalls | None = None) -> None:
        self._prove = prove
        self._calls = calls or SlowCalls()

    async def check(self, request: Request) -> None:
        """Check the tokens of a request; raises ParleyError."""
        shown = [value.partition(" ") for value in request.headers.get("authorization", ())]
        for scheme, _, value in shown:
            token = value.strip()
            if scheme.lower() == "bearer" and not token.startswith(PREFIX):
                await self._calls.run(site_of(request.client), self._prove, token, request.client)
