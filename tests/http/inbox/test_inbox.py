"""The inbox and the sync over HTTP, while others write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.deployed.client import Api
from tests.servers.gateway import gateway

pytestmark = pytest.mark.long

LARGE = 4
SETTINGS = {"PARLEY_LARGE_CHAT": str(LARGE), "PARLEY_RATE_LIMITS": "read=0,write=0,auth=0,search=0"}
SENDERS = ("bob", "cid", "dan")
EACH = 25
MAX_BYTES = 256 * 1024


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An open server, where a chat of five is large."""
    with gateway(env=SETTINGS, args=("--workers", "3")) as running:
        yield running


def group(api: Api, maker: str, *members: str, **fields: Any) -> str:
    """Make a group."""
    body = {"kind": "group", "name": "tea", "members": list(members), **fields}
    answer = api.call("POST", "/v1/chats", user=maker, json=body)
    assert answer.status_code == 201, answer.text
    chat: str = answer.json()["chat"]
    return chat


class Device:
    """A client that keeps its user's chats by sync."""

    def __init__(self, url: str, user: str) -> None:
        self._api = Api(url)
        self._user = user
        self._token: str | None = None
        self.rows: dict[str, dict[str, Any]] = {}

    def sync(self) -> None:
        """Apply a sync."""
        more = True
        while more:
            since = {"since": self._token} if self._token else {}
            answer = self._api.call("GET", "/v1/sync", user=self._user, params={"limit": 2, **since})
            assert answer.status_code == 200, answer.text
            assert len(answer.content) < MAX_BYTES
            page = answer.json()
            assert not page["reset"]
            self.rows |= {row["chat"]: row for row in page["chats"]}
            self._token, more = page["next"], page["more"]

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def test_sync_while_others_write(api: Api, url: str) -> None:
    """A device that syncs during many writes has missed nothing in the end."""
    chats = [
        group(api, "ann", *SENDERS),
        group(api, "ann", *SENDERS, "eve"),
        *(f"ann:{one}" for one in SENDERS),
    ]
    device, others = Device(url, "ann"), threading.Event()

    def send(sender: str) -> None:
        client = Api(url)
        for number in range(EACH):
            for chat in (*chats[:2], f"ann:{sender}"):
                assert client.post(chat, sender, text=f"{number}").status_code == 201
        client.close()

    def follow() -> None:
        while not others.is_set():
            device.sync()

    with ThreadPoolExecutor(len(SENDERS) + 1) as pool:
        following = pool.submit(follow)
        sending = [pool.submit(send, one) for one in SENDERS]
        try:
            for one in sending:
                one.result()
        finally:
            others.set()
        following.result()
    device.sync()
    inbox = api.call("GET", "/v1/chats", user="ann").json()["chats"]
    device.close()

    assert {row["chat"]: row for row in inbox} == device.rows
    assert {row["chat"]: row["unread"] for row in inbox} == {
        chat: EACH if ":" in chat else EACH * len(SENDERS) for chat in chats
    }


def test_join_and_leave_while_one_syncs(api: Api, url: str) -> None:
    """Members who come and go while a device syncs, past the large-chat limit too, end up right."""
    chats = [group(api, "fay", join="open", members=[f"m{number}" for number in range(3)]) for _ in range(6)]
    device = Device(url, "gus")

    def move() -> None:
        client = Api(url)
        for number, chat in enumerate(chats):
            for user in ("gus", "hal"):
                assert client.call("POST", f"/v1/chats/{chat}/join", user=user).status_code == 200
            if number % 2:
                assert client.call("POST", f"/v1/chats/{chat}/leave", user="gus").status_code == 204
        client.close()

    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(move)
        while not moving.done():
            device.sync()
        moving.result()
    device.sync()
    inbox = api.call("GET", "/v1/chats", user="gus").json()["chats"]
    device.close()

    known = {chat: row for chat, row in device.rows.items() if row["state"] == "member"}
    assert {row["chat"]: row for row in inbox} == known
    assert sorted(known) == sorted(chats[::2])
