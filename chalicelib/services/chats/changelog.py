"""The changes of a chat that a client has not received."""

from __future__ import annotations

from chalicelib.errors import bad_field
from chalicelib.schemas.changelog import Changed, Changes
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import CHANGE_CURSOR, ChangeCursor, MessageCursor
from chalicelib.services.values.message_limits import fitting
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.inbox_row import ROLES
from chalicelib.services.views.reader_view import ReaderView, Row
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.feed import ChangeFeed, ChangeRow, FeedPage, KnownChange
from chalicelib.store.chats.info import Member
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember

MEMBER, HIDING = "m:", "h:"
"""What the subjects of members, and of messages that the reader has hidden, begin with."""


class Changelog:
    """Reads the changes of chats for their readers."""

    def __init__(self, store: Store, ids: ChatIds, feed: ChangeFeed, chats: Chats, view: ReaderView) -> None:
        self._store = store
        self._ids = ids
        self._feed = feed
        self._chats = chats
        self._view = view

    def page(self, caller: Caller, chat: str, since: str | None, limit: int) -> Changes:
        """Read the changes since a cursor, in one round trip, or more for changed members and messages.

        Raises BadRequest, ChatNotFound, NotAMember; HistoryChanged if the store has lost changes that the
        client has received.
        """
        chat = self._ids.own(caller.handle, chat).text
        held, known = _known(since)
        found = _fitting(caller.read(self._feed.after(chat, caller.handle, known, limit, held)), chat)
        newest = str(_cursor(found.newest))
        if found.rows is None:
            return Changes(changes=[], next=newest, more=False, reset=True)
        following = CHANGE_CURSOR.encode(ChangeCursor(_cursor(found.newest), *found.last))
        return Changes(
            changes=self._shown(caller.handle, chat, found.rows),
            next=following if found.more else newest,
            more=found.more,
            reset=False,
        )

    def _shown(self, reader: str, chat: str, rows: list[ChangeRow]) -> list[Changed]:
        users = [one.subject.removeprefix(MEMBER) for one in rows if one.subject.startswith(MEMBER)]
        snapshot = (
            self._store.run(self._chats.snapshot(chat, *users)) if users else ChatSnapshot(None, {}, {})
        )
        row = self._view.rows(chat, reader, [one.message for one in rows if one.message is not None])
        return [_changed(one, row, snapshot) for one in rows]


def _fitting(found: FeedPage, chat: str) -> FeedPage:
    """Return a page with as many of its changes as fit in a reply, at least one."""
    places = [place for place, one in enumerate(found.rows or ()) if one.message is not None]
    messages = [one.message for one in found.rows or () if one.message is not None]
    fit = len(fitting(messages, chat))
    if found.rows is None or fit == len(messages):
        return found
    rows = found.rows[: places[fit]]
    return found._replace(rows=rows, more=True, last=ScoredMember(rows[-1].number, rows[-1].subject))


def _known(since: str | None) -> tuple[KnownChange, ScoredMember]:
    """Return the newest change that a client's cursor names, and the last change that the client knows.

    The subject of the change is empty for a client that knows all changes of that number.
    """
    nothing = ChangeCursor(MessageCursor(0))
    cursor, time, subject = nothing if since is None else CHANGE_CURSOR.decode(since, "since")
    if cursor.time is None and cursor.seq:
        raise bad_field("since", "it must be the `change` of a chat or the `next` of a page")
    known = ScoredMember(cursor.time or 0, "") if time is None else ScoredMember(time, subject or "")
    return KnownChange(*cursor), known


def _cursor(change: KnownChange) -> MessageCursor:
    return MessageCursor(*change) if change.seq else MessageCursor(0)


def _changed(one: ChangeRow, row: Row, snapshot: ChatSnapshot) -> Changed:
    at = rfc3339(one.number)
    if one.message is not None:
        return Changed(
            subject="message",
            seq=one.message.seq,
            change=one.number,
            message=row(one.message),
            changed_at=at,
        )
    if one.subject.startswith(HIDING):
        seq = int(one.subject.removeprefix(HIDING))
        return Changed(subject="message", seq=seq, change=one.number, hidden=True, changed_at=at)
    if not one.subject.startswith(MEMBER):
        return Changed(subject="info", changed_at=at)
    user = one.subject.removeprefix(MEMBER)
    member = snapshot.records[user]
    if not isinstance(member, Member):
        return Changed(subject="member", user=user, changed_at=at)
    until = rfc3339(member.muted_until) if member.muted_until else None
    return Changed(subject="member", user=user, role=ROLES[member.role], muted_until=until, changed_at=at)
