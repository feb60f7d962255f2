"""Users with accounts on the tested server."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx

Register = Callable[[dict[str, Any]], httpx.Response]


class Person(NamedTuple):
    """A logged-in user."""

    handle: str
    password: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header with the token."""
        return {"Authorization": f"Bearer {self.token}"}


Change = Callable[[Person, dict[str, Any]], httpx.Response]


class People:
    """Registers accounts as they are needed, few of them: a server lets an address make 20 a minute.

    register: calls POST /v1/register with a body. change: changes somebody's own profile; with it they let
    everybody add them to groups. Without it they are as they are on a server by default.
    """

    def __init__(self, register: Register, change: Change | None = None) -> None:
        self._register = register
        self._change = change
        self._known: dict[str, Person] = {}
        self._pairs = self._all_pairs()

    def new(self, **fields: Any) -> Person:
        """Register a user for one test; fields: further fields of the body."""
        wanted = {"handle": f"a{uuid.uuid4().hex[:12]}", "password": secrets.token_urlsafe(12), **fields}
        answer = self._register(wanted)
        assert answer.status_code == 201, answer.text
        person = Person(answer.json()["user"]["handle"], wanted["password"], answer.json()["token"])
        if self._change is not None:
            changed = self._change(person, {"who_may_add_me": "everybody"})
            assert changed.status_code == 200, changed.text
        return person

    def pair(self) -> tuple[str, str, str]:
        """Return a new chat and its two members, whom other tests may know."""
        first, second = next(self._pairs)
        return f"{first}:{second}", first, second

    def someone(self, *others: str) -> Person:
        """Return a user whose handle is none of the given ones."""
        known = (person for handle, person in self._known.items() if handle not in others)
        return next(known, None) or self._met()

    def known(self, name: str) -> Person:
        """Return the user of a handle, in any case; raises KeyError."""
        return self._known[name.casefold()]

    def first_of(self, *names: str) -> Person:
        """Return the first known user among some names, in any case, or else any user."""
        folded = (name.casefold() for name in names)
        return next((self._known[name] for name in folded if name in self._known), None) or self.someone()

    def _met(self) -> Person:
        person = self.new()
        self._known[person.handle] = person
        return person

    def _all_pairs(self) -> Iterator[tuple[str, str]]:
        """Pair all known users before anybody is registered for more pairs."""
        met: list[str] = []
        while True:
            newest = self._met().handle
            for older in met:
                yield min(older, newest), max(older, newest)
            met.append(newest)
