"""The simplest application that Granian can serve: the baseline for Parley's gateway."""

from __future__ import annotations

from typing import Any


async def app(_scope: Any, protocol: Any) -> None:
    """Respond to any request with five letters (RSGI)."""
    protocol.response_str(200, [("content-type", "text/plain")], "hello")
