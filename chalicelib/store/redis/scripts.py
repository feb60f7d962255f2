"""The Lua scripts, shipped as package data."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha1
from importlib.resources import files

from chalicelib.store.redis.script_functions import needed

REQUIRES = re.compile(r"^-- requires: (.+)$", re.MULTILINE)
CLOCK = "clock"
"""The part that asks for the time."""
RUNS = re.compile(r"^-- runs: (.+)$", re.MULTILINE)


class Script:
    """One of the files in store/lua, by its path there without `.lua`.

    A script that runs others has each of them as a function of keys and arguments, named after its file.
    spares_writes: Whether its reply is right where nothing that it writes is kept.
    """

    def __init__(self, name: str, *, spares_writes: bool = False) -> None:
        self.name = name
        self._spares_writes = spares_writes

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The files of store/lua/parts that it requires, each after those that it requires itself."""
        texts = map(_text, (*self.runs, self.name))
        return tuple(dict.fromkeys(part for text in texts for part in _required(text)))

    @cached_property
    def runs(self) -> tuple[str, ...]:
        """The names of the scripts that it runs."""
        return tuple(name for line in RUNS.findall(_text(self.name)) for name in line.split(", "))

    @cached_property
    def source(self) -> str:
        """The text that EVAL takes: its first line, its parts, the scripts that it runs, the rest.

        Functions of the parts that it does not need are left out.
        """
        first, newline, rest = _text(self.name).partition("\n")
        return first + newline + self._with_parts("".join([*map(_function, self.runs), rest]))

    def _with_parts(self, rest: str) -> str:
        """Return the rest of the script after its parts; that with the clock is whole, to be replaced."""
        clock = [_part(name) for name in self.parts if name == CLOCK]
        others = needed([_part(name) for name in self.parts if name != CLOCK], rest)
        return "".join([*clock, *others, rest])

    @cached_property
    def without_writes(self) -> Script | None:
        """The script that replies the same and writes nothing, for a store that refuses writes, if any."""
        return _WithoutWrites(self.name) if self._spares_writes else None

    @cached_property
    def on_callers_clock(self) -> Script:
        """The script that does not ask for the time: its last two arguments are seconds and µs since 1970.

        One that never asks is this one itself, and has no such arguments.
        """
        return _OnCallersClock(self) if CLOCK in self.parts else self

    @cached_property
    def sha(self) -> str:
        """The script's name in the store's script cache, as EVALSHA takes it."""
        return sha1(self.source.encode(), usedforsecurity=False).hexdigest()


class _WithoutWrites(Script):
    """A script whose writes are left out when it runs."""

    @cached_property
    def source(self) -> str:
        """The script's text, with `redis.call` replaced in it."""
        rest = _text(self.name).partition("\n")[2]
        return "".join(["#!lua flags=no-writes\n", _part("without_writes"), self._with_parts(rest)])


class _OnCallersClock(Script):
    """A script that goes by the clock of its caller."""

    def __init__(self, script: Script) -> None:
        super().__init__(script.name)
        self._asking = script.source

    @cached_property
    def source(self) -> str:
        """The script's text, with the part that asks for the time replaced in it."""
        return self._asking.replace(_part(CLOCK), _part("callers_clock"))


def _required(text: str) -> Iterator[str]:
    """Return the parts that a text requires, those first that others of them require; some repeatedly."""
    for line in REQUIRES.findall(text):
        for part in line.split(", "):
            yield from _required(_part(part))
            yield part


def _function(name: str) -> str:
    """Return a script as a function of keys and arguments."""
    body = _text(name).partition("\n")[2]
    return f"local function {name.rpartition('/')[2]}(KEYS, ARGV)\n{body}end\n"


def _part(name: str) -> str:
    return _text(f"parts/{name}")


@functools.cache
def _text(name: str) -> str:
    return (files("chalicelib.store") / "lua" / f"{name}.lua").read_text(encoding="utf-8")


CALL = Script("redis/call")
CALL_REMOVING = Script("redis/call_removing")
CALL_READING = Script("redis/call_reading")
READING = frozenset(
    (
        *("GET", "HGET", "HGETALL", "SMEMBERS", "ZMSCORE"),
        *("ZRANGE", "ZRANGEBYLEX", "ZREVRANGE", "ZREVRANGEBYSCORE"),
    )
)
"""Commands that read: a store that refuses writes refuses a script that does not say that it does no more."""
REMOVING = frozenset(("DEL", "HDEL", "LPOP", "LTRIM", "SREM", "ZREM", "ZREMRANGEBYSCORE"))
"""Commands that remove: a store without memory refuses a script that does not say that it takes none."""


def calling(command: str) -> Script:
    """Return the script that runs a command."""
    if command in READING:
        return CALL_READING
    return CALL_REMOVING if command in REMOVING else CALL
