"""How the parts of real time are put together."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.config import Settings
from chalicelib.push_gateway import installed
from chalicelib.queues import WorkQueue
from chalicelib.schemas import realtime as frames
from chalicelib.services.auth.authenticator import Authenticator
from chalicelib.services.chats.membership import Membership
from chalicelib.services.delivery.audience import Others
from chalicelib.services.delivery.broadcast import Broadcast
from chalicelib.services.delivery.connection_stores import Registry
from chalicelib.services.delivery.push import Pushing
from chalicelib.services.delivery.receipts import Marks
from chalicelib.services.delivery.session_close import Closing
from chalicelib.services.inbox.history_check import HistoryCheck
from chalicelib.services.inbox.read_state import ReceiptService
from chalicelib.services.inbox.sync import SyncService
from chalicelib.services.messages.service import Messages
from chalicelib.services.realtime.connect import Connecting
from chalicelib.services.realtime.dispatch import Frames, Handler
from chalicelib.services.realtime.frame_limits import FrameLimits
from chalicelib.services.realtime.hello import Greeting
from chalicelib.services.realtime.leases import Leases
from chalicelib.services.realtime.messages import Sending
from chalicelib.services.realtime.presence import PresenceService
from chalicelib.services.realtime.rooms import Rooms
from chalicelib.services.realtime.signals import Signals
from chalicelib.services.realtime.tickets import Tickets
from chalicelib.services.realtime.typing import TypingService
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.redis.client import Store


class Reach:
    """How connections are reached: what other use cases need to tell those who are there.

    disconnect: clears up after a connection that has gone.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        accounts: Accounts,
        names: Names,
        queue: WorkQueue,
        disconnect: Callable[[str], None],
    ) -> None:
        lease = settings.lease_seconds * 1_000_000
        self.settings, self.store, self.names = settings, store, names
        self.registry = Registry.on(store, lease)
        self.pushing = Pushing(installed.pusher(settings), disconnect)
        self.broadcast = Broadcast(store, self.pushing, queue, lease)
        user_connections = self.registry.user_connections
        self.tickets = Tickets(store, user_connections, ChatIds(names), settings.socket_url)
        self.others = Others(store, accounts, user_connections, settings.rate_limits["signal"] * 1024)
        self.marks = Marks(self.others, self.pushing)
        self.closing = Closing(store, user_connections, self.pushing, disconnect)


class Realtime:
    """Connections and their frames."""

    def __init__(
        self,
        reach: Reach,
        authenticator: Authenticator,
        membership: Membership,
        messages: Messages,
        receipts: ReceiptService,
        sync: SyncService,
        histories: HistoryCheck,
    ) -> None:
        settings, names, pushing, others = reach.settings, reach.names, reach.pushing, reach.others
        store, connections, user_connections, chat_connections = reach.registry
        ids = ChatIds(names)
        self.tickets = reach.tickets
        self.presence = PresenceService(store, user_connections, connections, names, pushing)
        self.rooms = Rooms(
            store, ids, membership, chat_connections, connections, pushing, settings.large_chat
        )
        self.connecting = Connecting(
            settings, authenticator, names, reach.registry, self.rooms, self.presence
        )
        self.leases = Leases(
            store,
            connections,
            user_connections,
            chat_connections,
            pushing,
            self.presence,
            self.connecting.disconnect,
        )
        greeting = Greeting(
            reach.registry, Inboxes(store), sync, pushing, self.presence, self.rooms, histories
        )
        sending = Sending(ids, messages, receipts, pushing)
        handlers: dict[type, Handler] = {
            frames.Hello: greeting.hello,
            frames.Send: sending.send,
            frames.Pull: sending.pull,
            frames.Received: sending.received,
            frames.Read: sending.read,
            frames.Typing: TypingService(ids, others, pushing).tell,
            frames.Watch: self.presence.watch,
            frames.RoomJoin: self.rooms.join,
            frames.RoomLeave: self.rooms.leave,
            frames.RoomClients: self.rooms.clients,
            frames.Signal: Signals(names, ids, others, pushing).send,
            frames.Ping: sending.ping,
        }
        self.frames = Frames(
            store,
            connections,
            pushing,
            self.leases,
            handlers,
            FrameLimits(settings.rate_limits),
            trusts_names=settings.auth == "open",
        )
