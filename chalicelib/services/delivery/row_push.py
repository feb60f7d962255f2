"""Rows of chats pushed to users who see them change: what their next sync says, said at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import structs

from chalicelib.errors import ParleyError
from chalicelib.logs import LOGGER, cause_of
from chalicelib.queues import JobQueue, RowsJob
from chalicelib.schemas.realtime import ChatFrame
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.views.inbox_row import synced_row, users_of
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.summary import Summaries
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store

JOB_ROWS = 50
"""Maximum number of rows that one job of the queue pushes."""


class SeenRow(NamedTuple):
    """A chat, and the handle of a user who sees its row."""

    chat: str
    handle: str


class RowPush:
    """Pushes rows to all connections of their users; each row is read as its user may see it.

    A push takes two round trips, and one if none of the users is connected. Rows for more connections than a
    request pushes to go by jobs of the queue. A failure is logged: the next sync has the rows.
    """

    def __init__(
        self,
        store: Store,
        user_connections: UserConnections,
        summaries: Summaries,
        cards: UserCards,
        push: PushService,
        queue: JobQueue,
    ) -> None:
        self._store = store
        self._user_connections = user_connections
        self._summaries = summaries
        self._cards = cards
        self._push = push
        self._queue = queue

    def push(self, rows: Iterable[SeenRow]) -> None:
        """Push rows, each once, to the connections of their users."""
        if not self._push.inline:
            return
        try:
            self._push_or_queue(list(dict.fromkeys(rows)))
        except Exception as error:
            _log(error)

    def push_to(self, recipients: Sequence[Recipient], row: SeenRow) -> None:
        """Push a row to some connections of its user."""
        try:
            self._send([(row, recipients)] if recipients else [])
        except Exception as error:
            _log(error)

    def run(self, job: RowsJob) -> None:
        """Run a job of the queue; raises StoreUnavailable: the queue repeats it."""
        rows = [SeenRow(*row) for row in job.rows]
        self._send(self._addressed(rows))

    def _push_or_queue(self, rows: Sequence[SeenRow]) -> None:
        addressed = self._addressed(rows)
        if sum(len(recipients) for _, recipients in addressed) <= self._push.inline:
            self._send(addressed)
            return
        there = [(row.chat, row.handle) for row, _ in addressed]
        parts = [there[start : start + JOB_ROWS] for start in range(0, len(there), JOB_ROWS)]
        self._queue.put_rows([RowsJob(part) for part in parts])

    def _addressed(self, rows: Sequence[SeenRow]) -> list[tuple[SeenRow, Sequence[Recipient]]]:
        """Return the rows of connected users, each with their connections."""
        reading = self._user_connections.by_user(row.handle for row in rows)
        connected = self._store.run(reading) if rows else {}
        return [(row, connected[row.handle]) for row in rows if row.handle in connected]

    def _send(self, addressed: Sequence[tuple[SeenRow, Sequence[Recipient]]]) -> None:
        if not addressed:
            return
        cards = self._cards.of(users_of(row.chat for row, _ in addressed))
        reading = [self._summaries.of(row.chat, row.handle) for row, _ in addressed]
        shown, *summaries = self._store.run_all([cards, *reading])
        frames = [ChatFrame(**structs.asdict(synced_row(summary, shown))) for summary in summaries]
        pairs = zip(frames, addressed, strict=True)
        self._push.send(*(AddressedFrame(recipients, frame) for frame, (_, recipients) in pairs))


def _log(error: Exception) -> None:
    if isinstance(error, ParleyError):
        LOGGER.warning({"event": "rows_not_pushed", **cause_of(error)})
    else:
        LOGGER.error({"event": "rows_not_pushed"}, exc_info=error)
