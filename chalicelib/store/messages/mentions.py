"""Who is mentioned by the messages of a chat."""

from __future__ import annotations

from chalicelib.store.messages.content import Extra

ALL = "*:"
"""The field of the messages that mention all members; no handle has a colon."""
EXCEPT = "!:"
"""What the field of a user whom a mention of all leaves out begins with; the handle follows."""


class Mentions:
    """The messages that mention each member of a chat. Its keys:

    `{c<NNN>}:mentions:<chat>`: HASH, no expiry: a handle, `*:` for all members, or `!:<handle>` for a user
        whom a mention of all leaves out -> ascending seqs of messages, 8 bytes each (big-endian), at most
        the newest 1,000. Deleted and trimmed messages may stay in it for a while; readers ignore them.
    """


def fields_of(extra: Extra) -> list[str]:
    """Return the fields that hold a message with these mentions, save for that of an author replied to."""
    return [*extra.mentions, *([ALL] if extra.mentions_all else [])]
