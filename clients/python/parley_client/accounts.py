"""Registering an account and logging in."""

from __future__ import annotations

from parley_client.responses import Account
from parley_client.rest import Rest
from parley_client.settings import Settings


async def register(
    url: str, handle: str, password: str, *, email: str | None = None, settings: Settings | None = None
) -> Account:
    """Register an account and log in; raises Problem, Unreachable."""
    rest = Rest(url, settings or Settings())
    try:
        return await rest.register(handle, password, email)
    finally:
        await rest.close()


async def login(url: str, handle: str, password: str, *, settings: Settings | None = None) -> Account:
    """Log in; raises NotAuthenticated for a wrong name or password, Problem, Unreachable."""
    rest = Rest(url, settings or Settings())
    try:
        return await rest.login(handle, password)
    finally:
        await rest.close()
