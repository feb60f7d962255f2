"""Lost messages that a client had been pushed, or had acknowledged: the next sync reports them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from chalicelib.schemas.history_check import MAX_CHECKED
from tests.store.app_requests import Answer
from tests.store.log_records import RawClient
from tests.store.lost_writes import Moment
from tests.store.syncing_client import asked

pytestmark = pytest.mark.usefixtures("app_on_engine")
LONG_AGO = "1.1700000000000000.1700000000000000"


def send(user: str, chat: str, text: str = "hello") -> None:
    """Send a message."""
    answer = asked("POST", f"/v1/chats/{quote(chat)}/messages", user, {"text": text})
    assert answer.status == 201, answer


def newest(user: str, chat: str) -> str:
    """Return the cursor of the newest message of a chat."""
    return str(asked("GET", f"/v1/chats/{quote(chat)}/messages", user, query="limit=1").body["next"])


def group(maker: str, *members: str, **fields: Any) -> str:
    """Make a group."""
    body = {"kind": "group", "name": "tea", "members": list(members), **fields}
    answer = asked("POST", "/v1/chats", maker, body)
    assert answer.status == 201, answer
    return str(answer.body["chat"])


def synced(user: str, *check: tuple[str, str], **fields: Any) -> Answer:
    """Sync with cursors of chats to check."""
    held = [{"chat": chat, "cursor": cursor} for chat, cursor in check]
    return asked("POST", "/v1/sync", user, {"check": held, **fields})


def lost(user: str, *check: tuple[str, str], **fields: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Sync; return the chats whose history changed, and those that cannot be read."""
    answer = synced(user, *check, **fields)
    assert answer.status == 200, answer
    return answer.body["history_changed"], answer.body["unreadable"]


def now(user: str, chat: str) -> dict[str, Any]:
    """Return the current state of a chat, as a sync reports it after lost messages."""
    row = asked("GET", f"/v1/chats/{quote(chat)}", user).body
    return {name: row[name] for name in ("chat", "epoch", "seq", "cursor")}


@pytest.mark.parametrize("again", [False, True], ids=["", "number taken again"])
@pytest.mark.parametrize("large", ["100", "1"], ids=["small", "large"])
def test_pushed_message_that_the_store_lost(
    raw: RawClient, monkeypatch: pytest.MonkeyPatch, again: bool, large: str
) -> None:
    """A pushed message that was lost after the last sync is reported by the next one, if asked."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", large)
    chats = ["ann:bob", group("bob", "ann")]
    for chat in chats:
        send("bob", chat)
    token = asked("GET", "/v1/sync", "ann").body["next"]
    moment = Moment(raw)
    for chat in chats:
        send("bob", chat, "phantom")
    held = [(chat, newest("ann", chat)) for chat in chats]
    assert lost("ann", *held, since=token) == ([], [])
    moment.set_back(b"")
    if again:
        for chat in chats:
            send("bob", chat, "another")

    unasked = asked("GET", "/v1/sync", "ann", query=f"since={token}").body
    assert (len(unasked["chats"]) > 0, unasked["reset"]) == (again, False)
    assert lost("ann", *held, since=token) == ([now("ann", chat) for chat in chats], [])


def test_chat_that_the_store_lost(raw: RawClient) -> None:
    """A group and a direct chat that began after the last sync and were lost are reported."""
    token = asked("GET", "/v1/sync", "ann").body["next"]
    moment = Moment(raw)
    made = group("bob", "ann")
    send("bob", "ann:bob")
    held = [(chat, newest("ann", chat)) for chat in (made, "ann:bob")]
    moment.set_back(b"")

    empty = {"chat": "ann:bob", "epoch": 0, "seq": 0, "cursor": "0"}
    assert lost("ann", *held, since=token) == ([empty], [made])


def test_what_is_not_lost() -> None:
    """Trimmed, cleared and left messages are not reported as lost, nor those missed by a returning reader."""
    open_group = group("bob", "ann", join="open")
    held = [(open_group, newest("ann", open_group))]
    asked("POST", f"/v1/chats/{open_group}/leave", "ann")
    held.append((open_group, newest("ann", open_group)))
    assert lost("ann", *held) == ([], [])
    send("bob", open_group)
    asked("POST", f"/v1/chats/{open_group}/join", "ann")
    send("ann", "ann:bob")
    held.append(("ann:bob", newest("ann", "ann:bob")))
    asked("POST", "/v1/chats/ann:bob/leave", "ann")

    assert lost("ann", *held) == ([], [])


def test_trimmed_message_is_not_reported_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that was trimmed is not reported as lost."""
    monkeypatch.setenv("PARLEY_KEEP_MESSAGES", "2")
    send("ann", "ann:bob")
    held = ("ann:bob", newest("ann", "ann:bob"))
    for _ in range(4):
        send("ann", "ann:bob")

    assert lost("ann", held) == ([], [])


