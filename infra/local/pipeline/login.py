"""The store's login, whose renewal must not hold up the loop."""

from __future__ import annotations

import asyncio

from chalicelib.store.redis.credentials import StoreLogin
from infra.local.pipeline import greenlets


class LoopLogin(StoreLogin):
    """A login that is renewed in a thread, once for all calls that the store has refused together."""

    def __init__(self, login: StoreLogin) -> None:
        self.advice = login.advice
        self._login = login
        self._renewal: asyncio.Future[bool] | None = None

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return what the login returns."""
        return self._login.get_credentials()

    def renew(self) -> bool:
        """Look for a password newer than the refused one; return whether there is one."""
        if greenlets.current() is None:
            return self._login.renew()
        if self._renewal is None:
            loop = asyncio.get_running_loop()
            self._renewal = loop.run_in_executor(greenlets.threads(), self._login.renew)
            self._renewal.add_done_callback(self._end_renewal)
        return greenlets.result(self._renewal)

    def _end_renewal(self, _: asyncio.Future[bool]) -> None:
        self._renewal = None
