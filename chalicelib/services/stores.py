"""Every class of the store, made once."""

from __future__ import annotations

from chalicelib.config import Settings
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.index_traces import IndexTraces
from chalicelib.store.accounts.login_attempts import LoginAttempts
from chalicelib.store.accounts.sessions import Sessions
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.feed import ChangeFeed
from chalicelib.store.chats.room_list import RoomList
from chalicelib.store.chats.search_terms import ChatTerms
from chalicelib.store.chats.summary import Summaries
from chalicelib.store.inbox.hidden_messages import HiddenMessages
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.inbox.read_state import ReadStates
from chalicelib.store.messages.changes import MessageChanges
from chalicelib.store.messages.expiries import Expiries
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.messages.reactions import Reactions
from chalicelib.store.messages.reports import Reports
from chalicelib.store.messages.retention import Retention
from chalicelib.store.messages.scheduled import ScheduledMessages
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis import client
from chalicelib.store.search import SearchIndex
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.follows import Follows
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines
from chalicelib.store.work.pending import PendingWork


class Stores:
    """The store's classes, and the client that runs their queries; opens no connection."""

    def __init__(self, settings: Settings) -> None:
        self.client = client.connect(settings)
        self.accounts = Accounts()
        self.claims = Claims()
        self.index_traces = IndexTraces()
        self.login_attempts = LoginAttempts()
        self.sessions = Sessions()
        self.user_cards = UserCards()
        self.user_index = SearchIndex()
        self.blocks = Blocks()
        self.follows = Follows()
        self.posts = Posts()
        self.timelines = Timelines()
        self.chats = Chats(settings.max_members, settings.large_chat, settings.keep_messages)
        self.chat_index = SearchIndex(keys.chat_terms)
        self.chat_terms = ChatTerms()
        self.room_list = RoomList()
        self.summaries = Summaries()
        self.log = MessageLog(settings.keep_messages, settings.keep_days)
        self.retention = Retention(settings.keep_messages, settings.keep_days)
        self.message_changes = MessageChanges()
        self.reactions = Reactions()
        self.hidden_messages = HiddenMessages()
        self.change_feed = ChangeFeed()
        self.expiries = Expiries()
        self.outbox = Outbox()
        self.reports = Reports()
        self.scheduled = ScheduledMessages()
        self.inboxes = Inboxes()
        self.read_states = ReadStates()
        self.pending_work = PendingWork()
        lease = settings.lease_seconds * 1_000_000
        self.connections = Connections(lease)
        self.user_connections = UserConnections(lease)
        self.chat_connections = ChatConnections(lease)
