"""Outside tokens that upgrade requests show: checked in threads, since their issuer may be asked."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Callable

from chalicelib.errors import ParleyError
from chalicelib.http.responses import defect
from chalicelib.logs import LOGGER
from chalicelib.services.values.tokens import PREFIX
from chalicelib.store.accounts.rate_limits import site_of
from infra.local.slow import SlowCalls

Prove = Callable[[str, str], None]
"""Checks a bearer token that came from an address; raises ParleyError."""
BEARER = re.compile(rb"^authorization[ \t]*:[ \t]*bearer (.*)$", re.IGNORECASE | re.MULTILINE)


class OutsideTokens:
    """Checks the outside tokens of upgrade requests before those are handled on the loop."""

    def __init__(self, prove: Prove, calls: SlowCalls | None = None) -> None:
        self._prove = prove
        self._calls = calls or SlowCalls()

    def check(self, head: bytes, address: str) -> asyncio.Task[ParleyError | None] | None:
        """Return the check of a head, which ends in a refusal or None; None: there is nothing to check."""
        shown = [match.decode("utf-8", "replace").strip() for match in BEARER.findall(head)]
        tokens = [token for token in shown if not token.startswith(PREFIX)]
        if not tokens:
            return None
        return asyncio.get_running_loop().create_task(self._refusal(tokens, address))

    async def _refusal(self, tokens: list[str], address: str) -> ParleyError | None:
        start = time.perf_counter()
        try:
            for token in tokens:
                await self._calls.run(site_of(address), self._prove, token, address)
        except ParleyError as error:
            refusal = error
        except Exception:
            LOGGER.exception({"event": "defect", "route": "$connect"})
            refusal = defect()
        else:
            return None
        line = {"event": "socket_connect", "request_id": str(uuid.uuid4()), "status": refusal.status}
        LOGGER.info({**line, "code": refusal.code, "ms": round((time.perf_counter() - start) * 1000, 2)})
        return refusal
