"""Use cases: plain values in and out, no HTTP and no Redis command."""

from __future__ import annotations

import functools

from chalicelib.config import Settings
from chalicelib.logs import LOGGER, cause_of
from chalicelib.queues import JobQueue, are_jobs_down
from chalicelib.schemas.messages import Health
from chalicelib.services.accounts.deletion import Deletion
from chalicelib.services.accounts.indexing import AccountIndexer
from chalicelib.services.accounts.login import Login
from chalicelib.services.accounts.passwords import Passwords
from chalicelib.services.accounts.profiles import Profiles
from chalicelib.services.accounts.registration import Registration
from chalicelib.services.accounts.sessions import SessionService
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.auth.authenticator import Authenticator
from chalicelib.services.auth.oidc import Verifier
from chalicelib.services.chats.account_removal import AccountRemoval
from chalicelib.services.chats.blocked_invitations import BlockedInvitations
from chalicelib.services.chats.changelog import Changelog
from chalicelib.services.chats.create import ChatCreation, ChatLimits
from chalicelib.services.chats.details import ChatDetails
from chalicelib.services.chats.direct import DirectChats
from chalicelib.services.chats.invitee_status import InviteeStatuses
from chalicelib.services.chats.members import Members
from chalicelib.services.chats.membership import Membership
from chalicelib.services.chats.service import ChatService
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.export.archive import Exports, Listed
from chalicelib.services.export.chats import ChatExports
from chalicelib.services.imports.accounts import AccountImporter
from chalicelib.services.imports.pages import getter
from chalicelib.services.imports.run import Imports
from chalicelib.services.inbox.history_check import HistoryCheck
from chalicelib.services.inbox.inbox import InboxService
from chalicelib.services.inbox.read_state import ReadStateService
from chalicelib.services.inbox.sync import SyncService
from chalicelib.services.jobs.pending_jobs import JobHandler, PendingJobs
from chalicelib.services.legacy.go_chat import GoChatRooms
from chalicelib.services.legacy.tiktok import TikTokMessages
from chalicelib.services.messages.read import LogReader
from chalicelib.services.messages.send import MessageSender
from chalicelib.services.messages.service import Messages
from chalicelib.services.realtime.wiring import Reach, Realtime
from chalicelib.services.search.chats import ChatSearch
from chalicelib.services.search.users import UserSearch
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.social.blocks import BlockService
from chalicelib.services.social.edge_mirror import EdgeMirror
from chalicelib.services.social.feed import Feed
from chalicelib.services.social.follows import FollowService
from chalicelib.services.social.posts import PostFanOut, PostService
from chalicelib.services.social.relations import Relations
from chalicelib.services.social.user_pages import UserPages
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.index_traces import IndexTraces
from chalicelib.store.accounts.login_attempts import LoginAttempts
from chalicelib.store.accounts.sessions import Sessions
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.room_list import RoomList
from chalicelib.store.chats.search_terms import ChatTerms
from chalicelib.store.chats.summary import Summaries
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.inbox.read_state import ReadStates
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis import client
from chalicelib.store.search import SearchIndex
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.follows import Follows
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines
from chalicelib.store.work.pending import PendingWork


