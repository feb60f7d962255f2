"""Key names and the partitions that keep what one script touches in one cluster slot."""

from __future__ import annotations

import functools
from binascii import crc_hqx
from collections import defaultdict
from collections.abc import Iterable

PARTITIONS = 256
KEYS_AT_ONCE = 2_000
"""Maximum number of keys that a script is given about users, of whom any number may share a partition.

Keys are arguments of the command, of which ElastiCache Serverless takes 3,999 (AWS, "Valkey and Redis OSS
configuration and limits"). The bound also limits how long other commands wait for the script.
"""


@functools.lru_cache(maxsize=4096)
def _partition(kind: str, text: str) -> str:
    """Return a hash tag, `{c000}` to `{c255}` for the kind `c`.

    A cluster hashes only what stands between the braces, so all keys of a partition share one slot and one
    script may touch any of them; 256 partitions spread over up to 256 nodes. The checksum is the one Redis
    Cluster itself uses (CRC-16/XMODEM).
    """
    return f"{{{kind}{crc_hqx(text.encode(), 0) % PARTITIONS:03d}}}"


def chat_partition(chat: str) -> str:
    """Return the hash tag that every key of a chat begins with; chat: its canonical id."""
    return _partition("c", chat)


def user_partition(text: str) -> str:
    """Return the hash tag that every key of a user begins with.

    text: the handle, or whatever else (an email, an address) the keys are spread by.
    """
    return _partition("u", text)


def by_partition(handles: Iterable[str], each: int) -> list[list[str]]:
    """Return users in groups: those of a group share a partition, so that one script may touch them all.

    each: Number of keys of one user that the script is given; of a whole group they are KEYS_AT_ONCE at most.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for handle in handles:
        groups[user_partition(handle)].append(handle)
    most = KEYS_AT_ONCE // each
    return [group[start : start + most] for group in groups.values() for start in range(0, len(group), most)]


def log(chat: str) -> str:
    """Return the key of a chat's log."""
    return f"{chat_partition(chat)}:log:{chat}"


def ids(chat: str, day: int) -> str:
    """Return the key of the idempotency ids a chat saw on a day (days since 1970, UTC)."""
    return f"{chat_partition(chat)}:ids:{chat}:{day}"


def chat(chat: str) -> str:
    """Return the key of what a group or room is: its name, notice and rules."""
    return f"{chat_partition(chat)}:chat:{chat}"


def members(chat: str) -> str:
    """Return the key of the members of a group or room."""
    return f"{chat_partition(chat)}:members:{chat}"


def others(chat: str) -> str:
    """Return the key of who is no member of a group or room, but invited, banned or a former one."""
    return f"{chat_partition(chat)}:others:{chat}"


def read_states(chat: str) -> str:
    """Return the key of how far each reader of a chat has come."""
    return f"{chat_partition(chat)}:readers:{chat}"


def uncounted(chat: str) -> str:
    """Return the key of the messages of a chat that do not count as unread."""
    return f"{chat_partition(chat)}:uncounted:{chat}"


def chat_connections(chat: str) -> str:
    """Return the key of the connections that are attached to a chat."""
    return f"{chat_partition(chat)}:clients:{chat}"


def changes(chat: str) -> str:
    """Return the key of what has changed in a chat, and when."""
    return f"{chat_partition(chat)}:changes:{chat}"


def outbox(chat: str) -> str:
    """Return the key of what inboxes still have to be told of a chat, and of the others of the partition."""
    return f"{chat_partition(chat)}:outbox"


def outboxes_by_partition() -> list[str]:
    """Return the keys of what the inboxes still have to be told of all chats."""
    return [f"{{c{number:03d}}}:outbox" for number in range(PARTITIONS)]


def rooms() -> str:
    """Return the key of all rooms."""
    return "{c000}:rooms"


def chat_terms(prefix: str) -> str:
    """Return the key of the search terms of groups and rooms that begin alike."""
    return f"{chat_partition(prefix)}:found:{prefix}"


def inbox_entries(handle: str) -> str:
    """Return the key of how a user stands to each chat, as the inbox was last told."""
    return f"{user_partition(handle)}:chats:{handle}"


def inbox(handle: str) -> str:
    """Return the key of a user's chats in the order in which they moved."""
    return f"{user_partition(handle)}:inbox:{handle}"


def active(handle: str) -> str:
    """Return the key of a user's chats by their last activity."""
    return f"{user_partition(handle)}:active:{handle}"


def large(handle: str) -> str:
    """Return the key of a user's chats that are too large to write inboxes."""
    return f"{user_partition(handle)}:large:{handle}"


def invitations(handle: str) -> str:
    """Return the key of the chats to which a user is invited."""
    return f"{user_partition(handle)}:invitations:{handle}"


