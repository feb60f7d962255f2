"""Repeating requests that may be repeated, until the server responds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from parley_client.backoff import Backoff
from parley_client.errors import Problem, Unreachable
from parley_client.settings import Settings


class Page(Protocol):
    """A page of a list; next: A cursor for the following page."""

    @property
    def next(self) -> str | None:
        """None for the last page."""


T = TypeVar("T")
P = TypeVar("P", bound=Page)


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


async def all_pages(read: Callable[[str | None], Awaitable[P]], settings: Settings) -> list[P]:
    """Return all pages of a list; read: Returns the page of a cursor, or the first one."""
    pages = [await repeated(partial(read, None), settings)]
    while pages[-1].next is not None:
        pages.append(await repeated(partial(read, pages[-1].next), settings))
    return pages