class Services:
    """The composition root: every use case, wired once from the settings; opens no connection."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        is_open = settings.auth == "open"
        self.names = Names(open_names=is_open)
        self._store = client.connect(settings)
        store = self._store
        accounts, claims, sessions = Accounts(store), Claims(store), Sessions(store)
        queue = JobQueue(settings, store)
        self._reach = Reach(settings, store, accounts, self.names, queue, self._disconnect)
        self.message_push = self._reach.message_push
        log = MessageLog(store, settings.keep_messages)
        index = SearchIndex(store)
        directory = AccountIndexer(accounts, claims, index, IndexTraces(store))
        follows, posts, timelines, cards = Follows(store), Posts(store), Timelines(store), UserCards(store)
        edge_mirror = EdgeMirror(follows, posts, timelines)
        handlers: dict[str, JobHandler] = {
            "index": directory.index,
            "follow": edge_mirror.follow,
            "block": self._end_contact,
            "posts": PostFanOut(follows, posts, timelines, settings.large_author).run,
        }
        self.jobs = PendingJobs(PendingWork(store), queue, handlers)
        self.account_statuses = AccountStatusCache(store, accounts)
        self.authenticator = Authenticator(
            settings, store, self.account_statuses, sessions, claims, _verifier(settings)
        )
        chats = Chats(store, settings.max_members, settings.large_chat, settings.keep_messages)
        self.chat_search = ChatSearch(
            store, chats, SearchIndex(store, keys.chat_terms), ChatTerms(store), RoomList(store)
        )
        self.fan_out = ChatFanOut(
            store,
            chats,
            index=self.chat_search.index,
            depart=self._depart,
            message_push=self.message_push,
        )
        inboxes, summaries, ids = Inboxes(store), Summaries(), ChatIds(self.names)
        sender = MessageSender(log, accounts, self.account_statuses, self.fan_out, needs_account=not is_open)
        self.messages = Messages(log, ids, sender, LogReader(self.account_statuses))
        self.tiktok = TikTokMessages(log, self.names, ids, sender, LogReader(self.account_statuses))
        self.inbox = InboxService(store, inboxes, summaries)
        self.sync = SyncService(store, inboxes, summaries)
        self.history_check = HistoryCheck(ids, self.sync)
        self.read_states = ReadStateService(
            ids, ReadStates(store), self.fan_out, self._reach.receipt_delivery, BlockFilter(store)
        )
        self.changelog = Changelog(store, ids, log, chats, summaries)
        self._wire_groups(accounts, chats, cards, edge_mirror)
        passwords = Passwords(settings.argon2)
        self.login = Login(
            accounts, claims, sessions, LoginAttempts(store), passwords, self._reach.session_closer
        )
        self.registration = Registration(
            self.names, accounts, claims, passwords, self.login, self.jobs, self._reach.session_closer
        )
        self.sessions = SessionService(sessions, self._reach.session_closer)
        importer, get = (
            AccountImporter(accounts, claims, passwords),
            getter(allow_private=settings.import_private),
        )
        self.imports = Imports(importer, self.names, get, self.jobs.enqueue)
        self.profiles = Profiles(store, accounts, claims, self.names, self.jobs, strict=not is_open)
        self.user_search = UserSearch(store, accounts, index)
        self.deletion = Deletion(
            store,
            accounts,
            claims,
            directory,
            self.account_removal.remove,
            self.jobs,
            self._reach.session_closer,
        )
        handlers["delete"] = self.deletion.finish
        mine = ChatExports(store, inboxes, summaries, chats, log)
        listed = Listed(follows, Blocks(store), posts, timelines, mine)
        self.exports = Exports(store, accounts, sessions, listed, strict=not is_open)
        relations, pages = Relations(store, self.names, accounts), UserPages(store, cards)
        self.follows = FollowService(follows, relations, pages, self.jobs)
        self.blocks = BlockService(Blocks(store), relations, pages, self.jobs, self._tell_watcher)
        self.posts = PostService(store, posts, cards, relations, self.jobs)
        self.feed = Feed(store, follows, posts, timelines)
        self.realtime = Realtime(
            self._reach,
            self.authenticator,
            self.membership,
            self.messages,
            self.read_states,
            self.sync,
            self.history_check,
        )

    def _wire_groups(
        self, accounts: Accounts, chats: Chats, cards: UserCards, edge_mirror: EdgeMirror
    ) -> None:
        store, names, strict = self._store, self.names, self.settings.auth != "open"
        ids, summaries, settings = ChatIds(names), Summaries(), self.settings
        limits = ChatLimits(settings.max_members, settings.large_chat, settings.groups_a_day)
        invitees = InviteeStatuses(settings.max_large_chats, strict=strict)
        transactions = ChatTransactions(store, chats, self.fan_out, self.chat_search.index)
        self.account_removal = AccountRemoval(store, chats, transactions)
        self.blocked_invitations = BlockedInvitations(store, chats, transactions, edge_mirror.block)
        self.chat_details = ChatDetails(store, ids, summaries)
        self.membership = Membership(names, ids, invitees, chats, transactions)
        creation = ChatCreation(store, names, invitees, chats, transactions, limits)
        direct_chats = DirectChats(names, accounts, summaries, ReadStates(store), self.fan_out, strict=strict)
        self.chats = ChatService(
            ids, chats, transactions, self.chat_details, creation, direct_chats, self.membership
        )
        self.members = Members(store, ids, chats, cards, self._reach.stores.chat_connections)
        self.go_chat = GoChatRooms(
            self.chats,
            self.chat_details,
            self.membership,
            self.members,
            self.chat_search,
            self._reach.tickets,
        )

    def _disconnect(self, connection: str) -> None:
        self.realtime.connecting.disconnect(connection)

    def _tell_watcher(self, handle: str, watcher: str) -> None:
        self.realtime.presence.notify_watcher(handle, watcher)

    def _depart(self, handle: str, chat: str) -> None:
        self.account_removal.remove(handle, chat)

    def _end_contact(self, handle: str, other: str) -> None:
        self.blocked_invitations.decline(handle, other)

    def prepare(self, *, connect: bool) -> None:
        """Make what calls need while the process starts; a failure is logged, and calls try again.

        connect: whether to open connections to the store as well.
        """
        steps = [self._reach.push.prepare, *([self._store.prepare] if connect else [])]
        for step in steps:
            try:
                step()
            except Exception as error:
                LOGGER.warning({"event": "not_prepared", "problem": str(error), **cause_of(error)})

    def health(self) -> Health:
        """Ask the store; raises StoreUnavailable when it does not answer."""
        self._store.ping()
        return Health(jobs="down") if are_jobs_down() else Health()


def _verifier(settings: Settings) -> Verifier | None:
    if settings.oidc_issuer is None:
        return None
    return Verifier(settings.oidc_issuer, settings.oidc_audience, settings.oidc_algorithms)


@functools.cache
def current() -> Services:
    """Return this process's services, made at the first call from the environment."""
    return Services(Settings.from_env())
