"""An example of every frame, for the AsyncAPI document."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from chalicelib.schemas import realtime as frames

Example = dict[str, Any]

CHAT, ROOM, CALL = "alice:bob", "lobby", "0195a1c26f1e7a51"
VERSION = "AQAGR6LMaXAAn4bQgYhMfWUABkeixnOPAAAGR6LM2BBQ"
TIMES = "2026-01-05T12:00:00.000000Z", "2026-01-05T12:00:07.250000Z"
MESSAGE: Example = {
    "chat": CHAT,
    "seq": 12,
    "id": "0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10",
    "sender": "alice",
    "kind": "text",
    "text": "Tea at four?",
    "sent_at": TIMES[0],
}
ROW: Example = {
    "chat": CHAT,
    "kind": "direct",
    "state": "member",
    "role": None,
    "muted_until": None,
    "name": None,
    "avatar": None,
    "members": None,
    "requests": None,
    "users": [
        {"handle": "alice", "name": "Alice Liddell", "avatar": None},
        {"handle": "bob", "name": "", "avatar": None},
    ],
    "epoch": 1764400000000000,
    "base": 0,
    "seq": 12,
    "cursor": "12.1767614400000000.1764400000000000",
    "change": None,
    "read": 11,
    "received": 12,
    "unread": 1,
    "mentions": 0,
    "marked_unread": False,
    "pinned": False,
    "muted": False,
    "archived": False,
    "active_at": TIMES[0],
    "last": {
        "seq": 12,
        "sender": "alice",
        "kind": "text",
        "text": "Tea at four?",
        "cut": False,
        "sent_at": TIMES[0],
    },
}
PUSHED_MESSAGE: Example = {
    **MESSAGE,
    "cursor": ROW["cursor"],
    "epoch": ROW["epoch"],
    "sender_name": "Alice Liddell",
}
EXAMPLES: dict[type[Struct], tuple[Example, ...]] = {
    frames.Hello: (
        {},
        {"version": VERSION, "check": [{"chat": CHAT, "cursor": ROW["cursor"]}], "ref": "1"},
    ),
    frames.Send: ({"chat": CHAT, "id": MESSAGE["id"], "text": MESSAGE["text"], "ref": "2"},),
    frames.Edit: ({"chat": CHAT, "seq": 12, "text": "Tea at five?", "ref": "7"},),
    frames.Delete: ({"chat": CHAT, "seq": 12, "for": "all"},),
    frames.Pin: ({"chat": CHAT, "seq": 12, "ref": "9"},),
    frames.React: ({"chat": CHAT, "seq": 12, "emoji": "👍", "on": True, "ref": "8"},),
    frames.Pull: ({"chat": CHAT, "after": "11", "limit": 100, "ref": "3"},),
    frames.Received: ({"chat": CHAT, "seq": 12},),
    frames.Read: ({"chat": CHAT, "cursor": ROW["cursor"]}, {"chat": CHAT, "ref": "7"}),
    frames.Typing: ({"chat": CHAT, "on": True},),
    frames.Watch: ({"users": ["bob", "carol"], "ref": "4"},),
    frames.RoomJoin: ({"room": ROOM, "ref": "5"},),
    frames.RoomLeave: ({"room": ROOM},),
    frames.RoomClients: ({"room": ROOM},),
    frames.Signal: (
        {"to": "bob", "call": CALL, "kind": "offer", "data": {"type": "offer", "sdp": "v=0\r\n…"}},
        {"chat": "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10", "call": CALL, "kind": "ring"},
    ),
    frames.Ping: ({"ref": "6"},),
    frames.ChangeFrame: (
        {
            "chat": CHAT,
            "seq": 12,
            "change": 1767614407250000,
            "cursor": "12.1767614407250000.1764400000000000",
            "message": {
                **MESSAGE,
                "text": "Tea at five?",
                "change": 1767614407250000,
                "edited_at": TIMES[1],
            },
            "ref": "7",
        },
        {
            "chat": CHAT,
            "seq": 12,
            "change": 1767614407250001,
            "cursor": "12.1767614407250001.1764400000000000",
            "message": {**MESSAGE, "change": 1767614407250001},
            "partial": True,
            "reaction": {"emoji": "👍", "user": "bob", "on": True},
        },
    ),
    frames.Ack: ({**PUSHED_MESSAGE, "duplicate": False, "ref": "2"},),
    frames.MessageFrame: (PUSHED_MESSAGE,),
    frames.ChatFrame: (ROW,),
    frames.SyncFrame: (
        {"chats": [ROW], "version": VERSION, "more": False, "reset": False, "ref": "1"},
        {
            "chats": [],
            "version": VERSION,
            "more": False,
            "reset": False,
            "history_changed": [
                {"chat": CHAT, "epoch": ROW["epoch"], "seq": 12, "cursor": ROW["cursor"]},
            ],
            "ref": "1",
        },
    ),
    frames.Ready: (
        {
            "user": "bob",
            "connection": "L0SM9cOFvHcCIhw=",
            "unread": {"unread": 1, "chats": 1, "quiet": 0, "next": None},
            "ref": "1",
        },
    ),
    frames.PageFrame: (
        {
            "chat": CHAT,
            "messages": [MESSAGE],
            "base": 0,
            "head": 12,
            "epoch": ROW["epoch"],
            "next": ROW["cursor"],
            "previous": ROW["cursor"],
            "deleted_users": [],
            "ref": "3",
        },
    ),
    frames.ReceiptFrame: ({"chat": CHAT, "user": "bob", "read": 12},),
    frames.TypingFrame: ({"chat": CHAT, "user": "bob", "on": True},),
    frames.PresenceFrame: (
        {
            "users": [
                {"user": "bob", "online": True, "last_seen_at": None},
                {"user": "carol", "online": False, "last_seen_at": TIMES[1]},
            ],
            "ref": "4",
        },
    ),
    frames.RoomFrame: (
        {"room": ROOM, "chat": f"r-{ROOM}", "event": "joined", "clients": ["alice", "bob"], "ref": "5"},
        {
            "room": ROOM,
            "chat": f"r-{ROOM}",
            "event": "entered",
            "user": "carol",
            "notice": "a new user has joined the room",
        },
    ),
    frames.SignalFrame: ({"from": "alice", "to": "bob", "call": CALL, "kind": "hangup"},),
    frames.Ok: ({"ref": "7"},),
    frames.Pong: ({"time": TIMES[1], "ref": "6"},),
    frames.ErrorFrame: (
        {
            "status": 400,
            "code": "bad_request",
            "title": "Bad request",
            "detail": "text: it is missing",
            "errors": [{"field": "text", "detail": "it is missing"}],
            "ref": "2",
        },
    ),
}
"""Each without its `type`."""
