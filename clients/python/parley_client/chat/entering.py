"""Finding out how to authenticate: by name on an open server, otherwise by password or token."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Callable

from msgspec import Struct

from parley_client.accounts import login, register
from parley_client.chat.options import Options
from parley_client.errors import NotAuthenticated, ParleyError, Problem, Unreachable
from parley_client.rest import Rest
from parley_client.settings import Settings

TRIES = 3
MIN_CHARACTERS = 8


class Entered(Struct, frozen=True):
    """A name or a token for the client; drop: Whether to end the token's session after the chat."""

    user: str | None = None
    token: str | None = None
    drop: bool = False


class CannotEnter(ParleyError):
    """The user cannot authenticate; the message says what to do."""


def enter(
    options: Options,
    ask_secret: Callable[[str], str] = getpass.getpass,
    ask: Callable[[str], str] = input,
    can_ask: Callable[[], bool] = sys.stdin.isatty,
) -> Entered:
    """Return how to authenticate; asks for a password, without echo, if the server requires one.

    Raises CannotEnter.
    """
    try:
        if options.token:
            return Entered(token=options.token)
        if options.password:
            return _login(options, options.password)
        if asyncio.run(_trusts(options)):
            return Entered(user=options.user)
        if not can_ask():
            raise CannotEnter(
                f"{options.url} requires a password for {options.user}: add PASSWORD= or TOKEN= to make chat."
            )
        return _asked(options, ask_secret, ask)
    except Unreachable as error:
        raise CannotEnter(
            f"{error}\nIs the server running? `make run` starts one here; URL=https://… uses another."
        ) from None
    except Problem as problem:
        raise CannotEnter(f"{options.url} refuses {options.user}: {problem}") from None


async def _trusts(options: Options) -> bool:
    """Return whether the server accepts the name without a token."""
    rest = Rest(options.url, Settings(), user=options.user)
    try:
        await rest.sync(limit=1)
    except NotAuthenticated:
        return False
    finally:
        await rest.close()
    return True


def _login(options: Options, password: str) -> Entered:
    account = asyncio.run(login(options.url, options.user, password))
    return Entered(token=account.token, drop=True)


def _asked(options: Options, ask_secret: Callable[[str], str], ask: Callable[[str], str]) -> Entered:
    for _ in range(TRIES):
        password = ask_secret(f"Password of {options.user} (or of a new account, {MIN_CHARACTERS} or more): ")
        try:
            return _login(options, password)
        except NotAuthenticated as refused:
            print(refused)
        if ask(f"Create an account {options.user} with this password? [y/N] ").strip().lower() in {
            "y",
            "yes",
        }:
            if ask_secret("Repeat the password: ") != password:
                print("The passwords differ. Try again.")
                continue
            try:
                account = asyncio.run(register(options.url, options.user, password))
            except Problem as problem:
                print(problem)
            else:
                return Entered(token=account.token, drop=True)
    raise CannotEnter("Too many attempts.")
