"""The inbox, the sync, read marks and flags, on any server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api, fields_at_fault

ROW = {
    *("chat", "kind", "state", "role", "muted_until", "name", "avatar", "members", "epoch", "seq", "cursor"),
    *(
        "users",
        "base",
        "requests",
        "change",
        "read",
        "received",
        "unread",
        "mentions",
        "marked_unread",
        "pinned",
        "muted",
        "archived",
        "active_at",
    ),
    "last",
}


def read(api: Api, user: str, path: str, **query: Any) -> Any:
    """Read a path."""
    answer = api.call("GET", path, user=user, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def row(api: Api, user: str, chat: str) -> dict[str, Any]:
    """Return a chat's row of an inbox, on any page."""
    cursor: dict[str, str] = {}
    while True:
        page = read(api, user, "/v1/chats", limit=100, **cursor)
        for one in page["chats"]:
            assert one.keys() == ROW
            if one["chat"] == chat:
                found: dict[str, Any] = one
                return found
        assert page["next"], f"{chat} is not in the inbox"
        cursor = {"cursor": page["next"]}


def synced(api: Api, user: str, token: str | None = None) -> tuple[dict[str, dict[str, Any]], str]:
    """Return all rows of a sync, and the token to continue from."""
    rows: dict[str, dict[str, Any]] = {}
    while True:
        page = read(api, user, "/v1/sync", limit=100, **({"since": token} if token else {}))
        assert not page["reset"]
        rows |= {one["chat"]: one for one in page["chats"]}
        token = page["next"]
        if not page["more"]:
            return rows, token


def set_mark(api: Api, user: str, chat: str, what: str, status: int = 204, **body: Any) -> Any:
    """Set a mark or flags."""
    method = "PATCH" if what == "flags" else "PUT"
    answer = api.call(method, f"/v1/chats/{chat}/{what}", user=user, json=body)
    assert answer.status_code == status, answer.text
    return answer


def test_a_message_is_unread_until_it_is_read(api: Api) -> None:
    """A message is in the inbox and the sync of both, and unread for the recipient until they read it."""
    chat, alice, bob = api.new_pair()
    _, token = synced(api, bob)
    api.post(chat, alice, text="hello")
    page = api.page(chat, bob)
    rows, token = synced(api, bob, token)
    own = row(api, bob, chat)

    assert own == rows[chat]
    assert (own["unread"], own["last"]["text"], own["cursor"]) == (1, "hello", page["next"])
    assert row(api, alice, chat)["unread"] == 0
    set_mark(api, bob, chat, "read", cursor=page["next"])
    rows, token = synced(api, bob, token)
    assert (rows[chat]["unread"], rows[chat]["read"]) == (0, 1)
    assert synced(api, bob, token)[0] == {}


