"""The table of keys: a row for each kind of key, and the function that makes it.

Each row has the arguments of Row: pattern, type, what it holds, fields, lifetime. Patterns stay as they are,
since stored data has them; the functions are named in the words of the code. docs/redis.md has the same
table, which `make openapi` writes, and describes the records. The module is longer than others because it is
one table, which is read as a whole.
"""

from __future__ import annotations

from chalicelib.store.key_rows import (
    all_of,
    of_connection,
    of_kind,
    of_one,
    of_partition,
    of_two,
    single,
)

__all__ = ["all_of"]

# --- chats ----------------------------------------------------------------------------------------

log = of_one("{c<NNN>}:log:<chat>", "LIST", "the chat's log", "a header, then the messages in order")
ids = of_two(
    "{c<NNN>}:ids:<chat>:<day>",
    "HASH",
    "the idempotency ids of a UTC day (`day` counts from 1970)",
    "digest of sender and id -> record",
    "48 h after its last write",
)
chat = of_one(
    "{c<NNN>}:chat:<chat>",
    "HASH",
    "a group or room; after a deletion a tombstone that keeps the id taken",
    "see below",
)
members = of_one(
    "{c<NNN>}:members:<chat>",
    "HASH",
    "the members of a group or room, at most `PARLEY_MAX_MEMBERS`",
    "handle -> record",
)
others = of_one(
    "{c<NNN>}:others:<chat>",
    "HASH",
    "users who are invited, ask to join, are banned or were members; some of over 10,000 are forgotten",
    "handle -> record",
)
changes = of_one(
    "{c<NNN>}:changes:<chat>",
    "ZSET",
    "what has changed in the chat: its fields, members and messages",
    "`info`, `m:<handle>` or `e:<seq>` -> number of the subject's last change, µs",
)
uncounted = of_one(
    "{c<NNN>}:uncounted:<chat>",
    "ZSET",
    "the messages that do not count as unread: those of kind `system`, and deleted ones",
    "seq -> seq",
)
word_filters = of_one(
    "{c<NNN>}:words:<chat>",
    "HASH",
    "filters of the words in the messages of a long chat, a filter for 128 messages; bits, no text",
    "number of the block -> filter; `first` -> number of the first block that is not trimmed",
)
reactions = of_one(
    "{c<NNN>}:reactions:<chat>",
    "ZSET",
    "the reactions to the chat's messages",
    "`<emoji>\\0<handle>\\0<seq>` -> seq of the message",
)
hidden = of_two(
    "{c<NNN>}:hidden:<chat>:<handle>",
    "ZSET",
    "the messages that a reader has hidden, at most 10,000",
    "seq -> seq",
)
hidings = of_two(
    "{c<NNN>}:hidings:<chat>:<handle>",
    "ZSET",
    "when the reader hid these messages",
    "seq -> number of the change, µs",
)
pins = of_one(
    "{c<NNN>}:pins:<chat>", "ZSET", "the pinned messages, at most 100", "seq -> when it was pinned, µs"
)
last_sent = of_one(
    "{c<NNN>}:last_sent:<chat>",
    "HASH",
    "when the members of a group or room in slow mode have last written",
    "handle -> µs",
    "6 h after its last write",
)
reports = of_one(
    "{c<NNN>}:reports:<chat>",
    "HASH",
    "the reports of the chat's messages, at most 1,000",
    "`<reporter>\\0<seq>` -> record",
)
threads = of_one(
    "{c<NNN>}:threads:<chat>",
    "ZSET",
    "the replies of the chat's threads",
    "8 bytes of a reply's seq, big-endian -> seq of the first message of its thread",
)
mentions = of_one(
    "{c<NNN>}:mentions:<chat>",
    "HASH",
    "which messages mention whom; of each handle the newest 1,000",
    "handle, `*:` for all, or `!:<handle>` for a user whom a mention of all leaves out -> ascending seqs, "
    "8 bytes each, big-endian",
)
expiries = of_partition(
    "{c<NNN>}:expiries",
    "ZSET",
    "when messages of the chats of a partition expire",
    "`<seq>\\0<chat>` -> µs",
)
retained = of_partition(
    "{c<NNN>}:retained",
    "ZSET",
    "when the sweep looks at the chats of a partition that trim messages",
    "chat -> µs",
)
outbox = of_partition(
    "{c<NNN>}:outbox",
    "HASH",
    "the pending deliveries of the chats of a partition",
    "item -> since when, or a stamp, µs",
)
chat_connections = of_one(
    "{c<NNN>}:clients:<chat>",
    "HASH",
    "the connections that are attached to a group or room",
    "id -> record",
    "15 min after the last of its connections has expired",
)
read_states = of_one(
    "{c<NNN>}:readers:<chat>",
    "HASH",
    "how far each reader of a chat has read, and the reader's flags",
    "handle -> record",
)
rooms = single("{c000}:rooms", "ZSET", "all rooms", "chat -> when it was created, µs")
chat_terms = of_one(
    "{c<NNN>}:found:<prefix>",
    "ZSET",
    "the search terms of groups and rooms that begin with two characters, or one beyond ASCII",
    "`<term>\\0<chat>` -> 0",
)

