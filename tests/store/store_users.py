"""Users of the store with some permissions, for the login tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chalicelib.errors import StoreUnavailable
from chalicelib.store.messages.content import Content
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.connect import AccessRefused
from tests.servers.engines import Engine
from tests.store.log_records import CHAT, Log

HELLO = Content("ann", "hello")
WORD = "chrysanthemum"

SetPassword = Callable[[str], None]


@contextmanager
def user(engine: Engine, name: str, rules: str) -> Iterator[SetPassword]:
    """Create a user with some permissions on every server; yield a setter of its password, at first WORD."""

    def tell(*words: str) -> None:
        for node in engine.nodes:
            node.execute_command("ACL SETUSER", name, *words)

    tell("reset", "on", f">{WORD}", *rules.split())
    try:
        yield lambda password: tell("resetpass", f">{password}")
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", name)


def cut_all(engine: Engine) -> None:
    """Close every connection to the servers except the test's own, as a managed store does after 12 hours."""
    for node in engine.nodes:
        node.client_kill_filter(_type="normal", skipme=True)


def refusal(store: Store) -> AccessRefused:
    """Send a message that must be refused, and return why."""
    with pytest.raises(StoreUnavailable) as raised:
        Log(store).append(CHAT, HELLO)
    assert isinstance(raised.value.__cause__, AccessRefused)
    return raised.value.__cause__
