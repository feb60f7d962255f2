"""Round trips of an inbox, a sync and a read mark, with the authentication of the token."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import services
from chalicelib.services.auth import account_status
from chalicelib.services.inbox.sync_token import SYNC_TOKEN, SyncToken
from chalicelib.services.values.tokens import digest_of
from tests.store.account_records import HOUR, clock, write_account, write_session
from tests.store.app_requests import Answer, call
from tests.store.closed_app import BAD, CLOSED, TOKEN, WITH_TOKEN
from tests.store.counted_round_trips import RoundTrips
from tests.store.log_records import RawClient

PEOPLE = ("bob", "cid", "dan")
AUTHENTICATE, WRITE, TELL = 1, 1, 1
INDEX = 1 + AUTHENTICATE
"""The first queries of an inbox page: the caller's authentication, and the index."""
INDEX_AND_KNOWN = 3 + AUTHENTICATE
"""The first queries of a sync: authentication, the moved chats, and their index entries."""
NOTE = 1
"""The write of the version that a sync has returned to its client."""


def cards(*chats: str) -> int:
    """Return the number of queries for the names of the users of direct chats."""
    users = dict.fromkeys(user for chat in chats if ":" in chat for user in chat.split(":"))
    return len(services.current()._store._grouping(users, 1))


def asked(method: str, path: str, query: str = "", body: Any = None) -> Answer:
    """Call as ann, with a token."""
    answer = call(method, path, query, body, **WITH_TOKEN)
    assert answer.status < 300, answer
    return answer


