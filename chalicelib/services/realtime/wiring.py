"""How the parts that handle connections and their frames are put together."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.config import Settings
from chalicelib.schemas import realtime as frames
from chalicelib.services.auth.authenticator import Authenticator
from chalicelib.services.chats.membership import Membership
from chalicelib.services.delivery.wiring import Delivery
from chalicelib.services.inbox.history_check import HistoryCheck
from chalicelib.services.inbox.read_state import ReadStateService
from chalicelib.services.inbox.sync import SyncService
from chalicelib.services.inbox.unread import UnreadService
from chalicelib.services.messages.changes import MessageChanger
from chalicelib.services.messages.hidden import MessageHider
from chalicelib.services.messages.pins import PinService
from chalicelib.services.messages.reactions import ReactionService
from chalicelib.services.messages.service import Messages
from chalicelib.services.realtime.connect import ConnectService
from chalicelib.services.realtime.dispatch import FrameDispatcher, FrameHandler
from chalicelib.services.realtime.frame_limits import FrameLimits
from chalicelib.services.realtime.hello import HelloService
from chalicelib.services.realtime.leases import Leases
from chalicelib.services.realtime.message_changes import ChangeFrames
from chalicelib.services.realtime.messages import MessageFrames
from chalicelib.services.realtime.presence import PresenceService
from chalicelib.services.realtime.rooms import RoomService
from chalicelib.services.realtime.signals import SignalService
from chalicelib.services.realtime.tickets import Tickets
from chalicelib.services.realtime.typing import TypingService
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names


class UseCases(NamedTuple):
    """What frames ask for as REST calls do."""

    membership: Membership
    messages: Messages
    changer: MessageChanger
    hider: MessageHider
    reactions: ReactionService
    pins: PinService
    read_states: ReadStateService
    sync: SyncService
    history_check: HistoryCheck
    unread: UnreadService


class Realtime:
    """Connections and their frames; of: What the frames ask for."""

    def __init__(
        self,
        settings: Settings,
        names: Names,
        delivery: Delivery,
        authenticator: Authenticator,
        of: UseCases,
    ) -> None:
        ids = ChatIds(names)
        connection_stores, push, audience = delivery.connection_stores, delivery.push, delivery.audience
        store, connections, user_connections, chat_connections = connection_stores
        self.disconnect = delivery.disconnect
        self.tickets = Tickets(store, user_connections, ids, settings.socket_url)
        self.presence = PresenceService(store, user_connections, connections, names, push)
        self.connecting = ConnectService(settings, authenticator, names, ids, connection_stores)
        self.leases = Leases(store, connections, user_connections, chat_connections, push, self.disconnect)
        rooms = RoomService(
            store, ids, of.membership, chat_connections, connections, delivery.room_notices, push
        )
        inboxes = delivery.stores.inboxes
        hello = HelloService(connection_stores, inboxes, of.sync, push, rooms, of.history_check, of.unread)
        message_frames = MessageFrames(ids, of.messages, of.read_states, push)
        change_frames = ChangeFrames(ids, of.changer, of.hider, of.reactions, of.pins, of.messages, push)
        handlers: dict[type, FrameHandler] = {
            frames.Hello: hello.hello,
            frames.Send: message_frames.send,
            frames.Edit: change_frames.edit,
            frames.Delete: change_frames.delete,
            frames.React: change_frames.react,
            frames.Pin: change_frames.pin,
            frames.Pull: message_frames.pull,
            frames.Received: message_frames.received,
            frames.Read: message_frames.read,
            frames.Typing: TypingService(ids, audience, push).notify,
            frames.Watch: self.presence.watch,
            frames.RoomJoin: rooms.join,
            frames.RoomLeave: rooms.leave,
            frames.RoomClients: rooms.clients,
            frames.Signal: SignalService(names, ids, audience, push).send,
            frames.Ping: message_frames.ping,
        }
        self.frames = FrameDispatcher(
            store,
            connections,
            push,
            self.leases,
            handlers,
            FrameLimits(settings.rate_limits),
            trusts_names=settings.auth == "open",
        )
