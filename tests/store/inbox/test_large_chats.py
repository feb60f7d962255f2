"""Users in many large chats: what a page reads stays the same, and nothing that moved is missed."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from chalicelib import services
from chalicelib.services.auth import account_status
from chalicelib.services.inbox import inbox, repair, sync
from chalicelib.services.inbox.sync_token import OLD_DIGEST_BYTES, OLD_HEAD, SYNC_TOKEN
from tests.store.counted_round_trips import RoundTrips
from tests.store.inbox.test_sync import group, page, send, states_of
from tests.store.log_records import RawClient
from tests.store.syncing_client import Client, asked, inbox_of

pytestmark = pytest.mark.usefixtures("app_on_engine", "few_checks")
CHECKS, MANY = 4, 23
LONGEST_TOKEN = 1024


@pytest.fixture
def few_checks(app_on_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a chat of two large; a page makes CHECKS checks and reads one chat again."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", "1")
    monkeypatch.setattr(account_status, "KEPT_SECONDS", 3600.0)
    for module in (inbox, sync):
        monkeypatch.setattr(module, "MAX_CHECKED", CHECKS)
    monkeypatch.setattr(repair, "MAX_COMPARED_AGAIN", 1)
    services.current.cache_clear()


def groups(count: int) -> list[str]:
    """Make large groups with bob."""
    return [group("ann", "bob") for _ in range(count)]


def counted() -> RoundTrips:
    """Return the queries of each round trip from now on."""
    store = services.current()._store
    store._node = round_trips = RoundTrips(store._node)
    return round_trips


def round_of(token: str | None, limit: int = 50) -> tuple[list[tuple[str, str]], str, int]:
    """Sync to the end; return the reported chats, the last token, and the number of pages."""
    found: list[tuple[str, str]] = []
    pages, more = 0, True
    while more:
        body = page("bob", token, limit)
        found += states_of(body)
        token, more, pages = body["next"], body["more"], pages + 1
        assert len(str(token)) < LONGEST_TOKEN
    return found, str(token), pages


def test_a_sync_checks_few_large_chats_on_a_page() -> None:
    """A page makes CHECKS checks, however many large chats there are; a whole sync reports each once."""
    made = groups(MANY)
    round_trips = counted()
    found, token, pages = round_of(None, MANY)

    assert sorted(chat for chat, _ in found) == sorted(made)
    assert pages <= MANY // CHECKS + 2
    round_trips.sizes.clear()
    assert round_of(token)[0] == []
    assert max(round_trips.sizes) <= CHECKS + 2


def test_sync_reports_every_large_chat_that_moved() -> None:
    """A sync reports messages in large chats, early or late in the order, and nothing else."""
    made = groups(MANY)
    client = Client("bob")
    client.sync(50)
    for chat in (made[0], made[11], made[-1]):
        send("ann", chat)

    assert sorted(client.sync(50)) == sorted([made[0], made[11], made[-1]])
    assert client.sync(50) == []


def test_sync_of_one_device_informs_the_other() -> None:
    """Chats that one device's sync has found reach the other device, though it checks less."""
    made = groups(9)
    devices = [Client("bob"), Client("bob")]
    for device in devices:
        device.sync(50)
    send("ann", made[4])

    assert [device.sync(50) for device in devices] == [[made[4]], [made[4]]]
    assert [device.sync(50) for device in devices] == [[], []]


def test_an_inbox_checks_few_large_chats() -> None:
    """The first page of an inbox makes CHECKS checks, further pages none."""
    groups(MANY)
    round_trips = counted()
    first = asked("GET", "/v1/chats", "bob", query="limit=1").body
    assert max(round_trips.sizes) <= CHECKS + 2
    round_trips.sizes.clear()
    asked("GET", "/v1/chats", "bob", query=f"limit=1&cursor={first['next']}")
    assert round_trips.sizes == [1, 2]


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_an_inbox_of_many_large_chats_is_whole(limit: int) -> None:
    """Pages of any size list each chat once, whatever has been checked."""
    made = [*groups(MANY), "ann:bob"]
    send("ann", "ann:bob")
    send("ann", made[3])

    found = [row["chat"] for row in inbox_of("bob", limit)]
    assert (len(found), sorted(found)) == (len(made), sorted(made))


def test_a_message_brings_a_large_chat_up_in_the_end() -> None:
    """After enough reads to check all chats, a chat with a new message is the first."""
    made = groups(MANY)
    inbox_of("bob", 50)
    send("ann", made[9])
    tops = [
        asked("GET", "/v1/chats", "bob", query="limit=1").body["chats"][0] for _ in range(MANY // CHECKS + 1)
    ]

    assert tops[-1]["chat"] == made[9]
    assert tops[-1]["unread"] == 1


def test_few_large_chats_are_always_in_order() -> None:
    """The order is exact while a page can check all large chats."""
    made = groups(CHECKS)
    for chat in (made[2], made[0], made[3], made[1]):
        send("ann", chat)
        assert asked("GET", "/v1/chats", "bob", query="limit=1").body["chats"][0]["chat"] == chat
    assert [row["chat"] for row in inbox_of("bob", 2)] == [made[1], made[3], made[0], made[2]]


def old_format(token: str) -> str:
    """Return a token of earlier servers, with a digest for each of 40 large chats."""
    parsed = SYNC_TOKEN.decode(token, "since")
    head = OLD_HEAD.pack(1, parsed.version, bytes.fromhex(parsed.lineage), parsed.floor, parsed.at)
    return urlsafe_b64encode(head + b"x" * OLD_DIGEST_BYTES * 40).rstrip(b"=").decode()


def test_a_token_of_an_earlier_server_goes_on(raw: RawClient) -> None:
    """A token of earlier servers needs no reset, and the next one has the new format."""
    made = groups(2)
    _, token, _ = round_of(None)
    send("ann", made[0])
    body = page("bob", old_format(token))

    assert (states_of(body), body["reset"]) == ([(made[0], "member")], False)
    assert urlsafe_b64decode(body["next"] + "=")[0] == 2


def test_a_token_that_names_another_round_only_checks_more_or_less() -> None:
    """A token of an unknown round is accepted, and the next sync reports the moved chats."""
    made = groups(MANY)
    _, token, _ = round_of(None)
    send("ann", made[5])
    for began in (2, 2**53 - 1):
        forged = str(SYNC_TOKEN.decode(token, "since")._replace(began=began))
        found, after, pages = round_of(forged)
        assert pages <= MANY // CHECKS + 2
        assert [*found, *round_of(after)[0]] == [(made[5], "member")]
