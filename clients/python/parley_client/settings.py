"""The settings of a client; the defaults suit API Gateway's limits."""

from __future__ import annotations

import ssl

from msgspec import Struct


class Settings(Struct, frozen=True, kw_only=True):
    """Settings of a client; times are in seconds.

    backlog: Number of messages that an unknown chat starts with; None for all.
    gap_seconds: How long messages past a gap are held before the missing ones are pulled.
    answer_seconds: Maximum time for the server's response to a frame or request.
    ping_seconds: Time without an outgoing frame after which a ping is sent. On AWS each ping is billed. API
        Gateway closes a connection after 600 seconds without a frame, and the server's lease ends after 660
        (PARLEY_LEASE_SECONDS).
    life_seconds: Age at which a connection is replaced, or up to a tenth earlier; API Gateway closes it at
        7,200.
    resync_seconds: Time between two syncs, which find lost pushes; below ping_seconds it replaces pings, so
        an idle client pays for only one of the two.
    backoff_base, backoff_cap: The wait before attempt n is random, from 0 to base x 2^n, but at most cap.
    fallback_seconds: Time without a WebSocket after which a send uses REST; a send uses it at once when none
        can be opened. None: never.
    poll_seconds: Time between two polls by REST while no WebSocket can be opened; None: never.
    page_messages: Number of messages of one pull.
    most_events: Maximum number of events that wait for the application. Beyond it, messages stay in the
        server's log for now, and other events are dropped.
    socket_url: A ws or wss URL; by default the server's ticket names it, or it is the server's own.
    ticket: False sends the token in a header of the handshake, which saves a request; needs socket_url.
    tls: Which certificates to trust; None for the system's.
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
