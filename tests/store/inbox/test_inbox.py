"""The inbox, read marks, flags, receipts and changes, through the app, on every kind of store."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.store.app_requests import Answer
from tests.store.syncing_client import asked, inbox_of

pytestmark = [pytest.mark.usefixtures("app_on_engine"), pytest.mark.cluster_smoke]
FLAGS = ("marked_unread", "pinned", "muted", "archived")


def send(user: str, chat: str, text: str = "hello") -> dict[str, Any]:
    """Send a message."""
    answer = asked("POST", f"/v1/chats/{chat}/messages", user, {"text": text})
    assert answer.status == 201, answer
    sent: dict[str, Any] = answer.body
    return sent


def group(maker: str, *members: str, **fields: Any) -> str:
    """Make a group."""
    body = {"kind": "group", "name": "tea", "members": list(members), **fields}
    answer = asked("POST", "/v1/chats", maker, body)
    assert answer.status == 201, answer
    return str(answer.body["chat"])


def row(user: str, chat: str) -> dict[str, Any]:
    """Return a user's inbox row of a chat."""
    return next(one for one in inbox_of(user, 50) if one["chat"] == chat)


def chats(user: str, query: str = "") -> list[str]:
    """Return the chats on the first page of an inbox."""
    return [one["chat"] for one in asked("GET", "/v1/chats", user, query=query).body["chats"]]


def marked(what: str, user: str, chat: str, **body: Any) -> Answer:
    """Set a read mark."""
    return asked("PUT", f"/v1/chats/{chat}/{what}", user, body)


def cursor_of(user: str, chat: str, seq: int) -> str:
    """Return the cursor of a message."""
    page = asked("GET", f"/v1/chats/{chat}/messages", user, query=f"after={seq - 1}&limit=1")
    return str(page.body["next"])


def test_direct_chat_row_shows_each_users_view() -> None:
    """A direct chat's row is complete, and shows each of the two users their own view."""
    sent = send("ann", "ann:bob")
    page = asked("GET", f"/v1/chats/{sent['chat']}/messages", "ann").body

    assert asked("GET", "/v1/chats", "bob").body == {
        "chats": [
            {
                "chat": "ann:bob",
                "kind": "direct",
                "state": "member",
                "role": None,
                "muted_until": None,
                "name": None,
                "avatar": None,
                "members": None,
                "requests": None,
                "users": [
                    {"handle": "ann", "name": "", "avatar": None},
                    {"handle": "bob", "name": "", "avatar": None},
                ],
                "epoch": page["epoch"],
                "base": 0,
                "seq": 1,
                "cursor": page["next"],
                "change": None,
                "read": 0,
                "received": 0,
                "unread": 1,
                "mentions": 0,
                "marked_unread": False,
                "pinned": False,
                "muted": False,
                "archived": False,
                "active_at": sent["sent_at"],
                "last": {
                    "seq": 1,
                    "sender": "ann",
                    "kind": "text",
                    "text": "hello",
                    "cut": False,
                    "sent_at": sent["sent_at"],
                },
            }
        ],
        "next": None,
    }
    own = row("ann", "ann:bob")
    assert (own["unread"], own["read"]) == (0, 1)


def test_group_row_shows_name_role_size_and_change() -> None:
    """A group's row has its name, the user's role, the number of members, and its last change."""
    chat = group("ann", "bob", avatar="0195a1c2")
    shown = row("bob", chat)

    assert (shown["kind"], shown["state"], shown["role"]) == ("group", "member", "member")
    assert (shown["name"], shown["avatar"], shown["members"]) == ("tea", "0195a1c2", 2)
    assert shown["change"] == shown["cursor"] == cursor_of("bob", chat, 1)
    assert shown["unread"] == 0
    assert shown["last"]["event"]["type"] == "created"
    assert shown["last"]["text"] == "ann made this chat."


def test_order_and_pages() -> None:
    """The chat with the latest activity comes first; pages of any size have each chat once."""
    names = [f"ann:x{number}" for number in range(7)]
    for chat in names:
        send("ann", chat)
    send("ann", "ann:x3")
    wanted = ["ann:x3", *(chat for chat in names[::-1] if chat != "ann:x3")]

    for limit in (1, 2, 3, 7, 50):
        assert [one["chat"] for one in inbox_of("ann", limit)] == wanted


def test_inbox_since_a_time_shows_later_activity_only() -> None:
    """With a time, the inbox shows only chats with later activity."""
    for chat in ("ann:x1", "ann:x2", "ann:x3"):
        send("ann", chat)
    second = row("ann", "ann:x2")["active_at"]

    assert chats("ann", f"since={quote(second)}") == ["ann:x3"]
    assert chats("ann", "since=2100-01-01T00:00:00Z") == []
    assert asked("GET", "/v1/chats", "ann", query="since=yesterday").status == 400


