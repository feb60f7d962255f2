"""Messages reach the application once and in order, whatever happens to pushes."""

from __future__ import annotations

import json
import random
from collections import deque

import pytest

from parley_client import ChatMoved, ChatReset, Connected, Message, State
from tests.client.conftest import Making, messages, take
from tests.client.scripted_server import EPOCH, ScriptedServer

pytestmark = pytest.mark.anyio
CHAT = "bob:me"


def texts(*numbers: int) -> list[tuple[str, int, str]]:
    """Return the messages of these seqs, in the form of `messages`."""
    return [(CHAT, number, str(number)) for number in numbers]


def append(server: ScriptedServer, *numbers: int) -> list[dict[str, object]]:
    """Append messages whose text is their seq."""
    return [server.append(CHAT, str(number)) for number in numbers]


async def test_what_is_in_the_log_comes_first(server: ScriptedServer, making: Making) -> None:
    """A client without a state gets its chats, then their messages, page by page."""
    append(server, *range(1, 8))
    server.page = 3
    client = await making()
    assert (await take(client, ChatMoved)).row.seq == 7
    assert await messages(client, 7) == texts(*range(1, 8))


async def test_first_message_of_a_new_chat_without_a_backlog(server: ScriptedServer, making: Making) -> None:
    """A client without old messages gets those of a chat that began while it was away."""
    server.append("al:me", "old")
    client = await making(backlog=0)
    await take(client, Connected)
    server.append(CHAT, "new")
    await server.peers[0].socket.close(1001)
    assert await messages(client, 1) == [(CHAT, 1, "new")]


async def test_backlog_bounds_what_is_old(server: ScriptedServer, making: Making) -> None:
    """With a backlog a chat begins with its newest messages, and no later one is left out."""
    append(server, *range(1, 8))
    client = await making(backlog=2)
    assert await messages(client, 2) == texts(6, 7)
    await server.push(*append(server, 8, 9))
    assert await messages(client, 2) == texts(8, 9)


async def test_pushes_in_any_order_and_twice(server: ScriptedServer, making: Making) -> None:
    """Reordered and repeated pushes are delivered once, in order, without a pull."""
    append(server, 1)
    client = await making(gap_seconds=20)
    assert await messages(client, 1) == texts(1)
    pushed = append(server, *range(2, 30)) * 2
    random.Random(7).shuffle(pushed)
    await server.push(*pushed)
    assert await messages(client, 28) == texts(*range(2, 30))
    assert len((await server.peer(0)).sent("pull")) == 1


async def test_a_gap_is_pulled(server: ScriptedServer, making: Making) -> None:
    """Messages after a lost push wait for a while, then the client pulls."""
    append(server, 1)
    client = await making()
    assert await messages(client, 1) == texts(1)
    _, _, fourth = append(server, 2, 3, 4)
    await server.push(fourth)
    assert await messages(client, 3) == texts(2, 3, 4)
    assert (await server.peer(0)).sent("pull")[-1]["after"] == server.cursor(CHAT, 1)


async def test_first_message_of_a_chat(server: ScriptedServer, making: Making) -> None:
    """An unknown chat begins with the pushed message and earlier ones."""
    client = await making()
    await take(client, Connected)
    await server.push(append(server, 1, 2)[1])
    assert await messages(client, 2) == texts(1, 2)


async def test_all_lost_pushes_are_found_by_a_resync(server: ScriptedServer, making: Making) -> None:
    """If the last push of a chat is lost, the client asks by itself after a while."""
    append(server, 1)
    client = await making(resync_seconds=0.1)
    assert await messages(client, 1) == texts(1)
    append(server, 2, 3)
    assert await messages(client, 2) == texts(2, 3)


async def test_another_epoch_begins_the_chat_again(server: ScriptedServer, making: Making) -> None:
    """After the store lost a chat's log, the application gets a reset, then the existing messages."""
    append(server, 1, 2, 3)
    client = await making()
    assert await messages(client, 3) == texts(1, 2, 3)
    server.lose(CHAT, 0)
    server.append(CHAT, "new")
    (await server.peer(0)).socket.transport.abort()
    assert await take(client, ChatReset) == ChatReset(CHAT)
    assert await messages(client, 1) == [(CHAT, 1, "new")]


@pytest.mark.parametrize("kept", [1, 2])
async def test_lost_end_of_a_log_begins_the_chat_again(
    server: ScriptedServer, making: Making, kept: int
) -> None:
    """The times of messages reveal at once numbers that the store gives a second time."""
    append(server, 1, 2, 3)
    client = await making()
    assert await messages(client, 3) == texts(1, 2, 3)
    server.lose(CHAT, kept)
    await server.push(server.append(CHAT, "again"))
    assert await take(client, ChatReset) == ChatReset(CHAT)
    assert await messages(client, kept + 1) == [*texts(1, 2, 3)[:kept], (CHAT, kept + 1, "again")]