def checked(api: Api, user: str, *held: tuple[str, str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Sync; return the chats with lost messages, and those that cannot be read."""
    check = [{"chat": chat, "cursor": cursor} for chat, cursor in held]
    answer = api.call("POST", "/v1/sync", user=user, json={"check": check})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["history_changed"], body["unreadable"]


def test_a_sync_checks_what_a_client_holds(api: Api) -> None:
    """A cursor of the chat passes; one that its log lacks is reported with the chat's current state."""
    chat, alice, _ = api.new_pair()
    for text in ("one", "two"):
        api.post(chat, alice, text=text)
    now = api.page(chat, alice)
    seq, time, epoch = now["next"].split(".")
    assert checked(api, alice, (chat, now["next"]), (chat.upper(), now["next"])) == ([], [])
    lost_chat = {"chat": chat, "epoch": now["epoch"], "seq": 2, "cursor": now["next"]}
    for lost in (f"3.{time}.{epoch}", f"{seq}.{int(time) - 1}.{epoch}", f"{seq}.{time}.{int(epoch) + 1}"):
        assert checked(api, alice, (chat, lost), (chat, now["next"])) == ([lost_chat], [])


def test_a_sync_says_nothing_of_the_chats_of_others(api: Api) -> None:
    """Others' chats get the same answer as missing ones; an invalid cursor is a 400 that names the chat."""
    chat, alice, bob = api.new_pair()
    api.post(chat, alice, text="hello")
    stranger = api.stranger(alice, bob)
    made = api.call("POST", "/v1/chats", user=alice, json={"kind": "group", "name": "tea", "members": [bob]})
    theirs = [chat, made.json()["chat"]]
    held = [(one, api.page(one, alice)["next"]) for one in theirs]
    nowhere = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
    changed, unreadable = checked(api, stranger, *held, (nowhere, "1.1.1"))
    assert (changed, sorted(unreadable)) == ([], sorted([*theirs, nowhere]))

    wrong = {"check": [{"chat": chat, "cursor": "1"}]}
    answer = api.call("POST", "/v1/sync", user=alice, json=wrong)
    assert (answer.status_code, fields_at_fault(answer)) == (400, ["check[0].cursor"])
    assert chat in answer.json()["detail"]


def test_the_inbox_in_pages(api: Api) -> None:
    """Pages of one chat each have the chats by their last message, and the last page has no next."""
    chat, alice, _ = api.new_pair()
    notes = f"{alice}:{alice}"
    api.post(chat, alice, text="hello")
    before = row(api, alice, chat)["active_at"]
    api.post(notes, alice, text="note to myself")
    first = read(api, alice, "/v1/chats", limit=1)
    second = read(api, alice, "/v1/chats", limit=1, cursor=first["next"])

    assert [one["chat"] for one in first["chats"] + second["chats"]] == [notes, chat]
    later = read(api, alice, "/v1/chats", since=before)
    assert ([one["chat"] for one in later["chats"]], later["next"]) == ([notes], None)


def test_flags_belong_to_one_user_and_arrive_by_sync(api: Api) -> None:
    """Flags apply to their user alone, and arrive by sync."""
    chat, alice, bob = api.new_pair()
    api.post(chat, alice, text="hello")
    _, token = synced(api, bob)
    set_mark(api, bob, chat, "flags", unread=True, pinned=True)
    rows, token = synced(api, bob, token)
    assert [rows[chat][name] for name in ("marked_unread", "pinned", "muted", "archived")] == [
        *(True, True),
        *(False, False),
    ]
    set_mark(api, bob, chat, "flags", unread=False, pinned=False, archived=True)
    rows, _ = synced(api, bob, token)
    assert [rows[chat][name] for name in ("marked_unread", "pinned", "archived")] == [False, False, True]
    assert not row(api, alice, chat)["archived"]


def test_receipts_show_each_member_how_far_the_other_read(api: Api) -> None:
    """Both members see how far the other has read; a read message counts as received."""
    chat, alice, bob = api.new_pair()
    for text in ("one", "two", "three"):
        api.post(chat, alice, text=text)
    set_mark(api, bob, chat, "received", seq=2)
    set_mark(api, bob, chat, "read", seq=1)
    page = read(api, alice, f"/v1/chats/{chat}/receipts")

    assert page["receipts"] == sorted(
        (
            {"handle": alice, "read": 3, "received": 3},
            {"handle": bob, "read": 1, "received": 2},
        ),
        key=lambda one: str(one["handle"]),
    )


def test_group_arrives_and_leaves_by_sync(api: Api) -> None:
    """A group arrives by sync, shows later changes, and disappears when its member leaves."""
    _, alice, bob = api.new_pair()
    _, token = synced(api, bob)
    made = api.call("POST", "/v1/chats", user=alice, json={"kind": "group", "name": "tea", "members": [bob]})
    chat = made.json()["chat"]
    rows, token = synced(api, bob, token)
    assert (rows[chat]["name"], rows[chat]["role"], rows[chat]["members"]) == ("tea", "member", 2)

    changed = {"role": "admin"}
    answer = api.call("PATCH", f"/v1/chats/{chat}/members/{bob}", user=alice, json=changed)
    assert answer.status_code == 204, answer.text
    page = read(api, bob, f"/v1/chats/{chat}/changes", since=rows[chat]["change"])
    assert [(one["subject"], one["user"], one["role"]) for one in page["changes"]] == [
        ("member", bob, "admin")
    ]
    rows, token = synced(api, bob, token)
    assert (rows[chat]["role"], rows[chat]["change"]) == ("admin", page["next"])

    assert api.call("POST", f"/v1/chats/{chat}/leave", user=bob).status_code == 204
    rows, _ = synced(api, bob, token)
    assert rows[chat]["state"] == "left"
    assert chat not in [one["chat"] for one in read(api, bob, "/v1/chats", limit=100)["chats"]]


def test_a_token_of_somebody_else(api: Api) -> None:
    """A token that the server does not know of the caller gets the first page of everything."""
    chat, alice, bob = api.new_pair()
    api.post(chat, alice, text="hello")
    _, token = synced(api, alice)
    page = read(api, bob, "/v1/sync", since=token, limit=100)

    assert page["reset"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/chats?limit=0", "limit"),
        ("/v1/chats?limit=101", "limit"),
        ("/v1/chats?cursor=x", "cursor"),
        ("/v1/chats?since=yesterday", "since"),
        ("/v1/sync?since=x", "since"),
        ("/v1/sync?limit=0", "limit"),
    ],
)
def test_what_no_page_takes(api: Api, path: str, field: str) -> None:
    """An invalid limit, cursor or token is a 400 that names it."""
    _, alice, _ = api.new_pair()
    answer = api.call("GET", path, user=alice)

    assert (answer.status_code, fields_at_fault(answer)) == (400, [field])


def test_marks_that_cannot_be(api: Api) -> None:
    """A mark beyond the last message is a 400, one of another history a 409, one of a stranger a 403."""
    chat, alice, bob = api.new_pair()
    api.post(chat, alice, text="hello")

    assert set_mark(api, bob, chat, "read", 400, seq=2).json()["code"] == "bad_request"
    assert set_mark(api, bob, chat, "received", 400).json()["code"] == "bad_request"
    assert set_mark(api, bob, chat, "read", 409, cursor="1.1.1").json()["code"] == "history_changed"
    assert set_mark(api, api.stranger(alice, bob), chat, "read", 403, seq=1).json()["code"] == "not_a_member"


@pytest.mark.parametrize("path", ["/v1/chats", "/v1/sync", "/v1/chats/a:b/receipts"])
def test_anonymous_caller_sees_no_chats(anyone: Api, path: str) -> None:
    """A caller who is not authenticated is shown no chats."""
    assert anyone.call("GET", path).status_code == 401
