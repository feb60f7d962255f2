"""Messages that were pushed and acknowledged, and then lost by the store, are reported at the next hello."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from parley_client import ChatReset, Connected, Message
from parley_client.outgoing import Send
from tests.client.conftest import take
from tests.client.terminal import CTRL_D, ENTER, Terminal
from tests.client.test_real_server import name, two
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import gateway
from tests.store.lost_writes import Moment

pytestmark = pytest.mark.long

SOCKETS = b"{x:"


class Failing(NamedTuple):
    """A server, and its store, whose last writes a test has it lose."""

    url: str
    store: ValkeyEngine

    def moment(self) -> Moment:
        """Return the store's whole content."""
        return Moment(self.store.nodes[0])

    def fail_over(self, moment: Moment) -> None:
        """Set the store back without any connections, so that each ends at its next frame."""
        moment.set_back(b"")
        node = self.store.nodes[0]
        for key in list(node.scan_iter(match=SOCKETS + b"*")):
            node.delete(key)


@pytest.fixture(scope="module")
def failing() -> Iterator[Failing]:
    """A server on a store of its own."""
    with ValkeyEngine() as store, gateway({"REDIS_URL": store.url}, ["--workers", "2"]) as url:
        yield Failing(url, store)


@pytest.mark.anyio
@pytest.mark.parametrize("again", [False, True], ids=["", "number taken again"])
async def test_both_forget_a_lost_message(failing: Failing, again: bool) -> None:
    """The sender of a lost message, and the user who received it, begin the chat again."""
    async with two(failing.url) as (one, other, chat):
        await one.send(chat, "kept")
        for client in (one, other):
            assert (await take(client, Message)).text == "kept"
        moment = failing.moment()
        await one.send(chat, "phantom")
        for client in (one, other):
            assert (await take(client, Message)).text == "phantom"
        failing.fail_over(moment)
        if again:
            await one.rest.send(Send(chat=chat, id="an id", text="another"))
        for client in (one, other):
            await client.typing(chat)
            assert await take(client, ChatReset) == ChatReset(chat)
            texts = [(await take(client, Message)).text for _ in range(1 + again)]
            assert texts == ["kept", "another"][: 1 + again]


@pytest.mark.anyio
async def test_nothing_is_lost_by_a_break(failing: Failing) -> None:
    """A break without a loss resets no chat."""
    async with two(failing.url) as (one, other, chat):
        await one.send(chat, "kept")
        await take(other, Message)
        failing.fail_over(failing.moment())
        await other.typing(chat)
        events = [type(await other.next_event())]
        while events[-1] is not Connected:
            events.append(type(await other.next_event()))
        await one.send(chat, "more")
        assert (await take(other, Message)).seq == 2
        assert ChatReset not in events


def test_terminal_says_what_was_lost(failing: Failing) -> None:
    """The terminal chat reports lost messages, and shows the existing ones."""
    alice, bob = name(), name()
    with (
        Terminal("--user", alice, "--to", bob, "--url", failing.url) as hers,
        Terminal("--user", bob, "--to", alice, "--url", failing.url) as his,
    ):
        his.status_shows("is online")
        hers.status_shows("is online")
        hers.type("kept" + ENTER)
        his.shows(f"{alice}: kept")
        moment = failing.moment()
        hers.type("phantom" + ENTER)
        hers.shows("you: phantom")
        his.shows(f"{alice}: phantom")
        failing.fail_over(moment)
        his.type("x")
        his.shows(f"The server has lost messages of {alice}.")
        assert "phantom" not in his.shows(f"{alice}: kept")
        hers.type("still here" + ENTER)
        hers.shows(f"The server has lost messages of {bob}.")
        hers.shows("you: kept")
        his.shows(f"{alice}: still here")
        hers.type(CTRL_D)
        assert hers.ends() == 0
