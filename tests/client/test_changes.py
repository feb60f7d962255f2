"""Changes of messages reach the application once and in order, also after an absence."""

from __future__ import annotations

import asyncio
import random

import pytest

from parley_client import (
    AsyncClient,
    ChatMoved,
    ChatReset,
    Connected,
    Message,
    MessageChanged,
    MessageHidden,
    State,
)
from tests.client.conftest import SECONDS, Making, messages, take
from tests.client.scripted_server import BEGIN, ScriptedServer

pytestmark = pytest.mark.anyio
CHAT = "bob:me"


async def changed(client: AsyncClient, count: int = 1) -> list[tuple[int, str]]:
    """Return the next changes: seq and text."""
    taken = [await take(client, MessageChanged) for _ in range(count)]
    return [(event.seq, event.message.text) for event in taken]


def append(server: ScriptedServer, count: int) -> None:
    """Append messages whose text is their seq."""
    for number in range(1, count + 1):
        server.append(CHAT, str(number))


def feeds(server: ScriptedServer) -> int:
    """Return how often changes were read."""
    return sum("/changes" in target for _, target, _, _ in server.requests)


async def test_pushed_change_is_an_event_once(server: ScriptedServer, making: Making) -> None:
    """A repeated or overtaken change frame is ignored; each message keeps its newest version."""
    append(server, 2)
    client = await making()
    await messages(client, 2)
    old = server.change(CHAT, 1, "first")
    await server.push(server.change(CHAT, 2, "other"), server.change(CHAT, 1, "second"), old)
    await server.push(server.change_frame(CHAT, 1), server.change(CHAT, 2, "last"))
    assert await changed(client, 3) == [(2, "other"), (1, "second"), (2, "last")]
    assert feeds(server) == 0


async def test_missed_changes_are_read_after_an_absence(server: ScriptedServer, making: Making) -> None:
    """A client that was away gets each message that changed meanwhile once, as it is now, page by page."""
    append(server, 6)
    client = await making()
    await messages(client, 6)
    await server.push(server.change(CHAT, 1, "seen"))
    await changed(client)
    state = State.from_json(client.state.to_json())
    await client.close()
    server.page_changes = 2
    for seq, text in [(2, "a"), (3, "b"), (2, "c"), (4, "d"), (5, "e"), (6, "f")]:
        server.change(CHAT, seq, text)
    again = await making(state=state)
    assert dict(await changed(again, 6)) == {1: "seen", 2: "c", 3: "b", 4: "d", 5: "e", 6: "f"}


async def test_lost_change_frame_is_found_by_the_next_sync(server: ScriptedServer, making: Making) -> None:
    """A change whose frame is lost comes with the next sync."""
    append(server, 1)
    client = await making(resync_seconds=0.1)
    await messages(client, 1)
    server.change(CHAT, 1, "edited")
    assert await changed(client) == [(1, "edited")]


async def test_change_before_its_message_is_not_lost(server: ScriptedServer, making: Making) -> None:
    """A message whose change overtakes it, or that waits behind a gap, is released as it is now."""
    append(server, 1)
    client = await making(gap_seconds=0.3)
    await messages(client, 1)
    second, third = server.append(CHAT, "2"), server.append(CHAT, "3")
    await server.push(third, server.change(CHAT, 3, "new three"), server.change(CHAT, 2, "new two"))
    await server.push(second)
    assert await messages(client, 2) == [(CHAT, 2, "new two"), (CHAT, 3, "new three")]


@pytest.mark.parametrize("lost", [False, True], ids=["changes are forgotten", "changes are lost"])
async def test_unknown_changes_begin_the_chat_again(
    server: ScriptedServer, making: Making, lost: bool
) -> None:
    """If the server cannot say what has changed, the client begins the chat again."""
    append(server, 2)
    server.change(CHAT, 1, "edited")
    client = await making(resync_seconds=0.1)
    await messages(client, 2)
    server.forgotten = not lost
    if lost:
        server.changes[CHAT] = {2: server.changes[CHAT][1] - 1}
        server.logs[CHAT][0] |= {"text": "1", "change": 0}
        server.logs[CHAT][1] |= {"sent_at": "2026-01-01T00:00:00.000002Z"}
    else:
        server.change(CHAT, 1, "again")
    assert await take(client, ChatReset) == ChatReset(CHAT, lost=lost)
    assert await messages(client, 2) == [(CHAT, 1, "1" if lost else "again"), (CHAT, 2, "2")]


async def test_partial_change_is_read(server: ScriptedServer, making: Making) -> None:
    """A change frame without what differs between readers makes the client read the message."""
    append(server, 1)
    client = await making()
    await messages(client, 1)
    frame = server.change(CHAT, 1, "whole")
    frame["message"] = frame["message"] | {"text": "partial"}
    await server.push(frame | {"partial": True})
    assert await changed(client) == [(1, "whole")]


