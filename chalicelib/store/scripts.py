"""The Lua scripts, shipped as package data."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha1
from importlib.resources import files


class Script:
    """One of the files in store/lua, by its name without `.lua`."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def source(self) -> str:
        """The script's text, as EVAL takes it."""
        return (files(__package__) / "lua" / f"{self.name}.lua").read_text(encoding="utf-8")

    @cached_property
    def sha(self) -> str:
        """The script's name in the store's script cache, as EVALSHA takes it."""
        return sha1(self.source.encode(), usedforsecurity=False).hexdigest()


APPEND_MESSAGE = Script("append_message")
READ_LOG = Script("read_log")
