"""Texts of the AsyncAPI document that the frames' types do not have."""

from __future__ import annotations

from msgspec import Struct

from chalicelib.push_gateway.pusher import LEASE_EXPIRED, SESSION_ENDED
from chalicelib.schemas import realtime as frames
from chalicelib.schemas.realtime import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, SUBPROTOCOL

IDLE_SECONDS, LIFE_SECONDS = 600, 7200
"""Source: "Amazon API Gateway quotas", WebSocket APIs; `make run` has a setting for each."""

PING_SECONDS = 540
"""A client sends a `ping` when it has sent nothing for so long: before IDLE_SECONDS pass. Each is billed."""

LIMITS = {
    "message_bytes": MAX_MESSAGE_BYTES,
    "frame_bytes": MAX_FRAME_BYTES,
    "idle_seconds": IDLE_SECONDS,
    "life_seconds": LIFE_SECONDS,
    "ping_seconds": PING_SECONDS,
}

CLOSE_CODES = {
    1000: "You closed the connection, or the server did on API Gateway, where it cannot choose a code.",
    1001: "No frame for 10 minutes, open for 2 hours, or the server is stopping. Open another.",
    1002: "A frame broke the WebSocket protocol.",
    1003: "A frame was binary.",
    1007: "A text frame was not UTF-8.",
    1008: "Too many pings, pongs and continuation frames within a minute.",
    1009: "A frame or a message was too large.",
    SESSION_ENDED.code: "The session has ended; a `connection_ended` error comes before. Log in again.",
    LEASE_EXPIRED.code: "The connection's lease or its outside token has expired; a `connection_ended` "
    "error comes before. Get another ticket.",
}
"""Why a connection was closed. No close frame (1006): the network failed, or the client did not read."""

DESCRIPTION = f"""\
Messages, receipts, presence, rooms and calls, as they happen. A frame is a JSON object in a text frame; its \
`type` names it. An unknown field is refused by an `error` that names the field.

Connect: `POST /v1/realtime/ticket` gives a URL and a ticket for one use. Open `<url>?ticket=<ticket>`, then \
send `hello`. The server sends nothing before that.

Replies: a client's frame may have a `ref`; the reply repeats it. If a frame fails, the reply is `error`, \
with the code that the HTTP API would have answered, and the connection stays open.

Order: the server may handle frames of one connection at the same time, and pushes may arrive out of order. \
Have at most one unacknowledged `send` in each chat. Order messages by `seq`; when one is missing, wait up \
to 500 ms, then `pull`. Only the log is complete: a push may be lost.

Limits: a message has at most {MAX_MESSAGE_BYTES // 1024} KiB, in frames of at most \
{MAX_FRAME_BYTES // 1024} KiB (otherwise close code 1009). Binary frames are refused (1003). A connection \
ends after {IDLE_SECONDS // 60} minutes without a frame, and after {LIFE_SECONDS // 3600} hours in all \
(1001); open the next one before that. Send a `ping` when you have sent nothing else for {PING_SECONDS} \
seconds; more frequent pings have no effect, and AWS bills each.

Close codes: {" ".join(f"{code}: {text}" for code, text in CLOSE_CODES.items())} On API Gateway a connection \
closes with 1000 instead of {SESSION_ENDED.code} and {LEASE_EXPIRED.code}: read the error, not the code.

Subprotocols: `parley.json`, or none, is described here. `{SUBPROTOCOL}` carries the same frames as \
protobuf Messages in base64; see docs/protobuf.md.
"""

SECURITY = {
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "From `POST /v1/realtime/ticket`: valid once, for 30 seconds.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a login, in the Authorization header, which browsers cannot send here.",
    },
    "user": {
        "type": "httpApiKey",
        "in": "query",
        "name": "user",
        "description": "On an open server on your own machine: a name that has no account.",
    },
}

ANSWERS: dict[type[Struct], tuple[type[Struct], ...]] = {
    frames.Hello: (frames.SyncFrame, frames.Ready),
    frames.Send: (frames.Ack,),
    frames.Edit: (frames.ChangeFrame,),
    frames.Delete: (frames.ChangeFrame,),
    frames.React: (frames.ChangeFrame,),
    frames.Pin: (frames.ChangeFrame,),
    frames.Pull: (frames.PageFrame,),
    frames.Received: (frames.Ok,),
    frames.Read: (frames.Ok,),
    frames.Typing: (frames.Ok,),
    frames.Watch: (frames.PresenceFrame,),
    frames.RoomJoin: (frames.RoomFrame,),
    frames.RoomLeave: (frames.RoomFrame,),
    frames.RoomClients: (frames.RoomFrame,),
    frames.Signal: (frames.Ok,),
    frames.Ping: (frames.Pong,),
}
"""The replies to each frame of a client, if it does not fail."""
PUSHED = (
    frames.MessageFrame,
    frames.ChangeFrame,
    frames.ChatFrame,
    frames.ReceiptFrame,
    frames.TypingFrame,
    frames.PresenceFrame,
    frames.RoomFrame,
    frames.SignalFrame,
)
"""Frames that the server sends unasked."""
