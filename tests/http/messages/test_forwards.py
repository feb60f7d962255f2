"""Forwarded messages, and data of messages, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.people import People, Person
from tests.http.chat_requests import crowd, do, done, make, read, refused

SECRET = "the secret recipe"
DATA = {"kind": "poll", "options": ["a", "b"], "n": 1.5, "big": 2**63, "none": None, "ключ": {"é": True}}


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def post(api: Api, person: Person, chat: str, **body: Any) -> Any:
    """Send a message with some fields, and return the answer."""
    return do(api, person, "POST", f"{chat}/messages", json=body)


def posted(api: Api, person: Person, chat: str, **body: Any) -> Any:
    """Send a message with some fields, and return the stored message."""
    answer = post(api, person, chat, **body)
    done(answer, 201)
    return answer.json()


def direct(one: Person, other: Person) -> str:
    """Return the direct chat of two users."""
    return ":".join(sorted((one.handle, other.handle)))


def test_data_is_kept_as_sent_and_can_be_replaced(api: Api, people: People) -> None:
    """A message has the data that it was sent with; an edit replaces, keeps or removes it."""
    ann, bob = crowd(people, 2)
    chat = direct(ann, bob)
    sent = posted(api, ann, chat, text="vote", data=DATA, id="one")
    path = f"{chat}/messages/1"

    assert sent["data"] == read(api, bob, path)["data"] == DATA
    assert posted_again(api, ann, chat, text="vote", data=DATA, id="one")["data"] == DATA
    refused(post(api, ann, chat, text="vote", data={}, id="one"), 409, "id_conflict")
    changed = do(api, ann, "PATCH", path, json={"data": {"kind": "closed"}}).json()
    assert (changed["text"], changed["data"]) == ("vote", {"kind": "closed"})
    changed = do(api, ann, "PATCH", path, json={"text": "done"}).json()
    assert (changed["text"], changed["data"]) == ("done", {"kind": "closed"})
    assert "data" not in do(api, ann, "PATCH", path, json={"data": None}).json()
    assert fields_at_fault(do(api, ann, "PATCH", path, json={})) == ["text"]


def posted_again(api: Api, person: Person, chat: str, **body: Any) -> Any:
    """Repeat a send; return the message that the first one stored."""
    answer = post(api, person, chat, **body)
    done(answer, 201)
    assert answer.json()["duplicate"]
    return answer.json()


@pytest.mark.parametrize(
    "data",
    [
        {"x": "y" * 4096},
        {"x": 2**64},
        {"x": -(2**63) - 1},
        [1],
        "x",
        {"x": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]},
    ],
)
def test_data_beyond_its_limits_is_refused(api: Api, people: People, data: Any) -> None:
    """Data over 4 KiB, 16 levels or 64 bits, and what is no object, is a 400 that names the field."""
    ann, bob = crowd(people, 2)
    answer = post(api, ann, direct(ann, bob), text="x", data=data)

    assert (answer.status_code, fields_at_fault(answer)) == (400, ["data"])


def test_a_forward_names_its_origin_to_those_who_may_read_it(api: Api, people: People) -> None:
    """A forward has text and data of the other message; only readers of that one see where it is from."""
    ann, bob, cid = crowd(people, 3)
    chat, group = direct(ann, bob), make(api, bob, [ann, cid])
    posted(api, ann, chat, text="tea", data={"x": 1})
    sent = posted(api, bob, group, forward={"chat": chat, "seq": 1})
    origin = {"chat": chat, "seq": 1, "sender": ann.handle}

    assert (sent["text"], sent["data"], sent["sender"]) == ("tea", {"x": 1}, bob.handle)
    path = f"{group}/messages/{sent['seq']}"
    assert sent["forwarded"] == read(api, ann, path)["forwarded"] == origin
    assert read(api, cid, path)["forwarded"] == {}
    again = posted(api, bob, direct(bob, cid), forward={"chat": group, "seq": sent["seq"]})
    assert again["forwarded"] == origin
    assert read(api, cid, f"{direct(bob, cid)}/messages")["messages"][0]["forwarded"] == {}
    refused(do(api, bob, "PATCH", path, json={"text": "mine"}), 403, "forbidden")
    done(do(api, ann, "DELETE", f"{chat}/messages/1", params={"for": "all"}))
    assert read(api, bob, path)["forwarded"] == read(api, ann, path)["forwarded"] == {}


def test_what_one_cannot_read_cannot_be_forwarded(api: Api, people: People) -> None:
    """A message of a strange chat, of none, a deleted and a missing one are the same 404."""
    ann, bob, cid = crowd(people, 3)
    chat, group, own = direct(ann, bob), make(api, ann, [bob]), direct(cid, ann)
    posted(api, ann, chat, text=SECRET)
    posted(api, ann, group, text=SECRET)
    posted(api, ann, own, text=SECRET)
    done(do(api, ann, "DELETE", f"{own}/messages/1", params={"for": "all"}))
    nowhere = "g-00000000-0000-7000-8000-000000000000"

    sources = [(chat, 1), (chat, 9), (group, 2), (nowhere, 1), (own, 1), (own, 2)]
    answers = [post(api, cid, own, forward={"chat": of, "seq": seq}) for of, seq in sources]
    assert {(one.status_code, one.json()["code"], one.json()["detail"]) for one in answers} == {
        (404, "message_not_found", answers[0].json()["detail"])
    }
    expiring = posted(api, ann, own, text=SECRET, expires_in=60)["seq"]
    refused(post(api, cid, own, forward={"chat": own, "seq": expiring}), 403, "forbidden")
    refused(post(api, ann, own, forward={"chat": group, "seq": 1}), 403, "forbidden")
    both = post(api, ann, own, text="x", forward={"chat": chat, "seq": 1})
    assert (both.status_code, fields_at_fault(both)) == (400, ["text"])
    assert fields_at_fault(post(api, ann, own, id="x")) == ["text"]


def test_a_repeated_forward_is_a_duplicate_whatever_became_of_its_source(api: Api, people: People) -> None:
    """The same id and reference give the first message again, also once its source has changed or gone."""
    ann, bob, cid = crowd(people, 3)
    chat, to = direct(ann, bob), direct(bob, cid)
    posted(api, ann, chat, text="tea")
    body = {"forward": {"chat": chat, "seq": 1}, "id": "one"}
    first = posted(api, bob, to, **body)

    done(do(api, ann, "PATCH", f"{chat}/messages/1", json={"text": "coffee"}), 200)
    assert posted_again(api, bob, to, **body) == {**first, "duplicate": True}
    done(do(api, ann, "DELETE", f"{chat}/messages/1", params={"for": "all"}))
    again = posted_again(api, bob, to, **body)
    assert again == {**first, "forwarded": {}, "duplicate": True}
    refused(post(api, bob, to, forward={"chat": chat, "seq": 1}, id="two"), 404, "message_not_found")
    refused(post(api, bob, to, forward={"chat": chat, "seq": 2}, id="one"), 404, "message_not_found")
