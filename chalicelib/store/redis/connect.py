"""Connections to the store: their options, their pool, and the reasons for a refusal."""

from __future__ import annotations

import functools
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionInterface, ConnectionPool, SSLConnection
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from chalicelib.config import Settings
from chalicelib.idle import LastUse
from chalicelib.store.redis.credentials import CredentialsUnavailable, StoreLogin

NO_LOGIN_ADVICE = "REDIS_URL, or set PARLEY_REDIS_USER and PARLEY_REDIS_PASSWORD"
# Replies of Redis 7.0 and Valkey, and of later Redis, to a script with a command that the user may not call.
NOT_IN_SCRIPT = re.compile("^The user executing the script can't|^ACL failure in script")
CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


class TlsConnection(SSLConnection):
    """A TLS connection that shares its context with the others.

    redis-py makes a context for each connection, and reads the system's authorities into it: 17 ms. The
    server's certificate must be valid, and name the host of REDIS_URL or of the cluster's node.
    """

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
        return _context(self.ca_certs).wrap_socket(sock, server_hostname=self.host)


@functools.cache
def _context(authorities: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities)


class Pool(ConnectionPool):
    """redis-py's pool with TlsConnection; it opens connections again that were unused for long.

    The cluster client of redis-py 8.1 ignores `health_check_interval`, which would also cost a round trip for
    each check, and a time-out if nobody answers.
    """

    def __init__(self, connection_class: type[ConnectionInterface] = Connection, **options: Any) -> None:
        ours = TlsConnection if connection_class is SSLConnection else connection_class
        self._used: WeakKeyDictionary[ConnectionInterface, LastUse] = WeakKeyDictionary()
        super().__init__(connection_class=ours, **options)

    def get_connection(self, *_: Any, **__: Any) -> Connection:
        """Return an open connection; one that was unused for long is opened again."""
        with self._lock:
            for connection in self._available_connections:
                if connection in self._used and self._used[connection].is_long_ago():
                    connection.disconnect()
        return super().get_connection()

    def release(self, connection: Any) -> None:
        """Take a connection back, and record the time."""
        self._used[connection] = LastUse()
        super().release(connection)


def options_of(settings: Settings, login: StoreLogin | None, timeout: float) -> dict[str, Any]:
    """Return redis-py's options of a connection; timeout: Seconds to connect, and for a reply."""
    options = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "client_name": "parley",
    }
    if login is not None:
        options["credential_provider"] = login
    if settings.redis_ca is not None:
        options["ssl_ca_certs"] = settings.redis_ca
    return options


def drop_if_closed(connection: ConnectionInterface) -> None:
    """Close a connection whose other end is closed; the next command opens a new one."""
    try:
        closed = connection.is_connected and connection.can_read(0)
    except redis.ConnectionError:
        closed = True
    if closed:
        connection.disconnect()


class AccessRefused(Exception):
    """The store answers, and refuses the login or the command; the text says what to do.

    login_refused: Whether another password could help. passing: Whether other calls may succeed.
    may_have_run: Whether the command was sent before and its reply lost.
    """

    def __init__(self, text: str, *, login_refused: bool = False, passing: bool = False) -> None:
        super().__init__(text)
        self.login_refused = login_refused
        self.passing = passing
        self.may_have_run = False


def refusal_of(error: Exception, login: StoreLogin | None) -> AccessRefused | None:
    """Return the refusal behind an error of redis-py, with advice; None: the error has another cause."""
    reasons = list(_reasons(error))
    refusal = next(filter(None, (_refusal(reason, login) for reason in reasons)), None)
    if refusal is not None:
        refusal.__cause__ = error
        # redis-py raises a refused login as it is before a command, and as a cluster's error after it.
        refusal.may_have_run = not isinstance(error, redis.AuthenticationError) and any(
            map(_is_lost_answer, reasons)
        )
    return refusal


def _is_lost_answer(reason: BaseException) -> bool:
    kinds = (redis.ConnectionError, redis.TimeoutError)
    return isinstance(reason, kinds) and not isinstance(reason, redis.AuthenticationError)


def _refusal(reason: BaseException, login: StoreLogin | None) -> AccessRefused | None:
    match reason:
        case CredentialsUnavailable():
            return AccessRefused(str(reason))
        case redis.AuthenticationError():
            advice = NO_LOGIN_ADVICE if login is None else login.advice
            return AccessRefused(
                f"the store refuses the login ({reason}): check {advice}", login_refused=True
            )
        case redis.ResponseError() if isinstance(reason, NoPermissionError) or NOT_IN_SCRIPT.search(
            str(reason)
        ):
            return AccessRefused(
                f"the store's user lacks a permission ({reason}): give it the rules of docs/redis.md",
                passing=True,
            )
        case ssl.SSLCertVerificationError():
            return AccessRefused(
                f"the store's certificate is refused ({reason.verify_message}): REDIS_URL must name the host"
                " that it is for, and PARLEY_REDIS_CA the authority that signed it, if the system does not"
            )
        case ssl.SSLError() if not isinstance(reason, CUT):
            return AccessRefused(
                f"TLS with the store fails ({reason.reason}): check that REDIS_URL names a port with TLS, and"
                " that PARLEY_REDIS_CA, if set, is a PEM file"
            )
    return None


def _reasons(error: BaseException) -> Iterator[BaseException]:
    reason: BaseException | None = error
    while reason is not None:
        yield reason
        reason = reason.__cause__ or reason.__context__
