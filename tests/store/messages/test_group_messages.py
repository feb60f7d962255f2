"""Messages of groups, and of chats that were left, through the routes, on every kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.store import keys
from chalicelib.store.chats.info import Relation
from tests.store.account_records import write_tombstone
from tests.store.app_requests import Answer, call
from tests.store.chat_records import (
    FOR_EVER,
    GROUP,
    Held,
    outbox,
    write_group,
    write_member,
    write_other,
    write_reader,
)
from tests.store.log_records import CHAT, EPOCH, RawClient, element, entry, write, write_elements

ROOM = "r-lobby"
OF_GROUP = f"/v1/chats/{GROUP}/messages"
LEFT = {"type": "left", "users": []}
ADDED = {"type": "added", "users": ["cid", "dan"]}

pytestmark = [pytest.mark.usefixtures("app_on_engine"), pytest.mark.cluster_smoke]


def read(path: str, query: str = "", user: str = "ann") -> Answer:
    """Read a path by name."""
    return call("GET", path, query, X_Parley_User=user)


def seqs(answer: Answer) -> list[int]:
    """Return the seqs of a page."""
    return [one["seq"] for one in answer.body["messages"]]


@pytest.mark.parametrize("chat", [GROUP, ROOM])
def test_a_member_sends_and_reads(raw: RawClient, chat: str) -> None:
    """A message to a group or room is stored as sent, and read by the others."""
    write_group(raw, {"ann": 0, "bob": 0}, chat=chat)
    sent = call("POST", f"/v1/chats/{chat.upper()}/messages", body={"text": "hello", "id": "id-1"})

    assert (sent.status, sent.body["chat"], sent.body["seq"]) == (201, chat, 1)
    page = read(f"/v1/chats/{chat}/messages", user="bob").body
    assert page["messages"] == [{k: v for k, v in sent.body.items() if k != "duplicate"}]
    assert page["head"] == 1
    assert page["previous"] is None
    assert outbox(raw, chat).keys() == {f"m{chat}"}
    again = call("POST", f"/v1/chats/{chat}/messages", body={"text": "hello", "id": "id-1"})
    assert again.body == sent.body | {"duplicate": True}


@pytest.mark.parametrize(
    ("chat", "status", "code"),
    [
        (GROUP, 403, "not_a_member"),
        (ROOM, 404, "chat_not_found"),
        ("g-no-uuid", 404, "chat_not_found"),
        ("r-", 404, "chat_not_found"),
    ],
)
@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"text": "hello"})])
def test_non_member_neither_reads_nor_writes(
    raw: RawClient, chat: str, status: int, code: str, method: str, body: Any
) -> None:
    """A user who is no member can't read or write; an invalid group id is not found."""
    write_group(raw, {"bob": 0})
    answer = call(method, f"/v1/chats/{chat}/messages", body=body)

    assert (answer.status, answer.body["code"]) == (status, code)


def test_muted_member_reads_but_cannot_write(raw: RawClient) -> None:
    """A muted member can read, and the error of a send says until when."""
    write_group(raw, {"bob": 0})
    write_member(raw, "ann", 0, muted=FOR_EVER)
    answer = call("POST", OF_GROUP, body={"text": "hello"})

    assert (answer.status, answer.body["code"]) == (403, "muted")
    assert "until 2112-09-17T23:53:47Z" in answer.body["detail"]
    assert read(OF_GROUP).status == 200


def test_system_messages_have_an_event_and_a_sentence(raw: RawClient) -> None:
    """A `system` message has its event and a sentence for it; other messages have no event."""
    lines = [
        element(EPOCH + 1, "bob", "", None, "system", ADDED),
        element(EPOCH + 2, "cid", "", None, "system", LEFT),
        element(EPOCH + 3, "bob", "hello"),
    ]
    write_elements(raw, lines, chat=GROUP)
    write_group(raw, {"ann": 0})

    messages = read(OF_GROUP).body["messages"]
    assert [(one["kind"], one["text"]) for one in messages] == [
        ("system", "bob added cid and dan."),
        ("system", "cid left."),
        ("text", "hello"),
    ]
    assert messages[0]["event"] == ADDED
    assert messages[1]["event"] == {"type": "left"}
    assert "event" not in messages[2]
    assert read(OF_GROUP + "/1").body == messages[0]


def test_left_member_sees_nothing_after_their_leave(raw: RawClient) -> None:
    """A member who left reads up to their leave, in pages and singly, and sees no later number."""
    write(raw, [entry(seq) for seq in range(1, 10)], chat=GROUP)
    write_group(raw, {"bob": 0})
    write_other(raw, "ann", Relation.LEFT, 2, 6)

    page = read(OF_GROUP, "limit=3")
    assert (seqs(page), page.body["head"]) == ([4, 5, 6], 6)
    older = read(OF_GROUP, f"limit=3&before={page.body['previous']}")
    assert (seqs(older), older.body["previous"]) == ([3], None)
    assert seqs(read(OF_GROUP, f"after={page.body['next']}")) == []
    assert read(OF_GROUP + "/6").status == 200
    assert [read(f"{OF_GROUP}/{seq}").status for seq in (2, 7)] == [404, 404]
    later = f"7.{entry(7).time}.{EPOCH}"
    assert read(OF_GROUP, f"after={later}").status == 409


def test_page_names_senders_with_deleted_accounts(raw: RawClient) -> None:
    """A page of a group names its senders with deleted accounts."""
    write_elements(raw, [element(EPOCH + 1, "cid", "hello"), element(EPOCH + 2, "bob", "hi")], chat=GROUP)
    write_group(raw, {"ann": 0, "bob": 0})
    write_other(raw, "cid", Relation.DELETED, 0, 1)

    assert read(OF_GROUP).body["deleted_users"] == ["cid"]
    assert read(OF_GROUP, "after=1").body["deleted_users"] == []


def test_a_chat_of_two_that_was_left(raw: RawClient) -> None:
    """A user who left a direct chat reads later messages only, on legacy paths too; the other reads all."""
    write(raw, [entry(seq) for seq in range(1, 6)])
    write_reader(raw, "ann", CHAT, Held(0, 0, 3, EPOCH, 0))

    path = f"/v1/chats/{CHAT}/messages"
    assert seqs(read(path)) == [4, 5]
    assert seqs(read(path, "after=0&limit=1")) == [4]
    assert seqs(read(path, user="bob")) == [1, 2, 3, 4, 5]
    assert read(path + "/3").status == 404
    pulled = call("POST", "/api/pull", body={"chat": CHAT, "cursor": 0, "limit": 1}).body
    assert [one["text"] for one in pulled["messages"]] == ["text 4"]
    assert pulled["next_cursor"] == 4
    newest = call("POST", "/api/pull", body={"chat": CHAT, "reverse": True}).body
    assert [one["text"] for one in newest["messages"]] == ["text 5", "text 4"]
    assert newest["has_more"] is False


@pytest.mark.parametrize("path", ["/api/send", "/api/pull"])
def test_legacy_paths_refuse_groups(raw: RawClient, path: str) -> None:
    """The legacy send and pull take no groups."""
    write_group(raw, {"ann": 0})

    assert call("POST", path, body={"chat": GROUP, "sender": "ann", "text": "hello"}).status == 400
    assert not raw.exists(keys.log(GROUP))


def test_a_sender_without_account_any_more_in_a_chat_of_two(raw: RawClient) -> None:
    """The deleted other user of a direct chat is named, as before."""
    write(raw, [entry(1)])
    write_tombstone(raw, "ann")

    assert read(f"/v1/chats/{CHAT}/messages", user="bob").body["deleted_users"] == ["ann"]