async def test_hidden_message_is_dropped(server: ScriptedServer, making: Making) -> None:
    """A message that the user deletes on another device is an event, or does not come at all."""
    append(server, 1)
    client = await making()
    await messages(client, 1)
    hidden = {"type": "change", "chat": CHAT, "hidden": True}
    second, third = server.append(CHAT, "2"), server.append(CHAT, "3")
    await server.push(hidden | {"seq": 1, "change": BEGIN + 100}, hidden | {"seq": 2, "change": BEGIN + 101})
    await server.push(second, third)
    assert await take(client, MessageHidden) == MessageHidden(CHAT, 1, BEGIN + 100)
    assert await messages(client, 1) == [(CHAT, 3, "3")]


async def test_incomplete_message_is_pulled(server: ScriptedServer, making: Making) -> None:
    """A pushed message without what differs between readers is pulled at once, and comes in order."""
    append(server, 1)
    client = await making(gap_seconds=20)
    await messages(client, 1)
    pushed = server.append(CHAT, "2") | {"text": "partial", "partial": True}
    await server.push(pushed, server.append(CHAT, "3"))
    assert await messages(client, 2) == [(CHAT, 2, "2"), (CHAT, 3, "3")]


async def test_message_of_another_history_begins_the_chat_again(
    server: ScriptedServer, making: Making
) -> None:
    """The epoch of a pushed message reveals at once that the store has lost the chat's history."""
    append(server, 1)
    client = await making(gap_seconds=20)
    await messages(client, 1)
    server.lose(CHAT, 0)
    server.append(CHAT, "new")
    await server.push(server.append(CHAT, "newer") | {"epoch": server.epochs[CHAT]})
    assert await take(client, ChatReset) == ChatReset(CHAT)
    assert [text for _, _, text in await messages(client, 2)] == ["new", "newer"]


@pytest.mark.parametrize("seed", range(8))
async def test_any_faults_end_with_what_a_pull_shows(
    server: ScriptedServer, making: Making, seed: int
) -> None:
    """Whatever frames are lost, repeated or reordered, and however often the client is away, it converges."""
    chance = random.Random(seed)
    held: dict[int, str] = {}
    state, client = State(), await making(backlog=None, resync_seconds=0.2)
    await take(client, Connected)
    for _ in range(6):
        frames = []
        for _ in range(chance.randrange(1, 12)):
            log = server.logs.get(CHAT, [])
            if not log or chance.random() < 0.4:
                frames.append(server.append(CHAT, str(len(log))))
            else:
                seq = chance.randrange(1, len(log) + 1)
                frames.append(server.change(CHAT, seq, f"v{chance.random()}"))
        pushed = [frame for frame in frames if chance.random() < 0.7] * chance.choice([1, 2])
        chance.shuffle(pushed)
        await server.push(*pushed)
        if chance.random() < 0.5:
            await server.peers[-1].socket.close(1001)
        elif chance.random() < 0.5:
            state = State.from_json(client.state.to_json())
            await client.close()
            client = await making(state=state, backlog=None, resync_seconds=0.2)
        while held != {one["seq"]: one["text"] for one in server.logs[CHAT]}:
            async with asyncio.timeout(SECONDS):
                event = await client.next_event()
            message = event.message if isinstance(event, MessageChanged) else event
            if isinstance(message, Message):
                held[message.seq] = message.text


async def test_pushed_row_keeps_the_inbox_current(server: ScriptedServer, making: Making) -> None:
    """A chat frame is a ChatMoved with what the client knows beside it; an outdated one is dropped."""
    append(server, 1)
    client = await making()
    await messages(client, 1)
    first = server.row(CHAT) | {"type": "chat", "name": "new"}
    await server.push(server.append(CHAT, "2"))
    await messages(client, 1)
    await server.push(first | {"seq": 0, "cursor": "0"}, first)
    moved = await take(client, ChatMoved)
    assert (moved.row.name, moved.row.seq, moved.row.unread) == ("new", 2, 2)
    assert [(row.chat, row.name, row.last and row.last.text) for row in client.inbox] == [(CHAT, "new", "2")]
    await server.push(server.change(CHAT, 2, "", deleted={"by": "bob", "at": "2026-01-01T00:00:01Z"}))
    await changed(client)
    assert client.inbox[0].unread == 1
    await server.push(first | {"state": "banned", "seq": 0, "cursor": "0"})
    assert (await take(client, ChatMoved)).row.state == "banned"
    assert client.inbox == []
