"""Events beside messages, and their delivery to the application."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from parley_client import (
    ChatMoved,
    Connected,
    Disconnected,
    Failed,
    InboxReset,
    Message,
    ParleyError,
    Presence,
    Receipt,
    RoomNotice,
    State,
    Typing,
)
from tests.client.conftest import Making, messages, take
from tests.client.scripted_server import ScriptedServer

pytestmark = pytest.mark.anyio
CHAT = "bob:me"


async def test_said_again_after_a_break(server: ScriptedServer, making: Making) -> None:
    """A new connection repeats the watches, joins and marks of the previous one, and its pending ones."""
    server.admitted = 1
    client = await making(fallback_seconds=None)
    assert await client.watch(["bob"]) == [Presence(user="bob", online=True)]
    assert (await client.join("lobby")).clients == ["me"]
    await client.join("attic")
    await client.leave("attic")
    server.refusals.extend([(503, {})])
    server.peers[0].socket.transport.abort()
    await take(client, Disconnected)
    await client.read(CHAT, 3)
    await client.read(CHAT, 2)
    await server.admit()
    peer = await server.peer(1)
    await server.until(lambda: peer.sent("read"))
    assert [frame["users"] for frame in peer.sent("watch")] == [["bob"]]
    assert [frame["room"] for frame in peer.sent("room.join")] == ["lobby"]
    assert [frame["seq"] for frame in peer.sent("read")] == [3]


async def test_marks_are_repeated_until_confirmed(server: ScriptedServer, making: Making) -> None:
    """A read that is not confirmed is sent again on the next connection; those made meanwhile go together."""
    server.silent.add("read")
    client = await making()
    await client.ready()
    reading = [asyncio.create_task(client.read(CHAT, seq)) for seq in range(1, 20)]
    first = await server.peer(0)
    await server.until(lambda: first.sent("read"))
    server.silent.clear()
    first.socket.transport.abort()
    await asyncio.gather(*reading)
    second = await server.peer(1)
    await server.until(lambda: second.sent("read"))
    assert [frame["seq"] for peer in (first, second) for frame in peer.sent("read")] == [1, 19]


async def test_missing_room_is_reported_as_failed(server: ScriptedServer, making: Making) -> None:
    """A room that can't be joined again is Failed, once, and the connection stays in use."""
    client = await making()
    await client.join("lobby")
    gone = {"status": 404, "code": "chat_not_found", "title": "", "detail": "No such room."}
    server.errors["room.join"] = deque([gone])
    server.peers[0].socket.transport.abort()
    assert (await take(client, Failed)).code == "chat_not_found"
    await take(client, Connected)


async def test_each_known_frame_becomes_a_typed_event(server: ScriptedServer, making: Making) -> None:
    """Each server frame becomes an event of its own type; the client skips unknown frames."""
    client = await making()
    await take(client, Connected)
    await server.push(
        {"type": "typing", "chat": CHAT, "user": "bob", "on": True},
        {"type": "of the future", "chat": CHAT},
        {"type": "receipt", "chat": CHAT, "user": "bob", "read": 4},
        {"type": "room", "room": "x", "chat": "r-x", "event": "entered", "user": "bob", "notice": "here"},
    )
    assert await client.next_event() == Typing(chat=CHAT, user="bob", on=True)
    assert await client.next_event() == Receipt(chat=CHAT, user="bob", read=4)
    assert (await take(client, RoomNotice)).user == "bob"


async def test_what_is_not_answered_may_fail(server: ScriptedServer, making: Making) -> None:
    """A signal that cannot be delivered is a Failed event with the ref that `signal` returned."""
    nobody = {"status": 404, "code": "nobody_there", "title": "", "detail": "Nobody is there."}
    server.errors["signal"] = deque([nobody])
    client = await making()
    ref = await client.signal("call", "ring", to="bob")
    failed = await take(client, Failed)
    assert (failed.ref, failed.code) == (ref, "nobody_there")


async def test_failing_handler_does_not_affect_the_others(
    server: ScriptedServer, making: Making, caplog: pytest.LogCaptureFixture
) -> None:
    """Handlers get the events of their type; a failing one is logged, and the others still run."""
    client = await making()
    handled: list[str] = []
    done = asyncio.Event()

    def broken(message: Message) -> None:
        raise RuntimeError(message.text)

    async def note(message: Message) -> None:
        handled.append(message.text)
        if message.text == "2":
            done.set()

    client.on(Message, broken)
    client.on(Message, note)
    await server.peer(0)
    await server.push(server.append(CHAT, "1"), server.append(CHAT, "2"))
    async with asyncio.timeout(20):
        await done.wait()
    assert handled == ["1", "2"]
    assert [record.getMessage() for record in caplog.records] == ["a handler of Message failed"] * 2
    with pytest.raises(ParleyError, match="iterate or use `on`"):
        await anext(aiter(client))


async def test_reset_of_the_inbox(server: ScriptedServer, making: Making) -> None:
    """After a reset old rows are to be dropped; chats that are gone leave the state."""
    server.append(CHAT, "1")
    server.append("carol:me", "1")
    first = await making()
    await messages(first, 2)
    state = State.from_json(first.state.to_json())
    await first.close()
    assert set(state.chats) == {CHAT, "carol:me"}
    del server.logs["carol:me"]
    server.reset = True
    second = await making(state=state)
    await take(second, InboxReset)
    assert (await take(second, ChatMoved)).row.chat == CHAT
    await server.push(server.append(CHAT, "2"))
    assert await messages(second, 1) == [(CHAT, 2, "2")]
    assert set(second.state.chats) == {CHAT}


async def test_events_end_with_the_client(server: ScriptedServer, making: Making) -> None:
    """Iterating ends when the client is closed."""
    client = await making()

    async def all_events() -> list[object]:
        return [event async for event in client]

    listening = asyncio.create_task(all_events())
    await client.ready()
    await client.close()
    assert [type(event) for event in await listening] == [Connected]
