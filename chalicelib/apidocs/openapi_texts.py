"""What the OpenAPI document says beside what it takes from routes and types."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

PARAMETERS: dict[str, Schema] = {
    "chat": {
        "schema": {"type": "string", "minLength": 3, "maxLength": 160},
        "example": "alice:bob",
        "description": "Two names joined by one `:`, or the id of a group (`g-…`) or room (`r-…`).",
    },
    "seq": {"schema": {"type": "integer", "minimum": 1}, "example": 1, "description": "The message's place."},
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
    "room": {
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]{0,63}$"},
        "example": "lobby",
        "description": "The id that was chosen for a room, in any case.",
    },
    "asset": {"schema": {"type": "string"}, "example": "docs.js", "description": "A file of the page."},
}
IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The message's id, instead of the body's `id`.",
    "schema": {"type": "string"},
}
TAGS = {
    "accounts": "Register, log in, change the password",
    "sessions": "Log out; on which devices one is logged in",
    "users": "Profiles, the search, one's own archive",
    "social": "Follow, block, and the lists of both",
    "posts": "Posts and the feed",
    "chats": "Direct chats, groups and rooms: make, change, join, leave",
    "members": "The people of groups and rooms",
    "messages": "Send, page and read, with checked cursors",
    "inbox": "The inbox, the sync, read marks and flags",
    "search": "Find groups, list rooms",
    "realtime": "Tickets for the WebSocket, which /asyncapi.json describes",
    "presence": "Who is connected, and when who is not was last",
    "go_chat": "Go-Chat's paths: accounts, follows and rooms",
    "tiktok": "TikTok-IM's paths: send and pull in a chat of two",
    "health": "Is it there",
    "docs": "This description",
    "home": "What this server is",
}
DESCRIPTION = (
    "Accounts, follows, posts, and messages between two people, in groups and in rooms. "
    "Every error is application/problem+json with a stable `code`. "
    "Every answer carries X-Request-Id: yours, if you sent one, or the gateway's. "
    "On AWS, API Gateway itself may answer 429, 502 or 504, as problems too."
)
