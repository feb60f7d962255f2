"""Logs written by hand, byte by byte as documented, and the settings of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec
import redis

from chalicelib.config import Settings
from chalicelib.store import keys
from chalicelib.store.messages.append_result import Appended
from chalicelib.store.messages.content import Content, LogEntry
from chalicelib.store.messages.log import LogPage, MessageLog
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE


class Log:
    """A MessageLog that tests read in one call; see there."""

    def __init__(self, store: Store, keep: int = 0) -> None:
        self._store = store
        self._log = MessageLog(keep)

    def append(self, chat: str, content: Content) -> Appended:
        """Append a message; of a duplicate, the stored message is left out."""
        return self._store.run(self._log.append(chat, content))._replace(first=None)

    def after(self, *args: Any, **cursor: Any) -> LogPage:
        """Read what follows a seq."""
        return self._store.run(self._log.after(*args, **cursor))

    def before(self, *args: Any, **cursor: Any) -> LogPage:
        """Read what precedes a seq."""
        return self._store.run(self._log.before(*args, **cursor))

    def newest(self, *args: Any, **reader: Any) -> LogPage:
        """Read the newest."""
        return self._store.run(self._log.newest(*args, **reader))


RawClient: TypeAlias = "redis.Redis | redis.RedisCluster"

CHAT = "ann:bob"
EPOCH = 1_700_000_000_000_000
"""A log's first moment, in µs since 1970."""


def settings_for(engine: Engine, **changed: Any) -> Settings:
    """Return settings for an engine, with long time-outs unless they are changed."""
    variables = {"PARLEY_STAGE": "local", "PARLEY_AUTH": "open", **PATIENCE, **engine.env}
    return msgspec.structs.replace(Settings.from_env(variables), **changed)


def eight(number: int) -> bytes:
    """Return a whole number as the log's 8 bytes."""
    return number.to_bytes(8, "big")


def header(base: int = 0, epoch: int = EPOCH) -> bytes:
    """Return a log's first element."""
    return b"\0" + eight(base) + eight(epoch)


def element(time: int, *values: Any) -> bytes:
    """Return a message's element; values: sender, text, and what else the array holds."""
    return b"\1" + eight(time) + msgspec.msgpack.encode(values)


def entry(seq: int, text: str | None = None) -> LogEntry:
    """Return the message that a log written by hand has at a seq."""
    return LogEntry(seq, EPOCH + seq * 10, Content("ann", f"text {seq}" if text is None else text))


def write(raw: RawClient, entries: Sequence[LogEntry], *, base: int = 0, chat: str = CHAT) -> None:
    """Write a log of these entries, replacing the stored one."""
    elements = [element(one.time, one.content.sender, one.content.text) for one in entries]
    write_elements(raw, elements, base=base, chat=chat)


def write_elements(
    raw: RawClient, elements: Sequence[bytes], *, base: int = 0, epoch: int = EPOCH, chat: str = CHAT
) -> None:
    """Write a log of these elements, replacing the stored one."""
    raw.delete(keys.log(chat))
    raw.rpush(keys.log(chat), header(base, epoch), *elements)


def elements_of(raw: RawClient, chat: str = CHAT) -> list[bytes]:
    """Return every element of a log, the header first."""
    found: Any = raw.lrange(keys.log(chat), 0, -1)
    return list(found)


def ids_days(raw: RawClient, chat: str = CHAT) -> list[int]:
    """Return the days for which the chat has an ids key."""
    prefix = keys.ids(chat, 0)[:-1]
    return sorted(int(name.decode()[len(prefix) :]) for name in raw.scan_iter(match=f"*:ids:{chat}:*"))
