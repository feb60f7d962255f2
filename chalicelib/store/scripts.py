"""The Lua scripts, shipped as package data."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha1
from importlib.resources import files


class Script:
    """One of the files in store/lua, by its name without `.lua`.

    parts: files whose functions it uses; they stand between its first line and the rest.
    """

    def __init__(self, name: str, *parts: str) -> None:
        self.name = name
        self._parts = parts

    @cached_property
    def source(self) -> str:
        """The script's text, as EVAL takes it."""
        first, newline, rest = _text(self.name).partition("\n")
        return "".join([first, newline, *map(_text, self._parts), rest])

    @cached_property
    def sha(self) -> str:
        """The script's name in the store's script cache, as EVALSHA takes it."""
        return sha1(self.source.encode(), usedforsecurity=False).hexdigest()


def _text(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text(encoding="utf-8")


CALL = Script("call")
CALL_ALWAYS = Script("call_always")
TAKES_NO_MEMORY = frozenset(
    (
        *("GET", "HGET", "HGETALL", "SMEMBERS", "ZMSCORE"),
        *("ZRANGE", "ZRANGEBYLEX", "ZREVRANGE", "ZREVRANGEBYSCORE"),
        *("DEL", "HDEL", "LPOP", "LTRIM", "SREM", "ZREM", "ZREMRANGEBYSCORE"),
    )
)
"""Commands that read or remove: a full store refuses a script that does not say that it does no more."""


def calling(command: str) -> Script:
    """Return the script that runs a command."""
    return CALL_ALWAYS if command in TAKES_NO_MEMORY else CALL