def test_spellings_of_one_chat() -> None:
    """A direct chat in either order and case, and notes to oneself, are found; each chat is named once."""
    send("ann", "ann:bob")
    send("ann", "ann:ann")
    cursors = {chat: newest("ann", chat) for chat in ("ann:bob", "ann:ann")}
    spelt = [(chat, cursors["ann:bob"]) for chat in ("ann:bob", "bob:ann", "BOB:Ann")]
    assert lost("ann", *spelt, ("ANN:ann", cursors["ann:ann"])) == ([], [])

    forged = [(chat, cursor.replace(".", "7.", 1)) for chat, cursor in [*spelt, ("Ann:aNN", LONG_AGO)]]
    changed, unreadable = lost("ann", *forged, *spelt)
    assert (changed, unreadable) == ([now("ann", "ann:bob"), now("ann", "ann:ann")], [])


def test_room_in_another_case() -> None:
    """A room and a group are found in any case, and named by their canonical ids."""
    asked("POST", "/v1/chats", "ann", {"kind": "room", "id": "Lobby", "name": "Lobby"})
    made = group("ann")
    held = [(chat.upper(), newest("ann", chat)) for chat in ("r-lobby", made)]
    assert lost("ann", *held) == ([], [])

    changed, _ = lost("ann", *((chat, LONG_AGO) for chat, _ in held))
    assert changed == [now("ann", "r-lobby"), now("ann", made)]


def test_chats_of_others() -> None:
    """A chat that the caller may not read is answered like a missing one, with or without the message."""
    made, room = group("bob", "cid"), group("bob", "ann", join="open")
    send("bob", "bob:cid")
    held = [(chat, newest("bob", chat)) for chat in (made, "bob:cid", room)]
    asked("PUT", f"/v1/chats/{room}/banned/ann", "bob")
    nowhere = ["g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10", "r-nowhere", "r-$", "g-no", "nobody:cid"]
    asking = [*held, *((chat, LONG_AGO) for chat in (*nowhere, made))]

    changed, unreadable = lost("ann", *asking)
    assert changed == []
    assert sorted(unreadable) == sorted({chat for chat, _ in asking})


@pytest.mark.parametrize(
    "cursor", ["", "1", "0", "1.2", "1.2.x", "-1.2.3", "1.2.3.4", "1.2.3 ", "\u0661.2.3", "9" * 16 + ".2.3"]
)
def test_malformed_cursor_is_400_with_place_and_chat(cursor: str) -> None:
    """A cursor that is invalid or can't be checked is a 400 with its index and its chat."""
    answer = synced("ann", ("ann:bob", LONG_AGO), ("ann:cid", cursor))

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "check[1].cursor")
    assert "ann:cid" in answer.body["detail"]


@pytest.mark.parametrize("chat", ["", "ann", ":", "a:b:c", "ann:\n", "\u202e:ann"])
def test_malformed_chat_is_400_with_its_place(chat: str) -> None:
    """An invalid chat id is a 400 with its index."""
    answer = synced("ann", (chat, LONG_AGO))

    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "check[0].chat")


def test_cursors_beyond_the_maximum_are_refused() -> None:
    """The maximum number of chats is checked; one more is a 400, and so are 10,000."""
    many = [(f"ann:n{number}", LONG_AGO) for number in range(10_000)]
    changed, unreadable = lost("ann", *many[:MAX_CHECKED])

    assert ([one["chat"] for one in changed], unreadable) == ([chat for chat, _ in many[:MAX_CHECKED]], [])
    for count in (MAX_CHECKED + 1, 3_000):
        answer = synced("ann", *many[:count])
        assert (answer.status, answer.body["errors"][0]["field"]) == (400, "check")
    assert synced("ann", *many).status == 413


def test_answer_is_bounded() -> None:
    """The longest answer to a check, with the longest rows, is below the 256 KiB limit of answers."""
    names = [f"n{number:03}-" + "\U0001f642" * 59 for number in range(MAX_CHECKED)]
    for name in names:
        send("ann", f"ann:{name}", "\x01\U0001f642" * 128)
    answer = synced("ann", *((f"ann:{name}", LONG_AGO) for name in names), limit=100)

    assert len(answer.body["history_changed"]) == MAX_CHECKED
    assert len(msgspec.json.encode(answer.body)) < 256 * 1024
    assert answer.body["more"]
