"""Reactions and hidden messages by frames: who gets which, in groups and large groups."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec import UnsetType

from chalicelib.schemas.messages import MAX_TEXT_BYTES, EditRequest
from chalicelib.services.chats.rules import inviting
from chalicelib.store import keys
from chalicelib.store.redis.query import Query
from tests.realtime.recorded_connections import LARGE_CHAT, Frame, Socket, Stage

UP = "👍"
LAMBDA_BYTES = 6 * 1024 * 1024
"""Maximum size of a response. Source: Lambda quotas, "Invocation payload"."""


@pytest.fixture(params=[3, LARGE_CHAT + 2], ids=["small", "large"])
def group(request: pytest.FixtureRequest, stage: Stage) -> tuple[str, dict[str, Socket]]:
    """A group with message 2, and a connection of each member."""
    users = [f"user{number}" for number in range(request.param)]
    chat = stage.group(users[0], *users[1:])
    sockets = {user: stage.connect(user) for user in users}
    sockets[users[0]].send(type="send", chat=chat, id="1", text="hello")
    for socket in sockets.values():
        socket.frames.clear()
    return chat, sockets


def changes(socket: Socket) -> list[Frame]:
    """Return the changes that were pushed to a connection, and forget them."""
    found = socket.of_type("change")
    socket.frames.clear()
    return found


def test_a_reaction_is_answered_with_all_counts_and_pushed_without(
    group: tuple[str, dict[str, Socket]], stage: Stage
) -> None:
    """The answer has the reactions as the user sees them; others learn who reacted, and read the message."""
    chat, sockets = group
    first, second, *_ = sockets.values()
    answer = second.ask(type="react", chat=chat, seq=2, emoji=UP, ref="7")
    assert answer["message"]["reactions"] == [{"emoji": UP, "count": 1, "me": True}]
    assert answer["ref"] == "7"
    assert not {"partial", "reaction"} & answer.keys()
    for socket in sockets.values():
        if socket is not second:
            (pushed,) = changes(socket)
            assert pushed["partial"] is True
            assert pushed["reaction"] == {"emoji": UP, "user": second.user, "on": True}
            assert "reactions" not in pushed["message"]
            assert pushed["message"]["change"] == pushed["change"] == answer["change"]

    second.frames.clear()
    again = second.ask(type="react", chat=chat, seq=2, emoji=UP)
    assert again["message"] == answer["message"]
    gone = second.ask(type="react", chat=chat, seq=2, emoji=UP, on=False)
    assert "reactions" not in gone["message"]
    (pushed,) = changes(first)
    assert "partial" not in pushed
    assert pushed["reaction"]["on"] is False


def test_reactions_of_blocked_users_are_not_pushed(
    group: tuple[str, dict[str, Socket]], stage: Stage
) -> None:
    """Whoever blocks the user gets no frame of the reaction; everybody else does."""
    chat, sockets = group
    first, second, third, *_ = sockets.values()
    stage.store.run(Query("ZADD", (keys.blocked(first.user),), (1, second.user)))
    first.frames.clear()
    second.send(type="react", chat=chat, seq=2, emoji=UP)

    assert changes(first) == []
    assert len(changes(third)) == 1


def test_a_pin_is_answered_and_pushed(group: tuple[str, dict[str, Socket]]) -> None:
    """An admin's pin is a change that everybody gets; a member's is refused."""
    chat, sockets = group
    owner, member, *_ = sockets.values()
    answer = owner.ask(type="pin", chat=chat, seq=2, ref="9")
    assert (answer["ref"], answer["seq"]) == ("9", 2)
    assert [one["message"]["pinned_at"] for one in changes(member)] == [answer["message"]["pinned_at"]]
    assert member.ask(type="pin", chat=chat, seq=2, on=False)["code"] == "forbidden"
    assert "pinned_at" not in owner.ask(type="pin", chat=chat, seq=2, on=False)["message"]


def test_a_refused_reaction_is_an_error(group: tuple[str, dict[str, Socket]]) -> None:
    """A text that is no emoji, and a message that does not exist, are errors."""
    chat, sockets = group
    first, *_ = sockets.values()
    assert first.ask(type="react", chat=chat, seq=2, emoji="no")["errors"][0]["field"] == "emoji"
    assert first.ask(type="react", chat=chat, seq=9, emoji=UP)["code"] == "message_not_found"
    assert first.ask(type="react", chat=chat, seq=1, emoji=UP)["code"] == "forbidden"


def test_hiding_a_message_reaches_the_own_devices_alone(
    group: tuple[str, dict[str, Socket]], stage: Stage
) -> None:
    """The other devices get the change and the row, others nothing; repeating it changes nothing."""
    chat, sockets = group
    first, second, *_ = sockets.values()
    phone = stage.connect(second.user)
    phone.frames.clear()
    answer = second.ask(type="delete", chat=chat, seq=2, ref="3", **{"for": "me"})

    assert (answer["seq"], answer["hidden"], answer["ref"]) == (2, True, "3")
    assert "message" not in answer
    (row,) = phone.of_type("chat")
    assert (row["unread"], row["last"]["seq"], row["change"]) == (0, 1, answer["cursor"])
    del answer["ref"]
    assert changes(phone) == [answer]
    assert first.frames == []
    again = second.ask(type="delete", chat=chat, seq=2, **{"for": "me"})
    assert again == answer
    assert phone.frames == []


@pytest.mark.parametrize("size", [3, LARGE_CHAT + 2], ids=["small", "large"])
def test_changes_of_old_messages_do_not_reach_later_members(stage: Stage, size: int) -> None:
    """A member who may not read what came before gets no frame when it is edited or gets a reaction."""
    users = [f"user{number}" for number in range(size)]
    chat = stage.group(*users)
    old, friend = stage.connect(users[0]), stage.connect(users[1])
    old.send(type="send", chat=chat, id="1", text="before")
    stage.services.membership.apply(stage.caller(users[0]), chat, "late", inviting.add)
    late = stage.connect("late")
    late.frames.clear()
    friend.frames.clear()
    old.send(type="edit", chat=chat, seq=2, text="still before")
    old.send(type="react", chat=chat, seq=2, emoji=UP)

    assert len(changes(friend)) == 2
    assert changes(late) == []


def test_changes_do_not_reach_a_user_who_has_cleared_the_chat(stage: Stage) -> None:
    """After a user has left a direct chat, changes of what came before are not pushed to them."""
    chat = "ann:bob"
    ann, bob = stage.connect("ann"), stage.connect("bob")
    ann.send(type="send", chat=chat, id="1", text="before")
    stage.services.chats.leave(stage.caller("bob"), chat)
    bob.frames.clear()
    ann.send(type="edit", chat=chat, seq=1, text="still before")

    assert bob.frames == []


def test_a_deleted_chat_leaves_nothing_hidden(group: tuple[str, dict[str, Socket]], stage: Stage) -> None:
    """What members and former members have hidden goes with the chat."""
    chat, sockets = group
    owner, member, leaver, *_ = sockets
    for user in (member, leaver):
        stage.services.message_hider.hide(stage.caller(user), chat, 2)
    stage.services.chats.leave(stage.caller(leaver), chat)

    stage.services.chats.delete(stage.caller(owner), chat)

    named = [key(chat, user) for user in (member, leaver) for key in (keys.hidden, keys.hidings)]
    assert [stage.store.run(Query("EXISTS", (name,))) for name in named] == [0] * 4


def test_changes_that_fit_in_no_reply_come_in_several_pages(stage: Stage) -> None:
    """Lambda can carry each page, whatever the texts escape to, and no change is left out."""
    ann, text = stage.caller("ann"), '"' * MAX_TEXT_BYTES
    for seq in range(1, 100):
        stage.write("ann", "ann:bob")
        stage.services.message_changes.edit(ann, "ann:bob", seq, EditRequest(text))
    found, sizes, since = list[int | UnsetType](), list[int](), None
    while True:
        page = stage.services.changelog.page(stage.caller("bob"), "ann:bob", since, 100)
        found += [one.seq for one in page.changes]
        sizes.append(len(json.dumps(msgspec.json.encode(page).decode())))
        since = page.next
        if not page.more:
            break

    assert found == list(range(1, 100))
    assert len(sizes) == 2
    assert max(sizes) < LAMBDA_BYTES
