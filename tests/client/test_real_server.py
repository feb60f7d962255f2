"""The client on a whole server."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chalicelib.push_gateway.pusher import SESSION_ENDED
from parley_client import (
    AsyncClient,
    ChatMoved,
    Client,
    Connected,
    Disconnected,
    Failed,
    Message,
    MessageChanged,
    MessageHidden,
    NotAuthenticated,
    Presence,
    Problem,
    Receipt,
    RoomNotice,
    Settings,
    Signal,
    State,
    Typing,
    login,
    register,
)
from parley_client.models import Forwarded, ReactionCount, Replied
from parley_client.rest import Rest
from tests.client.conftest import SECONDS, take

pytestmark = pytest.mark.anyio
QUICK = Settings(backlog=None, backoff_base=0.05, gap_seconds=0.2)
PASSWORD = "correct horse battery staple"


def name() -> str:
    """Return an unused name."""
    return f"u{secrets.token_hex(4)}"


@contextlib.asynccontextmanager
async def two(url: str, settings: Settings = QUICK) -> AsyncIterator[tuple[AsyncClient, AsyncClient, str]]:
    """Yield two clients that are connected, and the chat of the two."""
    first, second = sorted([name(), name()])
    async with (
        AsyncClient(url, user=first, settings=settings) as one,
        AsyncClient(url, user=second, settings=settings) as other,
    ):
        await take(one, Connected)
        await take(other, Connected)
        yield one, other, f"{first}:{second}"


async def test_messages_come_once_in_order_to_both(open_server: str) -> None:
    """Concurrent messages of two users reach both, once, in the order of the log."""
    async with two(open_server) as (one, other, chat):
        sends = [client.send(chat, str(number)) for number in range(20) for client in (one, other)]
        acks, *received = await asyncio.gather(asyncio.gather(*sends), _texts(one, 40), _texts(other, 40))
        assert sorted(ack.seq for ack in acks) == list(range(1, 41))
        assert received[0] == received[1]
        assert [seq for seq, _, _ in received[0]] == list(range(1, 41))


async def _texts(client: AsyncClient, count: int) -> list[tuple[int, str, str]]:
    taken = [await take(client, Message) for _ in range(count)]
    return [(message.seq, message.sender, message.text) for message in taken]


async def test_replaced_connections_lose_nothing(open_server: str) -> None:
    """Clients whose connections are replaced all the time miss nothing, and get nothing twice."""
    short = Settings(backlog=None, backoff_base=0.05, gap_seconds=0.2, life_seconds=0.2)
    async with two(open_server, short) as (one, other, chat):
        for number in range(60):
            await one.send(chat, str(number))
            await asyncio.sleep(0.01)
        assert [seq for seq, _, _ in await _texts(other, 60)] == list(range(1, 61))
        assert other.state.chats[chat].seq == 60


async def test_state_goes_on_after_a_restart(open_server: str) -> None:
    """A client that returns with its state gets the messages since then, and nothing else."""
    async with two(open_server) as (one, other, chat):
        await one.send(chat, "before")
        await take(other, Message)
        state = State.from_json(other.state.to_json())
        await other.close()
        await one.send(chat, "meanwhile")
        user = chat.split(":")[1]
        async with AsyncClient(open_server, user=user, state=state, settings=QUICK) as again:
            assert (await take(again, Message)).text == "meanwhile"


async def test_changes_reach_clients_that_are_there_or_away(open_server: str) -> None:
    """Edits and deletions are events for both users; a client that was away reads them when it returns."""
    async with two(open_server) as (one, other, chat):
        first, second = await one.send(chat, "first"), await one.send(chat, "second")
        await take(other, Message, lambda message: message.seq == second.seq)
        edited = await one.edit(chat, first.seq, "edited", if_change=0)
        for client in (one, other):
            assert (await take(client, MessageChanged)).message.text == "edited"
        assert await other.message(chat, first.seq) == edited
        with pytest.raises(Problem, match="own"):
            await other.edit(chat, first.seq, "mine")
        state = State.from_json(other.state.to_json())
        await other.close()
        await one.delete(chat, first.seq)
        await one.edit(chat, second.seq, "last")
        async with AsyncClient(open_server, user=str(other.user), state=state, settings=QUICK) as again:
            changes = [(await take(again, MessageChanged)).message for _ in range(2)]
            assert [(change.seq, change.text) for change in changes] == [(1, ""), (2, "last")]
            assert changes[0].deleted
            assert changes[0].deleted.by == one.user


async def test_replies_reactions_and_expiring_messages(open_server: str) -> None:
    """Replies come with what they answer; reactions are changes, seen by each reader as their own or not."""
    async with two(open_server) as (one, other, chat):
        asked = await one.send(chat, "tea?", expires_in=3600)
        await other.send(chat, "yes", reply_to=asked.seq)
        for client in (one, other):
            reply = await take(client, Message, lambda message: message.seq == 2)
            assert reply.replied == Replied(seq=1, sender=asked.sender, text="tea?")
        thread = await one.thread(chat, 2)
        assert thread.root
        assert (thread.root.seq, thread.root.expires_at is not None) == (1, True)
        assert [message.seq for message in thread.messages] == [2]
        await other.react(chat, asked.seq, "👍")
        for client, is_mine in ((one, False), (other, True)):
            message = (await take(client, MessageChanged)).message
            assert message.reactions == [ReactionCount(emoji="👍", count=1, me=is_mine)]
        assert [found.user for found in await one.reactions(chat, asked.seq)] == [other.user]
        await other.unreact(chat, asked.seq, "👍")
        assert (await take(one, MessageChanged)).message.reactions == []
        await other.send(chat, f"@{one.user} look")
        mention = await take(one, Message, lambda message: bool(message.mentions))
        assert mention.concerns(one.user)
        assert not mention.concerns(other.user)
        data = {"place": "kitchen"}
        sent = await one.send(chat, "here", data=data)
        forwarded = await other.forward(chat, sent.seq, f"{other.user}:{other.user}")
        assert (forwarded.text, forwarded.data) == ("here", data)
        kept = (await other.history(forwarded.chat)).messages[0]
        assert kept.forwarded == Forwarded(sender=one.user, chat=chat, seq=sent.seq)
        await other.delete(chat, asked.seq, for_="me")
        assert (await take(other, MessageHidden)).seq == asked.seq
        assert 1 not in [message.seq for message in (await other.history(chat)).messages]
        assert (await one.message(chat, asked.seq)).text == "tea?"
        await one.expire(chat, 60)
        assert (await one.rest.chat(chat)).expires_in == 60


async def test_rows_are_current_without_a_sync(open_server: str) -> None:
    """A chat that is made, renamed, read elsewhere or left has its new row at once on all devices."""
    async with two(open_server) as (one, other, chat):
        device = AsyncClient(open_server, user=str(other.user), settings=QUICK)
        async with device:
            await take(device, Connected)
            await one.send(chat, "hello")
            await take(device, ChatMoved)
            assert [(row.chat, row.unread) for row in device.inbox] == [(chat, 1)]
            await other.read(chat)
            await take(device, ChatMoved, lambda moved: not moved.row.unread)
            room = await _made_room(one)
            await other.rest.join(f"r-{room}")
            for client in (one, device):
                await take(client, ChatMoved, lambda moved: moved.row.members == 2)
            assert {row.chat for row in device.inbox} == {chat, f"r-{room}"}


async def test_all_chats_are_counted_searched_and_read(open_server: str) -> None:
    """The calls about all chats: unread messages, a search, marking all as read, scheduled messages."""
    async with two(open_server) as (one, other, chat):
        await one.send(chat, "a needle in the hay")
        assert (await other.unread()).unread == 1
        (hit,) = (await other.search("need")).hits
        assert [hit.message.text[found.start : found.end] for found in hit.ranges] == ["need"]
        assert await other.read_all() == [chat]
        assert (await other.unread()).chats == 0
        later = await one.schedule(chat, "later", datetime.now(UTC) + timedelta(hours=1))
        changed = await one.reschedule(later.id, text="even later")
        assert await one.scheduled(chat) == [changed]
        await one.cancel(later.id)
        assert await one.scheduled() == []


async def test_presence_typing_and_receipts(open_server: str) -> None:
    """A watcher gets presence, typing and receipts."""
    async with two(open_server) as (one, other, chat):
        first, second = chat.split(":")
        assert [(there.user, there.online) for there in await one.watch([second])] == [(second, True)]
        ack = await one.send(chat, "hello")
        await other.typing(chat)
        assert await take(one, Typing) == Typing(chat=chat, user=second, on=True)
        await other.read(chat, ack.seq)
        assert (await take(one, Receipt)).read == ack.seq
        await other.close()
        assert not (await take(one, Presence)).online
        assert first == one.user


async def test_client_rejoins_its_room_after_a_reconnect(open_server: str) -> None:
    """A client that joins a room sees its participants and is seen; after a break it is in the room again."""
    async with two(open_server) as (one, other, _):
        room = await _made_room(one)
        assert (await one.join(room)).clients == [one.user]
        assert sorted((await other.join(room)).clients or []) == sorted([str(one.user), str(other.user)])
        assert (await take(one, RoomNotice)).user == other.user
        await other.leave(room)
        assert (await take(one, RoomNotice, lambda notice: notice.event == "gone")).user == other.user
        assert await one.clients(room) == [one.user]


async def _made_room(client: AsyncClient) -> str:
    room = name()
    await client.rest.make_room(room)
    return room


async def test_signal_carries_its_sender_or_fails_by_ref(open_server: str) -> None:
    """A signal carries its true sender; one to an offline user is a Failed event with its ref."""
    async with two(open_server) as (one, other, chat):
        await other.send(chat, "let us talk")
        await one.signal("call", "offer", {"sdp": "v=0"}, to=str(other.user))
        signal = await take(other, Signal)
        assert (signal.from_, signal.kind, signal.data) == (one.user, "offer", {"sdp": "v=0"})
        await one.watch([str(other.user)])
        await other.close()
        await take(one, Presence, lambda presence: not presence.online)
        ref = await one.signal("call", "hangup", to=str(other.user))
        failed = await take(one, Failed)
        assert (failed.ref, failed.code) == (ref, "nobody_there")


async def test_send_to_a_chat_of_others_is_refused(open_server: str) -> None:
    """The server refuses a send to a chat of other users."""
    async with two(open_server) as (one, _, _):
        with pytest.raises(Problem) as refused:
            await one.send("someone:else", "hi")
        assert refused.value.code == "not_a_member"


async def test_accounts_of_a_closed_server(closed_server: str) -> None:
    """Registering gives a token that opens sockets; logging out ends the client of that session."""
    users = sorted([name(), name()])
    one, other = [await register(closed_server, user, PASSWORD) for user in users]
    again = await login(closed_server, users[0], PASSWORD)
    chat = ":".join(users)
    async with (
        AsyncClient(closed_server, token=one.token, settings=QUICK) as first,
        AsyncClient(closed_server, token=again.token, settings=QUICK) as device,
        AsyncClient(closed_server, token=other.token, settings=QUICK) as second,
    ):
        for client in (first, device, second):
            await take(client, Connected)
        await second.send(chat, "hello")
        assert (await take(first, Message)).text == (await take(device, Message)).text == "hello"
        await first.rest.logout()
        assert "session of this connection has ended" in (await take(first, Disconnected)).reason
        with pytest.raises(NotAuthenticated):
            await take(first, Connected)
        await second.send(chat, "still there?")
        assert (await take(device, Message)).text == "still there?"


async def test_close_frame_of_an_ended_session(closed_server: str) -> None:
    """An ended session is an error frame on the wire, then a close frame with a code of its own."""
    account = await register(closed_server, name(), PASSWORD)
    rest = Rest(closed_server, QUICK, token=account.token)
    ticket = await rest.ticket()
    async with connect(f"{ticket.url}/?ticket={quote(ticket.ticket, safe='')}") as socket:
        await socket.send('{"type":"hello"}')
        while '"ready"' not in str(await socket.recv()):
            pass
        await rest.logout()
        assert '"connection_ended"' in str(await socket.recv())
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == SESSION_ENDED
    await rest.close()


async def test_closed_server_refuses_names(closed_server: str) -> None:
    """A name without a token is refused, with an error that says what to do."""
    async with AsyncClient(closed_server, user=name(), settings=QUICK) as client:
        with pytest.raises(NotAuthenticated, match=r"ticket|token|[Ll]og in"):
            await client.ready()


async def test_long_text_arrives_in_several_websocket_frames(open_server: str) -> None:
    """A text of 16 KiB that JSON escaping doubles arrives in more than one WebSocket frame."""
    async with two(open_server) as (one, other, chat):
        text = "\x01" * (16 * 1024)
        await one.send(chat, text)
        assert (await take(other, Message)).text == text


def test_client_without_asyncio(open_server: str) -> None:
    """The blocking client sends, iterates, hands to handlers on a thread that may send, and ends."""
    first, second = sorted([name(), name()])
    chat = f"{first}:{second}"
    with (
        Client(open_server, user=first, settings=QUICK) as one,
        Client(open_server, user=second, settings=QUICK) as other,
    ):

        def answer(message: Message) -> None:
            if message.text == "ping":
                other.send(chat, "pong")

        other.on(Message, answer)
        one.ready()
        other.ready()
        one.send(chat, "ping")
        texts: list[str] = []
        while texts[-1:] != ["pong"]:
            event = one.next_event(timeout=SECONDS)
            texts += [event.text] if isinstance(event, Message) else []
        assert texts == ["ping", "pong"]
        assert [message.text for message in one.history(chat).messages] == texts
