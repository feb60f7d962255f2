"""Use cases: plain values in and out, no HTTP and no Redis command."""

from __future__ import annotations

import functools
from collections.abc import Callable

from chalicelib.config import Settings
from chalicelib.logs import LOGGER, cause_of
from chalicelib.push_gateway import installed
from chalicelib.queues import JobQueue, are_jobs_down
from chalicelib.schemas.messages import Health
from chalicelib.services.accounts.deletion import AccountErasure
from chalicelib.services.accounts.indexing import AccountIndexer
from chalicelib.services.accounts.wiring import AccountUseCases
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.auth.authenticator import Authenticator
from chalicelib.services.auth.oidc import verifier
from chalicelib.services.chats.blocked_invitations import BlockedInvitations
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.services.chats.wiring import ChatUseCases
from chalicelib.services.delivery.entry_delivery import EntryDelivery
from chalicelib.services.delivery.outbox_sweep import OutboxSweep
from chalicelib.services.delivery.wiring import Delivery
from chalicelib.services.export.archive import Exports, ListReaders
from chalicelib.services.export.chats import ChatExports
from chalicelib.services.imports.accounts import AccountImporter
from chalicelib.services.imports.pages import getter
from chalicelib.services.imports.run import Imports
from chalicelib.services.inbox.history_check import HistoryCheck
from chalicelib.services.inbox.inbox import InboxService
from chalicelib.services.inbox.read_all import ReadAllService
from chalicelib.services.inbox.read_state import ReadStateService
from chalicelib.services.inbox.sync import SyncService
from chalicelib.services.inbox.unread import UnreadService
from chalicelib.services.jobs.pending_jobs import JobHandler, PendingJobs
from chalicelib.services.legacy.go_chat import GoChatRooms
from chalicelib.services.legacy.tiktok import TikTokMessages
from chalicelib.services.messages.wiring import MessageUseCases
from chalicelib.services.realtime.wiring import Realtime, UseCases
from chalicelib.services.search.chats import ChatSearch
from chalicelib.services.search.messages import MessageSearch
from chalicelib.services.search.users import UserSearch
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.social.edge_mirror import EdgeMirror
from chalicelib.services.social.edge_removal import EdgeRemoval
from chalicelib.services.social.posts import PostFanOut
from chalicelib.services.social.wiring import SocialUseCases
from chalicelib.services.stores import Stores
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.services.views.origins import Origins
from chalicelib.services.views.reaction_counts import ReactionCounts
from chalicelib.services.views.reader_view import ReaderView
from chalicelib.services.views.related_messages import RelatedMessages


