"""Two clients who chat on while something else happens to their server."""

from __future__ import annotations

import itertools
import json
import threading
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.servers.waiting import eventually

WAIT_SECONDS = 60.0
PAUSE_SECONDS = 0.05
"""Between two messages: each stays within the frames that a connection may send in a minute."""
CHAT = "una:val"

Frame = dict[str, Any]


def opened(url: str, user: str, **options: Any) -> ClientConnection:
    """Return a connection of a name that has said hello; url: of the sockets of an open server."""
    usual: dict[str, Any] = {
        "proxy": None,
        "compression": None,
        "max_size": None,
        "legacy": True,
        "open_timeout": WAIT_SECONDS,
    }
    client: ClientConnection = connect(f"{url}?user={user}", **usual | options)
    ask(client, "ready", type="hello")
    return client


def ask(client: ClientConnection, answer: str, **frame: Any) -> Frame:
    """Send a frame, and return the next one of the type that answers it."""
    client.send(json.dumps(frame))
    while (frame := received(client))["type"] != answer:
        assert frame["type"] not in ("error", "ready"), frame
    return frame


def received(client: ClientConnection) -> Frame:
    """Return the next frame."""
    frame: Frame = json.loads(client.recv(WAIT_SECONDS))
    return frame


class Bystanders:
    """Una and Val, who write to each other in turn, in a thread, until the end of the context.

    Each message has to be acknowledged and to reach the other before the next one is sent.
    texts: those that have arrived.
    """

    def __init__(self, url: str) -> None:
        self.texts: list[str] = []
        self._una, self._val = opened(url, "una"), opened(url, "val")
        self._defect: BaseException | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._chat)
        self._thread.start()

    def check(self, more: int = 2) -> None:
        """Wait until some more messages have arrived; raises the error of a failed client."""
        enough = len(self.texts) + more
        assert eventually(lambda: self._defect is not None or len(self.texts) >= enough)
        if self._defect is not None:
            raise self._defect

    def end(self) -> None:
        """Stop both clients, and close their connections."""
        self._over.set()
        self._thread.join()
        for client in (self._una, self._val):
            client.close()

    def _chat(self) -> None:
        turns = itertools.cycle([(self._una, self._val), (self._val, self._una)])
        try:
            for number, (sender, receiver) in enumerate(turns):
                if self._over.wait(PAUSE_SECONDS):
                    return
                ack = ask(sender, "ack", type="send", chat=CHAT, id=f"{number}", text=f"{number}")
                while (message := received(receiver)).get("seq", number + 1) <= number:
                    continue  # what came before is pushed again when the server is not sure
                assert (message["type"], message["text"]) == ("message", f"{number}"), message
                assert ack["seq"] == message["seq"] == number + 1
                self.texts.append(message["text"])
        except BaseException as defect:
            self._defect = defect
