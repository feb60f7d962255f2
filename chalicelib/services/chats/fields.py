"""What groups and rooms may be called and say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from chalicelib.errors import bad_field
from chalicelib.schemas.chats import MAX_NOTICE_BYTES, ChatChanges, NewChat
from chalicelib.services.values.profile_fields import checked_avatar, checked_name
from chalicelib.texts import check_lines

Fields = dict[str, str | bool]


def checked_fields(given: NewChat | ChatChanges) -> Fields:
    """Return the fields of store.chat_info.Info that are given, null as empty; raises BadRequest."""
    values = {name: getattr(given, name) for name in CHECKS}
    return {name: CHECKS[name](value, name) for name, value in values.items() if value is not UNSET}


def _name(name: str, field: str) -> str:
    name = checked_name(name, field)
    if not name:
        raise bad_field(field, "a name needs a character that can be seen")
    return name


def _notice(notice: str | None, field: str) -> str:
    text = notice or ""
    check_lines(text, field, "a notice")
    if (size := len(text.encode())) > MAX_NOTICE_BYTES:
        raise bad_field(field, f"a notice has at most {MAX_NOTICE_BYTES} bytes of UTF-8; this has {size}")
    return text


def _avatar(avatar: str | None, field: str) -> str:
    return checked_avatar(avatar, field) if avatar else ""


def _as_given(value: str | bool, _: str) -> str | bool:
    return value


CHECKS: dict[str, Callable[[Any, str], str | bool]] = {
    "name": _name,
    "notice": _notice,
    "avatar": _avatar,
    "join": _as_given,
    "history": _as_given,
}
