"""Messages that one reader hides from themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.http.chat_requests import crowd, do, done, make, read, refused, send, texts_of


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def hide(api: Api, person: Person, chat: str, seq: int) -> Any:
    """Delete a message for oneself, and return the answer."""
    return do(api, person, "DELETE", f"{chat}/messages/{seq}", params={"for": "me"})


def talk(api: Api, people: People, *texts: str) -> tuple[Person, Person, str]:
    """Return two users and their direct chat, in which the first has written texts."""
    ann, bob = crowd(people, 2)
    chat = ":".join(sorted((ann.handle, bob.handle)))
    for text in texts:
        done(send(api, ann, chat, text), 201)
    return ann, bob, chat


def row(api: Api, person: Person) -> Any:
    """Return a user's only row in the inbox."""
    (found,) = api.call("GET", "/v1/chats", person=person).json()["chats"]
    return found


def test_a_hidden_message_is_gone_for_its_reader_alone(api: Api, people: People) -> None:
    """Pages, the message, the preview and the unread count leave it out; the other user sees all."""
    ann, bob, chat = talk(api, people, "one", "two", "three")
    before = row(api, bob)
    done(hide(api, bob, chat, 3))
    done(hide(api, bob, chat, 3))

    assert texts_of(api, bob, chat) == ["one", "two"]
    assert texts_of(api, ann, chat) == ["one", "two", "three"]
    refused(do(api, bob, "GET", f"{chat}/messages/3"), 404, "message_not_found")
    refused(do(api, bob, "GET", f"{chat}/messages/3/reactions"), 404, "message_not_found")
    after, other = row(api, bob), row(api, ann)
    assert (after["last"]["text"], after["unread"], after["seq"]) == ("two", 2, 3)
    assert (after["active_at"], after["cursor"]) == (before["active_at"], before["cursor"])
    assert (other["last"]["text"], other["change"]) == ("three", None)
    assert api.call("GET", "/v1/unread", person=bob).json()["unread"] == 2


def test_a_page_of_hidden_messages_moves_the_cursor(api: Api, people: People) -> None:
    """Pages in both directions go on over hidden messages, and an empty chat has no preview."""
    ann, bob, chat = talk(api, people, "one", "two", "three", "four")
    for seq in (2, 3):
        done(hide(api, ann, chat, seq))

    first = read(api, ann, f"{chat}/messages", after="1", limit=2)
    assert first["messages"] == []
    assert first["next"].startswith("3.")
    rest = read(api, ann, f"{chat}/messages", after=first["next"], limit=2)
    assert [one["text"] for one in rest["messages"]] == ["four"]
    older = read(api, ann, f"{chat}/messages", before="4", limit=2)
    assert older["messages"] == []
    oldest = read(api, ann, f"{chat}/messages", before=older["previous"])
    assert [one["text"] for one in oldest["messages"]] == ["one"]
    for seq in (1, 4):
        done(hide(api, ann, chat, seq))
    assert row(api, ann)["last"] is None
    assert row(api, bob)["last"]["text"] == "four"


def test_other_devices_learn_of_it_by_the_feed(api: Api, people: People) -> None:
    """The reader's feed says in order what is hidden, without its text; the feeds of others do not."""
    ann, bob, chat = talk(api, people, "one", "two", "three")
    done(do(api, ann, "PATCH", f"{chat}/messages/1", json={"text": "edited"}), 200)
    done(hide(api, bob, chat, 2))
    done(do(api, ann, "PATCH", f"{chat}/messages/3", json={"text": "again"}), 200)
    done(do(api, ann, "PATCH", f"{chat}/messages/2", json={"text": "unseen"}), 200)

    found, since, more = [], "0", True
    while more:
        page = read(api, bob, f"{chat}/changes", since=since, limit=1)
        found += page["changes"]
        since, more = page["next"], page["more"]

    assert [(one["seq"], one.get("hidden", False)) for one in found] == [(1, False), (2, True), (3, False)]
    assert "message" not in found[1]
    assert sorted(one["change"] for one in found) == [one["change"] for one in found]
    assert since == row(api, bob)["change"]
    assert read(api, bob, f"{chat}/changes", since=since)["changes"] == []
    of_ann = read(api, ann, f"{chat}/changes")
    assert [one["seq"] for one in of_ann["changes"]] == [1, 3, 2]
    assert not any(one.get("hidden") for one in of_ann["changes"])


def test_the_newest_change_can_be_a_hidden_message(api: Api, people: People) -> None:
    """The row's cursor of a change is one from which the feed goes on, also after a deletion for all."""
    ann, bob, chat = talk(api, people, "one", "two")
    done(hide(api, bob, chat, 2))
    since = row(api, bob)["change"]
    assert read(api, bob, f"{chat}/changes", since=since)["changes"] == []

    done(do(api, ann, "DELETE", f"{chat}/messages/2", params={"for": "all"}))
    done(do(api, ann, "DELETE", f"{chat}/messages/1", params={"for": "all"}))
    (change,) = read(api, bob, f"{chat}/changes", since=since)["changes"]
    assert change["seq"] == 1
    assert row(api, bob)["unread"] == 0
    done(hide(api, bob, chat, 1))
    assert texts_of(api, bob, chat) == []


def test_any_readable_message_can_be_hidden(api: Api, people: People) -> None:
    """System messages and those of others too; not by strangers, and not one that does not exist."""
    ann, bob, dan = crowd(people, 3)
    group = make(api, ann, [bob])
    done(send(api, ann, group, "hello"), 201)
    done(hide(api, bob, group, 1))
    done(hide(api, bob, group, 2))

    assert texts_of(api, bob, group) == []
    assert (row(api, bob)["unread"], row(api, bob)["last"]) == (0, None)
    refused(hide(api, dan, group, 2), 403, "not_a_member")
    refused(hide(api, bob, group, 9), 404, "message_not_found")
    done(do(api, ann, "DELETE", f"{group}/messages/2", params={"for": "all"}))


def test_threads_stubs_and_searches_leave_hidden_messages_out(api: Api, people: People) -> None:
    """A hidden reply is not in its thread; a hidden message is neither quoted nor found."""
    ann, bob, chat = talk(api, people, "root coffee")
    for text in ("first tea", "second tea"):
        done(do(api, ann, "POST", f"{chat}/messages", json={"text": text, "reply_to": 1}), 201)
    done(hide(api, bob, chat, 3))

    thread = read(api, bob, f"{chat}/messages/1/thread")
    assert [one["seq"] for one in thread["messages"]] == [2]
    root = read(api, bob, f"{chat}/messages/1")
    assert (root["thread"]["replies"], root["thread"]["last"]) == (1, 2)
    assert read(api, ann, f"{chat}/messages/1")["thread"]["replies"] == 2
    hits = api.call("GET", "/v1/search", person=bob, params={"q": "tea"}).json()
    assert [hit["message"]["seq"] for hit in hits["hits"]] == [2]
    done(hide(api, bob, chat, 1))
    assert "replied" not in read(api, bob, f"{chat}/messages/2")
    assert read(api, bob, f"{chat}/messages/2/thread")["root"] is None


def test_leaving_a_direct_chat_forgets_what_was_hidden(api: Api, people: People) -> None:
    """After leaving, everything is hidden anyway, and new messages are shown."""
    ann, bob, chat = talk(api, people, "one", "two")
    done(hide(api, bob, chat, 2))
    done(do(api, bob, "POST", f"{chat}/leave"))
    done(send(api, ann, chat, "three"), 201)

    assert texts_of(api, bob, chat) == ["three"]
    assert row(api, bob)["unread"] == 1
