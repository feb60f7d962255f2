"""Ids of requests: the client's, or new ones."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

GIVEN_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
ID_BYTES = 16
IDS_AT_ONCE = 64
"""Random bytes are read for so many ids at once: a system call for each would cost more than the id."""

_unused: list[str] = []
os.register_at_fork(after_in_child=_unused.clear)


def given_id(headers: Mapping[str, str]) -> str | None:
    """Return the request id that the client sent, if it is valid; headers: names in lower case."""
    given = headers.get("x-request-id")
    return given if given is not None and GIVEN_REQUEST_ID.fullmatch(given) else None


def new_id() -> str:
    """Return a new id, a UUID of version 4."""
    try:
        return _unused.pop()
    except IndexError:
        made = _made()
        _unused.extend(made[1:])
        return made[0]


def _made() -> list[str]:
    random = os.urandom(ID_BYTES * IDS_AT_ONCE).hex()
    digits = [random[at : at + 2 * ID_BYTES] for at in range(0, len(random), 2 * ID_BYTES)]
    return [f"{one[:8]}-{one[8:12]}-4{one[13:16]}-a{one[17:20]}-{one[20:]}" for one in digits]