class Services:
    """The composition root: every use case, wired once from the settings; opens no connection.

    Each part is made from parts that were made before it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.names = Names(open_names=settings.auth == "open")
        self._needs_account = settings.auth != "open"
        self._ids = ChatIds(self.names)
        self._stores = stores = Stores(settings)
        self._store = stores.client
        self._block_filter = BlockFilter(stores.client)
        self._queue = JobQueue(settings, stores.client)
        self.account_statuses = AccountStatusCache(stores.client, stores.accounts)
        self._delivery = Delivery(settings, stores, self._queue, self._block_filter, self.account_statuses)
        self.message_push, self.row_push = self._delivery.message_push, self._delivery.row_push
        self.authenticator = Authenticator(
            settings,
            stores.client,
            self.account_statuses,
            stores.sessions,
            stores.claims,
            verifier(settings),
        )
        self._wire_chats()
        self._wire_inbox()
        self._wire_messages()
        self._wire_jobs()
        self._wire_accounts()
        self._wire_social()
        self._wire_realtime()

    def _wire_chats(self) -> None:
        stores, store, fan_out = self._stores, self._store, self._delivery.fan_out
        self._reader_view = ReaderView(store, (RelatedMessages(), ReactionCounts(), Origins()))
        self.chat_search = ChatSearch(
            store, stores.chats, stores.chat_index, stores.chat_terms, stores.room_list
        )
        self._transactions = ChatTransactions(
            store, stores.chats, fan_out, self.row_push, self.chat_search.index
        )
        self._depart = self._transactions.remove_account
        self.outbox_sweep = OutboxSweep(store, stores.chats, fan_out, self.chat_search.index, self._depart)
        self._entries = EntryDelivery(fan_out, self.row_push, self._depart)
        chats = ChatUseCases(
            self.settings,
            self.names,
            self._delivery,
            self._transactions,
            self._entries,
            self._block_filter,
            self._reader_view,
        )
        self.chats, self.chat_details, self.membership = chats.service, chats.details, chats.membership
        self.members, self.changelog = chats.members, chats.changelog

    def _wire_inbox(self) -> None:
        stores, store, entries = self._stores, self._store, self._entries
        receipts = self._delivery.receipts
        self.message_search = MessageSearch(store, self._ids, self.names, stores.inboxes, self._reader_view)
        self.inbox = InboxService(store, stores.inboxes, stores.summaries, stores.user_cards)
        self.sync = SyncService(store, stores.inboxes, stores.summaries, stores.user_cards)
        self.history_check = HistoryCheck(self._ids, self.sync)
        self.read_states = ReadStateService(
            store, self._ids, stores.read_states, entries, receipts, self._block_filter
        )
        self.unread = UnreadService(store, stores.inboxes, stores.summaries)
        self.read_all = ReadAllService(
            store, self._ids, self.unread, stores.summaries, stores.read_states, entries, receipts
        )

    def _wire_messages(self) -> None:
        made = MessageUseCases(
            self.settings,
            self.names,
            self._delivery,
            self.account_statuses,
            self._entries,
            self._reader_view,
        )
        self._texts, log = made.texts, self._stores.log
        self.messages, self.threads, self.reports = made.messages, made.threads, made.reports
        self.scheduled, self.scheduled_sender = made.scheduled, made.scheduled_sender
        self.message_changes, self.message_hider = made.changer, made.hider
        self.pins, self.reactions = made.pins, made.reactions
        self.expiry_sweep, self.retention_sweep = made.expiry_sweep, made.retention_sweep
        self.tiktok = TikTokMessages(log, self.names, self._ids, made.sender, made.reader)

    def _wire_jobs(self) -> None:
        stores, store = self._stores, self._store
        follows, posts, timelines = stores.follows, stores.posts, stores.timelines
        indexer = AccountIndexer(
            store, stores.accounts, stores.claims, stores.user_index, stores.index_traces
        )
        mirror = EdgeMirror(store, follows, posts, timelines)
        self.blocked_invitations = BlockedInvitations(store, stores.chats, self._transactions, mirror.block)
        removal, rows = EdgeRemoval(store, follows, timelines), self._delivery.profile_rows
        erasure = AccountErasure(
            store, stores.accounts, stores.claims, indexer, removal, stores.inboxes, self._erase_from
        )

        def erase(handle: str) -> None:
            rows.deliver(handle)  # before the inbox is gone, which names the chats
            erasure.erase(handle)

        handlers: dict[str, JobHandler] = {
            "index": indexer.index,
            "follow": mirror.follow,
            "block": self.blocked_invitations.decline,
            "posts": PostFanOut(store, follows, posts, timelines, self.settings.large_author).run,
            "rows": rows.deliver,
            "delete": erase,
        }
        self.jobs = PendingJobs(store, stores.pending_work, self._queue, handlers)

    def _erase_from(self, handle: str, chat: str) -> None:
        """Remove a deleted user from a chat, and what the chat holds of theirs beside messages."""
        self._depart(handle, chat)
        self._store.run(self._stores.reports.forget(chat, handle))
        self._store.run(self._stores.hidden_messages.forget(chat, [handle]))

    def _wire_accounts(self) -> None:
        stores, store, needs_account = self._stores, self._store, self._needs_account
        use_cases = AccountUseCases(self.settings, self.names, self._delivery, self.jobs)
        self.login, self.registration = use_cases.login, use_cases.registration
        self.sessions, self.profiles = use_cases.sessions, use_cases.profiles
        self.deletion = use_cases.deletion
        self.user_search = UserSearch(store, stores.accounts, stores.user_index)
        importer = AccountImporter(store, stores.accounts, stores.claims, use_cases.passwords)
        get = getter(allow_private=self.settings.import_private)
        self.imports = Imports(importer, self.names, get, self.jobs.enqueue)
        of_messages = stores.log, stores.reports, stores.reactions
        chats = ChatExports(store, stores.inboxes, stores.summaries, stores.chats, *of_messages)
        readers = ListReaders(
            stores.follows, stores.blocks, stores.posts, stores.timelines, stores.scheduled, chats
        )
        self.exports = Exports(store, stores.accounts, stores.sessions, readers, needs_account=needs_account)

    def _wire_social(self) -> None:
        notify_watcher = self._delivery.presence_notices.notify_watcher
        social = SocialUseCases(self._stores, self.names, self.jobs, notify_watcher)
        self.follows, self.blocks = social.follows, social.blocks
        self.posts, self.feed = social.posts, social.feed

    def _wire_realtime(self) -> None:
        self.realtime = Realtime(
            self.settings,
            self.names,
            self._delivery,
            self.authenticator,
            UseCases(
                self.membership,
                self.messages,
                self.message_changes,
                self.message_hider,
                self.reactions,
                self.pins,
                self.read_states,
                self.sync,
                self.history_check,
                self.unread,
            ),
        )
        members, search = self.members, self.chat_search
        self.go_chat = GoChatRooms(
            self.chats, self.chat_details, self.membership, members, search, self.realtime.tickets
        )

    def prepare(self, *, connect: bool) -> None:
        """Make what calls need while the process starts; a failure is logged, and calls try again.

        connect: whether to open connections to the store as well.
        """
        push = functools.partial(installed.prepare, self._delivery.pusher)
        steps: list[Callable[[], object]] = [push, *([self._store.prepare] if connect else [])]
        if self._texts.word_filter is not None:
            steps.append(self._texts.word_filter.prepare)
        for step in steps:
            try:
                step()
            except Exception as error:
                LOGGER.warning({"event": "not_prepared", "problem": str(error), **cause_of(error)})

    def health(self) -> Health:
        """Ask the store; raises StoreUnavailable when it does not answer."""
        self._store.ping()
        return Health(jobs="down") if are_jobs_down() else Health()


@functools.cache
def current() -> Services:
    """Return this process's services, made at the first call from the environment."""
    return Services(Settings.from_env())
