"""A model of chats in plain Python: permissions, and what each reader sees of the whole history."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

MEMBER, ADMIN, OWNER = 1, 2, 3
ROLES = {MEMBER: "member", ADMIN: "admin", OWNER: "owner"}
FLAGS = ("unread", "pinned", "muted", "archived")


class Outcome(Enum):
    """The outcome of a call."""

    CHANGED = 1
    SAME = 2
    REFUSED = 3


CHANGED, SAME, REFUSED = Outcome.CHANGED, Outcome.SAME, Outcome.REFUSED


@dataclass
class Line:
    """A message of a log; position: its index among all messages of all chats."""

    sender: str
    kind: str
    text: str
    position: int


@dataclass
class Membership:
    """A member; since: how many messages there were before."""

    role: int
    since: int
    muted: bool = False


@dataclass
class Former:
    """Somebody who is no member; relation: invited, requested, banned, left, removed, refused.

    They read since+1 to upto. refused: they have refused an invitation once.
    """

    relation: str
    since: int = 0
    upto: int = 0
    refused: bool = False


@dataclass
class Reader:
    """A user's read state of a chat."""

    read: int = 0
    received: int = 0
    cleared: int = 0
    hidden: bool = False
    opened: bool = False
    flags: set[str] = field(default_factory=set)


@dataclass
class Row:
    """A row of an inbox."""

    state: str
    seq: int
    unread: int
    read: int
    flags: frozenset[str]
    last: tuple[str, str, str] | None


