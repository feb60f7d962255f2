"""The laptop server."""

from __future__ import annotations

import contextlib
import re
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.servers.process import ServerProcess
from tests.servers.slow_sync import SlowSync

READY = re.compile(r"^Parley is ready on (\S+)$", re.MULTILINE)
PATIENCE = {"PARLEY_REDIS_TIMEOUT": "10", "PARLEY_PUSH_TIMEOUT": "10"}
"""Time-outs for a busy machine, on which the store may be slow without a failure."""


class Gateway(ServerProcess):
    """One running `python -m infra.local` on a free port.

    env, hangup, slow_sync: see ServerProcess; it is patient unless env says otherwise. args: its options.
    folder: where its output and, unless args say otherwise, its data are; data: that folder. parent: a module
    that starts it, such as tests.servers.parent; None: this process does.
    """

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str],
        args: Sequence[str],
        hangup: signal.Handlers = signal.SIG_DFL,
        parent: str | None = None,
        slow_sync: SlowSync | None = None,
    ) -> None:
        self.data = folder / "data"
        arguments = ["infra.local", "--port", "0", "--data", str(self.data), *args]
        if parent is not None:
            arguments.insert(0, parent)
        super().__init__(folder, arguments, {**PATIENCE, **env}, READY, hangup, slow_sync)


@contextlib.contextmanager
def running_gateway(
    env: Mapping[str, str] | None = None, args: Sequence[str] = (), slow_sync: SlowSync | None = None
) -> Iterator[Gateway]:
    """Run a server on a free port with a new data folder; see Gateway."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        server = Gateway(Path(folder), env or {}, args, slow_sync=slow_sync)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def gateway(env: Mapping[str, str] | None = None, args: Sequence[str] = ()) -> Iterator[str]:
    """Run a server and yield its base URL."""
    with running_gateway(env, args) as server:
        yield server.url
