"""Wires the use cases of groups, rooms and direct chats."""

from __future__ import annotations

from chalicelib.config import Settings
from chalicelib.services.chats.changelog import Changelog
from chalicelib.services.chats.create import ChatCreation, ChatLimits
from chalicelib.services.chats.details import ChatDetails
from chalicelib.services.chats.direct import DirectChats
from chalicelib.services.chats.invitee_status import InviteeStatuses
from chalicelib.services.chats.members import Members
from chalicelib.services.chats.membership import Membership
from chalicelib.services.chats.service import ChatService
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.services.delivery.entry_delivery import EntryDelivery
from chalicelib.services.delivery.wiring import Delivery
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.services.views.reader_view import ReaderView


class ChatUseCases:
    """Groups, rooms and direct chats, without their messages."""

    def __init__(
        self,
        settings: Settings,
        names: Names,
        delivery: Delivery,
        transactions: ChatTransactions,
        entries: EntryDelivery,
        block_filter: BlockFilter,
        view: ReaderView,
    ) -> None:
        stores, ids, needs_account = delivery.stores, ChatIds(names), settings.auth != "open"
        store, chats, summaries = stores.client, stores.chats, stores.summaries
        limits = ChatLimits(settings.max_members, settings.large_chat, settings.groups_a_day)
        invitees = InviteeStatuses(settings.max_large_chats, needs_account=needs_account)
        creation = ChatCreation(store, names, invitees, chats, transactions, limits)
        direct = DirectChats(
            store,
            names,
            stores.accounts,
            stores.read_states,
            entries,
            needs_account=needs_account,
        )
        self.details = ChatDetails(store, ids, summaries, stores.user_cards)
        self.membership = Membership(names, ids, invitees, chats, transactions)
        self.service = ChatService(ids, chats, transactions, self.details, creation, direct, self.membership)
        self.members = Members(store, ids, chats, stores.user_cards, stores.chat_connections, block_filter)
        self.changelog = Changelog(store, ids, stores.change_feed, chats, view)
