"""What the messages of a chat are, by the documented rules: a model to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
OWNER = "ann"


@dataclass(eq=False)
class Kept:
    """A message; by: Who deleted it, `server` if it expired; empty: nobody. reactions: Users by emoji.
    hidden: Users who have hidden it from themselves. named: The members whom its text mentions. answered: The
    author of the message that it answers. to_all: Whether it mentions all. pinned: When it was pinned, as a
    number that rises; 0: it is not.
    """

    seq: int
    sender: str
    text: str
    reply_to: int | None = None
    expires: bool = False
    kind: str = "text"
    edited: bool = False
    by: str = ""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    answered: str = ""
    to_all: bool = False
    pinned: int = 0

    def delete(self, by: str) -> None:
        """Leave of it what a deletion leaves."""
        self.text, self.by, self.expires, self.edited = "", by, False, False
        self.reactions, self.named, self.to_all, self.pinned = {}, set(), False, 0

    def react(self, emoji: str, user: str, *, on: bool) -> None:
        """Add a reaction, or take it back."""
        users = self.reactions.setdefault(emoji, [])
        if on and user not in users:
            users.append(user)
        if not on and user in users:
            users.remove(user)
        if not users:
            del self.reactions[emoji]


class ChatModel:
    """A chat; of a group, former members read it up to when they left.

    members: Of users who are in it, the seq of the newest message when they joined. left: Of former ones,
    that seq, and the last one that they can read. read: Read states. history: Whether members read from the
    start.
    """

    def __init__(self, chat: str, members: list[str], *, group: bool, history: bool = True) -> None:
        self.chat, self.is_group, self._history = chat, group, history
        self.messages: list[Kept] = []
        self.members = dict.fromkeys(members, 0)
        self.left: dict[str, tuple[int, int]] = {}
        self.read: dict[str, int] = {}

    @property
    def head(self) -> int:
        """The seq of the newest message."""
        return len(self.messages)

    def add(self, sender: str, text: str, **fields: Any) -> Kept:
        """Append a message of a member, who has read it."""
        made = Kept(self.head + 1, sender, text, **fields)
        self.messages.append(made)
        if made.kind == "text":
            self.read[sender] = made.seq
        return made

    def mention(self, one: Kept) -> None:
        """Set whom the text of a message mentions."""
        words = {word[1:].casefold() for word in one.text.split() if word.startswith("@")}
        one.named = (words & set(self.members)) - {one.sender}
        one.to_all = "all" in words and self.is_group and one.sender == OWNER

    def mentioned(self, user: str) -> int:
        """Return how many unread messages mention a member."""
        return sum(
            user in one.named or user == one.answered or (one.to_all and user != one.sender)
            for one in self._unread(user)
        )

    def pins(self, user: str) -> list[int]:
        """Return the seqs of the pinned messages that a user can read, the newest pin first."""
        pinned = sorted(self.visible(user), key=lambda one: -one.pinned)
        return [one.seq for one in pinned if one.pinned]

    def report(self, sender: str) -> None:
        """Append the message of kind `system` about a change."""
        self.add(sender, "", kind="system")

    def leave(self, user: str) -> None:
        """End a membership, which has been reported."""
        self.left[user] = self.members.pop(user), self.head

    def join(self, user: str) -> None:
        """Begin a membership, which has not been reported yet."""
        self.left.pop(user, None)
        self.members[user] = self.head

    def visible(self, user: str) -> list[Kept]:
        """Return the messages that a user can read."""
        after, upto = self.left.get(user, (0, 0))
        if user in self.members:
            after, upto = self.members[user], self.head
        shown = self.messages[0 if self._history else after : upto]
        return [one for one in shown if user not in one.hidden]

    def one(self, user: str, pick: int) -> Kept | None:
        """Return one of these messages."""
        shown = self.visible(user)
        return shown[pick % len(shown)] if shown else None

    def unread(self, user: str) -> int:
        """Return how many messages count as unread for a member."""
        return len(self._unread(user))

    def _unread(self, user: str) -> list[Kept]:
        after = max(self.read.get(user, 0), self.members[user])
        counted = [one for one in self.messages[after:] if one.kind == "text" and not one.by]
        return [one for one in counted if user not in one.hidden]

    def root(self, one: Kept) -> Kept:
        """Return the first message of the thread of a message."""
        return one if one.reply_to is None else self.root(self.messages[one.reply_to - 1])

    def replies(self, root: Kept) -> list[Kept]:
        """Return the replies of a thread that are not deleted."""
        return [one for one in self.messages if one is not root and not one.by and self.root(one) is root]

    def found(self, user: str, word: str) -> list[int]:
        """Return the seqs of the messages with a word, newest first."""
        return [one.seq for one in self.visible(user)[::-1] if word in one.text.split()]

    def rows(self, user: str) -> list[Row]:
        """Return what a user reads, as `comparable` shortens it."""
        return [self._row(one, user) for one in self.visible(user)]

    def _row(self, one: Kept, user: str) -> Row:
        return {
            "seq": one.seq,
            "sender": one.sender,
            "text": one.text,
            "reply_to": one.reply_to,
            "edited": one.edited,
            "expires": one.expires,
            "deleted": one.by or None,
            "mentions": (sorted(one.named), one.to_all),
            "pinned": one.pinned > 0,
            "reactions": [(emoji, len(users), user in users) for emoji, users in one.reactions.items()],
        }

    def derived(self, user: str) -> Iterator[Row]:
        """Yield what a user reads that follows from other messages."""
        shown = self.visible(user)
        for one in shown:
            replied = None if one.reply_to is None else self.messages[one.reply_to - 1]
            replied = replied if replied in shown and not one.by else None
            replies = [reply for reply in self.replies(one) if reply in shown]
            yield {
                "replied": replied and (replied.seq, replied.sender, replied.text, bool(replied.by)),
                "thread": (len(replies), replies[-1].seq) if replies else None,
            }


def comparable(message: Row) -> Row:
    """Return the fields of a message that the model has."""
    deletion = message.get("deleted")
    return {
        "seq": message["seq"],
        "sender": message["sender"],
        "text": message["text"] if message["kind"] == "text" else "",
        "reply_to": message.get("reply_to"),
        "edited": "edited_at" in message,
        "expires": "expires_at" in message,
        "deleted": (deletion["by"] or "server") if deletion else None,
        "mentions": (sorted(message.get("mentions", [])), message.get("mentions_all", False)),
        "pinned": "pinned_at" in message,
        "reactions": [(one["emoji"], one["count"], one["me"]) for one in message.get("reactions", [])],
    }


def derived(message: Row) -> Row:
    """Return the fields of a message that follow from other messages."""
    replied, thread = message.get("replied"), message.get("thread")
    return {
        "replied": replied
        and tuple(replied.get(name, False) for name in ("seq", "sender", "text", "deleted")),
        "thread": thread and (thread["replies"], thread["last"]),
    }
