"""The sync, through the app, on every kind of store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from chalicelib.services.inbox.sync_token import SYNC_TOKEN
from chalicelib.store import keys
from chalicelib.store.inbox.index import MAX_LINEAGES
from tests.store.account_records import DAY
from tests.store.app_requests import Answer
from tests.store.log_records import RawClient
from tests.store.syncing_client import MAX_PAGES, Client, asked

pytestmark = pytest.mark.usefixtures("app_on_engine")
MAX_BYTES = 256 * 1024
MANY = 1000
MONTH = 30 * DAY


def send(user: str, chat: str, text: str = "hello") -> None:
    """Send a message."""
    answer = asked("POST", f"/v1/chats/{quote(chat)}/messages", user, {"text": text})
    assert answer.status == 201, answer


def group(maker: str, *members: str, **fields: Any) -> str:
    """Make a group."""
    body = {"kind": "group", "name": "tea", "members": list(members), **fields}
    answer = asked("POST", "/v1/chats", maker, body)
    assert answer.status == 201, answer
    return str(answer.body["chat"])


def done(answer: Answer) -> None:
    """Make a call that must succeed."""
    assert answer.status < 300, answer


def page(user: str, token: str | None = None, limit: int = 50) -> dict[str, Any]:
    """Read one page of a sync."""
    since = "" if token is None else f"&since={token}"
    answer = asked("GET", "/v1/sync", user, query=f"limit={limit}{since}")
    assert answer.status == 200, answer
    assert len(answer.body["chats"]) <= limit
    body: dict[str, Any] = answer.body
    return body


def states_of(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the chats on a page of a sync, with their states."""
    return [(one["chat"], one["state"]) for one in body["chats"]]


def aged(raw: RawClient, user: str, token: str, by: int) -> str:
    """Age a user's whole index; return a token made just then."""
    parsed = SYNC_TOKEN.decode(token, "since")
    for key in (keys.inbox(user), keys.lineages(user)):
        scores: Any = raw.zrange(key, 0, -1, withscores=True)
        raw.zadd(key, {member: score - by for member, score in scores})
    version: Any = raw.hget(keys.inbox_entries(user), "version")
    raw.hset(keys.inbox_entries(user), "version", int(version) - by)
    times = (max(time - by, 0) for time in (parsed.version, parsed.floor, parsed.at))
    version, floor, at = times
    return str(parsed._replace(version=version, floor=floor, at=at))


def test_first_sync_lists_all_chats_once() -> None:
    """A client without a token gets all its chats, and then nothing more."""
    send("ann", "ann:bob")
    chat = group("bob", "ann")
    first = page("ann")

    assert states_of(first) == [("ann:bob", "member"), (chat, "member")]
    assert (first["more"], first["reset"]) == (False, False)
    assert states_of(page("ann", first["next"])) == []


def test_nobody_has_chats() -> None:
    """A client without chats gets a token to continue from, too."""
    first = page("eve")
    assert (first["chats"], first["more"]) == ([], False)
    send("ann", "ann:eve")

    assert states_of(page("eve", first["next"])) == [("ann:eve", "member")]


def test_only_what_moved() -> None:
    """A later sync returns the chats that moved since, in order, each in its current state."""
    for other in ("bob", "cid", "dan"):
        send("ann", f"ann:{other}")
    token = page("ann")["next"]
    send("bob", "ann:bob", "first")
    send("ann", "ann:dan")
    send("bob", "ann:bob", "second")
    body = page("ann", token)

    assert states_of(body) == [("ann:dan", "member"), ("ann:bob", "member")]
    assert (body["chats"][1]["last"]["text"], body["chats"][1]["unread"]) == ("second", 2)


