"""How connections end: codes and reasons of close frames."""

from __future__ import annotations

from chalicelib.push_gateway.pusher import CloseReason

NORMAL = CloseReason(1000, "Connection Closed Normally")
GOING_AWAY = (1001, "Going away")
NO_STATUS = (1005, "Client-side close frame status not set")
LOST = (1006, "Connection closed abnormally")
UNREAD = (1006, "The client does not read")


def may_be_sent(code: int) -> bool:
    """Say whether a close frame may have a code; source: RFC 6455, 7.4, and IANA's list of codes."""
    return code in range(1000, 1004) or code in range(1007, 1015) or code in range(3000, 5000)
