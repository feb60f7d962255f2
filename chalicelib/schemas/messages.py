"""Messages on the wire, under /v1."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.system_events import Event
from chalicelib.texts import MOST_NAME_CHARACTERS

MAX_PAGE = 1000
MAX_ID_CHARACTERS = 64
MAX_TEXT_BYTES = 16 * 1024
MAX_CHAT_CHARACTERS = 2 * MOST_NAME_CHARACTERS + 1
"""Of two names of an open server, in whichever form."""

Seq = Annotated[
    int, Meta(ge=1, description="The message's place in its chat; the first is 1, none is left out.")
]
ChatId = Annotated[
    str,
    Meta(
        max_length=MAX_CHAT_CHARACTERS,
        description="Two handles joined by one `:`, or the id of a group (`g-…`) or room (`r-…`).",
        examples=["alice:bob"],
    ),
]
Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
MessageId = Annotated[
    str,
    Meta(
        description="The sender's own idempotency id: one line of 1-64 characters, compared as sent; "
        "UUID or ULID."
    ),
]
Time = Annotated[
    str,
    Meta(
        description="RFC 3339, UTC, microseconds.",
        extra_json_schema={"format": "date-time"},
    ),
]
Text = Annotated[
    str,
    Meta(description="Up to 16 KiB of UTF-8, kept as sent. It has a character that can be seen, and no NUL."),
]
RepliedTo = Annotated[
    int, Meta(ge=1, le=2**53 - 1, description="The seq of the message of this chat that it replies to.")
]
SentKind = Annotated[
    Literal["text"],
    Meta(description="What a client may send; messages of the kind `system` are the server's own."),
]
CursorText = Annotated[
    str,
    Meta(
        description="A cursor that a page gave, or a plain seq, which is not checked against the history.",
        examples=["12"],
    ),
]


class SendRequest(Struct, forbid_unknown_fields=True):
    """A message to append to a chat."""

    text: Text
    id: MessageId | None = None
    kind: SentKind = "text"
    reply_to: RepliedTo | None = None


class Message(Struct, kw_only=True):
    """A message of a chat."""

    chat: str
    seq: Seq
    id: MessageId | None
    sender: str
    kind: Annotated[str, Meta(description="`text`, or `system`: what happened in a group or room.")]
    text: Annotated[str, Meta(description="Of the kind `system`: what happened, in plain English.")]
    event: Annotated[Event | UnsetType, Meta(description="Of the kind `system`: what happened.")] = UNSET
    reply_to: RepliedTo | UnsetType = UNSET
    sent_at: Annotated[Time, Meta(description="Rises within a chat, so that it names the message.")]


class SentMessage(Message, kw_only=True):
    """The message a send made, or the one an earlier send with the same id had made."""

    duplicate: Annotated[
        bool, Meta(description="True when an earlier send with this id had already stored it.")
    ]


class PageQuery(Struct):
    """Which messages of a chat; without after or before, the newest."""

    after: CursorText | None = None
    before: CursorText | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50


class Page(Struct, kw_only=True):
    """Some messages of a chat, in rising seq."""

    messages: list[Message] | list[Encoded[Message]]
    head: Annotated[
        int, Meta(description="The seq of the newest message that the caller may read; 0 when there is none.")
    ]
    epoch: Annotated[
        int, Meta(description="Names this history of the chat; another epoch means start again.")
    ]
    next: Annotated[str, Meta(description="Pass as `after` for what is newer, now or later.")]
    previous: Annotated[
        str | None, Meta(description="Pass as `before` for what is older; null when there is none.")
    ]
    deleted_users: Annotated[
        list[str], Meta(description='Senders whose account is deleted; show them as "deleted user".')
    ]


class Pong(Struct):
    """The answer to a ping."""

    message: str = field(default="pong")


class Health(Struct):
    """The server's and its store's state."""

    status: str = field(default="ok")
    store: str = field(default="ok")
    jobs: Annotated[
        Literal["down"] | UnsetType,
        Meta(
            description="Only while `make run` does no queued work and no sweeps, as the process for them"
            " does not run, or fails. The server sends and pulls meanwhile, so the status stays 200: alert on"
            " this field, and keep the server in service. Never there on AWS."
        ),
    ] = UNSET
