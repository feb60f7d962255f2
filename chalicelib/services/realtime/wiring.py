"""How the parts of real time are put together."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib import delivery
from chalicelib.config import Settings
from chalicelib.queues import WorkQueue
from chalicelib.schemas import realtime as frames
from chalicelib.services.admission import Admission
from chalicelib.services.chat_ids import ChatIds
from chalicelib.services.history_check import HistoryCheck
from chalicelib.services.membership import Membership
from chalicelib.services.messages import Messages
from chalicelib.services.names import Names
from chalicelib.services.realtime.broadcast import Broadcast
from chalicelib.services.realtime.closing import Closing
from chalicelib.services.realtime.connecting import Connecting
from chalicelib.services.realtime.frame_limits import FrameLimits
from chalicelib.services.realtime.frames import Frames, Handler
from chalicelib.services.realtime.hello import Greeting
from chalicelib.services.realtime.leases import Leases
from chalicelib.services.realtime.marks import Marks
from chalicelib.services.realtime.others import Others
from chalicelib.services.realtime.presence import PresenceService
from chalicelib.services.realtime.pushing import Pushing
from chalicelib.services.realtime.registry import Registry
from chalicelib.services.realtime.rooms import Rooms
from chalicelib.services.realtime.sending import Sending
from chalicelib.services.realtime.signals import Signals
from chalicelib.services.realtime.tickets import Tickets
from chalicelib.services.realtime.typing import TypingService
from chalicelib.services.receipts import ReceiptService
from chalicelib.services.sync import SyncService
from chalicelib.store.accounts import Accounts
from chalicelib.store.client import Store
from chalicelib.store.inboxes import Inboxes


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
        self.pushing = Pushing(delivery.pusher(settings), disconnect)
        self.broadcast = Broadcast(store, self.pushing, queue, lease)
        presence = self.registry.presence
        self.tickets = Tickets(store, presence, ChatIds(names), settings.socket_url)
        self.others = Others(store, accounts, presence, settings.rate_limits["signal"] * 1024)
        self.marks = Marks(self.others, self.pushing)
        self.closing = Closing(store, presence, self.pushing, disconnect)


class Realtime:
    """Connections and their frames."""

    def __init__(
        self,
        reach: Reach,
        admission: Admission,
        membership: Membership,
        messages: Messages,
        receipts: ReceiptService,
        sync: SyncService,
        histories: HistoryCheck,
    ) -> None:
        settings, names, pushing, others = reach.settings, reach.names, reach.pushing, reach.others
        store, sockets, presence, clients = reach.registry
        ids = ChatIds(names)
        self.tickets = reach.tickets
        self.presence = PresenceService(store, presence, sockets, names, pushing)
        self.rooms = Rooms(store, ids, membership, clients, sockets, pushing, settings.large_chat)
        self.connecting = Connecting(settings, admission, names, reach.registry, self.rooms, self.presence)
        self.leases = Leases(
            store, sockets, presence, clients, pushing, self.presence, self.connecting.disconnect
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
            sockets,
            pushing,
            self.leases,
            handlers,
            FrameLimits(settings.rate_limits),
            trusts_names=settings.auth == "open",
        )