def test_large_chats_take_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large chats, which write no inboxes, are sorted among the others by their last message."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", "2")
    large = [group("ann", "bob", "cid") for _ in range(3)]
    for chat in ("ann:bob", large[0], "ann:cid", large[2], "ann:dan", large[1]):
        send("ann", chat)
    wanted = [large[1], "ann:dan", large[2], "ann:cid", large[0], "ann:bob"]

    for limit in (1, 2, 4, 6):
        assert [one["chat"] for one in inbox_of("ann", limit)] == wanted
    assert [one["unread"] for one in inbox_of("bob", 2)] == [1, 1, 1, 1]


def test_what_is_left_is_not_there() -> None:
    """A group that a user left, was removed from, is banned from or asks to join is not in the inbox."""
    chat = group("ann", "bob", "cid", "dan", join="request")
    assert asked("POST", f"/v1/chats/{chat}/leave", "bob").status == 204
    assert asked("DELETE", f"/v1/chats/{chat}/members/cid", "ann").status == 204
    assert asked("PUT", f"/v1/chats/{chat}/banned/dan", "ann").status == 204
    assert asked("POST", f"/v1/chats/{chat}/join", "eve").status == 200

    assert [inbox_of(user, 5) for user in ("bob", "cid", "dan", "eve")] == [[], [], [], []]


def test_an_invitation_is_there() -> None:
    """An invited user's inbox has the group with its name, and without messages."""
    chat = group("ann")
    send("ann", chat, "secret")
    assert asked("PUT", f"/v1/chats/{chat}/invitations/bob", "ann").status == 204
    shown = row("bob", chat)

    assert (shown["state"], shown["name"], shown["last"], shown["seq"]) == ("invited", "tea", None, 0)
    assert shown["unread"] == 0
    assert shown["active_at"] is not None


@pytest.mark.parametrize(("text", "shown", "cut"), [("x" * 256, 256, False), ("x" * 257, 256, True)])
def test_a_preview_is_cut(text: str, shown: int, cut: bool) -> None:
    """A row shows the first 256 characters of the last message, and says when there are more."""
    send("ann", "ann:bob", text)
    last = row("ann", "ann:bob")["last"]

    assert (len(last["text"]), last["cut"]) == (shown, cut)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 254 + "\U0001f468\u200d\U0001f469\u200d\U0001f467 and more", "x" * 254),
        ("x" * 255 + "e\u0301\u0316 and more", "x" * 255),
        ("\u0301" * 8192, "\u0301" * 256),
    ],
    ids=ascii,
)
def test_a_preview_ends_between_graphemes(text: str, shown: str) -> None:
    """A preview splits no emoji and no letter with its marks, except a grapheme longer than the preview."""
    send("ann", "ann:bob", text)
    last = row("bob", "ann:bob")["last"]

    assert (last["text"], last["cut"]) == (shown, True)


def test_a_long_event_is_left_out() -> None:
    """A row stays small when a message names a hundred users; the log has them."""
    chat = group("ann")
    members = [f"user-{'x' * 20}-{number}" for number in range(100)]
    made = group("ann", *members)
    assert asked("PATCH", f"/v1/chats/{chat}", "ann", {"notice": "n" * 2000}).status == 200

    for one in (chat, made):
        last = row("ann", one)["last"]
        assert "event" not in last or len(str(last["event"])) <= 1100


def test_read_mark_rises_and_clears_marked_unread() -> None:
    """A read mark rises by seq or cursor, never falls, and clears the unread flag."""
    for _ in range(3):
        send("bob", "ann:bob")
    assert row("ann", "ann:bob")["unread"] == 3
    assert asked("PATCH", "/v1/chats/ann:bob/flags", "ann", {"unread": True}).status == 204
    assert row("ann", "ann:bob")["marked_unread"]

    assert marked("read", "ann", "bob:ann", cursor=cursor_of("ann", "ann:bob", 2)).status == 204
    shown = row("ann", "ann:bob")
    assert (shown["read"], shown["received"], shown["unread"], shown["marked_unread"]) == (2, 2, 1, False)
    assert marked("read", "ann", "ann:bob", seq=1).status == 204
    assert row("ann", "ann:bob")["read"] == 2
    assert marked("read", "ann", "ann:bob", seq=3).status == 204
    assert row("ann", "ann:bob")["unread"] == 0


