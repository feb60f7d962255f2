"""Sends are stored once and acknowledged, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from parley_client import Closed, Message, Problem
from tests.client.conftest import Making, take
from tests.client.scripted_server import ScriptedServer

pytestmark = pytest.mark.anyio
CHAT = "bob:me"
LIMITED = {"status": 429, "code": "too_many_requests", "title": "", "detail": "Wait."}


async def test_one_unacknowledged_send_a_chat(server: ScriptedServer, making: Making) -> None:
    """The second send of a chat waits for the first one's ack, also under another spelling; others do not."""
    server.silent.add("send")
    client = await making(answer_seconds=20)
    sends = [client.send(chat, "x") for chat in (CHAT, "Me:Bob", "carol:me")]
    waiting = [asyncio.create_task(send) for send in sends]
    peer = await server.peer(0)
    await server.until(lambda: len(peer.sent("send")) == 2)
    assert [frame["chat"] for frame in peer.sent("send")] == [CHAT, "carol:me"]
    server.silent.clear()
    first = peer.sent("send")[0]
    await peer.push(*(answer | {"ref": first["ref"]} for answer in server.answers(first)))
    await waiting[0]
    await waiting[1]
    assert [frame["chat"] for frame in peer.sent("send")] == [CHAT, "carol:me", "Me:Bob"]
    waiting[2].cancel()


async def test_resent_after_a_reconnect(server: ScriptedServer, making: Making) -> None:
    """A send whose connection breaks before its ack is sent again by the same id, and stored once."""
    server.silent.add("send")
    client = await making()
    waiting = asyncio.create_task(client.send(CHAT, "x"))
    peer = await server.peer(0)
    await server.until(lambda: peer.sent("send"))
    server.answers(peer.sent("send")[0])
    server.silent.clear()
    peer.socket.transport.abort()
    ack = await waiting
    again = (await server.peer(1)).sent("send")
    assert [frame["id"] for frame in again] == [peer.sent("send")[0]["id"]]
    assert (ack.seq, ack.duplicate, len(server.logs[CHAT])) == (1, True, 1)
    assert (await take(client, Message)).id == ack.id


async def test_resent_when_the_ack_is_lost(server: ScriptedServer, making: Making) -> None:
    """A send that is not answered in time is sent again on the connection, which answers a ping."""
    server.silent.add("send")
    client = await making(answer_seconds=1.0)
    waiting = asyncio.create_task(client.send(CHAT, "x"))
    peer = await server.peer(0)
    await server.until(lambda: peer.sent("send") and peer.sent("ping"))
    server.silent.clear()
    assert (await waiting).seq == 1
    assert len({frame["id"] for frame in peer.sent("send")}) == 1
    assert len(server.peers) == 1


async def test_refused_send_raises(server: ScriptedServer, making: Making) -> None:
    """A permanent refusal is raised, and not repeated; the next send goes on."""
    server.errors["send"] = deque([{"status": 403, "code": "blocked", "title": "", "detail": "Blocked."}])
    client = await making()
    with pytest.raises(Problem, match=r"Blocked\.") as refused:
        await client.send(CHAT, "x")
    assert (refused.value.status, refused.value.code) == (403, "blocked")
    assert (await client.send(CHAT, "y")).text == "y"


async def test_passing_refusal_is_waited_out(server: ScriptedServer, making: Making) -> None:
    """Over a limit, or while the store does not answer, the send is repeated by the same id."""
    server.errors["send"] = deque([LIMITED, {**LIMITED, "status": 503, "code": "store_unavailable"}])
    client = await making()
    assert (await client.send(CHAT, "x")).seq == 1
    assert len({frame["id"] for frame in server.peers[0].sent("send")}) == 1


async def test_goes_by_rest_without_a_socket(server: ScriptedServer, making: Making) -> None:
    """A send that waits too long for a WebSocket goes by REST, is delivered, and not again by the sync."""
    server.refusals.extend([(503, {})] * 3)
    client = await making(fallback_seconds=0, backoff_base=0.2)
    assert (await client.send(CHAT, "x", id="mine")).id == "mine"
    method, target, headers, _ = server.requests[-1]
    assert (method, target) == ("POST", "/v1/chats/bob%3Ame/messages")
    assert headers["x-parley-user"] == "me"
    assert (await take(client, Message)).text == "x"
    assert (await client.send(CHAT, "y")).seq == 2
    assert (await take(client, Message)).text == "y"


async def test_long_message_goes_in_parts(server: ScriptedServer, making: Making) -> None:
    """A message over 32 KB, as JSON, is sent in several WebSocket frames, none over the limit."""
    client = await making()
    text = "\x01é" * 8000
    assert (await client.send(CHAT, text)).text == text
    assert server.peers[0].parts > 1


async def test_closing_ends_what_waits(server: ScriptedServer, making: Making) -> None:
    """A send that waits when the client is closed raises Closed."""
    server.silent.add("hello")
    client = await making(fallback_seconds=None)
    waiting = asyncio.create_task(client.send(CHAT, "x"))
    await server.until(lambda: server.peers)
    await client.close()
    with pytest.raises(Closed):
        await waiting
