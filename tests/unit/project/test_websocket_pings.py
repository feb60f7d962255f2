"""The pings of the tests' own WebSocket connections."""

from __future__ import annotations

import random
import threading

from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve


def test_pings_of_open_connections_leave_random_choices_alone() -> None:
    """A ping, which a thread may send at any moment, changes nothing for who draws from `random`."""
    with serve(_read_one, "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        port = server.socket.getsockname()[1]
        with connect(f"ws://127.0.0.1:{port}", proxy=None, ping_interval=None) as client:
            state = random.getstate()
            assert client.ping().wait(60)
            assert random.getstate() == state
            client.send("end")
        server.shutdown()
    serving.join()


def _read_one(socket: ServerConnection) -> None:
    socket.recv()
