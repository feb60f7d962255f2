"""Starts the store, the event sources and the server, prints their addresses, and stops them."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import redis

from chalicelib.config import STORE_LOGINS, Settings, masked
from chalicelib.errors import ConfigError, StoreUnavailable
from chalicelib.store.redis import client
from chalicelib.store.redis.durability import weaknesses
from infra.local import options, server
from infra.local.descriptors import allow_open_files
from infra.local.event_sources.process import event_sources
from infra.local.hosts import is_loopback_address
from infra.local.ports import ANY_ADDRESS, claimed_port
from infra.local.run_folder import detour, run_folder
from infra.local.shutdown import Shutdown, StartError, say, warn
from infra.local.sockets.shared import KEYS, SocketSettings, meeting
from infra.local.store.valkey import embedded

MEDIA = "media"


def main(shutdown: Shutdown) -> int:
    """Serve until the shutdown is requested, and return the exit status."""
    chosen = options.parse(sys.argv[1:], os.environ)
    os.environ["LOG"], os.environ[options.DISPATCH] = chosen.log, chosen.dispatch
    if chosen.end_with_parent:
        shutdown.end_with_parent()
    try:
        _run(chosen, shutdown)
    except (ConfigError, StartError) as error:
        if not shutdown.requested:
            warn(str(error))
            return 1
    finally:
        shutdown.end()
    return 1 if shutdown.failed else 0


def _run(chosen: options.Options, shutdown: Shutdown) -> None:
    allow_open_files()
    stage = _stage()
    settings = _settings(chosen.host)
    with (
        claimed_port(chosen.host, chosen.port) as port,
        _sockets(chosen, settings, port.number) as socket_url,
        _store(chosen, settings, stage, shutdown) as store,
        event_sources(chosen.sweep_seconds, chosen.data.expanduser().absolute() / MEDIA, shutdown),
    ):
        urls = Urls(f"http://{_called(chosen.host, settings)}:{port.number}", socket_url)
        welcome = functools.partial(_welcome, urls, store, settings, chosen.data)
        server.serve(port, chosen.workers, shutdown, lambda: say(welcome()))


class Urls(NamedTuple):
    """The URLs of the server for HTTP and for WebSockets."""

    http: str
    sockets: str


@contextlib.contextmanager
def _sockets(chosen: options.Options, settings: Settings, port: int) -> Iterator[str]:
    """Make the workers serve WebSocket connections; yield the URL for clients."""
    given = os.environ.get("PARLEY_SOCKET_URL", "").strip()
    host = _in_url(ANY_ADDRESS.get(chosen.host, chosen.host))
    url = os.environ["PARLEY_SOCKET_URL"] = given or f"ws://{_called(chosen.host, settings)}:{port}"
    if not os.environ.get("PARLEY_PUSH_URL", "").strip():
        os.environ["PARLEY_PUSH_URL"] = f"http://{host}:{port}"
    if chosen.push_by_wire and not all(os.environ.get(name, "").strip() for name in KEYS):
        os.environ |= {name: secrets.token_hex(20) for name in KEYS}
    shared = SocketSettings(
        port=port,
        limits=chosen.limits,
        addresses=chosen.addresses,
        shuffle=chosen.shuffle_frames,
        by_wire=chosen.push_by_wire,
    )
    with run_folder(chosen.data) as folder, meeting(folder, shared):
        yield url


def _called(listening: str, settings: Settings) -> str:
    """Return the host in URLs of a server that listens on an address: one that it responds to."""
    host = ANY_ADDRESS.get(listening, listening)
    if settings.auth == "open" and host not in settings.open_hosts and not is_loopback_address(host):
        host = settings.open_hosts[0]
    return _in_url(host)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stage() -> str:
    """Return the stage of PARLEY_STAGE, by default `local`; raises ConfigError."""
    named = os.environ.get("PARLEY_STAGE", "").strip() or "local"
    return Settings.from_env({"PARLEY_STAGE": named, "PARLEY_AUTH": "required"}).stage


def _settings(host: str) -> Settings:
    os.environ["PARLEY_STAGE"] = "local"  # the given stage only matters to _check_store
    if not os.environ.get("PARLEY_AUTH", "").strip():
        os.environ["PARLEY_AUTH"] = "open"
    settings = Settings.from_env()
    if settings.auth == "open" and not settings.open_hosts and not is_loopback_address(host):
        raise StartError(
            f"Address {host} can be reached from other machines, and PARLEY_AUTH=open trusts any name"
            " that a caller gives. Set PARLEY_AUTH=required, or, if you want that, list the host names of the"
            " server in PARLEY_OPEN_HOSTS."
        )
    return settings


@contextlib.contextmanager
def _store(chosen: options.Options, settings: Settings, stage: str, shutdown: Shutdown) -> Iterator[str]:
    url = os.environ.get("REDIS_URL", "").strip()
    if url:
        if chosen.durability == options.ALWAYS:
            raise StartError(
                "PARLEY_DURABILITY=always is for the embedded Valkey. Leave it out and set appendfsync always"
                f" in the server at REDIS_URL {masked(url)}."
            )
        _ping(settings)
        _check_store(settings, stage)
        yield f"in the store at {masked(url)}"
        return
    if settings.redis_cluster:
        raise StartError("PARLEY_REDIS_CLUSTER=1 needs a REDIS_URL; the embedded Valkey is one server.")
    if login := [name for name in STORE_LOGINS if os.environ.get(name, "").strip()]:
        raise StartError(f"{login[0]} needs a REDIS_URL; the embedded Valkey takes no login.")
    with embedded(chosen.data, shutdown, durability=chosen.durability) as held:
        os.environ["REDIS_URL"] = held.url
        yield f"in {held.path}"


def _check_store(settings: Settings, stage: str) -> None:
    """Print in one line how the store may lose data; refuse on stage prod a store that may lose messages.

    stage: Of PARLEY_STAGE at the start. Raises StartError.
    """
    found = weaknesses(settings)
    if not found:
        return
    problem = f"The store at REDIS_URL {masked(settings.redis_url)}: {'; '.join(one.text for one in found)}."
    if stage == "prod" and any(one.loses_messages for one in found):
        raise StartError(f"{problem} Stage prod does not start on such a store.")
    warn(problem)


def _ping(settings: Settings) -> None:
    shown = masked(settings.redis_url)
    try:
        client.connect(settings).ping()
    except (TypeError, ValueError):
        raise StartError(f"REDIS_URL {shown} is not a valid URL.") from None
    except StoreUnavailable as error:
        raise StartError(f"The store at REDIS_URL {shown} does not answer: {error.__cause__}") from None
    except redis.RedisError as error:
        raise StartError(f"The store at REDIS_URL {shown} refuses the connection: {error}") from None


def _welcome(urls: Urls, store: str, settings: Settings, data: Path) -> str:
    url = urls.http
    lines = [f"Parley is ready on {url}", ""]
    if settings.auth == "open":
        lines += [
            "Send a message and read it, from another terminal:",
            f"  curl -i {url}/api/send -H 'Content-Type: application/json' \\",
            """    -d '{"chat":"alice:bob","sender":"alice","text":"hello"}'""",
            f"  curl '{url}/api/pull?chat=alice:bob'",
        ]
    else:
        lines += [
            "This server needs a bearer token. Create an account; the answer has its token:",
            f"  curl -i {url}/v1/register -H 'Content-Type: application/json' \\",
            """    -d '{"handle":"alice","password":"correct horse battery staple"}'""",
        ]
    lines += ["", f"WebSockets are on {urls.sockets}. Chat there, from two more terminals:"]
    lines += [f"  make chat USER=alice URL={url}", f"  make chat USER=bob TO=alice URL={url}"]
    return "\n".join([*lines, "", *detour(data), f"Messages are kept {store}. Ctrl-C stops the server.", ""])
