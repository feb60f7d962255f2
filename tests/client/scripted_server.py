"""A WebSocket server with a log of chats that simulates failing networks and restarts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter, deque
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Frame = dict[str, Any]
EPOCH = 1_700_000_000_000_000
BEGIN = 1_767_225_600_000_000
"""The time of the first message, less its number, in µs."""
MAX_CHECKED = 100


class Peer:
    """A connection as the server sees it; frames: all that the client sent."""

    def __init__(self, socket: ServerConnection, name: str) -> None:
        self.socket = socket
        self.name = name
        self.frames: list[Frame] = []
        self.parts = 0
        self.hello = False

    def sent(self, kind: str) -> list[Frame]:
        """Return the frames of a type that the client sent."""
        return [frame for frame in self.frames if frame["type"] == kind]

    def stop_reading(self) -> None:
        """Read nothing more from the client; the connection stays open."""
        self.socket.transport.pause_reading()

    async def push(self, *frames: Frame) -> None:
        """Send frames to this client alone."""
        for frame in frames:
            await self.socket.send(json.dumps(frame))


class ScriptedServer:
    """Answers as Parley does, but for what a test has it do. All attributes may be changed at any time.

    logs: messages by chat. silent: types of frames that are not answered. refusals: answers to the next
    handshakes: status, headers. errors: error frames by type of frame, each for one. http_errors: answers to
    the next requests: status, headers, body. page: messages of a page. reset: of the next sync.
    before_hello: frames that a hello is answered with before its own answer. checks: whether syncs take what
    a client holds; those of earlier servers do not. changes: numbers of the last changes by chat and seq.
    forgotten: whether changes are no longer known. page_changes: changes of a page.
    admitted: how many handshakes are answered; those beyond wait for `admit`.
    """

    def __init__(self) -> None:
        self.logs: dict[str, list[Frame]] = {}
        self.epochs: Counter[str] = Counter()
        self.changes: dict[str, dict[int, int]] = {}
        self.forgotten = False
        self.page_changes = 100
        self.peers: list[Peer] = []
        self.silent: set[str] = set()
        self.refusals: deque[tuple[int, dict[str, str]]] = deque()
        self.errors: dict[str, deque[Frame]] = {}
        self.http_errors: deque[tuple[int, dict[str, str], Frame]] = deque()
        self.requests: list[tuple[str, str, dict[str, str], str]] = []
        self.handshakes: list[tuple[str, Headers]] = []
        self.tickets: set[str] = set()
        self.page = 1000
        self.reset = False
        self.checks = True
        self.before_hello: list[Frame] = []
        self.admitted = sys.maxsize
        self._changed = asyncio.Condition()
        self._sockets: Server | None = None
        self._http: asyncio.Server | None = None
        self._numbers = 0

    async def __aenter__(self) -> Self:
        self._sockets = await serve(
            self._talk, "127.0.0.1", 0, process_request=self._admit, ping_interval=None, close_timeout=0.2
        )
        self._http = await asyncio.start_server(self._answer_http, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._sockets
        assert self._http
        await self.admit()
        for peer in self.peers:
            peer.socket.transport.abort()
        self._sockets.close()
        await self._sockets.wait_closed()
        self._http.close()

    @property
    def url(self) -> str:
        """The base URL of REST."""
        assert self._http
        return f"http://127.0.0.1:{self._http.sockets[0].getsockname()[1]}"

    @property
    def socket_url(self) -> str:
        """The URL of WebSockets."""
        assert self._sockets
        return f"ws://127.0.0.1:{next(iter(self._sockets.sockets)).getsockname()[1]}"

    async def until(self, check: Any) -> None:
        """Wait until clients have made a condition true."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(check)

    async def admit(self, most: int = sys.maxsize) -> None:
        """Answer handshakes that wait, up to so many in all."""
        async with self._changed:
            self.admitted = most
            self._changed.notify_all()

    async def peer(self, number: int) -> Peer:
        """Return the connection of a number, from 0, once it has said hello."""
        await self.until(lambda: len(self.peers) > number and self.peers[number].hello)
        return self.peers[number]

    # --- the log -------------------------------------------------------------------------------------------

    def append(self, chat: str, text: str, sender: str = "bob", id: str | None = None) -> Frame:  # noqa: A002
        """Append a message to a chat without a push; return its frame."""
        log = self.logs.setdefault(chat, [])
        self.epochs.setdefault(chat, EPOCH)
        self._numbers += 1
        micros = self._numbers
        message: Frame = {"type": "message", "chat": chat, "seq": len(log) + 1, "id": id, "sender": sender}
        message |= {"kind": "text", "text": text, "sent_at": f"2026-01-01T00:00:00.{micros:06}Z"}
        log.append(message)
        return message

    def lose(self, chat: str, keep: int) -> None:
        """Have the store lose the newest messages of a chat, and begin another history if it loses all."""
        del self.logs[chat][keep:]
        if not keep:
            self.epochs[chat] += 1

    def change(self, chat: str, seq: int, text: str, **fields: object) -> Frame:
        """Change a message without a push; return the frame that pushes the change."""
        self._numbers += 1
        number = BEGIN + self._numbers
        message = self.logs[chat][seq - 1] | {"text": text, "change": number, **fields}
        self.logs[chat][seq - 1] = message
        changes = self.changes.setdefault(chat, {})
        changes.pop(seq, None)
        changes[seq] = number
        return self.change_frame(chat, seq)

    def change_frame(self, chat: str, seq: int) -> Frame:
        """Return the frame that pushes a changed message as it is now."""
        message = {name: value for name, value in self.logs[chat][seq - 1].items() if name != "type"}
        return {"type": "change", "chat": chat, "seq": seq, "change": message["change"], "message": message}

    async def push(self, *frames: Frame) -> None:
        """Send frames to every client that has said hello."""
        for peer in self.peers:
            if peer.hello:
                with contextlib.suppress(ConnectionClosed):
                    await peer.push(*frames)

    def cursor(self, chat: str, seq: int) -> str:
        """Return the cursor of a message."""
        if not seq:
            return "0"
        micros = int(self.logs[chat][seq - 1]["sent_at"][20:26])
        return f"{seq}.{BEGIN + micros}.{self.epochs[chat]}"

    def row(self, chat: str) -> Frame:
        """Return a chat's row of the sync."""
        seq = len(self.logs[chat])
        row: Frame = {"chat": chat, "kind": "direct", "state": "member", "epoch": self.epochs[chat]}
        row |= {"seq": seq, "cursor": self.cursor(chat, seq), "read": 0, "received": 0, "unread": seq}
        return row | {"change": self.newest_change(chat)}

    def newest_change(self, chat: str) -> str:
        """Return the cursor of a chat's newest change."""
        last = next(reversed(self.changes.get(chat, {}).items()), None)
        return f"{last[0]}.{last[1]}.{self.epochs[chat]}" if last else "0"

    # --- answers -------------------------------------------------------------------------------------------

    def answers(self, frame: Frame) -> list[Frame]:
        """Return the answers to a frame."""
        match frame["type"]:
            case "hello":
                reply = self._hello(frame.get("version"), frame.get("check", []))
                return [*self.before_hello, *reply]
            case "send":
                return [self._stored(frame) | {"type": "ack"}]
            case "pull":
                return [self._pull(frame)]
            case kind:
                return self._others(kind, frame)

    def _others(self, kind: str, frame: Frame) -> list[Frame]:
        if kind in {"read", "received"}:
            return [{"type": "ok"}]
        if kind == "ping":
            return [{"type": "pong", "time": "2026-01-01T00:00:00Z"}]
        if kind == "watch":
            users = [{"user": name, "online": True, "last_seen_at": None} for name in frame["users"]]
            return [{"type": "presence", "users": users}]
        if room := frame.get("room"):
            event = {"room.join": "joined", "room.leave": "left"}.get(kind, "clients")
            return [{"type": "room", "room": room, "chat": f"r-{room}", "event": event, "clients": ["me"]}]
        return []

    def _hello(self, version: str | None, check: list[Frame]) -> list[Frame]:
        known = json.loads(version) if version and not self.reset else {}
        now = {chat: self.cursor(chat, len(log)) for chat, log in self.logs.items()}
        now = {chat: at + self.newest_change(chat) * (chat in self.changes) for chat, at in now.items()}
        rows = [self.row(chat) for chat in now if known.get(chat) != now[chat]]
        reply = {"chats": rows, "version": json.dumps(now), "more": False, "reset": self.reset}
        reply |= self._checked(check)
        self.reset = False
        return [{"type": "sync", **reply}, {"type": "ready", "user": "me", "connection": "c"}]

    def _checked(self, check: list[Frame]) -> Frame:
        assert len(check) <= MAX_CHECKED
        changed, unreadable = [], []
        for chat, cursor in ((one["chat"], one["cursor"]) for one in check):
            seq, log = int(cursor.split(".")[0]), self.logs.get(chat)
            if log is None:
                unreadable.append(chat)
            elif seq > len(log) or cursor != self.cursor(chat, seq):
                row = self.row(chat)
                changed.append({name: row[name] for name in ("chat", "epoch", "seq", "cursor")})
        return {"history_changed": changed, "unreadable": unreadable}

    def _stored(self, frame: Frame) -> Frame:
        for message in self.logs.get(frame["chat"], ()):
            if message["id"] == frame["id"]:
                return message | {"duplicate": True}
        return self.append(frame["chat"], frame["text"], "me", frame["id"]) | {"duplicate": False}

    def _pull(self, frame: Frame) -> Frame:
        chat, after = frame["chat"], frame.get("after")
        log = self.logs.get(chat, [])
        limit = min(frame["limit"], self.page)
        seq = max(len(log) - limit, 0) if after is None else int(after.split(".")[0])
        if after and "." in after and (seq > len(log) or after != self.cursor(chat, seq)):
            return {"type": "error", "status": 409, "code": "history_changed", "title": "", "detail": "gone"}
        found = log[seq : seq + limit]
        last = self.cursor(chat, seq + len(found))
        plain = [{name: value for name, value in one.items() if name != "type"} for one in found]
        page = {"messages": plain, "head": len(log), "epoch": self.epochs[chat], "next": last}
        return {"type": "page", "chat": chat, **page, "previous": None, "deleted_users": []}

    # --- the wire ------------------------------------------------------------------------------------------

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append((request.path, request.headers))
        number = len(self.handshakes)
        await self.until(lambda: number <= self.admitted)
        if self.refusals:
            status, headers = self.refusals.popleft()
            body = json.dumps({"code": "not_authenticated", "title": "no", "detail": "Not you."}).encode()
            fields = Headers({**headers, "Content-Length": str(len(body)), "Connection": "close"})
            return Response(status, HTTPStatus(status).phrase, fields, body)
        if shown := parse_qs(urlsplit(request.path).query).get("ticket"):
            if shown[0] not in self.tickets:
                return connection.respond(401, "")
            self.tickets.remove(shown[0])
        return None

    async def _talk(self, socket: ServerConnection) -> None:
        assert socket.request
        peer = Peer(socket, socket.request.path)
        self.peers.append(peer)
        try:
            while True:
                parts = [part async for part in socket.recv_streaming(decode=True)]
                peer.parts = max(peer.parts, len(parts))
                await self._take(peer, json.loads("".join(parts)))
        except ConnectionClosed:
            async with self._changed:
                self._changed.notify_all()

    async def _take(self, peer: Peer, frame: Frame) -> None:
        peer.hello |= frame["type"] == "hello"
        answers = [] if frame["type"] in self.silent else self.answers(frame)
        if waiting := self.errors.get(frame["type"]):
            answers = [{"type": "error", **waiting.popleft()}]
        peer.frames.append(frame)
        await peer.push(*(answer | {"ref": frame.get("ref")} for answer in answers))
        async with self._changed:
            self._changed.notify_all()

    async def _answer_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(EOFError, ConnectionError):  # a client that left
            await self._answer_request(reader, writer)

    async def _answer_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        self.requests.append((method, target, headers, body))
        status, fields, reply = self._http_answer(method, target, body)
        data = json.dumps(reply).encode()
        lines = [f"HTTP/1.1 {status} .", f"Content-Length: {len(data)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        await writer.drain()
        async with self._changed:
            self._changed.notify_all()

    def _sync(self, method: str, asked: Frame) -> tuple[int, dict[str, str], Frame]:
        if method == "POST" and not self.checks:
            return 405, {}, {"code": "method_not_allowed", "title": "", "detail": "This path takes GET."}
        reply = self._hello(asked.get("since"), asked.get("check", []))[0]
        return 200, {}, reply | {"next": reply["version"]}

    def _changes(self, chat: str, since: str | None) -> tuple[int, dict[str, str], Frame]:
        position, _, at = (since or "0").partition("~")
        known = 0 if position == "0" else int(position.split(".")[1])
        changes = self.changes.get(chat, {})
        times = {BEGIN + int(message["sent_at"][20:26]) for message in self.logs[chat]}
        if known and known > max([*times, *changes.values()], default=0):
            return 409, {}, {"code": "history_changed", "title": "", "detail": "Read it again."}
        later = [(seq, number) for seq, number in changes.items() if number > int(at or known)]
        page, more = later[: self.page_changes], len(later) > self.page_changes
        rows = [{"subject": "message", **self.change_frame(chat, seq)} for seq, _ in page]
        newest = self.newest_change(chat)
        reply = {"changes": [] if self.forgotten else rows, "more": more, "reset": self.forgotten}
        return 200, {}, reply | {"next": f"{newest}~{page[-1][1]}" if more else newest}

    def _http_answer(self, method: str, target: str, body: str) -> tuple[int, dict[str, str], Frame]:
        if self.http_errors:
            return self.http_errors.popleft()
        path = urlsplit(target).path.split("/")
        if "chats" in path:
            return self._chat_answer(path[path.index("chats") + 1 :], target, body)
        if path[-1] == "ticket":
            ticket = f"ticket_{len(self.requests)}.me"
            self.tickets.add(ticket)
            return 200, {}, {"url": self.socket_url, "ticket": ticket, "expires_at": "2026-01-01T00:00:30Z"}
        if path[-1] == "sync":
            return self._sync(method, json.loads(body) if body else dict(parse_qsl(urlsplit(target).query)))
        entry = {"user": {"handle": "me"}, "token": "parley_x.me", "expires_at": "2026-02-01T00:00:00Z"}
        return 200, {}, entry

    def _chat_answer(self, path: list[str], target: str, body: str) -> tuple[int, dict[str, str], Frame]:
        chat, query = unquote(path[0]), dict(parse_qsl(urlsplit(target).query))
        if not path[1:]:
            gone = {"code": "chat_not_found", "title": "", "detail": "No such chat."}
            return (200, {}, self.row(chat)) if chat in self.logs else (404, {}, gone)
        if path[1:] == ["changes"]:
            return self._changes(chat, query.get("since"))
        if path[1:] == ["messages"] and body:
            stored = self._stored(json.loads(body) | {"chat": chat})
            return 201, {}, {name: value for name, value in stored.items() if name != "type"}
        if path[1:] == ["messages"]:
            found = self._pull({"chat": chat, **query, "limit": int(query["limit"])})
            del found["type"]
            return found.get("status", 200), {}, found
        return 200, {}, self.change_frame(chat, int(path[-1]))["message"]
