"""Requests for groups and rooms, as the tests need them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from tests.deployed.client import Api
from tests.deployed.people import People, Person

T = TypeVar("T")

MOST = 24
SMALL_CHATS = {
    "PARLEY_AUTH": "required",
    "PARLEY_RATE_LIMITS": "auth=0,read=0,write=0,search=0",
    "PARLEY_ARGON2": "m=64,t=1,p=1",
    "PARLEY_MAX_MEMBERS": str(MOST),
}
"""Maximum number of members on the server with small chats."""


def make(api: Api, maker: Person, members: Iterable[Person] = (), **fields: Any) -> str:
    """Make a group and return its id."""
    handles = [member.handle for member in members]
    body = {"kind": "group", "name": "a group", "members": handles, **fields}
    answer = api.call("POST", "/v1/chats", person=maker, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["chat"])


def do(api: Api, person: Person, method: str, path: str, **options: Any) -> httpx.Response:
    """Call a path below /v1/chats/."""
    return api.call(method, f"/v1/chats/{path}", person=person, **options)


def done(answer: httpx.Response, status: int = 204) -> None:
    """Check that an answer is a success."""
    assert answer.status_code == status, answer.text
    assert status != 204 or answer.content == b""


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Check that an answer is a certain error."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def read(api: Api, person: Person, path: str, **query: Any) -> Any:
    """Read a path below /v1/chats/."""
    answer = do(api, person, "GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def roles_of(api: Api, person: Person, chat: str) -> dict[str, str]:
    """Return the members of a chat and their roles."""
    return {one["handle"]: one["role"] for one in read(api, person, f"{chat}/members")["members"]}


def texts_of(api: Api, person: Person, chat: str) -> list[str]:
    """Return the texts in the log of a chat, as a reader sees them."""
    messages = read(api, person, f"{chat}/messages", after="0", limit=1000)["messages"]
    return [message["text"] for message in messages]


def send(api: Api, person: Person, chat: str, text: str) -> httpx.Response:
    """Send a message."""
    return do(api, person, "POST", f"{chat}/messages", json={"text": text})


def crowd(people: People, size: int) -> list[Person]:
    """Register several users."""
    return [people.new() for _ in range(size)]


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make calls at the same time, each in a thread of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
