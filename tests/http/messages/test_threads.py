"""Replies, the messages that they answer, and threads over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.http.chat_requests import crowd, do, done, make, read, refused, send


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def answer(api: Api, person: Person, chat: str, text: str, to: int) -> Any:
    """Reply to a message and return the sent message."""
    sent = do(api, person, "POST", f"{chat}/messages", json={"text": text, "reply_to": to})
    done(sent, 201)
    return sent.json()


def talk(api: Api, people: People) -> tuple[Person, Person, str]:
    """Have two users with three replies to message 1 of their chat, the last two to other replies."""
    ann, bob = crowd(people, 2)
    chat = ":".join(sorted((ann.handle, bob.handle)))
    done(send(api, ann, chat, "tea?"), 201)
    for to in (1, 2, 3):
        answer(api, bob, chat, f"to {to}", to)
    return ann, bob, chat


def test_a_reply_shows_what_it_answers_as_it_is_now(api: Api, people: People) -> None:
    """The stub of a reply follows edits and the deletion of the message that is replied to."""
    ann, bob, chat = talk(api, people)

    replies = read(api, bob, f"{chat}/messages")["messages"][1:]
    assert [one["replied"] for one in replies] == [
        {"seq": 1, "sender": ann.handle, "text": "tea?"},
        {"seq": 2, "sender": bob.handle, "text": "to 1"},
        {"seq": 3, "sender": bob.handle, "text": "to 2"},
    ]
    done(do(api, ann, "PATCH", f"{chat}/messages/1", json={"text": "x" * 500}), 200)
    assert read(api, bob, f"{chat}/messages/2")["replied"]["text"] == "x" * 128
    done(do(api, ann, "DELETE", f"{chat}/messages/1", params={"for": "all"}))
    gone = {"seq": 1, "sender": ann.handle, "text": "", "deleted": True}
    assert read(api, bob, f"{chat}/messages/2")["replied"] == gone
    assert read(api, bob, f"{chat}/messages")["messages"][1]["replied"] == gone


def test_a_thread_has_the_replies_to_replies_in_order(api: Api, people: People) -> None:
    """Any message of a thread names it; its pages have all replies once, and the root has their number."""
    ann, _, chat = talk(api, people)
    done(send(api, ann, chat, "something else"), 201)

    page = read(api, ann, f"{chat}/messages/3/thread")
    assert (page["root"]["seq"], [one["seq"] for one in page["messages"]], page["more"]) == (
        1,
        [2, 3, 4],
        False,
    )
    root = read(api, ann, f"{chat}/messages")["messages"][0]
    assert root["thread"] == {"replies": 3, "last": 4, "last_at": page["messages"][-1]["sent_at"]}
    assert root == page["root"] == read(api, ann, f"{chat}/messages/1")
    first = read(api, ann, f"{chat}/messages/1/thread", limit=2)
    rest = read(api, ann, f"{chat}/messages/1/thread", after=first["next"])
    assert ([one["seq"] for one in first["messages"]], first["more"]) == ([2, 3], True)
    assert ([one["seq"] for one in rest["messages"]], rest["more"]) == ([4], False)
    assert read(api, ann, f"{chat}/messages/5/thread")["messages"] == []


def test_a_deleted_reply_leaves_its_thread(api: Api, people: People) -> None:
    """A deleted reply is neither counted nor listed; the replies to it stay."""
    ann, bob, chat = talk(api, people)

    for seq, last in ((2, 4), (4, 3)):
        done(do(api, bob, "DELETE", f"{chat}/messages/{seq}", params={"for": "all"}))
        assert read(api, ann, f"{chat}/messages/1")["thread"]["last"] == last

    page = read(api, ann, f"{chat}/messages/1/thread")
    assert [(one["seq"], one["replied"]["seq"]) for one in page["messages"]] == [(3, 2)]
    assert page["messages"][0]["replied"]["deleted"]
    assert page["root"]["thread"]["replies"] == 1
    done(do(api, bob, "DELETE", f"{chat}/messages/3", params={"for": "all"}))
    assert "thread" not in read(api, ann, f"{chat}/messages/1")


def test_a_late_member_sees_nothing_of_messages_before(api: Api, people: People) -> None:
    """For a member who joined later, a reply has no stub and its thread no root; strangers learn nothing."""
    ann, bob, cid = crowd(people, 3)
    group = make(api, ann, [], history=False)
    done(send(api, ann, group, "secret"), 201)
    done(do(api, ann, "PUT", f"{group}/members/{bob.handle}"))
    seq = answer(api, ann, group, "re", 2)["seq"]

    assert "replied" not in read(api, bob, f"{group}/messages/{seq}")
    page = read(api, bob, f"{group}/messages/{seq}/thread")
    assert (page["root"], [one["seq"] for one in page["messages"]]) == (None, [seq])
    refused(do(api, bob, "GET", f"{group}/messages/2/thread"), 404, "message_not_found")
    refused(do(api, cid, "GET", f"{group}/messages/{seq}/thread"), 403, "not_a_member")