def lineages(handle: str) -> str:
    """Return the key of how far each client of a user has been told of its chats."""
    return f"{user_partition(handle)}:lineages:{handle}"


def user(handle: str) -> str:
    """Return the key of an account."""
    return f"{user_partition(handle)}:user:{handle}"


def sessions(handle: str) -> str:
    """Return the key of a user's sessions."""
    return f"{user_partition(handle)}:sessions:{handle}"


def session_ends(handle: str) -> str:
    """Return the key of when sessions of a user, and of the others of the partition, may have expired."""
    return f"{user_partition(handle)}:session_ends"


def session_ends_by_partition() -> list[str]:
    """Return the keys of when sessions of all users may have expired."""
    return [f"{{u{number:03d}}}:session_ends" for number in range(PARTITIONS)]


def user_connections(handle: str) -> str:
    """Return the key of a user's connections."""
    return f"{user_partition(handle)}:connections:{handle}"


def last_seen(handle: str) -> str:
    """Return the key of when a user was online last."""
    return f"{user_partition(handle)}:seen:{handle}"


def ticket(handle: str, digest: str) -> str:
    """Return the key of a ticket, which opens one connection; digest: hexadecimal."""
    return f"{user_partition(handle)}:ticket:{handle}:{digest}"


def watchers(handle: str) -> str:
    """Return the key of the connections that are told whether a user is online."""
    return f"{user_partition(handle)}:watchers:{handle}"


def leases(handle: str) -> str:
    """Return the key of when the connections of a user, and of the others of the partition, expire."""
    return f"{user_partition(handle)}:leases"


def leases_by_partition() -> list[str]:
    """Return the keys of when all connections expire."""
    return [f"{{u{number:03d}}}:leases" for number in range(PARTITIONS)]


def connection(connection: str) -> str:
    """Return the key of what there is to know of a connection."""
    return f"{{x:{connection}}}:socket"


def signals(recipient: str, sender: str) -> str:
    """Return the key of how much one user has sent another that is never stored."""
    return f"{user_partition(recipient)}:signals:{recipient}:{sender}"


def user_limits(handle: str) -> str:
    """Return the key of how much of their limits a user and their sessions have used."""
    return f"{user_partition(handle)}:rates:{handle}"


def address_limit(address: str, kind: str) -> str:
    """Return the key of how much of the limit of a class of routes an address has used."""
    return f"{user_partition(address)}:rate:{kind}:{address}"


def groups_made(handle: str) -> str:
    """Return the key of how many groups and rooms a user has made within a day."""
    return f"{user_partition(handle)}:groups_made:{handle}"


def login_attempts(name: str, address: str) -> str:
    """Return the key of the failed logins as somebody from an address; empty: from anywhere."""
    return f"{user_partition(name)}:tries:{name}:{address}"


def address_attempts(address: str) -> str:
    """Return the key of the failed logins from an address."""
    return f"{user_partition(address)}:tries::{address}"


def claim(kind: str, value: str) -> str:
    """Return the key of who has something that only one user can have, such as an email."""
    return f"{user_partition(value)}:claim:{kind}:{value}"


def traces(handle: str) -> str:
    """Return the key of what other slots hold of a user."""
    return f"{user_partition(handle)}:traces:{handle}"


def user_terms(prefix: str) -> str:
    """Return the key of the search terms that begin alike."""
    return f"{user_partition(prefix)}:search:{prefix}"


def pending(handle: str) -> str:
    """Return the key of the work that is owed for a user, and for the others of the partition."""
    return f"{user_partition(handle)}:owed"


def pending_by_partition() -> list[str]:
    """Return the keys of the work that is owed for all users."""
    return [f"{{u{number:03d}}}:owed" for number in range(PARTITIONS)]


def blocked(handle: str) -> str:
    """Return the key of whom a user has blocked."""
    return f"{user_partition(handle)}:blocked:{handle}"


def following(handle: str) -> str:
    """Return the key of whom a user follows."""
    return f"{user_partition(handle)}:following:{handle}"


def followers(handle: str) -> str:
    """Return the key of who follows a user."""
    return f"{user_partition(handle)}:followers:{handle}"


def unfollowed(handle: str) -> str:
    """Return the key of who ceased to follow a user of late."""
    return f"{user_partition(handle)}:unfollowed:{handle}"


def posts(handle: str) -> str:
    """Return the key of a user's posts."""
    return f"{user_partition(handle)}:posts:{handle}"


def timeline(handle: str) -> str:
    """Return the key of the posts that those a user follows have made."""
    return f"{user_partition(handle)}:timeline:{handle}"


def large_authors() -> str:
    """Return the key of the authors whose posts are not put into timelines."""
    return "{u000}:large_authors"


def jobs() -> str:
    """Return the key of the jobs that wait where there is no other queue."""
    return "{u000}:work"
