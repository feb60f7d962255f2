"""The archive of a user's data, on every kind of store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.errors import BadRequest, NotAuthenticated
from chalicelib.schemas.export import Since
from chalicelib.schemas.messages import SendRequest
from chalicelib.schemas.users import ProfileChanges
from chalicelib.services.export.archive import ENTRIES, POSTS, SCHEDULED
from chalicelib.services.values.times import rfc3339
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Account
from chalicelib.store.accounts.sessions import Details
from chalicelib.store.messages.scheduled import ScheduledBody, ScheduledMessage, ScheduledMessages
from chalicelib.store.redis.client import Store
from tests.store.account_services import Village
from tests.store.log_records import RawClient

MAX_BYTES = 4 * 1024 * 1024
LISTS = ("following", "followers", "blocked", "posts", "timeline", "scheduled")
WORST = "\x01" * 4096
"""A post whose JSON is the longest."""


@pytest.fixture
def village(store: Store) -> Village:
    """People on the store under test, alice among them."""
    village = Village(store)
    assert village.store.run(
        village.accounts.create(Account(handle="alice", name="Alice", password="secret-hash"))
    )
    return village


def page(village: Village, cursor: str | None) -> Any:
    """Return a page of alice's archive as a client reads it."""
    return msgspec.json.decode(msgspec.json.encode(village.exports.page("alice", cursor)))


def archive(village: Village) -> tuple[dict[str, Any], list[int]]:
    """Read all pages of alice's archive; returns them as one, and the bytes of each."""
    whole: dict[str, Any] = {}
    sizes, cursor = [], None
    while True:
        raw = msgspec.json.encode(village.exports.page("alice", cursor))
        sizes.append(len(raw))
        page = msgspec.json.decode(raw)
        for name, value in page.items():
            whole[name] = whole.get(name, []) + value if isinstance(value, list) else value
        if (cursor := page["next"]) is None:
            return whole, sizes


def test_small_archive_is_one_page(village: Village) -> None:
    """An archive has the profile with the email, the ways to sign in, the sessions, and every list."""
    village.settle("bob", "Bob", "bob@example.org")
    village.people.change("alice", ProfileChanges(bio="down", email="alice@example.org"))
    village.follow("alice", "bob")
    village.follow("bob", "alice")
    village.store.run(village.blocks.block("alice", "eve"))
    first = village.store.run(village.posts.add("alice", "first"))
    village.store.run(village.posts.add("alice", "second"))
    village.store.run(village.timelines.put(["alice"], "bob", [17]))
    village.store.run(village.sessions.add("alice", "secret-hash", b"d" * 32, Details("192.0.2.1", "agent")))
    whole, sizes = archive(village)

    assert len(sizes) == 1
    assert (whole["handle"], whole["profile"]["email"]) == ("alice", "alice@example.org")
    assert whole["sign_in"] == {"password": True, "outside_identity": False, "imported_from": None}
    assert [(one["address"], one["agent"]) for one in whole["sessions"]] == [("192.0.2.1", "agent")]
    assert [one["handle"] for name in LISTS[:3] for one in whole[name]] == ["bob", "bob", "eve"]
    assert [post["text"] for post in whole["posts"]] == ["second", "first"]
    assert whole["posts"][1]["id"] == str(first)
    assert whole["timeline"] == [{"author": "bob", "post": "17"}]


def test_no_secrets_and_nothing_of_others(village: Village) -> None:
    """An archive has no hash or digest, and of other users only their identity."""
    village.settle("bob", "Robert", "bob@example.org")
    village.follow("alice", "bob")
    village.store.run(village.sessions.add("alice", "secret-hash", b"d" * 32, Details("192.0.2.1", "agent")))
    raw = msgspec.json.encode(village.exports.page("alice", None)).decode()

    for private in ("secret-hash", (b"d" * 32).hex(), "Robert", "bob@example.org"):
        assert private not in raw


@pytest.mark.parametrize("count", [0, 1, ENTRIES - 1, ENTRIES, ENTRIES + 1, 2 * ENTRIES])
def test_lists_of_many(village: Village, raw: RawClient, count: int) -> None:
    """Lists of any length are complete and in order, also with equal times."""
    names = [f"fan{number:04d}" for number in range(count)]
    for key in (keys.following, keys.followers, keys.blocked):
        if names:
            raw.zadd(key("alice"), {name: place // 3 for place, name in enumerate(names)})
    whole, _ = archive(village)

    expected = [msgspec.to_builtins(Since(name, rfc3339(place // 3))) for place, name in enumerate(names)]
    assert all(whole[name] == expected[::-1] for name in ("following", "followers", "blocked"))


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_an_archive_has_all_scheduled_messages(village: Village) -> None:
    """Scheduled messages are in the archive once each, the earliest first, however many and long they are."""
    for number in range(SCHEDULED + 1):
        body = ScheduledBody("alice:bob", 1, SendRequest("\x01" * 16_000 + f"{number}"), b"")
        message = ScheduledMessage(f"{number:032x}", SCHEDULED - number, True, body)
        assert village.store.run(ScheduledMessages().add("alice", message))[1] == message
    whole, sizes = archive(village)

    assert [int(one["id"], 16) for one in whole["scheduled"]] == [*range(SCHEDULED, -1, -1)]
    assert {one["chat"] for one in whole["scheduled"]} == {"alice:bob"}
    assert max(sizes) < MAX_BYTES


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_pages_are_bounded(village: Village, raw: RawClient) -> None:
    """A page stays below 4 MiB, however large the posts and however many sessions and names."""
    count = 3 * POSTS + 1
    for number in range(count):
        assert village.store.run(village.posts.add("alice", WORST[:-3] + f"{number:03d}"))
    fans = {f"{'f' * 27}{number:05d}": number for number in range(20_000)}
    raw.zadd(keys.followers("alice"), fans)
    for number in range(100):
        village.store.run(
            village.sessions.add(
                "alice", "secret-hash", bytes([number]) * 32, Details("192.0.2.1", "\x01" * 256)
            )
        )
    whole, sizes = archive(village)

    assert max(sizes) < MAX_BYTES
    assert len(sizes) > 3
    assert [int(post["text"][-3:]) for post in whole["posts"]] == list(range(count))[::-1]
    assert [fan["handle"] for fan in whole["followers"]] == list(fans)[::-1]
    assert len(whole["sessions"]) == 100


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_what_goes_between_pages_takes_nothing_along(village: Village, raw: RawClient) -> None:
    """A follower who leaves between two pages hides no other follower."""
    names = [f"{'f' * 27}{number:05d}" for number in range(20_000)]
    raw.zadd(keys.followers("alice"), {name: place for place, name in enumerate(names)})
    first = page(village, None)
    raw.zrem(keys.followers("alice"), *(one["handle"] for one in first["followers"]))
    second = page(village, first["next"])

    read = [one["handle"] for one in (*first["followers"], *second["followers"])]
    assert read == names[::-1][: len(read)]
    assert len(read) > len(first["followers"])


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize(
    "cursor",
    ["", "x", "posts.", "posts.x.y", "posts.1", "posts.1.", "posts.-1.a", "posts." + "9" * 17 + ".a"],
)
def test_foreign_cursor_is_refused(village: Village, cursor: str) -> None:
    """A cursor that no page returned is refused."""
    with pytest.raises(BadRequest, match="cursor: "):
        village.exports.page("alice", cursor)


def test_deleted_user_has_no_archive(village: Village) -> None:
    """A deleted user has no archive."""
    village.store.run(village.accounts.delete("alice"))
    with pytest.raises(NotAuthenticated):
        village.exports.page("alice", None)