@pytest.mark.parametrize("what", ["read", "received"])
@pytest.mark.parametrize(
    ("user", "chat", "body", "status", "code"),
    [
        ("ann", "ann:bob", {"seq": 1, "cursor": "1"}, 400, "bad_request"),
        ("ann", "ann:bob", {"seq": 0}, 400, "bad_request"),
        ("ann", "ann:bob", {"seq": 2}, 400, "bad_request"),
        ("ann", "ann:bob", {"cursor": "x"}, 400, "bad_request"),
        ("ann", "ann:bob", {"cursor": "1.1.1"}, 409, "history_changed"),
        ("cid", "ann:bob", {"seq": 1}, 403, "not_a_member"),
        ("ann", "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10", {"seq": 1}, 404, "chat_not_found"),
    ],
)
def test_a_mark_is_refused(
    what: str, user: str, chat: str, body: dict[str, Any], status: int, code: str
) -> None:
    """A mark needs exactly one position, of an existing message of this history, and a member."""
    send("bob", "ann:bob")
    answer = marked(what, user, chat, **body)

    assert (answer.status, answer.body["code"]) == (status, code)


def test_receipts_show_members_progress_to_members_alone() -> None:
    """Members see each other's read state, in pages; nobody else does."""
    chat = group("ann", "bob", "cid")
    for _ in range(2):
        send("ann", chat)
    assert marked("read", "bob", chat, seq=2).status == 204
    assert marked("received", "bob", chat, seq=3).status == 204
    path = f"/v1/chats/{chat}/receipts"
    first = asked("GET", path, "cid", query="limit=2").body
    second = asked("GET", path, "cid", query=f"limit=2&cursor={first['next']}").body

    assert first["receipts"] == [
        {"handle": "ann", "read": 3, "received": 3},
        {"handle": "bob", "read": 2, "received": 3},
    ]
    assert second == {"receipts": [{"handle": "cid", "read": 0, "received": 0}], "next": None}
    assert asked("GET", path, "dan").status == 403


def test_flags_change_one_by_one_for_their_user() -> None:
    """Flags are set and cleared one by one, for their user alone."""
    send("ann", "ann:bob")
    for name, shown in zip(("unread", "pinned", "muted", "archived"), FLAGS, strict=True):
        assert asked("PATCH", "/v1/chats/ann:bob/flags", "bob", {name: True}).status == 204
        after = row("bob", "ann:bob")
        assert [one for one in FLAGS if after[one]] == [shown]
        assert asked("PATCH", "/v1/chats/ann:bob/flags", "bob", {name: False}).status == 204
    assert asked("PATCH", "/v1/chats/ann:bob/flags", "bob", {}).status == 204

    after = row("ann", "ann:bob")
    assert not any(after[one] for one in FLAGS)


def test_changes_list_each_subject_once_with_its_state() -> None:
    """A member gets the changes since a position: each subject once, with its current state."""
    chat = group("ann", "bob", "cid")
    known = row("bob", chat)["change"]
    path = f"/v1/chats/{chat}/changes"
    everything = asked("GET", path, "bob").body
    assert {one["user"] for one in everything["changes"]} == {"ann", "bob", "cid", None}
    assert everything["next"] == known
    assert asked("GET", path, "bob", query=f"since={known}").body["changes"] == []

    assert asked("PATCH", f"/v1/chats/{chat}/members/bob", "ann", {"role": "admin"}).status == 204
    assert asked("PUT", f"/v1/chats/{chat}/members/dan", "bob").status == 204
    assert asked("DELETE", f"/v1/chats/{chat}/members/cid", "bob").status == 204
    assert asked("PATCH", f"/v1/chats/{chat}", "bob", {"name": "coffee"}).status == 200

    changes, since = [], known
    for _ in range(9):
        page = asked("GET", path, "bob", query=f"since={quote(since)}&limit=1").body
        changes += [(one["subject"], one["user"], one["role"]) for one in page["changes"]]
        since = page["next"]
        if not page["more"]:
            break
    wanted = [("member", "bob", "admin"), ("member", "dan", "member"), ("member", "cid", None)]
    assert changes == [*wanted, ("info", None, None)]
    assert since == row("bob", chat)["change"]


@pytest.mark.parametrize(
    ("user", "since", "status"),
    [("bob", "7", 400), ("bob", "x", 400), ("bob", "1.1.1", 409), ("dan", "0", 403), ("cid", "0", 403)],
)
def test_changes_are_refused(user: str, since: str, status: int) -> None:
    """Only members can read changes, and only from a position of this history."""
    chat = group("ann", "bob", "cid")
    assert asked("POST", f"/v1/chats/{chat}/leave", "cid").status == 204

    assert asked("GET", f"/v1/chats/{chat}/changes", user, query=f"since={since}").status == status


def test_a_direct_chat_has_changes_of_messages_only() -> None:
    """The feed of a direct chat is empty until a message changes."""
    send("ann", "ann:bob")
    page = asked("GET", "/v1/chats/ann:bob/changes", "ann")
    assert (page.status, page.body["changes"], page.body["next"]) == (200, [], "0")
    asked("PATCH", "/v1/chats/ann:bob/messages/1", "ann", {"text": "later"})
    (changed,) = asked("GET", "/v1/chats/ann:bob/changes", "bob").body["changes"]
    assert (changed["subject"], changed["message"]["text"]) == ("message", "later")
