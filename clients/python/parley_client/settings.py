"""How the client behaves; the defaults suit API Gateway's limits."""

from __future__ import annotations

import ssl

from msgspec import Struct


class Settings(Struct, frozen=True, kw_only=True):
    """Times in seconds.

    backlog: how many messages of a chat that the client does not know yet it begins with; None: all.
    gap_seconds: how long what lies past a gap is held before the rest is pulled.
    answer_seconds: how long the server may take to answer a frame or a request.
    ping_seconds: a ping goes out when nothing else did for so long. On AWS each is billed; API Gateway closes
    after 600 without a frame, and a server's lease ends after 660 (PARLEY_LEASE_SECONDS).
    life_seconds: age at which a connection is replaced, up to a tenth earlier; API Gateway closes at 7,200.
    resync_seconds: how often the client asks what has moved, should a push have been lost; below ping_seconds
    it takes the place of pings, so an idle client pays for one of the two.
    backoff_base, backoff_cap: the wait before the nth try is random, from 0 to base x 2^n, cap at the most.
    fallback_seconds: a send that had no socket for so long goes by REST, and at once when none can be opened;
    None: never.
    poll_seconds: how often REST is asked what has moved while no socket can be opened; None: never.
    page_messages: how many messages are pulled at once.
    most_events: how many events wait for the application; beyond that, messages stay in the server's log
    until there is room, and other events are dropped.
    socket_url: ws or wss; else the server's ticket, or its redirect, says where sockets are.
    ticket: False: the token goes in a header of the handshake, which spares a request; wants socket_url.
    tls: whom to trust; None: the system's certificates.
    """

    backlog: int | None = 100
    gap_seconds: float = 0.5
    answer_seconds: float = 10.0
    ping_seconds: float = 540.0
    life_seconds: float = 6600.0
    resync_seconds: float = 500.0
    backoff_base: float = 1.0
    backoff_cap: float = 30.0
    fallback_seconds: float | None = 5.0
    poll_seconds: float | None = 15.0
    page_messages: int = 100
    most_events: int = 10_000
    socket_url: str | None = None
    ticket: bool = True
    tls: ssl.SSLContext | None = None
