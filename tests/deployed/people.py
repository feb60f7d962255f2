"""People with accounts on the server that is tested."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx

Register = Callable[[dict[str, Any]], httpx.Response]


class Person(NamedTuple):
    """Somebody who is logged in."""

    handle: str
    password: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header that shows the token."""
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
        """Register somebody, whom no other test is given; fields: what else the body has."""
        wanted = {"handle": f"a{uuid.uuid4().hex[:12]}", "password": secrets.token_urlsafe(12), **fields}
        answer = self._register(wanted)
        assert answer.status_code == 201, answer.text
        person = Person(answer.json()["user"]["handle"], wanted["password"], answer.json()["token"])
        if self._change is not None:
            changed = self._change(person, {"who_may_add_me": "everybody"})
            assert changed.status_code == 200, changed.text
        return person

    def pair(self) -> tuple[str, str, str]:
        """Return a chat that nobody used before, and its two members; others may know them already."""
        first, second = next(self._pairs)
        return f"{first}:{second}", first, second

    def someone(self, *others: str) -> Person:
        """Return somebody who is none of some handles."""
        known = (person for handle, person in self._known.items() if handle not in others)
        return next(known, None) or self._met()

    def known(self, name: str) -> Person:
        """Return whom a name, in any case, is the handle of; raises KeyError."""
        return self._known[name.casefold()]

    def first_of(self, *names: str) -> Person:
        """Return the first of some names, in any case, who is one of us, or else anybody."""
        folded = (name.casefold() for name in names)
        return next((self._known[name] for name in folded if name in self._known), None) or self.someone()

    def _met(self) -> Person:
        person = self.new()
        self._known[person.handle] = person
        return person

    def _all_pairs(self) -> Iterator[tuple[str, str]]:
        """Make pairs of all whom we know before anybody is registered for more of them."""
        met: list[str] = []
        while True:
            newest = self._met().handle
            for older in met:
                yield min(older, newest), max(older, newest)
            met.append(newest)