@pytest.mark.parametrize(
    "act",
    [
        lambda chat: asked("PUT", f"/v1/chats/{chat}/read", "bob", {"seq": 2}),
        lambda chat: asked("PATCH", f"/v1/chats/{chat}/flags", "bob", {"muted": True}),
        lambda chat: asked("PATCH", f"/v1/chats/{chat}", "ann", {"name": "coffee"}),
        lambda chat: asked("PATCH", f"/v1/chats/{chat}/members/bob", "ann", {"role": "admin"}),
        lambda chat: asked("PUT", f"/v1/chats/{chat}/members/cid", "ann"),
    ],
    ids=["read", "flag", "name", "role", "member"],
)
@pytest.mark.parametrize("large", [100, 1])
def test_whatever_a_row_shows(
    act: Callable[[str], Answer], large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes made elsewhere come by sync: the user's own marks and flags, names, roles, members."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", str(large))
    chat = group("ann", "bob")
    send("ann", chat)
    before = page("bob")
    done(act(chat))
    after = page("bob", before["next"])

    assert states_of(after) == [(chat, "member")]
    assert after["chats"][0] != before["chats"][0]
    assert page("bob", after["next"])["chats"] == []


@pytest.mark.long
def test_old_token_syncs_many_chats_in_bounded_pages(raw: RawClient) -> None:
    """A token of a month ago syncs 1,000 chats in bounded pages, without gap or duplicate."""
    send("ann", "ann:bob")
    before = page("ann")
    token = aged(raw, "ann", before["next"], MONTH)
    names = [f"ann:n{number:03}-" + "\U0001f642" * 58 for number in range(MANY)]
    for chat in names:
        send("ann", chat, "\x01\U0001f642" * 128)

    found: list[str] = []
    pages = 0
    more = True
    while more:
        body = page("ann", token, 100)
        assert len(msgspec.json.encode(body)) < MAX_BYTES
        assert not body["reset"]
        found += [one["chat"] for one in body["chats"]]
        token, more, pages = body["next"], body["more"], pages + 1
    assert found == names
    assert pages < MAX_PAGES


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_large_chat_syncs_only_when_it_changed(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large chat is in a sync only if it differs from the client's state, with pages of any size."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", "1")
    large = [group("ann", "bob") for _ in range(5)]
    client = Client("bob")
    assert sorted(client.sync(limit)) == sorted(large)
    assert client.sync(limit) == []

    send("ann", large[3])
    send("ann", large[1])
    assert sorted(client.sync(limit)) == sorted([large[1], large[3]])
    assert client.rows[large[1]]["unread"] == 1
    assert client.sync(limit) == []


def begun(user: str, count: int) -> tuple[list[str], dict[str, Any]]:
    """Make groups, and read the first page of a sync, which has all but two of them."""
    made = [group("ann", user, join="open") for _ in range(count)]
    return made, page(user, limit=count - 2)


@pytest.mark.parametrize("place", [0, 4], ids=["told", "not told yet"])
def test_a_chat_becomes_large_between_pages(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chat that becomes large between two pages is returned once more, in its current state."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", "2")
    made, first = begun("bob", 5)
    done(asked("POST", f"/v1/chats/{made[place]}/join", "cid"))
    rest = page("bob", first["next"])

    assert set(states_of(rest)) == {(made[number], "member") for number in {3, 4, place}}
    assert len(rest["chats"]) == len({3, 4, place})
    assert rest["chats"][-1]["members"] == 3
    send("ann", made[place])
    assert states_of(page("bob", rest["next"])) == [(made[place], "member")]


@pytest.mark.parametrize("large", [100, 1])
@pytest.mark.parametrize("place", [0, 4], ids=["told", "not told yet"])
def test_a_chat_is_left_between_pages(place: int, large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chat that a user leaves between two pages is returned once, as left."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", str(large))
    made, first = begun("bob", 5)
    done(asked("POST", f"/v1/chats/{made[place]}/leave", "bob"))
    rest = page("bob", first["next"])

    known = dict(states_of(first)) | dict(states_of(rest))
    assert known == {chat: "left" if chat == made[place] else "member" for chat in made}
    assert len(rest["chats"]) == len(set(states_of(rest)))
    assert page("bob", rest["next"])["chats"] == []


@pytest.mark.parametrize("large", [100, 1])
def test_a_chat_is_joined_between_pages(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chat that a user joins between two pages is returned once."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", str(large))
    other = group("ann", join="open")
    made, first = begun("bob", 5)
    done(asked("POST", f"/v1/chats/{other}/join", "bob"))
    rest = page("bob", first["next"])

    both = states_of(first) + states_of(rest)
    assert sorted(both) == sorted((chat, "member") for chat in [*made, other])
    assert page("bob", rest["next"])["chats"] == []


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (lambda chat: asked("POST", f"/v1/chats/{chat}/leave", "bob"), "left"),
        (lambda chat: asked("DELETE", f"/v1/chats/{chat}/members/bob", "ann"), "left"),
        (lambda chat: asked("PUT", f"/v1/chats/{chat}/banned/bob", "ann"), "banned"),
        (lambda chat: asked("DELETE", f"/v1/chats/{chat}", "ann"), "left"),
    ],
    ids=["leave", "remove", "ban", "delete"],
)
@pytest.mark.parametrize("large", [100, 1])
def test_ended_chat_is_reported_once_to_clients_that_knew_it(
    end: Callable[[str], Answer], state: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chat's end is reported once to a client that knew it, and never to one that did not."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", str(large))
    chat = group("ann", "bob")
    token = page("bob")["next"]
    done(end(chat))
    body = page("bob", token)

    assert states_of(body) == [(chat, state)]
    assert page("bob", body["next"])["chats"] == []
    assert page("bob")["chats"] == []


def test_a_direct_chat_that_was_left_comes_back() -> None:
    """A direct chat that a user left is returned as left; a message brings it back, without earlier ones."""
    send("bob", "ann:bob", "before")
    token = page("ann")["next"]
    done(asked("POST", "/v1/chats/ann:bob/leave", "ann"))
    left = page("ann", token)
    assert states_of(left) == [("ann:bob", "left")]
    assert left["chats"][0]["last"] is None

    send("bob", "ann:bob", "after")
    back = page("ann", left["next"])["chats"][0]
    assert (back["state"], back["unread"], back["last"]["text"]) == ("member", 1, "after")


def test_token_of_an_unknown_lineage_resets_the_client(raw: RawClient) -> None:
    """A token that the user's index does not know gets a reset and the first page of all chats."""
    send("ann", "ann:bob")
    token = page("ann")["next"]
    raw.delete(keys.lineages("ann"))
    body = page("ann", token)

    assert (body["reset"], states_of(body)) == (True, [("ann:bob", "member")])
    assert not page("ann", body["next"])["reset"]


def test_token_of_another_user_resets_the_client() -> None:
    """Another user's token gets a reset."""
    send("ann", "ann:bob")

    assert page("bob", page("ann")["next"])["reset"]


def test_a_token_from_the_future() -> None:
    """A token with a version that its client never received gets a reset."""
    send("ann", "ann:bob")
    token = SYNC_TOKEN.decode(page("ann")["next"], "since")

    assert page("ann", str(token._replace(version=token.version + 1)))["reset"]


@pytest.mark.parametrize("token", ["x", "AAAA", "%00", "A" * 60])
def test_malformed_token_is_a_400(token: str) -> None:
    """A malformed token is a 400."""
    answer = asked("GET", "/v1/sync", "ann", query=f"since={token}")

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "since")


def test_more_clients_than_are_remembered() -> None:
    """Of too many clients the one with the oldest version starts again, and none is stuck."""
    for other in ("bob", "cid", "dan"):
        send("ann", f"ann:{other}")
    oldest = page("ann")["next"]
    send("ann", "ann:bob")
    tokens = [page("ann")["next"] for _ in range(MAX_LINEAGES)]

    assert page("ann", oldest)["reset"]
    client = Client("ann")
    client.sync(1)
    assert client.resets == 0
    assert sum(page("ann", token)["reset"] for token in tokens) <= MAX_LINEAGES // 2


def test_an_epoch_is_another_after_a_loss(raw: RawClient) -> None:
    """A chat whose log was lost is returned again, with another epoch and cursor."""
    send("ann", "ann:bob")
    client = Client("ann")
    client.sync()
    before = client.rows["ann:bob"]
    raw.delete(keys.log("ann:bob"))
    send("bob", "ann:bob")
    client.sync()
    after = client.rows["ann:bob"]

    assert (before["seq"], after["seq"]) == (1, 1)
    assert before["epoch"] != after["epoch"]
    assert before["cursor"] != after["cursor"]
