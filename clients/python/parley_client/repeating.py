"""Repeating requests that may be repeated, until the server responds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from parley_client.backoff import Backoff
from parley_client.errors import Problem, Unreachable
from parley_client.settings import Settings

T = TypeVar("T")


async def repeated(request: Callable[[], Awaitable[T]], settings: Settings) -> T:
    """Return the result of a request, repeated after temporary errors; raises Problem if it is refused."""
    backoff = Backoff(settings.backoff_base, settings.backoff_cap)
    while True:
        try:
            return await request()
        except Problem as problem:
            if not problem.passes:
                raise
            await asyncio.sleep(backoff.failed(problem.retry_after))
        except Unreachable:
            await asyncio.sleep(backoff.failed())
