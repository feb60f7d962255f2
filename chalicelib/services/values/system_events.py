"""Events of messages of kind `system`: as stored, as shown, and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.schemas.system_events import Event, EventType
from chalicelib.services.values.times import rfc3339

Stored = dict[str, Any]

MAX_NAMED = 100
"""Maximum number of users that one event names."""
CHANGES: dict[str, str] = {
    "name": "the name",
    "notice": "the notice",
    "avatar": "the picture",
    "join": "who may join",
    "history": "what new members read",
    "expires_in": "when messages expire",
    "slow": "how often members may write",
    "keep": "how many messages are kept",
    "keep_days": "how long messages are kept",
    "data": "the data of the application",
}
"""Fields of a `changed` event, and their names in a sentence."""
ARTICLES = {"member": "a member", "admin": "an admin", "owner": "an owner"}
SENTENCES = {
    "created": "{sender} made this chat.",
    "joined": "{sender} joined.",
    "added": "{sender} added {users}.",
    "left": "{sender} left.",
    "removed": "{sender} removed {users}.",
    "banned": "{sender} banned {users}.",
    "role": "{sender} made {users} {role}.",
    "handed_over": "{sender} handed this chat over to {users}.",
    "muted": "{sender} muted {users} until {until}.",
    "unmuted": "{sender} lets {users} write again.",
    "changed": "{sender} changed {changes}.",
    "account_deleted": "{sender} deleted their account.",
    "succeeded": "{sender} deleted their account. {users} is {role} now.",
}


def event(what: EventType, users: Sequence[str] = (), **details: str | bool | int) -> Stored:
    """Return an event as a message stores it.

    details: Fields of schemas.system_events.Event, with `until` in µs since 1970.
    """
    return {"type": what, "users": list(users[:MAX_NAMED]), **details}


def shown(stored: Mapping[str, Any]) -> Event:
    """Return a stored event as the API shows it."""
    until = {"until": rfc3339(stored["until"])} if "until" in stored else {}
    return Event(**{**stored, **until})


def sentence(sender: str, stored: Mapping[str, Any]) -> str:
    """Return the sentence of an event; sender: Handle of the user who did it."""
    succeeded = stored["type"] == "account_deleted" and stored["users"]
    return SENTENCES["succeeded" if succeeded else stored["type"]].format(
        sender=sender,
        users=_listed(stored["users"]),
        role=ARTICLES.get(stored.get("role", ""), ""),
        until=rfc3339(stored["until"]) if "until" in stored else "",
        changes=_listed([text for field, text in CHANGES.items() if field in stored]),
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
