"""The rows of the table of keys: a description of each kind of key, and the function that makes it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from chalicelib.store.partitions import PARTITIONS, chat_partition, user_partition

Of = Callable[[str], str]
K = TypeVar("K", bound=Callable[..., str])
ROWS: dict[Callable[..., str], Row] = {}
"""The row of each function that makes a key."""
KEPT_TEXTS = 4096
NUMBER = "<NNN>"
"""The placeholder of the partition's number in a pattern."""


class Row(NamedTuple):
    """The description of a kind of key.

    pattern: The key, with what it is made for in angle brackets. type: Of its value. holds: What it is for.
    fields: The fields of a HASH or the members of a ZSET, `->`, and their values or scores; else empty.
    lifetime: When the key expires.
    """

    pattern: str
    type: str
    holds: str
    fields: str = ""
    lifetime: str = "none"


def of_one(*row: str) -> Of:
    """Return the function that makes a key of one text, by which its partition is chosen too."""
    tag, name = _tag_and_name(row[0])

    def key(text: str) -> str:
        return f"{tag(text)}:{name}{text}"

    return _noted(key, row)


def of_two(*row: str) -> Callable[[str, str | int], str]:
    """Return the function that makes a key of two texts; the first chooses its partition."""
    tag, name = _tag_and_name(row[0])

    def key(first: str, second: str | int) -> str:
        return f"{tag(first)}:{name}{first}:{second}"

    return _noted(key, row)


def of_kind(*row: str) -> Callable[[str, str], str]:
    """Return the function that makes a key of a kind and a value; the value chooses its partition."""
    tag, name = _tag_and_name(row[0])

    def key(kind: str, value: str) -> str:
        return f"{tag(value)}:{name}{kind}:{value}"

    return _noted(key, row)


def of_partition(*row: str) -> Of:
    """Return the function that makes the key of a partition, of a text that chooses the partition."""
    tag, name = _tag_and_name(row[0])

    def key(text: str) -> str:
        return f"{tag(text)}:{name}"

    return _noted(key, row)


def of_connection(*row: str) -> Of:
    """Return the function that makes the key of a connection, which has a partition of its own."""
    before, after = row[0].split("<connection>")

    def key(connection: str) -> str:
        return f"{before}{connection}{after}"

    return _noted(key, row)


def single(*row: str) -> Callable[[], str]:
    """Return the function that makes a key of which there is one."""

    def key() -> str:
        return row[0]

    return _noted(key, row)


def together(*kinds: Of) -> Callable[[str], tuple[str, ...]]:
    """Return the function that makes keys of several kinds of one text, faster than one by one.

    kinds: Functions that of_one and of_partition have made, of one slot. The last KEPT_TEXTS texts are kept:
    the members of a group get one message after the other.
    """
    tag, _ = _tag_and_name(ROWS[kinds[0]].pattern)
    names = [
        (_tag_and_name(ROWS[kind].pattern)[1], "<" in ROWS[kind].pattern[len("{c<NNN>}") :]) for kind in kinds
    ]

    @functools.lru_cache(maxsize=KEPT_TEXTS)
    def made(text: str) -> tuple[str, ...]:
        slot = tag(text)
        return tuple([f"{slot}:{name}{text}" if has_text else f"{slot}:{name}" for name, has_text in names])

    return made


def all_of(key: Of) -> list[str]:
    """Return the keys of all partitions. key: One that of_partition has made."""
    return [ROWS[key].pattern.replace(NUMBER, f"{number:03d}") for number in range(PARTITIONS)]


def _tag_and_name(pattern: str) -> tuple[Of, str]:
    """Return what makes the hash tag of a pattern, and the text between the tag and the first bracket."""
    tag, _, rest = pattern.partition("}:")
    return {"{c" + NUMBER: chat_partition, "{u" + NUMBER: user_partition}[tag], rest.partition("<")[0]


def _noted(key: K, row: tuple[str, ...]) -> K:
    ROWS[key] = Row(*row)
    return key