# --- users ----------------------------------------------------------------------------------------

user = of_one(
    "{u<NNN>}:user:<handle>",
    "HASH",
    "the account; after a deletion a tombstone that keeps the handle taken",
    "see below",
)
sessions = of_one(
    "{u<NNN>}:sessions:<handle>", "HASH", "the user's sessions, at most 100", "digest of the token -> record"
)
session_ends = of_partition(
    "{u<NNN>}:session_ends",
    "ZSET",
    "when the first session of each user of a partition may have expired",
    "handle -> µs",
)
user_connections = of_one(
    "{u<NNN>}:connections:<handle>",
    "HASH",
    "the user's connections, of which at most 100 live",
    "id -> record",
)
leases = of_partition(
    "{u<NNN>}:leases",
    "ZSET",
    "when the connections of the users of a partition expire",
    "`<handle>\\0<id>` -> µs",
)
last_seen = of_one("{u<NNN>}:seen:<handle>", "STRING", "when the user was last online, µs")
ticket = of_two(
    "{u<NNN>}:ticket:<handle>:<digest>",
    "STRING",
    "a ticket, which opens one connection; its digest is hexadecimal",
    "length of the session's digest (a byte), the digest (or its replacement, see below), the room",
    "30 s, or its use",
)
watchers = of_one(
    "{u<NNN>}:watchers:<handle>",
    "HASH",
    "the connections that receive the user's presence, at most 10,000",
    "id -> record",
    "`PARLEY_LEASE_SECONDS` after its last write",
)
connection = of_connection(
    "{x:<connection>}:socket",
    "HASH",
    "a connection, found by its id alone",
    "see below",
    "`PARLEY_LEASE_SECONDS` and 15 min after its last frame",
)
user_limits = of_one(
    "{u<NNN>}:rates:<handle>",
    "HASH",
    "how far the limits of the user and of each session are used",
    "`<class>`, or `<class>:` and 8 bytes of the token's digest -> state",
    "60 to 120 s after its last write",
)
address_limit = of_kind(
    "{u<NNN>}:rate:<kind>:<address>",
    "STRING",
    "how far the limit of an address for a class of routes is used; of IPv6 that of a /64 and a /56",
    "state",
    "120 s after its last write",
)
signals = of_two(
    "{u<NNN>}:signals:<recipient>:<sender>",
    "STRING",
    "how far the limit of the signals from one user to another is used",
    "state; then `+` if one of the signals accepts calls",
    "a day after its last write",
)
groups_made = of_one(
    "{u<NNN>}:groups_made:<handle>",
    "STRING",
    "how many groups and rooms the user has created",
    "number",
    "24 h after the first",
)
login_attempts = of_two(
    "{u<NNN>}:tries:<name>:<address>",
    "ZSET",
    "the failed logins with a name from an address (IPv6 as above), or from all, at most 1,000",
    "attempt -> its time, µs",
    "15 min after its last write",
)
address_attempts = of_one(
    "{u<NNN>}:tries::<address>",
    "ZSET",
    "the failed logins from an address, with any name",
    "attempt -> its time, µs",
    "15 min after its last write",
)
claim = of_kind(
    "{u<NNN>}:claim:<kind>:<value>",
    "STRING",
    "the user of an email, a signed identity or an imported user (`import`, which stays after a deletion)",
    "handle",
    "180 s, none once it is settled",
)
index_traces = of_one(
    "{u<NNN>}:traces:<handle>",
    "SET",
    "the user's search terms and email, whose entries are in other slots",
    "`term:<term>`, `email:<email>`",
)
user_terms = of_one(
    "{u<NNN>}:search:<prefix>",
    "ZSET",
    "the search terms of users that begin with two characters, or one beyond ASCII",
    "`<term>\\0<handle>` -> 0",
)
scheduled = of_one(
    "{u<NNN>}:scheduled:<handle>",
    "HASH",
    "the user's scheduled messages, at most 100",
    "id -> record",
)
scheduled_due = of_partition(
    "{u<NNN>}:scheduled_due",
    "ZSET",
    "when the schedule looks at the scheduled messages of the users of a partition next",
    "`<handle>\\0<id>` -> µs",
)
pending = of_partition(
    "{u<NNN>}:owed",
    "HASH",
    "the pending work of the users of a partition in other slots",
    "item -> since when, µs",
)

