"""Reactions to messages over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.people import People, Person
from tests.http.chat_requests import at_once, crowd, do, done, make, read, refused, send

UP, HEART, FLAG = "👍", "❤️", "🇩🇪"


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def react(api: Api, person: Person, chat: str, seq: int, emoji: str, method: str = "PUT") -> Any:
    """React to a message and return the answer."""
    return do(api, person, method, f"{chat}/messages/{seq}/reactions/{quote(emoji, safe='')}")


def shown(api: Api, person: Person, chat: str, seq: int) -> list[tuple[str, int, bool]]:
    """Return the reactions to a message as a reader sees them."""
    found = read(api, person, f"{chat}/messages/{seq}").get("reactions", [])
    return [(one["emoji"], one["count"], one["me"]) for one in found]


def who(api: Api, person: Person, chat: str, seq: int, **query: Any) -> list[tuple[str, str]]:
    """Return who reacted to a message, from all pages."""
    found: list[tuple[str, str]] = []
    while True:
        page = read(api, person, f"{chat}/messages/{seq}/reactions", limit=2, **query)
        found += [(one["emoji"], one["user"]) for one in page["reactions"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def talk(api: Api, people: People, size: int) -> tuple[list[Person], str]:
    """Make a group in which message 2 is a text of its first member."""
    members = crowd(people, size)
    group = make(api, members[0], members[1:])
    done(send(api, members[0], group, "hello"), 201)
    return members, group


def test_reactions_are_counted_in_the_order_of_first_use(api: Api, people: People) -> None:
    """Pages, single messages and the feed have each kind's count, and whether the reader is one of them."""
    (ann, bob, cid), group = talk(api, people, 3)
    for person, emoji in ((ann, UP), (bob, HEART), (cid, UP), (bob, FLAG), (ann, UP), (cid, "❤")):
        done(react(api, person, group, 2, emoji))

    assert shown(api, ann, group, 2) == [(UP, 2, True), (HEART, 2, False), (FLAG, 1, False)]
    assert shown(api, bob, group, 2) == [(UP, 2, False), (HEART, 2, True), (FLAG, 1, True)]
    one = read(api, bob, f"{group}/messages/2")
    assert read(api, bob, f"{group}/messages")["messages"][-1] == one
    (feed,) = [each for each in read(api, bob, f"{group}/changes")["changes"] if each.get("seq") == 2]
    assert feed["message"] == one
    people_of = sorted([(UP, ann.handle), (UP, cid.handle)])
    assert who(api, ann, group, 2, emoji=UP) == people_of
    assert len(who(api, ann, group, 2)) == 5


def test_a_removed_reaction_is_not_counted(api: Api, people: People) -> None:
    """Reactions can be taken back, repeatedly; the last one leaves a plain message."""
    (ann, bob), group = talk(api, people, 2)
    done(react(api, ann, group, 2, UP))
    done(react(api, bob, group, 2, UP))
    changed = read(api, ann, f"{group}/messages/2")["change"]

    done(react(api, ann, group, 2, UP, "DELETE"))
    done(react(api, ann, group, 2, UP, "DELETE"))
    assert shown(api, ann, group, 2) == [(UP, 1, False)]
    done(react(api, bob, group, 2, UP, "DELETE"))

    message = read(api, ann, f"{group}/messages/2")
    assert "reactions" not in message
    assert message["change"] > changed
    assert who(api, ann, group, 2) == []


def test_a_reaction_neither_counts_as_unread_nor_moves_the_chat(api: Api, people: People) -> None:
    """A reaction leaves unread counts and activity, and the row says that something changed."""
    (ann, bob), group = talk(api, people, 2)
    (before,) = api.call("GET", "/v1/chats", person=bob).json()["chats"]
    done(react(api, ann, group, 2, UP))
    (after,) = api.call("GET", "/v1/chats", person=bob).json()["chats"]

    assert (after["unread"], after["active_at"]) == (before["unread"], before["active_at"])
    assert after["change"] != before["change"]


def test_only_one_emoji_is_a_reaction(api: Api, people: People) -> None:
    """Other texts are refused with the field's name, before anything is written."""
    (ann, _), group = talk(api, people, 2)
    for text in ("a", "1", "👍👍", " 👍", "👍👎", "🇩", "ok"):
        answer = react(api, ann, group, 2, text)
        assert (answer.status_code, fields_at_fault(answer)) == (400, ["emoji"]), text
    for text in ("👨‍👩‍👧‍👦", "👍🏽", "#️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☹"):
        done(react(api, ann, group, 2, text))
    assert len(shown(api, ann, group, 2)) == 5


