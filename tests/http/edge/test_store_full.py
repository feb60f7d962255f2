"""A full store over HTTP: reads go on, with a token, and writes come back by themselves."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.deployed.client import Api, client_of, people_of
from tests.deployed.people import Person
from tests.deployed.realtime.users import Net
from tests.deployed.target import Target
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.refusing_writes import REFUSALS, full_disk
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
OF_THE_MOMENT = {"/v1/sync", "/v1/sessions", "/v1/users/me/export"}
"""Paths whose answers differ from one read to the next: a token, a time."""
JOINS = "/ws/joinRoom/{room}"
"""Makes a member, as Go-Chat's path did, so it is not a read."""
ENV = {"PARLEY_RATE_LIMITS": "read=1000,write=1000,search=1000,auth=1000,frame=1000"}


class World(NamedTuple):
    """A user with chats, posts, followers and devices, and the ids for reading them."""

    person: Person
    other: Person
    chat: str
    group: str
    room: str
    scheduled: str


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyEngine]:
    """A store of this module's own, as the embedded one is configured."""
    with ValkeyEngine(appendonly=True) as engine:
        engine.nodes[0].config_set("appendfsync", "everysec")
        yield engine


@pytest.fixture(scope="module")
def server(store: ValkeyEngine) -> Iterator[Gateway]:
    """A server on that store."""
    with running_gateway(env={"REDIS_URL": store.url, **ENV}, args=["--workers", "1"]) as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Gateway) -> Iterator[Api]:
    """A client of that server."""
    yield from client_of(server.url)


@pytest.fixture(scope="module")
def world(api: Api) -> World:
    """The user with data to read."""
    people = people_of(api)
    person, other = people.new(), people.new()
    chat, room = ":".join(sorted((person.handle, other.handle))), f"room-{person.handle}"
    api.call("POST", f"/v1/chats/{chat}/messages", person=person, json={"text": "before"})
    made = api.call(
        "POST", "/v1/chats", person=person, json={"kind": "group", "name": "group", "members": [other.handle]}
    )
    api.call("POST", "/ws/createRoom", person=person, json={"id": room, "name": room})
    api.call("PUT", f"/v1/users/me/following/{other.handle}", person=person)
    api.call("POST", "/v1/posts", person=other, json={"text": "post"})
    send_at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    later = {"text": "later", "send_at": send_at}
    scheduled = api.call("POST", f"/v1/chats/{chat}/scheduled", person=person, json=later).json()["id"]
    return World(person, other, chat, made.json()["chat"], room, scheduled)


def reads(world: World) -> dict[str, str]:
    """Return each documented path of a read, with existing ids as its parameters."""
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    values = {"{handle}": world.other.handle, "{seq}": "1", "{room}": world.room, "{asset}": "docs.css"}
    values["{scheduled}"] = world.scheduled
    queries = {"/api/pull": f"?chat={world.chat}", "/v1/groups": "?q=group", "/v1/search": "?q=before"}
    found = {}
    for path in (path for path, methods in paths.items() if "get" in methods and path != JOINS):
        filled = path.replace("{chat}", world.group if "/chats/{chat}/" in path else world.chat)
        for name, value in values.items():
            filled = filled.replace(name, value)
        found[path] = filled + queries.get(path, "")
    return found | {"/v1/users": f"/v1/users?q={world.other.handle}"}


def answers(api: Api, world: World) -> dict[str, Any]:
    """Return the answer of each read."""
    found = {}
    for path, filled in reads(world).items():
        answer = api.call("GET", filled, person=world.person)
        found[path] = (answer.status_code, None if path in OF_THE_MOMENT else answer.text)
    return found


def write(api: Api, world: World) -> tuple[int, str | None]:
    """Send a message; return the answer's status and code."""
    answer = api.call("POST", f"/v1/chats/{world.chat}/messages", person=world.person, json={"text": "more"})
    return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize("refusing", REFUSALS)
