"""Pinned messages over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.http.chat_requests import at_once, crowd, do, done, make, read, refused, send

MOST = 100


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def pin(api: Api, person: Person, chat: str, seq: int, method: str = "PUT") -> Any:
    """Pin a message, or unpin it, and return the answer."""
    return do(api, person, method, f"{chat}/messages/{seq}/pin")


def pins(api: Api, person: Person, chat: str, limit: int = 100) -> list[int]:
    """Return the seqs of the pinned messages, from all pages."""
    found, query = list[int](), dict[str, Any](limit=limit)
    while True:
        page = read(api, person, f"{chat}/pins", **query)
        assert all(one["pinned_at"] for one in page["messages"])
        found += [one["seq"] for one in page["messages"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def test_pins_are_listed_newest_first(api: Api, people: People) -> None:
    """Admins pin and unpin; all members see the list, the time on the message, and the change in the feed."""
    ann, bob, cid = crowd(people, 3)
    group = make(api, ann, [bob])
    for text in ("one", "two", "three"):
        done(send(api, bob, group, text), 201)
    for seq in (3, 2, 4, 3):
        done(pin(api, ann, group, seq))

    assert pins(api, bob, group) == pins(api, bob, group, limit=1) == [4, 2, 3]
    one = read(api, bob, f"{group}/messages/3")
    assert one["pinned_at"] > one["sent_at"]
    assert read(api, bob, f"{group}/changes")["changes"][-1]["message"]["seq"] == 4
    refused(pin(api, bob, group, 2, "DELETE"), 403, "forbidden")
    refused(pin(api, cid, group, 2), 403, "not_a_member")
    refused(do(api, cid, "GET", f"{group}/pins"), 403, "not_a_member")
    refused(pin(api, ann, group, 1), 403, "forbidden")
    refused(pin(api, ann, group, 9), 404, "message_not_found")
    done(pin(api, ann, group, 2, "DELETE"))
    done(pin(api, ann, group, 2, "DELETE"))
    assert pins(api, bob, group) == [4, 3]
    assert "pinned_at" not in read(api, bob, f"{group}/messages/2")


def test_deleted_and_hidden_messages_are_not_pinned(api: Api, people: People) -> None:
    """In a direct chat both pin; a deletion unpins for all, hiding a message for its reader."""
    ann, bob = crowd(people, 2)
    chat = ":".join(sorted((ann.handle, bob.handle)))
    for text in ("one", "two", "three"):
        done(send(api, ann, chat, text), 201)
    for person, seq in ((ann, 1), (bob, 2), (bob, 3)):
        done(pin(api, person, chat, seq))
    done(do(api, ann, "PATCH", f"{chat}/messages/3", json={"text": "edited"}), 200)
    done(do(api, ann, "DELETE", f"{chat}/messages/2", params={"for": "all"}))
    done(do(api, bob, "DELETE", f"{chat}/messages/1", params={"for": "me"}))

    assert pins(api, ann, chat) == [3, 1]
    assert pins(api, bob, chat) == [3]
    refused(pin(api, ann, chat, 2), 410, "message_deleted")
    done(pin(api, ann, chat, 2, "DELETE"))


def test_a_blocked_user_leaves_the_pins_as_they_are(api: Api, people: People) -> None:
    """Whom the other user of a direct chat has blocked can neither pin nor unpin."""
    ann, bob = crowd(people, 2)
    chat = ":".join(sorted((ann.handle, bob.handle)))
    for text in ("one", "two"):
        done(send(api, ann, chat, text), 201)
    done(pin(api, ann, chat, 1))
    done(api.call("PUT", f"/v1/users/me/blocked/{bob.handle}", person=ann))

    refused(pin(api, bob, chat, 2), 403, "blocked")
    refused(pin(api, bob, chat, 1, "DELETE"), 403, "blocked")
    assert pins(api, ann, chat) == [1]


def test_a_chat_has_at_most_a_hundred_pins(api: Api, people: People) -> None:
    """One pin too many is refused; unpinning one makes room, and pins at once do not exceed the limit."""
    ann, bob = crowd(people, 2)
    group = make(api, ann, [bob])
    for number in range(MOST + 4):
        done(send(api, ann, group, str(number)), 201)
    for seq in range(2, MOST):
        done(pin(api, ann, group, seq))
    answers = at_once([lambda seq=seq: pin(api, ann, group, seq) for seq in range(MOST, MOST + 5)])  # type: ignore[misc]

    assert sorted(answer.status_code for answer in answers) == [204, 204, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.content} == {"too_many_pins"}
    assert len(pins(api, bob, group)) == MOST