async def broken(server: ScriptedServer) -> list[dict[str, str]]:
    """Break the newest connection, and return the cursors that the next one checks."""
    number = len(server.peers)
    server.peers[-1].socket.transport.abort()
    return list((await server.peer(number)).sent("hello")[0].get("check", []))


@pytest.mark.parametrize("socket", [True, False], ids=["socket", "REST"])
async def test_pushed_message_that_was_lost(server: ScriptedServer, making: Making, socket: bool) -> None:
    """A message that came after the last sync, and was lost, resets the chat after a break."""
    append(server, 1)
    client = await making(poll_seconds=0.05)
    assert await messages(client, 1) == texts(1)
    await server.push(*append(server, 2))
    assert await messages(client, 1) == texts(2)
    held = {"chat": CHAT, "cursor": server.cursor(CHAT, 2)}
    server.lose(CHAT, 1)
    if socket:
        assert await broken(server) == [held]
    else:
        server.refusals.extend([(404, {})] * 1000)
        server.peers[-1].socket.transport.abort()
    assert await take(client, ChatReset) == ChatReset(CHAT)
    assert await messages(client, 1) == texts(1)
    if not socket:
        checked = [
            json.loads(body)["check"]
            for method, _, _, body in server.requests
            if method == "POST" and "check" in body
        ]
        assert checked[0] == [held]


async def test_push_after_a_lost_message(server: ScriptedServer, making: Making) -> None:
    """A message that follows a lost one by its number, and is pushed before the answer, does not hide it."""
    append(server, 1)
    client = await making(poll_seconds=None)
    assert await messages(client, 1) == texts(1)
    await server.push(server.append(CHAT, "phantom"))
    assert await messages(client, 1) == [(CHAT, 2, "phantom")]
    server.lose(CHAT, 1)
    server.before_hello = append(server, 2, 3)[1:]
    await broken(server)
    assert await messages(client, 1) == texts(3)
    assert await take(client, ChatReset) == ChatReset(CHAT)
    assert await messages(client, 3) == texts(1, 2, 3)


async def test_acknowledged_message_that_was_lost(server: ScriptedServer, making: Making) -> None:
    """The client's own acknowledged messages are checked too."""
    append(server, 1)
    client = await making()
    assert await messages(client, 1) == texts(1)
    await client.send(CHAT, "mine")
    assert await messages(client, 1) == [(CHAT, 2, "mine")]
    server.lose(CHAT, 1)
    await broken(server)
    assert await take(client, ChatReset) == ChatReset(CHAT)
    assert await messages(client, 1) == texts(1)


async def test_chat_that_was_lost(server: ScriptedServer, making: Making) -> None:
    """A chat that began after the last sync and was lost is dropped, and others continue."""
    append(server, 1)
    client = await making()
    assert await messages(client, 1) == texts(1)
    await server.push(server.append("carol:me", "phantom"))
    assert await messages(client, 1) == [("carol:me", 1, "phantom")]
    del server.logs["carol:me"]
    await broken(server)
    assert await take(client, ChatReset) == ChatReset("carol:me", readable=False)
    assert "carol:me" not in client.state.chats
    await server.push(*append(server, 2))
    assert await messages(client, 1) == texts(2)


async def test_only_what_came_since_is_checked(server: ScriptedServer, making: Making) -> None:
    """A hello checks the chats with new messages since the last one, and each only once."""
    append(server, 1)
    server.append("al:me", "quiet")
    client = await making()
    await messages(client, 2)
    await broken(server)  # what was pulled after the first sync is checked with the second
    await take(client, Connected)
    await server.push(*append(server, 2))
    assert await messages(client, 1) == texts(2)
    assert await broken(server) == [{"chat": CHAT, "cursor": server.cursor(CHAT, 2)}]
    await take(client, Connected)
    assert await broken(server) == []


async def test_many_chats_are_checked_in_several_hellos(server: ScriptedServer, making: Making) -> None:
    """Chats beyond one hello's maximum are checked by further hellos, before the client is ready."""
    client = await making()
    await take(client, Connected)
    chats = [f"a{number:03}:me" for number in range(230)]
    await server.push(*(server.append(chat, "hi") for chat in chats))
    await messages(client, len(chats))
    for chat in chats[::23]:
        server.append(chat, "kept")
        server.lose(chat, 0)
    assert len(await broken(server)) == 100
    await take(client, Connected)
    checked = [one["chat"] for frame in server.peers[-1].sent("hello") for one in frame.get("check", [])]
    assert sorted(checked) == chats


