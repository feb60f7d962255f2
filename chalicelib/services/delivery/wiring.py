"""How the parts that deliver are put together."""

from __future__ import annotations

from chalicelib.config import Settings
from chalicelib.push_gateway import installed
from chalicelib.queues import JobQueue
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.delivery.audience import AudienceFinder
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.delivery.disconnection import Disconnection
from chalicelib.services.delivery.display_names import DisplayNames
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.delivery.frame_push import FramePush
from chalicelib.services.delivery.message_push import MessagePush
from chalicelib.services.delivery.presence_notices import PresenceNotices
from chalicelib.services.delivery.profile_rows import ProfileRows
from chalicelib.services.delivery.push import PushService
from chalicelib.services.delivery.reaction_delivery import ReactionDelivery
from chalicelib.services.delivery.receipts import ReceiptDelivery
from chalicelib.services.delivery.room_notices import RoomNotices
from chalicelib.services.delivery.row_push import RowPush
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.stores import Stores


class Delivery:
    """Reaches inboxes and connections; opens no connection."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        queue: JobQueue,
        blocks: BlockFilter,
        statuses: AccountStatusCache,
    ) -> None:
        self.stores = stores
        self.names = DisplayNames(stores.client, stores.user_cards, statuses)
        store, user_connections = stores.client, stores.user_connections
        self.connection_stores = ConnectionStores(
            store, stores.connections, user_connections, stores.chat_connections
        )
        self.pusher = installed.pusher(settings)
        frames = FramePush(self.pusher)
        self.room_notices = RoomNotices(store, stores.chat_connections, blocks, settings.large_chat)
        self.disconnect = Disconnection(self.connection_stores, self.room_notices, frames).disconnect
        self.push = PushService(frames, self.disconnect)
        self.message_push = MessagePush(
            self.connection_stores, stores.log, stores.outbox, self.push, queue, self.names
        )
        self.row_push = RowPush(
            store, user_connections, stores.summaries, stores.user_cards, self.push, queue
        )
        self.profile_rows = ProfileRows(store, stores.inboxes, self.row_push, self.names)
        self.fan_out = ChatFanOut(store, stores.inboxes, stores.outbox, self.message_push)
        self.reactions = ReactionDelivery(store, self.fan_out, user_connections)
        self.presence_notices = PresenceNotices(store, user_connections, self.push)
        self.session_closer = SessionCloser(store, user_connections, self.push, self.disconnect)
        self.audience = AudienceFinder(
            store,
            stores.accounts,
            user_connections,
            stores.summaries,
            stores.outbox,
            settings.rate_limits["signal"] * 1024,
        )
        self.receipts = ReceiptDelivery(self.audience, self.push)