@dataclass
class Chat:
    """A chat and its history; positions: counts the messages of all chats."""

    id: str
    positions: list[int]
    most: int
    join: str = "invite"
    history: bool = False
    deleted: bool = False
    log: list[Line] = field(default_factory=list)
    members: dict[str, Membership] = field(default_factory=dict)
    others: dict[str, Former] = field(default_factory=dict)
    readers: dict[str, Reader] = field(default_factory=dict)

    @property
    def direct(self) -> bool:
        """Whether the chat is direct."""
        return ":" in self.id

    @property
    def pair(self) -> list[str]:
        """The two users of a direct chat."""
        return self.id.split(":")

    def reader(self, user: str) -> Reader:
        """Return a user's read state."""
        return self.readers.setdefault(user, Reader())

    def rank(self, user: str) -> int:
        """Return a member's role; 0 for others."""
        return self.members[user].role if user in self.members else 0

    def relation(self, user: str) -> str:
        """Return the relation of a user who is not a member."""
        return self.others[user].relation if user in self.others else ""

    def note(self, sender: str, event: str) -> None:
        """Append a system message."""
        self.log.append(Line(sender, "system", event, self._place()))

    def _place(self) -> int:
        self.positions[0] += 1
        return self.positions[0]

    def _admit(self, user: str, role: int) -> None:
        self.members[user] = Membership(role, len(self.log))
        self.others.pop(user, None)

    def _expel(self, user: str, relation: str) -> None:
        """Call it after the notice, which the one concerned may still read."""
        member = self.members.pop(user)
        self.others[user] = Former(relation, member.since, len(self.log))
        self.reader(user).flags.clear()

    # Actions of users; each returns its outcome.

    def send(self, user: str, text: str) -> Outcome:
        """Send a message."""
        if self.direct:
            for one in self.pair:
                self.reader(one).hidden = False
        elif self.deleted or user not in self.members or self.members[user].muted:
            return REFUSED
        self.log.append(Line(user, "text", text, self._place()))
        reader = self.reader(user)
        reader.read = reader.received = len(self.log)
        return CHANGED

    def join_as(self, user: str) -> Outcome:
        """Join, or request to join."""
        if self.deleted or self.relation(user) == "banned":
            return REFUSED
        if user in self.members:
            return SAME
        if self.relation(user) == "invited" or self.join == "open":
            return self._enter(user, user, "joined")
        if self.join == "request" or self.has_refused(user):
            return self._relate(user, "requested")
        return REFUSED

    def _enter(self, user: str, by: str, event: str) -> Outcome:
        if len(self.members) >= self.most:
            return REFUSED
        self._admit(user, MEMBER)
        self.note(by, event)
        return CHANGED

    def _relate(self, user: str, relation: str) -> Outcome:
        if self.relation(user) == relation:
            return SAME
        former = self.others.get(user, Former(""))
        refused = former.refused or relation == "refused"
        self.others[user] = Former(relation, former.since, former.upto, refused)
        return CHANGED

    def leave(self, user: str) -> Outcome:
        """Leave; leaving a direct chat hides all its messages from the leaver."""
        if self.direct:
            reader = self.reader(user)
            reader.cleared, reader.hidden = len(self.log), True
            reader.flags.clear()
            return CHANGED
        if self.deleted or user not in self.members:
            return REFUSED
        if self._last_owner(user):
            return REFUSED
        self.note(user, "left")
        self._expel(user, "left")
        return CHANGED

    def _last_owner(self, user: str) -> bool:
        owners = [one for one, member in self.members.items() if member.role == OWNER]
        return owners == [user]

    def _manages(self, user: str) -> bool:
        return not self.deleted and self.rank(user) >= ADMIN

    def add(self, user: str, target: str) -> Outcome:
        """Add a member."""
        if not self._manages(user) or self.relation(target) == "banned":
            return REFUSED
        if target in self.members:
            return SAME
        if self.relation(target) == "requested":
            return self._enter(target, user, "added")
        if self.has_refused(target):
            return REFUSED
        was_member = target in self.others and self.others[target].upto > 0
        if self.relation(target) == "left" or (self.relation(target) == "invited" and was_member):
            return self._relate(target, "invited")
        return self._enter(target, user, "added")

    def has_refused(self, user: str) -> bool:
        """Return whether a user has refused an invitation and has not been a member since."""
        return user in self.others and self.others[user].refused

    def decline(self, user: str) -> Outcome:
        """Refuse an invitation."""
        if self.deleted:
            return REFUSED
        return self._relate(user, "refused") if self.relation(user) == "invited" else SAME

    def invite(self, user: str, target: str) -> Outcome:
        """Invite a user."""
        if not self._manages(user) or self.relation(target) == "banned":
            return REFUSED
        if target in self.members or self.relation(target) == "invited":
            return SAME
        if self.has_refused(target) and self.relation(target) != "requested":
            return REFUSED
        return self._relate(target, "invited")

    def remove(self, user: str, target: str, relation: str = "removed") -> Outcome:
        """Remove a member, or ban somebody."""
        if not self._manages(user) or user == target or self.rank(target) >= self.rank(user):
            return REFUSED
        if target in self.members:
            self.note(user, "banned" if relation == "banned" else "removed")
            self._expel(target, relation)
            return CHANGED
        return self._relate(target, "banned") if relation == "banned" else REFUSED

    def set_role(self, user: str, target: str, role: int) -> Outcome:
        """Make a member an admin, or an admin a member."""
        if self.deleted or self.rank(user) != OWNER or target not in self.members or user == target:
            return REFUSED
        if self.rank(target) == OWNER:
            return REFUSED
        if self.rank(target) == role:
            return SAME
        self.members[target].role = role
        self.note(user, "role")
        return CHANGED

    def hand_over(self, user: str, target: str) -> Outcome:
        """Make another member the owner."""
        if self.deleted or self.rank(user) != OWNER or target not in self.members or user == target:
            return REFUSED
        if self.rank(target) == OWNER:
            return REFUSED
        self.members[target].role, self.members[user].role = OWNER, ADMIN
        self.members[target].muted = False
        self.note(user, "handed_over")
        return CHANGED

    def mute(self, user: str, target: str, muted: bool) -> Outcome:
        """Mute or unmute a member."""
        if not self._manages(user) or user == target or self.rank(target) >= self.rank(user):
            return REFUSED
        if target not in self.members:
            return REFUSED
        if muted == self.members[target].muted:
            return SAME
        self.members[target].muted = muted
        self.note(user, "muted" if muted else "unmuted")
        return CHANGED

    def show_history(self, user: str, shown: bool) -> Outcome:
        """Let members read from the start, or from when they joined."""
        if not self._manages(user):
            return REFUSED
        if self.history == shown:
            return SAME
        self.history = shown
        self.note(user, "changed")
        return CHANGED

    def delete(self, user: str) -> Outcome:
        """End the chat."""
        if self.deleted or self.rank(user) != OWNER:
            return REFUSED
        self.deleted = True
        return CHANGED

    def mark_read(self, user: str, seq: int) -> Outcome:
        """Raise the read mark, which takes the mark of being unread away."""
        if not self._reads(user) or seq > len(self.log):
            return REFUSED
        reader = self.reader(user)
        reader.read = max(reader.read, seq)
        reader.received = max(reader.received, seq)
        reader.flags.discard("unread")
        return CHANGED

    def flag(self, user: str, flag: str, on: bool) -> Outcome:
        """Set or clear a flag."""
        if not self._reads(user):
            return REFUSED
        reader = self.reader(user)
        if on == (flag in reader.flags):
            return SAME
        (reader.flags.add if on else reader.flags.discard)(flag)
        reader.opened = True
        return CHANGED

    def _reads(self, user: str) -> bool:
        return user in self.pair if self.direct else not self.deleted and user in self.members

    # Views of readers.

    def readable(self, user: str) -> range | None:
        """Return the seqs that a user may read, or None without read permission."""
        if self.direct:
            return range(self.reader(user).cleared + 1, len(self.log) + 1) if user in self.pair else None
        if self.deleted:
            return None
        if user in self.members:
            since, upto = self.members[user].since, len(self.log)
        elif user in self.others and self.relation(user) != "banned" and self.others[user].upto:
            since, upto = self.others[user].since, self.others[user].upto
        else:
            return None
        return range((0 if self.history else since) + 1, upto + 1)

    def state(self, user: str) -> str | None:
        """Return a user's state in the inbox, or None if the inbox does not have the chat."""
        if self.direct:
            reader = self.readers.get(user)
            if user not in self.pair or (reader and reader.hidden):
                return None
            return "member" if self.log or (reader and reader.opened) else None
        if self.deleted:
            return None
        return "member" if user in self.members else "invited" if self.relation(user) == "invited" else None

    def row(self, user: str) -> Row | None:
        """Return a user's row of the chat, or None if the inbox does not have it."""
        state = self.state(user)
        if state is None:
            return None
        if state == "invited":
            return Row(state, 0, 0, 0, frozenset(), None)
        reader, head = self.reader(user), len(self.log)
        since = 0 if self.direct else self.members[user].since
        seen = max(reader.read, since, reader.cleared)
        unread = sum(line.kind != "system" for line in self.log[seen:])
        line = self.log[-1] if self.log and head > reader.cleared else None
        last = None if line is None else (line.sender, line.kind, line.text if line.kind == "text" else "")
        return Row(state, head, unread, reader.read, frozenset(reader.flags), last)