async def test_break_in_the_middle_of_a_check(server: ScriptedServer, making: Making) -> None:
    """Chats of a hello without an answer are checked again by the next."""
    append(server, 1)
    client = await making(poll_seconds=None)
    await messages(client, 1)
    await server.push(*append(server, 2))
    assert await messages(client, 1) == texts(2)
    server.lose(CHAT, 1)
    server.silent.add("hello")
    await broken(server)
    server.silent.clear()
    assert await broken(server) == [{"chat": CHAT, "cursor": f"2.{1_767_225_600_000_002}.{EPOCH}"}]
    assert await take(client, ChatReset) == ChatReset(CHAT)
    assert await messages(client, 1) == texts(1)


async def test_server_that_refuses_to_check(server: ScriptedServer, making: Making) -> None:
    """A client whose check is refused as malformed comes back without one, and checks again later."""
    append(server, 1)
    client = await making(poll_seconds=None)
    await messages(client, 1)
    wrong = {"status": 400, "code": "bad_request", "title": "", "detail": "check: there is no such field"}
    server.errors["hello"] = deque([wrong])
    checked = await broken(server)
    await take(client, Connected)
    assert ["check" in frame for frame in server.peers[-1].sent("hello")] == [True, False]
    assert await broken(server) == checked != []


async def test_server_of_before_there_were_checks(server: ScriptedServer, making: Making) -> None:
    """A client that polls such a server reads moved chats, with or without cursors to check."""
    server.checks = False
    server.refusals.extend([(404, {})] * 1000)
    append(server, 1)
    client = await making(poll_seconds=0.05)
    for number in (1, 2, 3):
        assert await messages(client, 1) == texts(number)
        append(server, number + 1)


async def test_state_knows_what_is_to_be_checked(server: ScriptedServer, making: Making) -> None:
    """A client with a state checks the messages after the sync that the state continues from."""
    append(server, 1)
    first = await making()
    await messages(first, 1)
    await broken(server)
    await take(first, Connected)
    await server.push(*append(server, 2))
    assert await messages(first, 1) == texts(2)
    stored = first.state.to_json()
    await first.close()
    held = {"chat": CHAT, "cursor": server.cursor(CHAT, 2)}
    server.lose(CHAT, 1)
    number = len(server.peers)
    second = await making(state=State.from_json(stored))
    assert (await server.peer(number)).sent("hello")[0]["check"] == [held]
    assert await take(second, ChatReset) == ChatReset(CHAT)
    assert await messages(second, 1) == texts(1)
    assert CHAT in second.state.unchecked


async def test_state_survives_a_restart(server: ScriptedServer, making: Making) -> None:
    """A client with an earlier client's state gets the events that its application did not take."""
    append(server, *range(1, 6))
    first = await making()
    assert await messages(first, 3) == texts(1, 2, 3)
    stored = first.state.to_json()
    await first.close()
    append(server, 6)
    second = await making(state=State.from_json(stored))
    assert await messages(second, 3) == texts(4, 5, 6)


async def test_sync_token_is_stored_after_its_messages(server: ScriptedServer, making: Making) -> None:
    """The state gets a sync's token only once the application has taken all messages of the sync."""
    append(server, 1, 2)
    client = await making()
    assert await messages(client, 1) == texts(1)
    assert client.state.version is None
    assert await messages(client, 1) == texts(2)
    server.append("carol:me", "3")
    await server.push(server.logs["carol:me"][0])
    assert await messages(client, 1) == [("carol:me", 1, "3")]
    assert client.state.version is not None


async def test_slow_application_loses_nothing(server: ScriptedServer, making: Making) -> None:
    """Messages beyond the buffer stay in the server's log, and are pulled when there is room."""
    append(server, 1)
    client = await making(most_events=4, page_messages=4)
    assert await messages(client, 1) == texts(1)
    await server.push(*append(server, *range(2, 60)))
    assert (await client.send("carol:me", "still alive")).seq == 1
    own = [("carol:me", 1, "still alive")]
    received = await messages(client, 59)
    assert [one for one in received if one[0] == CHAT] == texts(*range(2, 60))
    assert [one for one in received if one[0] != CHAT] == own


async def test_chat_that_may_not_be_read_is_dropped(server: ScriptedServer, making: Making) -> None:
    """A chat whose pull is refused is dropped, and others continue."""
    append(server, 1)
    server.errors["pull"] = deque([{"status": 403, "code": "not_a_member", "title": "", "detail": "No."}])
    client = await making()
    await take(client, Connected)
    await server.push(server.append("carol:me", "hi"))
    assert await messages(client, 1) == [("carol:me", 1, "hi")]


async def test_own_messages_arrive_in_order(server: ScriptedServer, making: Making) -> None:
    """The user's own messages arrive as messages, too, after those sent before."""
    client = await making()
    await take(client, Connected)
    append(server, 1)
    ack = await client.send(CHAT, "2")
    assert (ack.seq, ack.duplicate) == (2, False)
    received = [await take(client, Message) for _ in range(2)]
    assert [(one.seq, one.sender, type(one)) for one in received] == [(1, "bob", Message), (2, "me", Message)]
