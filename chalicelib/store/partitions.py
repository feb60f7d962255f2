"""Partitions: the keys that one script touches are in one slot of a cluster."""

from __future__ import annotations

import functools
from binascii import crc_hqx
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

PARTITIONS = 256
KEYS_AT_ONCE = 2_000
"""Maximum number of keys that a script is given about users, of whom any number may share a partition.

Keys are arguments of the command, of which ElastiCache Serverless takes 3,999 (AWS, "Valkey and Redis OSS
configuration and limits"). The bound also limits how long other commands wait for the script.
"""


def _tagging(kind: str) -> Callable[[str], str]:
    """Return the function that makes hash tags of a kind: `{c000}` to `{c255}` for `c`.

    A cluster hashes only the text between the braces, so all keys of a partition share one slot and one
    script may touch any of them; 256 partitions spread over up to 256 nodes. The checksum, CRC-16/XMODEM, is
    that of Redis Cluster itself.
    """

    @functools.lru_cache(maxsize=4096)
    def tag(text: str) -> str:
        return f"{{{kind}{crc_hqx(text.encode(), 0) % PARTITIONS:03d}}}"

    return tag


chat_partition = _tagging("c")
"""Returns the hash tag that every key of a chat begins with; its argument is the chat's canonical id."""
user_partition = _tagging("u")
"""Returns the hash tag that every key of a user begins with.

Its argument is the handle, or another text that keys are spread by: an email, an address, a search term.
"""


Grouping = Callable[[Iterable[str], int], list[Sequence[str]]]
"""Returns users in groups, such that one script may touch the keys of a group.

The number is that of the keys of one user in the script's arguments; a whole group has at most KEYS_AT_ONCE.
"""


def by_partition(handles: Iterable[str], each: int) -> list[Sequence[str]]:
    """Return users in groups of one partition, for any store, a cluster too; see Grouping."""
    groups: dict[str, list[str]] = defaultdict(list)
    for handle in handles:
        groups[user_partition(handle)].append(handle)
    return [part for group in groups.values() for part in all_together(group, each)]


def all_together(handles: Iterable[str], each: int) -> list[Sequence[str]]:
    """Return users in groups of any partitions, for a store that is no cluster; see Grouping."""
    users, most = list(handles), KEYS_AT_ONCE // each
    return [users[start : start + most] for start in range(0, len(users), most)]
