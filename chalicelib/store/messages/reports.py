"""Reports of messages to the admins of their chats."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from chalicelib.errors import TooManyReports
from chalicelib.store import keys
from chalicelib.store.access import NO_CHAT, NO_MEMBER, kind_of, refusal
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

ADD_REPORT = Script("messages/add_report")
READ_REPORTS = Script("messages/read_reports")
DROP_REPORTS = Script("messages/drop_reports")

MAX_REPORTS = 1_000
"""Maximum number of reports of a chat."""
MAX_OF_MEMBER = 50
"""Maximum number of reports of one member in a chat, so that no member can use all of them up."""
ADDED, CHAT_MISSING, MEMBER_MISSING, FULL, MEMBER_FULL = range(5)
TIME, BODY = slice(0, 8), slice(8, None)


class ReportBody(msgspec.Struct, array_like=True, frozen=True):
    """What a reporter wrote."""

    reason: str
    note: str


class Report(NamedTuple):
    """A report of a message; time: When the reporter first made it, µs since 1970."""

    time: int
    seq: int
    reporter: str
    body: ReportBody


class Reports:
    """The reports of a chat's messages. Their key, in the chat's partition:

    `{c<NNN>}:reports:<chat>`: HASH, no expiry, at most MAX_REPORTS fields: `<reporter>\\0<seq>` -> 8 bytes of
        time (µs, big-endian), then the msgpack array [reason, note]. It holds nothing of the message, and is
        removed with the chat, and when an admin dismisses it.
    """

    def add(self, chat: str, seq: int, reporter: str, body: ReportBody) -> Query[None]:
        """Return the query that adds a member's report of a message, or replaces it.

        Reading its reply raises ChatNotFound, NotAMember, TooManyReports.
        """
        named = (keys.chat(chat), keys.members(chat), keys.reports(chat))
        raw = msgspec.msgpack.encode(body)
        args = (reporter, kind_of(chat), _field(seq, reporter), raw, MAX_REPORTS, MAX_OF_MEMBER)
        return Query(ADD_REPORT, named, args, functools.partial(_added, chat))

    def of(self, chat: str) -> Query[list[Report]]:
        """Return the query for the reports of a chat, newest first."""
        return Query("HGETALL", (keys.reports(chat),), read=_reports)

    def by(self, chat: str, reporter: str) -> Query[list[Report]]:
        """Return the query for the reports that a user has made in a chat, newest first."""
        return Query(READ_REPORTS, (keys.reports(chat),), (reporter,), _reports)

    def forget(self, chat: str, reporter: str) -> Query[int]:
        """Return the query that removes the reports that a user has made in a chat."""
        return Query(DROP_REPORTS, (keys.reports(chat),), (reporter,))

    def dismiss(self, chat: str, seq: int, reporter: str) -> Query[bool]:
        """Return the query that removes a report; it returns whether there was one."""
        return Query("HDEL", (keys.reports(chat),), (_field(seq, reporter),), bool)


def _field(seq: int, reporter: str) -> str:
    return f"{reporter}\0{seq}"


def _added(chat: str, outcome: int) -> None:
    if outcome == CHAT_MISSING:
        raise refusal(chat, NO_CHAT)
    if outcome == MEMBER_MISSING:
        raise refusal(chat, NO_MEMBER)
    if outcome == FULL:
        raise TooManyReports(f"Chat {chat} has {MAX_REPORTS} reports, the maximum. Tell its admins.")
    if outcome == MEMBER_FULL:
        raise TooManyReports(
            f"{MAX_OF_MEMBER} of your reports in chat {chat} wait for its admins, the maximum."
        )


def _reports(flat: Sequence[bytes]) -> list[Report]:
    found = [_report(field.decode(), held) for field, held in zip(flat[::2], flat[1::2], strict=True)]
    return sorted(found, reverse=True)


def _report(field: str, held: bytes) -> Report:
    reporter, _, seq = field.rpartition("\0")
    body = msgspec.msgpack.decode(held[BODY], type=ReportBody)
    return Report(int.from_bytes(held[TIME]), int(seq), reporter, body)
