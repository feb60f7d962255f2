"""The fields of a group or room: name, notice, avatar, who may join and read it, and the slow mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET

from chalicelib.errors import bad_field
from chalicelib.schemas.chats import MAX_NOTICE_BYTES, ChatChanges, NewChat
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.permissions import check_manager
from chalicelib.services.values.chat_id import ROOM_PREFIX
from chalicelib.services.values.message_limits import data_text
from chalicelib.services.values.profile_fields import checked_avatar, checked_name
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.info import Role
from chalicelib.texts import check_lines

RETENTION = frozenset(("keep", "keep_days"))
"""The fields by which messages are lost for good, which only owners change."""
Fields = dict[str, str | int]


def checked_fields(given: NewChat | ChatChanges) -> Fields:
    """Return the given fields of store.chats.info.Info, null as empty; raises BadRequest."""
    values = {name: getattr(given, name, UNSET) for name in CHECKS}
    return {name: CHECKS[name](value, name) for name, value in values.items() if value is not UNSET}


def change_info(action: Action, fields: Mapping[str, str | int]) -> Decision | None:
    """Change fields of a chat; raises BadRequest, Banned, NotAMember, Forbidden.

    fields: New values of fields of store.chats.info.Info.
    """
    least = Role.OWNER if RETENTION & fields.keys() else Role.ADMIN
    check_manager(action.chat, action.actor, least)
    if action.chat.startswith(ROOM_PREFIX) and fields.get("join", "open") != "open":
        raise bad_field("join", "a room is open to everybody: leave `join` out, or send `open`")
    changed = {name: value for name, value in fields.items() if value != getattr(action.info, name)}
    said = {name: True if name == "data" else value for name, value in changed.items()}
    return Decision((), event("changed", (), **said), changed) if changed else None


def _name(name: str, field: str) -> str:
    name = checked_name(name, field)
    if not name:
        raise bad_field(field, "a name needs at least one visible character")
    return name


def _notice(notice: str | None, field: str) -> str:
    text = notice or ""
    check_lines(text, field, "a notice")
    if (size := len(text.encode())) > MAX_NOTICE_BYTES:
        raise bad_field(field, f"a notice has at most {MAX_NOTICE_BYTES} bytes of UTF-8; this has {size}")
    return text


def _avatar(avatar: str | None, field: str) -> str:
    return checked_avatar(avatar, field) if avatar else ""


def _data(data: dict[str, Any] | None, field: str) -> str:
    return "" if data is None else data_text(data, field)


def _as_given(value: str | int, _: str) -> str | int:
    return value


def _seconds(value: int | None, _: str) -> int:
    return value or 0


CHECKS: dict[str, Callable[[Any, str], str | int]] = {
    "name": _name,
    "notice": _notice,
    "avatar": _avatar,
    "join": _as_given,
    "history": _as_given,
    "expires_in": _seconds,
    "slow": _as_given,
    "keep": _as_given,
    "keep_days": _as_given,
    "data": _data,
}