# --- social ---------------------------------------------------------------------------------------

following = of_one(
    "{u<NNN>}:following:<handle>",
    "ZSET",
    "the users that the user follows, at most 10,000: the truth",
    "handle -> version of the follow",
)
followers = of_one(
    "{u<NNN>}:followers:<handle>",
    "ZSET",
    "the users that follow the user: the mirror",
    "handle -> version of the follow",
)
unfollowed = of_one(
    "{u<NNN>}:unfollowed:<handle>",
    "ZSET",
    "the users that ended a follow of the user within the last hour",
    "handle -> version of the end",
    "1 h after its last write",
)
blocked = of_one(
    "{u<NNN>}:blocked:<handle>",
    "ZSET",
    "the users that the user has blocked, at most 10,000",
    "handle -> since when, µs",
)
posts = of_one(
    "{u<NNN>}:posts:<handle>",
    "ZSET",
    "the user's posts",
    "8 bytes of the id, big-endian, and the text in UTF-8 -> id",
)
timeline = of_one(
    "{u<NNN>}:timeline:<handle>",
    "ZSET",
    "the newest 1,000 posts of the users that the user follows",
    "`<author>:<id>` -> id",
)
large_authors = single(
    "{u000}:large_authors",
    "SET",
    "authors who once had more followers than `PARLEY_LARGE_AUTHOR`: their posts enter no timeline",
    "handle",
)

# --- inboxes --------------------------------------------------------------------------------------

inbox_entries = of_one(
    "{u<NNN>}:chats:<handle>",
    "HASH",
    "the user's inbox entries, and the newest version",
    "chat -> record; `version` -> µs",
)
inbox = of_one(
    "{u<NNN>}:inbox:<handle>",
    "ZSET",
    "the user's chats, also those that the user has left",
    "chat -> version at which it moved",
)
active = of_one(
    "{u<NNN>}:active:<handle>",
    "ZSET",
    "the chats in the user's inbox",
    "chat -> its last activity, µs; of a large chat as it was last checked",
)
large = of_one(
    "{u<NNN>}:large:<handle>",
    "ZSET",
    "the user's chats that are too large to write inboxes; the first write converts an older SET",
    "chat -> when the round of checks began that last checked it, µs; 0: none did",
)
invitations = of_one(
    "{u<NNN>}:invitations:<handle>",
    "ZSET",
    "the chats to which the user is invited",
    "chat -> since when, µs",
)
lineages = of_one(
    "{u<NNN>}:lineages:<handle>",
    "ZSET",
    "the lineages of the user's sync tokens, at most 128",
    "lineage -> the highest version that it has received",
)

# --- work -----------------------------------------------------------------------------------------

jobs = single(
    "{u000}:work",
    "LIST",
    "the job list: jobs, at most 100,000, where `PARLEY_WORK_QUEUE` names no queue",
    "a JSON object with the `item` of pending work",
)
