"""Editing and deleting messages over HTTP, and the feed of changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.people import People, Person
from tests.http.chat_requests import at_once, crowd, do, done, make, read, refused, send, texts_of

SECRET = "the secret recipe"


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def edit(api: Api, person: Person, chat: str, seq: int, text: str, **options: Any) -> Any:
    """Edit a message and return the answer."""
    return do(api, person, "PATCH", f"{chat}/messages/{seq}", json={"text": text}, **options)


def delete(api: Api, person: Person, chat: str, seq: int) -> Any:
    """Delete a message for all and return the answer."""
    return do(api, person, "DELETE", f"{chat}/messages/{seq}", params={"for": "all"})


def pair(people: People) -> tuple[Person, Person, str]:
    """Register two users; return them and their direct chat."""
    ann, bob = crowd(people, 2)
    return ann, bob, ":".join(sorted((ann.handle, bob.handle)))


def test_an_edit_replaces_the_text_everywhere(api: Api, people: People) -> None:
    """An edited message has the new text in pages, the inbox and the feed, and says when it was edited."""
    ann, bob, chat = pair(people)
    done(send(api, ann, chat, SECRET), 201)

    changed = edit(api, ann, chat, 1, "tea").json()

    assert (changed["text"], changed["seq"]) == ("tea", 1)
    assert changed["edited_at"] > changed["sent_at"]
    assert read(api, bob, f"{chat}/messages/1") == changed
    assert read(api, bob, f"{chat}/messages")["messages"] == [changed]
    (row,) = api.call("GET", "/v1/chats", person=bob).json()["chats"]
    assert (row["last"]["text"], row["unread"]) == ("tea", 1)
    feed = read(api, bob, f"{chat}/changes")
    assert [(one["subject"], one["seq"], one["message"]) for one in feed["changes"]] == [
        ("message", 1, changed)
    ]
    assert feed["next"] == row["change"]
    assert read(api, bob, f"{chat}/changes", since=feed["next"])["changes"] == []


def test_a_deleted_message_has_no_text(api: Api, people: People) -> None:
    """A message that was deleted for all says who deleted it, is not unread, and has no text."""
    ann, bob, chat = pair(people)
    done(send(api, ann, chat, SECRET), 201)

    done(delete(api, ann, chat, 1))
    done(delete(api, ann, chat, 1))

    (shown,) = read(api, bob, f"{chat}/messages")["messages"]
    assert (shown["text"], shown["id"], shown["deleted"]["by"]) == ("", None, ann.handle)
    (row,) = api.call("GET", "/v1/chats", person=bob).json()["chats"]
    assert (row["last"]["text"], row["last"]["deleted"], row["unread"]) == ("", True, 0)
    refused(edit(api, ann, chat, 1, "again"), 410, "message_deleted")
    assert len(read(api, bob, f"{chat}/changes")["changes"]) == 1


def test_only_the_sender_edits_and_only_admins_delete_others(api: Api, people: People) -> None:
    """Another's message: edit and delete are 403, but an admin may delete; strangers learn nothing."""
    ann, bob, cid, dan = crowd(people, 4)
    group = make(api, ann, [bob, cid])
    done(send(api, bob, group, "hello"), 201)

    refused(edit(api, ann, group, 2, "mine"), 403, "forbidden")
    refused(delete(api, cid, group, 2), 403, "forbidden")
    refused(delete(api, ann, group, 1), 403, "forbidden")
    refused(delete(api, dan, group, 2), 403, "not_a_member")
    refused(edit(api, dan, group, 2, "x"), 403, "not_a_member")
    refused(edit(api, bob, group, 9, "x"), 404, "message_not_found")
    done(delete(api, ann, group, 2))
    assert texts_of(api, cid, group)[1] == ""
    other = ":".join(sorted((ann.handle, bob.handle)))
    done(send(api, bob, other, "hello"), 201)
    refused(delete(api, ann, other, 1), 403, "forbidden")


def test_an_edit_with_if_match_needs_that_change(api: Api, people: People) -> None:
    """If-Match names the change that the message must have; 0 is that of a message that never changed."""
    ann, _, chat = pair(people)
    done(send(api, ann, chat, "one"), 201)

    first = edit(api, ann, chat, 1, "two", headers={"If-Match": '"0"'})
    refused(edit(api, ann, chat, 1, "three", headers={"If-Match": '"0"'}), 412, "message_changed")
    again = edit(api, ann, chat, 1, "three", headers={"If-Match": first.headers["ETag"]})
    wrong = edit(api, ann, chat, 1, "four", headers={"If-Match": "W/x"})

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["ETag"] == f'"{again.json()["change"]}"' != first.headers["ETag"]
    assert (wrong.status_code, fields_at_fault(wrong)) == (400, ["If-Match"])


def test_of_edits_at_once_each_is_counted(api: Api, people: People) -> None:
    """Edits with If-Match that race: each text that was accepted replaced the one before, none was lost."""
    ann, bob, chat = pair(people)
    done(send(api, ann, chat, "0"), 201)

    def add_one() -> None:
        for _ in range(100):
            got = do(api, ann, "GET", f"{chat}/messages/1")
            headers = {"If-Match": got.headers["ETag"]}
            if edit(api, ann, chat, 1, str(int(got.json()["text"]) + 1), headers=headers).status_code == 200:
                return
        pytest.fail("100 conflicts")

    at_once([add_one] * 6)

    assert texts_of(api, bob, chat) == ["6"]


def test_muted_members_cannot_edit_and_can_delete(api: Api, people: People) -> None:
    """A muted member may delete a message of their own, and edit none."""
    ann, bob = crowd(people, 2)
    group = make(api, ann, [bob])
    done(send(api, bob, group, "hello"), 201)
    mute = {"muted_until": "2100-01-01T00:00:00.000000Z"}
    done(do(api, ann, "PATCH", f"{group}/members/{bob.handle}", json=mute))

    refused(edit(api, bob, group, 2, "x"), 403, "muted")
    done(delete(api, bob, group, 2))


def test_a_blocked_user_cannot_edit_and_can_delete(api: Api, people: People) -> None:
    """In a direct chat whose other user has blocked the sender, a message can be deleted, but not edited."""
    ann, bob, chat = pair(people)
    done(send(api, ann, chat, "hello"), 201)
    done(api.call("PUT", f"/v1/users/me/blocked/{ann.handle}", person=bob))

    refused(edit(api, ann, chat, 1, "x"), 403, "blocked")
    done(delete(api, ann, chat, 1))


def test_the_feed_pages_changes_of_messages_and_members_in_order(api: Api, people: People) -> None:
    """Pages of the feed have every subject once, in the order of their last changes."""
    ann, bob = crowd(people, 2)
    group = make(api, ann, [bob])
    for text in ("one", "two", "three"):
        done(send(api, bob, group, text), 201)
    begun = read(api, ann, group)["change"]
    for seq in (4, 2, 3, 4):
        done(edit(api, bob, group, seq, f"edited {seq}"), 200)
        done(edit(api, bob, group, seq, f"again {seq}"), 200)
    done(do(api, ann, "PATCH", f"{group}/members/{bob.handle}", json={"role": "admin"}))

    found, since, more = [], begun, True
    while more:
        page = read(api, ann, f"{group}/changes", since=since, limit=1)
        found += page["changes"]
        since, more = page["next"], page["more"]

    assert [one.get("seq", one.get("user")) for one in found] == [2, 3, 4, bob.handle]
    assert since == read(api, ann, group)["change"]
