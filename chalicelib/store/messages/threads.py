"""The threads of a chat."""

from __future__ import annotations


class Threads:
    """A thread is a message, its root, and all replies to it and to its replies. Its keys:

    `{c<NNN>}:threads:<chat>`: ZSET, no expiry: 8 bytes of a reply's seq (big-endian) -> seq of its root. A
        deleted reply leaves it. Seqs of trimmed messages may stay in it for a while; readers ignore them.

    The header of each reply in the log has its root, and that of a root its own seq, see LogEntry.
    """
