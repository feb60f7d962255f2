"""Users and their devices on one server."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.deployed.realtime.device import PROTOBUF, Device, opened
from tests.deployed.target import Target


class Net:
    """Opens sockets for people, and closes them in the end.

    target: the server. people: users with accounts there.
    """

    def __init__(self, target: Target, people: People) -> None:
        self.target = target
        self.api = Api(target.url, people)
        self._people = people
        self._sockets = contextlib.ExitStack()

    def someone(self) -> Person:
        """Register a user for one test."""
        return self._people.new()

    def pair(self) -> tuple[str, Person, Person]:
        """Return a new chat and its members, whom other tests may know."""
        chat, first, second = self._people.pair()
        return chat, self._people.known(first), self._people.known(second)

    def strangers(self) -> tuple[str, Person, Person]:
        """Return a new chat and its members, whom no other test knows."""
        first, second = sorted((self.someone(), self.someone()))
        return f"{first.handle}:{second.handle}", first, second

    def ticket(self, person: Person, room: str | None = None) -> Any:
        """Get a ticket; room: its id without `r-`."""
        body = {} if room is None else {"room": room}
        answer = self.api.call("POST", "/v1/realtime/ticket", person=person, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def url(self, person: Person, room: str | None = None) -> str:
        """Return the URL for a connection with a new ticket."""
        return opening(self.ticket(person, room))

    def device(
        self, person: Person, *, hello: bool = True, room: str | None = None, protobuf: bool = False
    ) -> Device:
        """Open a connection, and wait until the server is ready unless hello is False."""
        device = self.open(self.url(person, room), protobuf=protobuf)
        if hello:
            device.hello()
        return device

    def open(self, url: str, *, protobuf: bool = False, headers: Mapping[str, str] | None = None) -> Device:
        """Open a connection by its URL; raises InvalidStatus when it is refused."""
        opening = opened(url, headers=headers, protocol=PROTOBUF if protobuf else None)
        return Device(self._sockets.enter_context(opening), wraps=protobuf)

    def room(self, maker: Person) -> str:
        """Make a room that everybody may join; returns its id without `r-`."""
        room = uuid.uuid4().hex[:12]
        body = {"id": room, "name": f"Room {room}"}
        assert self.api.call("POST", "/ws/createRoom", person=maker, json=body).status_code == 200
        return room

    def write(self, person: Person, chat: str, text: str) -> int:
        """Send a message over HTTP, and return its seq."""
        path = f"/v1/chats/{chat}/messages"
        answer = self.api.call("POST", path, person=person, json={"text": text})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["seq"])

    def close(self) -> None:
        """Close everything."""
        self._sockets.close()
        self.api.close()


def opening(ticket: Any) -> str:
    """Return the URL that a ticket opens."""
    return f"{ticket['url']}?ticket={quote(ticket['ticket'], safe='')}"


def new_id() -> str:
    """Return an id for a message."""
    return uuid.uuid4().hex
