"""How many files a process may have open, and how many of them are kept for HTTP."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable

from chalicelib.logs import LOGGER

OPEN_FILES = 10240
"""Asked for where there is no limit that can be asked for; what macOS allows a process."""
MAX_HTTP, HTTP_SHARE = 4096, 4
MAX_OTHERS, OTHERS_SHARE = 128, 8
BACK_SHARE = 20


def allow_open_files() -> None:
    """Raise the number of files that this process, and those it starts, may have open to what it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, OPEN_FILES) if hard == resource.RLIM_INFINITY else hard
    if soft not in (wanted, resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_files() -> int:
    """Return how many files this process may have open now."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def http_connections(limit: int) -> int:
    """Return how many connections for HTTP a process may have at once, which WebSockets leave to it.

    limit: how many files it may have open.
    """
    return min(MAX_HTTP, limit // HTTP_SHARE)


class Descriptors:
    """Says which WebSockets to refuse, so that HTTP, the store and other workers find descriptors.

    limit: returns how many files may be open, which may change while the process runs. The log has a line
    when the first one is refused, and one when a twentieth of the limit is free again.
    """

    def __init__(self, limit: Callable[[], int] = open_files) -> None:
        self._limit = limit
        self._short = False

    def refuses(self, descriptor: int) -> bool:
        """Return whether a connection with a new descriptor, the lowest that was free, is one too many."""
        limit = self._limit()
        room = limit - http_connections(limit) - min(MAX_OTHERS, limit // OTHERS_SHARE) - descriptor
        if room <= 0 and not self._short:
            LOGGER.warning({"event": "descriptors_short", "limit": limit, "open": descriptor})
            self._short = True
        elif room > limit // BACK_SHARE and self._short:
            LOGGER.info({"event": "descriptors_back", "limit": limit, "open": descriptor})
            self._short = False
        return room <= 0
