"""How the parts of real time are put together."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.config import Settings
from chalicelib.push_gateway import installed
from chalicelib.queues import JobQueue
from chalicelib.schemas import realtime as frames
from chalicelib.services.auth.authenticator import Authenticator
from chalicelib.services.chats.membership import Membership
from chalicelib.services.delivery.audience import AudienceFinder
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.delivery.message_push import MessagePush
from chalicelib.services.delivery.push import PushService
from chalicelib.services.delivery.receipts import ReceiptDelivery
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.inbox.history_check import HistoryCheck
from chalicelib.services.inbox.read_state import ReadStateService
from chalicelib.services.inbox.sync import SyncService
from chalicelib.services.messages.service import Messages
from chalicelib.services.realtime.connect import ConnectService
from chalicelib.services.realtime.dispatch import FrameDispatcher, FrameHandler
from chalicelib.services.realtime.frame_limits import FrameLimits
from chalicelib.services.realtime.hello import HelloService
from chalicelib.services.realtime.leases import Leases
from chalicelib.services.realtime.messages import MessageFrames
from chalicelib.services.realtime.presence import PresenceService
from chalicelib.services.realtime.rooms import RoomService
from chalicelib.services.realtime.signals import SignalService
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
        queue: JobQueue,
        disconnect: Callable[[str], None],
    ) -> None:
        lease = settings.lease_seconds * 1_000_000
        self.settings, self.store, self.names = settings, store, names
        self.stores = ConnectionStores.on(store, lease)
        self.push = PushService(installed.pusher(settings), disconnect)
        self.message_push = MessagePush(store, self.push, queue, lease)
        presence = self.stores.user_connections
        self.tickets = Tickets(store, presence, ChatIds(names), settings.socket_url)
        self.audience = AudienceFinder(store, accounts, presence, settings.rate_limits["signal"] * 1024)
        self.receipt_delivery = ReceiptDelivery(self.audience, self.push)
        self.session_closer = SessionCloser(store, presence, self.push, disconnect)


class Realtime:
    """Connections and their frames."""

    def __init__(
        self,
        reach: Reach,
        authenticator: Authenticator,
        membership: Membership,
        messages: Messages,
        read_states: ReadStateService,
        sync: SyncService,
        history_check: HistoryCheck,
    ) -> None:
        settings, names, push, audience = reach.settings, reach.names, reach.push, reach.audience
        store, sockets, presence, clients = reach.stores
        ids = ChatIds(names)
        self.tickets = reach.tickets
        self.presence = PresenceService(store, presence, sockets, names, push)
        self.rooms = RoomService(store, ids, membership, clients, sockets, push, settings.large_chat)
        self.connecting = ConnectService(
            settings, authenticator, names, reach.stores, self.rooms, self.presence
        )
        self.leases = Leases(
            store, sockets, presence, clients, push, self.presence, self.connecting.disconnect
        )
        hello = HelloService(
            reach.stores, Inboxes(store), sync, push, self.presence, self.rooms, history_check
        )
        messages_of_frames = MessageFrames(ids, messages, read_states, push)
        handlers: dict[type, FrameHandler] = {
            frames.Hello: hello.hello,
            frames.Send: messages_of_frames.send,
            frames.Pull: messages_of_frames.pull,
            frames.Received: messages_of_frames.received,
            frames.Read: messages_of_frames.read,
            frames.Typing: TypingService(ids, audience, push).notify,
            frames.Watch: self.presence.watch,
            frames.RoomJoin: self.rooms.join,
            frames.RoomLeave: self.rooms.leave,
            frames.RoomClients: self.rooms.clients,
            frames.Signal: SignalService(names, ids, audience, push).send,
            frames.Ping: messages_of_frames.ping,
        }
        self.frames = FrameDispatcher(
            store,
            sockets,
            push,
            self.leases,
            handlers,
            FrameLimits(settings.rate_limits),
            trusts_names=settings.auth == "open",
        )
