"""Memory of a message, an id, a small chat, a member and an inbox in the store, in bytes."""

from __future__ import annotations

import itertools
import uuid
from functools import partial
from typing import NamedTuple

import msgspec

from bench import chat_memory
from bench.findings import Aim, Findings, Table, under
from bench.loads import SEND_CHAT, SENDER, TEXT
from bench.memory import Scales
from bench.options import Scale
from chalicelib.store import keys
from chalicelib.store.messages.content import Content
from tests.servers.engines import Engine, EngineError, RedisEngine, ValkeyEngine

ELEMENT_AIM_BYTES = 65.0
ENGINES: tuple[type[Engine], ...] = (ValkeyEngine, RedisEngine)
IDS = "*:ids:*"
SMALL_DAY = 50
STARTED_AT = 1_700_000_000
BATCH = 1000

LONG_COLUMNS = ("store", "kept as", "B a message by used_memory", "by MEMORY USAGE")
ID_COLUMNS = ("store", "ids of the chat that day", "log, for good", "id, 48 h", "B in all")
TINY_COLUMNS = ("store", "kept as", "for good", "ids, 48 h", "B a chat in all")


class Rows(NamedTuple):
    """The rows of the tables, and the aims."""

    long: list[tuple[str, ...]]
    ids: list[tuple[str, ...]]
    tiny: list[tuple[str, ...]]
    members: list[tuple[str, ...]]
    inboxes: list[tuple[str, ...]]
    aims: list[Aim]


def measure(scale: Scale) -> Findings:
    """Measure on the embedded Valkey and, where it is installed, on redis-server."""
    rows, skipped = Rows([], [], [], [], [], []), []
    for kind in ENGINES:
        try:
            engine = kind()
        except EngineError as error:
            skipped.append(f"memory on {kind.__name__.removesuffix('Engine')}: {error}.")
            continue
        with engine:
            _measure(Scales(engine), scale, rows)
    return Findings(_tables(rows, scale), rows.aims, skipped)


def _measure(scales: Scales, scale: Scale, rows: Rows) -> None:
    count = scale.messages
    log = (
        scales.weigh(f"{count} messages in a list", partial(_write_log, scales, [SEND_CHAT], count)).total
        / count
    )
    log_key = _usage(scales, keys.log(SEND_CHAT)) / count
    zset = scales.weigh(f"{count} messages in a sorted set", partial(_write_zset, scales, [SEND_CHAT], count))
    zset_key = _usage(scales, SEND_CHAT) / count
    rows.long.append((scales.name, "list, as Parley does", f"{log:.1f}", f"{log_key:.1f}"))
    rows.long.append((scales.name, "sorted set of JSON", f"{zset.total / count:.1f}", f"{zset_key:.1f}"))
    rows.aims.append(
        under(f"a log element of {len(TEXT)} characters, {scales.name}", ELEMENT_AIM_BYTES, log, "B")
    )
    _measure_ids(scales, scale, rows)
    _measure_tiny(scales, scale, rows)
    rows.members.extend(chat_memory.members(scales, scale))
    rows.inboxes.extend(chat_memory.rows(scales, scale))


def _measure_ids(scales: Scales, scale: Scale, rows: Rows) -> None:
    for chats, day in ((_chats(scale.chats // SMALL_DAY), SMALL_DAY), ([SEND_CHAT], scale.messages)):
        count = len(chats) * day
        write = partial(_write_log, scales, chats, day, ids=True)
        total, expiring = scales.weigh(f"{count} messages with ids, {day} a chat", write, IDS)
        parts = (total - expiring, expiring, total)
        rows.ids.append((scales.name, f"{day:,}", *(f"{part / count:.1f}" for part in parts)))


def _measure_tiny(scales: Scales, scale: Scale, rows: Rows) -> None:
    chats = _chats(scale.chats)
    for shape, write, expiring_keys in (
        ("list, as Parley does", partial(_write_log, scales, chats, 2), None),
        ("list, sent with ids", partial(_write_log, scales, chats, 2, ids=True), IDS),
        ("sorted set of JSON", partial(_write_zset, scales, chats, 2), None),
    ):
        what = f"{len(chats)} chats of two messages, {shape}"
        total, expiring = scales.weigh(what, write, expiring_keys)
        parts = (total - expiring, expiring, total)
        rows.tiny.append((scales.name, shape, *(f"{part / len(chats):.0f}" for part in parts)))


def _tables(rows: Rows, scale: Scale) -> list[Table]:
    text = f"of {len(TEXT)} characters"
    return [
        Table(
            "Memory of a long chat",
            f"{scale.messages:,} messages {text} in one chat. The sorted set is what the TikTok-IM servers"
            " keep: JSON of chat, text, sender and send_time, scored by time.",
            LONG_COLUMNS,
            rows.long,
        ),
        Table(
            "Memory of a /v1 send with an id",
            f"A message {text} with a UUID for its id, in bytes. The log's element holds the id and stays;"
            " the entry in the day's hash, with its share of the key, goes 48 h after that day's last send.",
            ID_COLUMNS,
            rows.ids,
        ),
        Table(
            "Memory of a chat of two messages",
            f"Two messages {text}, in bytes, everything included: key, header, the sender's read state, the"
            " tables of keys;"
            f" {scale.chats:,} such chats.",
            TINY_COLUMNS,
            rows.tiny,
        ),
        *chat_memory.tables(rows.members, rows.inboxes),
    ]


def _write_log(scales: Scales, chats: list[str], count: int, *, ids: bool = False) -> None:
    for chat, number in itertools.product(chats, range(count)):
        message_id = str(uuid.UUID(int=number)) if ids else None
        scales.store.run(scales.log.append(chat, Content(SENDER, TEXT, message_id)))
    scales.forget_owed()


def _write_zset(scales: Scales, chats: list[str], count: int) -> None:
    pipeline = scales.node.pipeline(transaction=False)
    for made, (chat, number) in enumerate(itertools.product(chats, range(count)), start=1):
        sent = STARTED_AT + number
        message = {"chat": chat, "text": TEXT, "sender": SENDER, "send_time": sent}
        pipeline.zadd(chat, {msgspec.json.encode(message): sent})
        if made % BATCH == 0:
            pipeline.execute()
    pipeline.execute()


def _chats(count: int) -> list[str]:
    return [f"{SENDER}:friend{number:06d}" for number in range(count)]


def _usage(scales: Scales, key: str) -> int:
    return int(scales.node.memory_usage(key, samples=0) or 0)