def test_everything_can_be_read_from_a_store_that_refuses_writes(
    store: ValkeyEngine, server: Gateway, api: Api, world: World, refusing: str
) -> None:
    """Every read is answered as before, tokens authenticate, a send is refused, and later works again."""
    before = answers(api, world)
    assert {status for status, _ in before.values()} == {200}
    code = "store_unavailable" if refusing == "too few replicas" else "store_full"

    with REFUSALS[refusing](store):
        assert write(api, world) == (503, code)
        assert answers(api, world) == before
        stranger = {"Authorization": f"Bearer {world.person.token[:-1]}"}
        assert api.call("GET", "/v1/chats", headers=stranger).status_code == 401
        assert api.call("GET", "/v1/chats", user="nobody").status_code == 200

    assert eventually(lambda: write(api, world)[0] == 201)


def test_the_log_says_why_a_store_refuses_writes(
    store: ValkeyEngine, server: Gateway, api: Api, world: World
) -> None:
    """The line of a send that a full disk refused has the store's own words as its cause."""
    with full_disk(store):
        request = api.call(
            "POST", f"/v1/chats/{world.chat}/messages", person=world.person, json={"text": "more"}
        ).headers["X-Request-Id"]
    assert eventually(lambda: "MISCONF Errors writing to the AOF file" in cause_of(server, request))


def cause_of(server: Gateway, request: str) -> str:
    """Return the cause in the log line of a request; empty without one."""
    lines = server.log_lines()
    return next((line.get("cause", "") for line in lines if line.get("request_id") == request), "")


def sync(api: Api, person: Person, since: str | None = None, limit: int = 1) -> list[dict[str, Any]]:
    """Return the pages of a whole sync."""
    pages: list[dict[str, Any]] = []
    while not pages or pages[-1]["more"]:
        query = {"limit": limit} | ({"since": since} if since else {})
        pages.append(api.call("GET", "/v1/sync", person=person, params=query).json())
        since = pages[-1]["next"]
        assert len(pages) < 50
    return pages


def chats_in(pages: list[dict[str, Any]]) -> set[str]:
    """Return the chats on pages of a sync."""
    return {row["chat"] for page in pages for row in page["chats"]}


def test_a_sync_goes_on_while_nothing_is_written_and_begins_again_once_after_that(
    store: ValkeyEngine, api: Api, world: World
) -> None:
    """A sync token of a full store is valid until the store writes again; one without news stays valid."""
    old = sync(api, world.other)[-1]["next"]
    with full_disk(store):
        first = sync(api, world.person)
        assert chats_in(first) >= {world.chat, world.group}
        again = sync(api, world.person, first[-1]["next"])
        assert [(page["chats"], page["reset"]) for page in again] == [([], False)]
        (nothing_new,) = sync(api, world.other, old)
        assert (nothing_new["chats"], nothing_new["reset"]) == ([], False)
    assert eventually(lambda: write(api, world)[0] == 201)

    after = sync(api, world.person, again[-1]["next"])
    assert (after[0]["reset"], chats_in(after)) == (True, chats_in(first))
    (moved,) = sync(api, world.other, nothing_new["next"], limit=10)
    assert (chats_in([moved]), moved["reset"]) == ({world.chat}, False)


def test_an_open_socket_reads_on(store: ValkeyEngine, api: Api, world: World) -> None:
    """Frames that read are answered, one that writes gets store_full, and typing reaches the other."""
    net = Net(Target("gateway", api.url), people_of(api))
    with contextlib.closing(net):
        device, other = net.device(world.person), net.device(world.other)
        with full_disk(store):
            assert device.ask("ping")["type"] == "pong"
            assert device.ask("pull", chat=world.chat)["messages"]
            assert device.ask("send", chat=world.chat, text="more", id="1")["code"] == "store_full"
            device.say("typing", chat=world.chat, on=True)
            assert other.expect("typing")["user"] == world.person.handle
        assert eventually(lambda: write(api, world)[0] == 201)
        assert device.ask("send", chat=world.chat, text="more", id="1")["type"] == "ack"
