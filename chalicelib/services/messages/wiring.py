"""Wires the use cases of messages."""

from __future__ import annotations

from chalicelib.config import Settings
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.delivery.entry_delivery import EntryDelivery
from chalicelib.services.delivery.wiring import Delivery
from chalicelib.services.messages.append import MessageAppender
from chalicelib.services.messages.changes import MessageChanger
from chalicelib.services.messages.drafts import Drafts
from chalicelib.services.messages.expiry_sweep import ExpirySweep
from chalicelib.services.messages.forwarding import ForwardSources
from chalicelib.services.messages.hidden import MessageHider
from chalicelib.services.messages.mentions import MentionFinder
from chalicelib.services.messages.pins import PinService
from chalicelib.services.messages.reactions import ReactionService
from chalicelib.services.messages.read import LogReader
from chalicelib.services.messages.reports import ReportService
from chalicelib.services.messages.retention_sweep import RetentionSweep
from chalicelib.services.messages.scheduled import ScheduledService
from chalicelib.services.messages.scheduled_sender import ScheduledSender
from chalicelib.services.messages.send import MessageSender
from chalicelib.services.messages.service import Messages
from chalicelib.services.messages.text_filter import text_filter
from chalicelib.services.messages.threads import ThreadService
from chalicelib.services.messages.transaction import MessageTransactions
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.services.views.reader_view import ReaderView


class MessageUseCases:
    """Messages: sent, scheduled, read, changed, reported, and ended by sweeps.

    entries: Delivers the inbox rows that hiding a message changes. view: Shows messages to their readers.
    """

    def __init__(
        self,
        settings: Settings,
        names: Names,
        delivery: Delivery,
        statuses: AccountStatusCache,
        entries: EntryDelivery,
        view: ReaderView,
    ) -> None:
        stores, ids, fan_out = delivery.stores, ChatIds(names), delivery.fan_out
        store, log, needs_account = stores.client, stores.log, settings.auth != "open"
        appender = MessageAppender(
            store, log, stores.accounts, statuses, stores.inboxes, delivery.names, needs_account=needs_account
        )
        self.texts = text_filter(settings)
        mentions = MentionFinder(store, stores.chats, log)
        drafts = Drafts(store, log, ForwardSources(ids), self.texts, mentions)
        self.sender = MessageSender(appender, fan_out, delivery.names, drafts)
        self.reader = LogReader(statuses)
        self.messages = Messages(log, ids, self.sender, self.reader, view)
        self.threads = ThreadService(ids, view)
        self.reports = ReportService(store, ids, names, log, stores.chats, stores.reports, view)
        self.scheduled = ScheduledService(store, stores.scheduled, ids, self.sender)
        self.scheduled_sender = ScheduledSender(store, stores.scheduled, log, ids, self.sender)
        transactions = MessageTransactions(store, stores.message_changes, stores.accounts, fan_out)
        self.changer = MessageChanger(ids, transactions, self.texts, mentions)
        self.pins = PinService(ids, transactions, view)
        self.hider = MessageHider(
            store, ids, stores.hidden_messages, entries, stores.user_connections, delivery.push
        )
        self.reactions = ReactionService(store, ids, stores.accounts, stores.reactions, delivery.reactions)
        self.expiry_sweep = ExpirySweep(store, stores.expiries, stores.message_changes, fan_out)
        self.retention_sweep = RetentionSweep(store, stores.retention)
