"""Key names and partitions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from chalicelib.store import keys, partitions
from chalicelib.store.key_rows import ROWS, together
from infra import key_table

CHATS = st.text(min_size=1, max_size=130)


def crc16(data: bytes) -> int:
    """Return CRC-16/XMODEM bit by bit, as the Redis Cluster specification defines it."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc


def test_the_cluster_specifications_own_value() -> None:
    """The checksum is the one whose check value the Redis Cluster specification gives."""
    assert crc16(b"123456789") == 0x31C3
    assert partitions.chat_partition("123456789") == f"{{c{0x31C3 % 256:03d}}}"


@given(chat=CHATS)
def test_partition_is_the_cluster_checksum_modulo_256(chat: str) -> None:
    """A chat's partition is the checksum that Redis Cluster computes of a key, modulo 256."""
    number = int(partitions.chat_partition(chat)[2:5])

    assert number == crc16(chat.encode()) % partitions.PARTITIONS
    if "{" not in chat:
        assert number == key_slot(chat.encode()) % partitions.PARTITIONS


@given(chat=CHATS, day=st.integers(0, 100_000))
def test_keys_of_a_chat_share_a_slot(chat: str, day: int) -> None:
    """Every key of a chat is in the slot of its partition, whatever braces the chat's name has."""
    slots = {key_slot(key.encode()) for key in (keys.log(chat), keys.ids(chat, day), keys.ids(chat, day + 1))}

    assert slots == {key_slot(partitions.chat_partition(chat).encode())}


@given(chat=CHATS)
def test_keys_made_together_are_those_made_one_by_one(chat: str) -> None:
    """Keys of several kinds are the same and in the same order, those of a whole partition too."""
    kinds = (keys.log, keys.outbox, keys.members)

    assert together(*kinds)(chat) == tuple(kind(chat) for kind in kinds)


@given(one=CHATS, other=CHATS)
def test_chats_do_not_share_keys(one: str, other: str) -> None:
    """Two chats have no key in common."""
    of_one, of_other = ({keys.log(chat), keys.ids(chat, 1)} for chat in (one, other))

    assert (one == other) or not of_one & of_other


@pytest.mark.parametrize("key", [keys.log("alice:bob"), keys.ids("alice:bob", 20_000)])
def test_key_shows_partition_kind_and_chat(key: str) -> None:
    """A key is its partition, its kind, and the chat in plain text."""
    assert re.fullmatch(r"\{c\d{3}\}:(log:alice:bob|ids:alice:bob:20000)", key)


def test_partitions_are_used_evenly() -> None:
    """Chats spread over all 256 partitions."""
    tags = [partitions.chat_partition(f"user{i}:user{i + 1}") for i in range(10_000)]

    counts = [tags.count(tag) for tag in set(tags)]
    assert len(counts) == partitions.PARTITIONS
    assert max(counts) < 4 * 10_000 / partitions.PARTITIONS


KINDS = key_table.functions()


@pytest.mark.parametrize("name", KINDS)
def test_a_key_is_as_its_pattern_says(name: str) -> None:
    """The function of a row makes the key of its pattern, in the partition of the text that chooses it."""
    key, row = KINDS[name], ROWS[KINDS[name]]
    texts = re.findall(r"<(?!NNN>)\w+>", row.pattern)
    made = key(*(texts or ["<any>"] * row.pattern.count("<NNN>")))

    assert re.sub(r"^\{([cu])\d{3}}", r"{\1<NNN>}", made) == row.pattern or made == row.pattern
    assert row.type in {"HASH", "LIST", "SET", "STRING", "ZSET"}
    assert row.holds[0].islower()
    assert row.type not in {"HASH", "ZSET"} or " -> " in row.fields or row.fields == "see below"


def test_every_kind_of_key_has_a_function() -> None:
    """Each row belongs to a function of keys.py, and each function there has a row."""
    public = {
        name
        for name, value in vars(keys).items()
        if callable(value) and value.__module__.endswith("key_rows")
    }

    assert set(KINDS.values()) == set(ROWS)
    assert public - set(KINDS) == {
        "all_of",
        "of_connection",
        "of_kind",
        "of_one",
        "of_partition",
        "of_two",
        "single",
    }


def test_keys_of_all_partitions() -> None:
    """The keys of all partitions are exactly those of all texts."""
    outboxes = keys.all_of(keys.outbox)

    assert len(set(outboxes)) == partitions.PARTITIONS
    assert {keys.outbox(f"chat{number}") for number in range(100)} <= set(outboxes)
