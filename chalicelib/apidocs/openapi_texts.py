"""Texts of the OpenAPI document that routes and types do not have."""

from __future__ import annotations

from typing import Any, NamedTuple

Schema = dict[str, Any]

PARAMETERS: dict[str, Schema] = {
    "chat": {
        "schema": {"type": "string", "minLength": 3, "maxLength": 160},
        "example": "alice:bob",
        "description": "Two names joined by one `:`, or the id of a group (`g-…`) or room (`r-…`).",
    },
    "seq": {
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
        "description": "The message's number in its chat, from 1.",
    },
    "emoji": {
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        "example": "👍",
        "description": "One emoji, percent-encoded, with or without variation selectors.",
    },
    "handle": {
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        "example": "alice",
        "description": "A user's handle, in any case.",
    },
    "session": {
        "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "example": "0123456789abcdef",
        "description": "A session's id, as /v1/sessions lists it.",
    },
    "post": {
        "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"},
        "example": "1763718000000000",
        "description": "The id of a post.",
    },
    "scheduled": {
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "example": "0195a1c26f1e7a519d532f8d8c3f1a10",
        "description": "The id of a scheduled message.",
    },
    "room": {
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]{0,63}$"},
        "example": "lobby",
        "description": "A room's id without `r-`, in any case.",
    },
    "asset": {"schema": {"type": "string"}, "example": "docs.js", "description": "A file of the page."},
}
IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The message's id, instead of the body's `id`.",
    "schema": {"type": "string"},
}


class Tag(NamedTuple):
    """A group of routes in the document; link: to another document about it."""

    name: str
    description: str
    link: Schema | None = None


TAGS = {
    "accounts": Tag("accounts", "Register, log in, choose a handle, change the password"),
    "sessions": Tag("sessions", "List the devices on which you are logged in, and log out"),
    "messages": Tag("messages", "Send messages to a chat and read them"),
    "reactions": Tag("reactions", "React to messages with emoji, and list who did"),
    "pins": Tag("pins", "Pin messages of a chat, and list them"),
    "scheduled": Tag("scheduled", "Messages that are sent later: schedule, list, change and cancel them"),
    "reports": Tag("reports", "Report messages to the admins of a chat; read and dismiss reports"),
    "users": Tag("users", "Read and change profiles, find users, export or delete your account"),
    "social": Tag("social", "Follow and block users"),
    "posts": Tag("posts", "Write posts and read the feed"),
    "search": Tag("search", "Search in messages, find groups, list rooms"),
    "inbox": Tag("inbox", "Your chats: list them, sync them, mark them as read, pin, mute and archive them"),
    "chats": Tag("chats", "Make, read, change, join and leave direct chats, groups and rooms"),
    "members": Tag("members", "The members of groups and rooms, invitations, requests to join and bans"),
    "realtime": Tag(
        "realtime",
        "Get a ticket for the WebSocket",
        {"description": "Frames of the WebSocket: asyncapi.json", "url": "asyncapi.json"},
    ),
    "presence": Tag("presence", "Whether a user is online, or when they were last"),
    "docs": Tag("docs", "This description"),
    "health": Tag("health", "Whether the server and its store answer"),
    "home": Tag("home", "What this server is"),
    "tiktok": Tag(
        "TikTok-IM (legacy)",
        "Paths of the TikTok-IM servers: send to a chat of two, and read it by position",
    ),
    "go_chat": Tag("Go-Chat (legacy)", "Paths of Go-Chat: accounts, follows and rooms"),
}
"""The group of each module of routes, in the order of the page."""
DESCRIPTION = (
    "An instant-messaging API: accounts, follows, posts, and messages in direct chats, groups and rooms. "
    "The WebSocket for messages as they arrive is described in /asyncapi.json.\n\n"
    "Every error is application/problem+json with a stable `code`. "
    "Every answer has an X-Request-Id: the one that you sent, or else a new one. "
    "On AWS, API Gateway itself may answer 429, 502 or 504, also as problems."
)
