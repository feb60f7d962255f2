"""A page of the sync: as many rows as fit, and the token of a client that has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from chalicelib.schemas.inbox import ChatRow
from chalicelib.services.inbox.sync_token import SyncToken
from chalicelib.services.views.inbox_row import SHOWN, row, size_of
from chalicelib.store.chats.summary import Summary
from chalicelib.store.inbox.index import MovedChat


class Bounds(NamedTuple):
    """Maximum size of a page: rows, and bytes of them on the wire."""

    rows: int
    size: int


class SyncPage:
    """Rows of one page, and the token of a client that was told them. full: a row did not fit."""

    def __init__(self, token: SyncToken, bounds: Bounds) -> None:
        self.token = token
        self.rows: list[ChatRow] = []
        self.full = False
        self._bounds = bounds
        self._size = 0

    def tell(self, moved: Iterable[tuple[MovedChat, Summary]]) -> None:
        """Tell chats in the order in which they moved, as far as they fit."""
        for one, summary in moved:
            unknown = one.version <= self.token.floor and summary.state not in SHOWN
            if not unknown and not self._told(summary):
                return
            self.token = self.token._replace(version=one.version)

    def _told(self, summary: Summary) -> bool:
        told = row(summary)
        if told.state == "none":
            told = msgspec.structs.replace(told, state="left")
        self._size += size_of(told)
        self.full = len(self.rows) == self._bounds.rows or (
            self._size > self._bounds.size and bool(self.rows)
        )
        if not self.full:
            self.rows.append(told)
        return not self.full
