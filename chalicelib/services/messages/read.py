"""Reading a part of a chat's log: the one path that /v1, the WebSocket API and the legacy APIs share."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.accounts.accounts import AccountStatus
from chalicelib.store.messages.log import LogPage
from chalicelib.store.redis.query import Query


class ReadSlice(NamedTuple):
    """A part of a chat's log; deleted_users: handles of members whose accounts are deleted."""

    part: LogPage
    deleted_users: list[str]


class LogReader:
    """Reads chats' logs in the round trip that authenticates the caller."""

    def __init__(self, statuses: AccountStatusCache) -> None:
        self._statuses = statuses

    def read(self, caller: Caller, chat: ChatId, query: Query[LogPage]) -> ReadSlice:
        """Read a part of a chat; the script checks membership of a group or room.

        Raises ChatNotFound, NotAMember, HistoryChanged, NotAuthenticated, TooManyRequests.
        """
        if chat.members is None:
            part = caller.read(query)
            return ReadSlice(part, list(part.deleted))
        other = chat.other(caller.handle)
        status = self._statuses.known(other)
        if status is None:
            part, status = caller.read_all(query, self._statuses.query(other))
        else:
            part = caller.read(query)
        return ReadSlice(part, [other] if status is AccountStatus.DELETED else [])
