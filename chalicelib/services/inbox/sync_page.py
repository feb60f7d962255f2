"""A page of the sync: as many rows as fit, and the token of a client that has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.inbox import ChatRow
from chalicelib.services.inbox.sync_token import SyncToken
from chalicelib.services.values.paging import encoded, take_fitting
from chalicelib.services.views.inbox_row import NO_CARDS, SHOWN, Cards, size_of, synced_row
from chalicelib.store.chats.summary import Summary
from chalicelib.store.inbox.entries import MovedChat


class SyncPage(NamedTuple):
    """Rows of one page, and the token of a client that has them; full: another row did not fit."""

    rows: list[Encoded[ChatRow]]
    token: SyncToken
    full: bool


def sync_page(
    token: SyncToken, moved: Iterable[tuple[MovedChat, Summary]], most: int, cards: Cards = NO_CARDS
) -> SyncPage:
    """Return the page that follows a token.

    moved: Chats in the order in which they moved.
    cards: See inbox_row.row.
    most: Maximum size of the rows in bytes of JSON.
    """
    chats = list(moved)
    rows = ((index.version, _row(token, index, summary, cards)) for index, summary in chats)
    taken = take_fitting(rows, size_of, most)
    if taken:
        token = token._replace(version=taken[-1][0])
    return SyncPage([shown for _, shown in taken if shown is not None], token, len(taken) < len(chats))


def _row(token: SyncToken, index: MovedChat, summary: Summary, cards: Cards) -> Encoded[ChatRow] | None:
    """Return the row of a moved chat; None for a chat that the client never had and does not have now."""
    if index.version <= token.floor and summary.state not in SHOWN:
        return None
    return encoded(synced_row(summary, cards))
