"""The changes of a group or room that a client has not received."""

from __future__ import annotations

from chalicelib.errors import bad_field, not_a_member
from chalicelib.schemas.changelog import Changed, Changes
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import CHANGE_CURSOR, ChangeCursor, MessageCursor
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.inbox_row import ROLES
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Member
from chalicelib.store.chats.lists import ChatLists
from chalicelib.store.chats.summary import MembershipState, Summaries
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember

MEMBER = "m:"


class Changelog:
    """Reads the changes of chats for their members."""

    def __init__(
        self, store: Store, ids: ChatIds, log: MessageLog, chats: Chats, summaries: Summaries
    ) -> None:
        self._store = store
        self._ids = ids
        self._log = log
        self._chats = chats
        self._lists = ChatLists()
        self._summaries = summaries

    def page(self, caller: Caller, chat: str, since: str | None, limit: int) -> Changes:
        """Read the changes since a cursor, in two round trips.

        Raises BadRequest, ChatNotFound, NotAMember; HistoryChanged if the store has lost changes that the
        client has received.
        """
        chat = self._ids.group(chat)
        (seq, time, epoch), known = _known(since)
        summary, _, found = caller.read_all(
            self._summaries.of(chat, caller.handle),
            self._log.after(chat, seq, 1, reader=caller.handle, time=time, epoch=epoch),
            self._lists.changes(chat, known.score, limit + 1, known.member),
        )
        if summary.state is not MembershipState.MEMBER:
            raise not_a_member(chat)
        newest = MessageCursor(0) if summary.change is None else _cursor(summary.change, summary.epoch)
        if found is None:
            return Changes(changes=[], next=str(newest), more=False, reset=True)
        subjects = found[:limit]
        last = subjects[-1] if subjects else known
        whole = len(found) <= limit and last.score >= (newest.time or 0)
        following = str(newest) if whole else CHANGE_CURSOR.encode(ChangeCursor(newest, *last))
        return Changes(
            changes=self._shown(chat, subjects), next=following, more=len(found) > limit, reset=False
        )

    def _shown(self, chat: str, subjects: list[ScoredMember]) -> list[Changed]:
        users = [one.member.removeprefix(MEMBER) for one in subjects if one.member.startswith(MEMBER)]
        snapshot = (
            self._store.run(self._chats.snapshot(chat, *users)) if users else ChatSnapshot(None, {}, {})
        )
        return [_changed(one, snapshot) for one in subjects]


def _known(since: str | None) -> tuple[MessageCursor, ScoredMember]:
    """Return the message that a client's cursor names, and the last change that the client knows.

    The subject of the change is empty for a client that knows all changes of that time.
    """
    nothing = ChangeCursor(MessageCursor(0))
    cursor, time, subject = nothing if since is None else CHANGE_CURSOR.decode(since, "since")
    if cursor.time is None and cursor.seq:
        raise bad_field("since", "it must be the `change` of a chat or the `next` of a page")
    return cursor, ScoredMember(cursor.time or 0, "") if time is None else ScoredMember(time, subject or "")


def _cursor(change: tuple[int, int], epoch: int) -> MessageCursor:
    seq, time = change
    return MessageCursor(seq, time, epoch)


def _changed(one: ScoredMember, snapshot: ChatSnapshot) -> Changed:
    at = rfc3339(one.score)
    if not one.member.startswith(MEMBER):
        return Changed(subject="info", changed_at=at)
    user = one.member.removeprefix(MEMBER)
    member = snapshot.records[user]
    if not isinstance(member, Member):
        return Changed(subject="member", user=user, changed_at=at)
    until = rfc3339(member.muted_until) if member.muted_until else None
    return Changed(subject="member", user=user, role=ROLES[member.role], muted_until=until, changed_at=at)