@pytest.fixture
def chat(app_on_engine: None, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """A group of ann's in a closed app, beside three direct chats; its store counts round trips."""
    for name, value in CLOSED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(account_status, "KEPT_SECONDS", 3600.0)
    now = clock(raw)
    for handle in ("ann", *PEOPLE):
        write_account(raw, handle)
    write_session(raw, "ann", digest_of(TOKEN), now, now, now + HOUR)
    made = asked("POST", "/v1/chats", body={"kind": "group", "name": "tea", "members": list(PEOPLE)})
    for other in PEOPLE:
        asked("POST", f"/v1/chats/ann:{other}/messages", body={"text": "hello"})
    return str(made.body["chat"])


@pytest.fixture
def round_trips(chat: str) -> RoundTrips:
    """The round trips from now on; every server has the needed scripts."""
    asked("GET", "/v1/chats", "limit=50")
    asked("GET", "/v1/sync")
    for path in (f"/v1/chats/{chat}", "/v1/chats/ann:bob"):
        asked("GET", f"{path}/receipts")
        asked("PUT", f"{path}/read", body={"seq": 1})
        asked("PATCH", f"{path}/flags", body={"pinned": True})
    asked("GET", f"/v1/chats/{chat}/changes")
    store = services.current()._store
    store._node = round_trips = RoundTrips(store._node)
    return round_trips


def test_inbox_page_takes_two_round_trips(round_trips: RoundTrips) -> None:
    """An inbox page takes two round trips: the caller and the index, then the chats."""
    first = asked("GET", "/v1/chats", "limit=2").body
    second = asked("GET", "/v1/chats", f"limit=2&cursor={first['next']}").body

    assert len(first["chats"]) == len(second["chats"]) == 2
    of_first, of_second = cards("ann:bob", "ann:cid", "ann:dan"), cards("ann:bob")
    assert round_trips.sizes == [INDEX, 3 + of_first, INDEX, 2 + of_second]


def test_sync_page_takes_two_round_trips(round_trips: RoundTrips) -> None:
    """Each sync page takes two round trips: the caller and the index, then the chats and the new position."""
    first = asked("GET", "/v1/sync", "limit=3").body
    assert round_trips.sizes == [INDEX_AND_KNOWN, NOTE + 3 + cards(*(row["chat"] for row in first["chats"]))]
    assert first["more"]
    round_trips.sizes.clear()
    (row,) = asked("GET", "/v1/sync", f"limit=3&since={first['next']}").body["chats"]

    again, new = 3, 1
    assert round_trips.sizes == [INDEX_AND_KNOWN, NOTE + new + again + cards(row["chat"])]


def test_sync_that_checks_what_is_held(round_trips: RoundTrips) -> None:
    """Cursors to check take one more round trip, and none if there are none."""
    check = [{"chat": f"ann:{other}", "cursor": "1.1.1"} for other in PEOPLE]
    token = asked("POST", "/v1/sync", body={"check": check}).body["next"]  # every node knows the script now
    round_trips.sizes.clear()
    asked("POST", "/v1/sync", body={"since": token})
    unchecked = round_trips.sizes.copy()
    round_trips.sizes.clear()
    body = asked("POST", "/v1/sync", body={"since": token, "check": check}).body

    assert len(body["history_changed"]) == len(PEOPLE)
    first, *rest = unchecked
    assert round_trips.sizes == [AUTHENTICATE + len(PEOPLE), first - AUTHENTICATE, *rest]


def test_sync_with_an_old_token(round_trips: RoundTrips) -> None:
    """Chats that moved long before the client's last sync are not read again."""
    token = SYNC_TOKEN.decode(asked("GET", "/v1/sync").body["next"], "since")
    round_trips.sizes.clear()
    asked("GET", "/v1/sync", f"since={token._replace(at=token.at + HOUR)}")

    assert round_trips.sizes == [INDEX_AND_KNOWN, NOTE]


def test_sync_that_begins_again(round_trips: RoundTrips) -> None:
    """A reset takes one more round trip, which found that the token is of no history."""
    asked("GET", "/v1/sync", f"since={SyncToken.first(0)}")

    chats = NOTE + 4 + cards(*(f"ann:{other}" for other in PEOPLE))
    assert round_trips.sizes == [INDEX_AND_KNOWN, INDEX_AND_KNOWN - AUTHENTICATE, chats]


@pytest.mark.parametrize("where", ["group", "ann:bob"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PUT", "read", {"seq": 2}), ("PATCH", "flags", {"muted": True, "unread": True})],
)
def test_read_mark_takes_three_round_trips(
    round_trips: RoundTrips, chat: str, where: str, method: str, path: str, body: dict[str, Any]
) -> None:
    """A read mark, or a flag, takes three round trips: the caller, the chat, the caller's index."""
    path = f"/v1/chats/{chat if where == 'group' else where}/{path}"
    if "seq" in body:
        asked("POST", path.replace("read", "messages"), body={"text": "another"})
        body = {"seq": 1}
        asked("PATCH", path.replace("read", "flags"), body={"unread": True})
        round_trips.sizes.clear()
    asked(method, path, body=body)

    assert round_trips.sizes == [AUTHENTICATE, WRITE, TELL]


def test_a_mark_that_does_not_rise(round_trips: RoundTrips) -> None:
    """A read mark that does not rise is not delivered."""
    asked("PUT", "/v1/chats/ann:bob/read", body={"seq": 1})

    assert round_trips.sizes == [AUTHENTICATE, WRITE]


def test_received_and_receipts(round_trips: RoundTrips) -> None:
    """A received mark takes two round trips and no delivery; receipts take one, with authentication.

    Another reads whom a block hides: whom the caller blocks, and whether the other blocks them.
    """
    asked("PUT", "/v1/chats/ann:bob/received", body={"seq": 1})
    asked("GET", "/v1/chats/ann:bob/receipts")

    assert round_trips.sizes == [AUTHENTICATE, WRITE, AUTHENTICATE + 1, 2]


def test_changes_page_takes_two_round_trips(round_trips: RoundTrips, chat: str) -> None:
    """Changes take two round trips: the caller and the changes, then the members' state."""
    asked("GET", f"/v1/chats/{chat}/changes")

    assert round_trips.sizes == [AUTHENTICATE + 1, 1]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/chats", None),
        ("GET", "/v1/chats?since=x", None),
        ("GET", "/v1/sync", None),
        ("GET", "/v1/sync?since=x", None),
        ("PUT", "/v1/chats/ann:bob/read", {"seq": 1}),
        ("PUT", "/v1/chats/bob:cid/read", {"seq": 1}),
        ("PATCH", "/v1/chats/ann:bob/flags", {"pinned": True}),
        ("GET", "/v1/chats/ann:bob/receipts", None),
        ("GET", "/v1/chats/ann:bob/changes", None),
    ],
)
def test_refused_token_takes_one_round_trip(
    round_trips: RoundTrips, method: str, path: str, body: Any
) -> None:
    """An invalid token takes one round trip, whatever else is wrong; nothing is written."""
    path, _, query = path.partition("?")
    answer = call(method, path, query, body, Authorization=BAD.format("ann"))

    assert (answer.status, len(round_trips.sizes)) == (401, 1)
