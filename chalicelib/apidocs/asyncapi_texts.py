"""What the AsyncAPI document says beside what it takes from the frames' types."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from chalicelib.push_gateway.pusher import LEASE_EXPIRED, SESSION_ENDED
from chalicelib.schemas import realtime as frames
from chalicelib.schemas.realtime import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, SUBPROTOCOL

Example = dict[str, Any]

IDLE_SECONDS, LIFE_SECONDS = 600, 7200
"""Source: "Amazon API Gateway quotas", WebSocket APIs; `make run` has a setting for each."""

PING_SECONDS = 540
"""After which a client that has sent nothing sends a `ping`: in time for IDLE_SECONDS; each is billed."""

LIMITS = {
    "message_bytes": MAX_MESSAGE_BYTES,
    "frame_bytes": MAX_FRAME_BYTES,
    "idle_seconds": IDLE_SECONDS,
    "life_seconds": LIFE_SECONDS,
    "ping_seconds": PING_SECONDS,
}

CLOSE_CODES = {
    1000: "You closed it; or, on API Gateway, the server did, which cannot choose a code there.",
    1001: "Silent for 10 minutes, open for 2 hours, or the server stops. Open another.",
    1002: "A frame broke the WebSocket protocol.",
    1003: "A frame was binary.",
    1007: "A text was not UTF-8.",
    1008: "Too many pings, pongs and parts of messages within a minute.",
    1009: "A frame or a message was too large.",
    SESSION_ENDED.code: "The session has ended; a `connection_ended` error comes before. Log in again.",
    LEASE_EXPIRED.code: "The connection's lease has expired, or its outside token; a `connection_ended` "
    "error comes before. Get another ticket.",
}
"""Why a connection is closed. No close frame (1006): the network broke it, or the client did not read."""

DESCRIPTION = f"""\
Messages, receipts, presence, rooms and calls, as they happen. A frame is a JSON object in a text frame; its \
`type` says which. A field that the frame does not have is refused by an `error` that names it.

Getting in: `POST /v1/realtime/ticket` gives a URL and a ticket for one use; open `<url>?ticket=<ticket>`, \
then send `hello`. Nothing comes before that.

Answers: a client's frame may carry a `ref`, and what answers it repeats it. A frame that cannot be done is \
answered by `error`, with the code that the REST API would have given, and the socket lives on.

Order: frames of one connection may be done at the same time, and pushes can overtake each other. Keep one \
unacknowledged `send` a chat. Order what comes by `seq`; hold what lies past a gap for up to 500 ms, then \
`pull`. The log is the truth, a push is a hint.

Limits: a message is {MAX_MESSAGE_BYTES // 1024} KiB at the most, sent in frames of \
{MAX_FRAME_BYTES // 1024} KiB at the most (1009 closes others); no binary frames (1003); \
{IDLE_SECONDS // 60} minutes without a frame, and {LIFE_SECONDS // 3600} hours in all (1001). Open the next \
socket before the old one ends. Send a `ping` when nothing else went out for {PING_SECONDS} seconds; more \
keep nothing open for longer, and each is billed on AWS.

Close codes: {" ".join(f"{code}: {text}" for code, text in CLOSE_CODES.items())} A server \
on API Gateway closes with 1000 where {SESSION_ENDED.code} and {LEASE_EXPIRED.code} stand: go by the error, \
not by the code.

Subprotocols: `parley.json`, or none, is what is described here. `{SUBPROTOCOL}` carries the same frames as \
protobuf Messages, in base64; docs/protobuf.md says how.
"""

SECURITY = {
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "Of `POST /v1/realtime/ticket`: one use, 30 seconds. Refused with 401 otherwise.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a login, in the Authorization header; browsers cannot send it here.",
    },
    "user": {
        "type": "httpApiKey",
        "in": "query",
        "name": "user",
        "description": "On an open server on one's own machine: your name, if it has no account.",
    },
}

ANSWERS: dict[type[Struct], tuple[type[Struct], ...]] = {
    frames.Hello: (frames.SyncFrame, frames.Ready),
    frames.Send: (frames.Ack,),
    frames.Pull: (frames.PageFrame,),
    frames.Received: (),
    frames.Read: (),
    frames.Typing: (),
    frames.Watch: (frames.PresenceFrame,),
    frames.RoomJoin: (frames.RoomFrame,),
    frames.RoomLeave: (frames.RoomFrame,),
    frames.RoomClients: (frames.RoomFrame,),
    frames.Signal: (),
    frames.Ping: (frames.Pong,),
}
"""What answers a frame of a client's when all is well."""
PUSHED = (
    frames.MessageFrame,
    frames.ReceiptFrame,
    frames.TypingFrame,
    frames.PresenceFrame,
    frames.RoomFrame,
    frames.SignalFrame,
)
"""What comes unasked."""

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
    "epoch": 1764400000000000,
    "seq": 12,
    "cursor": "12.1767614400000000.1764400000000000",
    "change": None,
    "read": 11,
    "received": 12,
    "unread": 1,
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
EXAMPLES: dict[type[Struct], tuple[Example, ...]] = {
    frames.Hello: (
        {},
        {"version": VERSION, "check": [{"chat": CHAT, "cursor": ROW["cursor"]}], "ref": "1"},
    ),
    frames.Send: ({"chat": CHAT, "id": MESSAGE["id"], "text": MESSAGE["text"], "ref": "2"},),
    frames.Pull: ({"chat": CHAT, "after": "11", "limit": 100, "ref": "3"},),
    frames.Received: ({"chat": CHAT, "seq": 12},),
    frames.Read: ({"chat": CHAT, "cursor": ROW["cursor"]},),
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
    frames.Ack: ({**MESSAGE, "duplicate": False, "ref": "2"},),
    frames.MessageFrame: (MESSAGE,),
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
    frames.Ready: ({"user": "bob", "connection": "L0SM9cOFvHcCIhw=", "ref": "1"},),
    frames.PageFrame: (
        {
            "chat": CHAT,
            "messages": [MESSAGE],
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
