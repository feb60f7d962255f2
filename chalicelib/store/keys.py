"""Key names and the partitions that keep what one script touches in one cluster slot."""

from __future__ import annotations

from binascii import crc_hqx

PARTITIONS = 256


def chat_partition(chat: str) -> str:
    """Return the hash tag, `{c000}` to `{c255}`, that every key of a chat begins with.

    chat: the chat's canonical id. A cluster hashes only what stands between the braces, so all keys of a
    partition share one slot and one script may touch any of them; 256 partitions spread over up to 256 nodes.
    The checksum is the one Redis Cluster itself uses (CRC-16/XMODEM).
    """
    return f"{{c{crc_hqx(chat.encode(), 0) % PARTITIONS:03d}}}"


def log(chat: str) -> str:
    """Return the key of a chat's log."""
    return f"{chat_partition(chat)}:log:{chat}"


def ids(chat: str, day: int) -> str:
    """Return the key of the idempotency ids a chat saw on a day (days since 1970, UTC)."""
    return f"{chat_partition(chat)}:ids:{chat}:{day}"