def test_a_message_has_at_most_twenty_kinds(api: Api, people: People) -> None:
    """The 21st kind is refused, one of the twenty is not."""
    (ann, bob), group = talk(api, people, 2)
    kinds = [chr(0x1F600 + number) for number in range(21)]
    for emoji in kinds[:20]:
        done(react(api, ann, group, 2, emoji))

    refused(react(api, bob, group, 2, kinds[20]), 409, "too_many_reactions")
    done(react(api, bob, group, 2, kinds[19]))
    assert [count for _, count, _ in shown(api, bob, group, 2)] == [1] * 19 + [2]


def test_reactions_of_blocked_users_are_hidden_from_the_blocker(api: Api, people: People) -> None:
    """A reader does not see and count the reactions of users whom they block; others do."""
    (ann, bob, cid), group = talk(api, people, 3)
    for person, emoji in ((bob, UP), (cid, UP), (bob, HEART)):
        done(react(api, person, group, 2, emoji))
    done(api.call("PUT", f"/v1/users/me/blocked/{bob.handle}", person=ann))

    assert shown(api, ann, group, 2) == [(UP, 1, False)]
    assert who(api, ann, group, 2) == [(UP, cid.handle)]
    assert shown(api, cid, group, 2) == [(UP, 2, True), (HEART, 1, False)]


def test_blocked_and_muted_users_cannot_react_but_take_back(api: Api, people: People) -> None:
    """A reaction needs the right to write; taking one back does not."""
    (ann, bob), group = talk(api, people, 2)
    direct = ":".join(sorted((ann.handle, bob.handle)))
    done(send(api, bob, direct, "hi"), 201)
    done(react(api, bob, direct, 1, UP))
    done(react(api, bob, group, 2, UP))
    done(api.call("PUT", f"/v1/users/me/blocked/{bob.handle}", person=ann))
    mute = {"muted_until": "2100-01-01T00:00:00.000000Z"}
    done(do(api, ann, "PATCH", f"{group}/members/{bob.handle}", json=mute))

    refused(react(api, bob, direct, 1, HEART), 403, "blocked")
    refused(react(api, bob, group, 2, HEART), 403, "muted")
    assert shown(api, ann, direct, 1) == []
    done(react(api, bob, direct, 1, UP, "DELETE"))
    done(react(api, bob, group, 2, UP, "DELETE"))
    assert shown(api, bob, direct, 1) == shown(api, bob, group, 2) == []


def test_strangers_and_missing_messages_take_no_reactions(api: Api, people: People) -> None:
    """Non-members learn nothing; system messages, deleted ones and those before one's time take none."""
    (ann, bob), group = talk(api, people, 2)
    (dan,) = crowd(people, 1)
    done(send(api, ann, group, "two"), 201)
    done(do(api, ann, "DELETE", f"{group}/messages/3", params={"for": "all"}))

    refused(react(api, dan, group, 2, UP), 403, "not_a_member")
    refused(do(api, dan, "GET", f"{group}/messages/2/reactions"), 403, "not_a_member")
    refused(react(api, bob, group, 9, UP), 404, "message_not_found")
    refused(do(api, bob, "GET", f"{group}/messages/9/reactions"), 404, "message_not_found")
    refused(react(api, bob, group, 1, UP), 403, "forbidden")
    refused(react(api, bob, group, 3, UP), 410, "message_deleted")


def test_deletion_takes_the_reactions(api: Api, people: People) -> None:
    """A deleted message has no reactions, and nobody who reacted."""
    (ann, bob), group = talk(api, people, 2)
    done(react(api, bob, group, 2, UP))
    done(do(api, ann, "DELETE", f"{group}/messages/2", params={"for": "all"}))

    assert shown(api, bob, group, 2) == []
    assert who(api, bob, group, 2) == []


def test_an_edit_keeps_the_reactions(api: Api, people: People) -> None:
    """Text and reactions change independently."""
    (ann, bob), group = talk(api, people, 2)
    done(react(api, bob, group, 2, UP))
    edited = do(api, ann, "PATCH", f"{group}/messages/2", json={"text": "edited"}).json()
    done(react(api, ann, group, 2, UP))

    assert edited["reactions"] == [{"emoji": UP, "count": 1, "me": False}]
    assert read(api, ann, f"{group}/messages/2")["text"] == "edited"
    assert shown(api, ann, group, 2) == [(UP, 2, True)]


def test_all_of_many_reactions_at_once_are_counted(api: Api, people: People) -> None:
    """Users who react to one message at the same time are all counted, and so are those who take it back."""
    members, group = talk(api, people, 20)

    answers = at_once([lambda one=one: react(api, one, group, 2, UP) for one in members])  # type: ignore[misc]
    assert {answer.status_code for answer in answers} == {204}
    assert shown(api, members[0], group, 2) == [(UP, 20, True)]
    at_once([lambda one=one: react(api, one, group, 2, UP, "DELETE") for one in members[:7]])  # type: ignore[misc]
    assert shown(api, members[0], group, 2) == [(UP, 13, False)]
    assert len(who(api, members[0], group, 2)) == 13
