"""Settings: the only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from chalicelib.config import readers
from chalicelib.config.names import check_names
from chalicelib.errors import ConfigError

STORE_LOGINS = ("PARLEY_REDIS_PASSWORD", "PARLEY_REDIS_SECRET", "PARLEY_REDIS_IAM")


class Secret(msgspec.Struct, frozen=True):
    """A text that no repr, log line or traceback shows."""

    value: str

    def __repr__(self) -> str:
        return "Secret(***)"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one deployment; docs/settings.md describes the environment variable of each field."""

    stage: Literal["local", "localstack", "ministack", "prod"] = "prod"
    auth: Literal["open", "required"] = "required"
    open_hosts: tuple[str, ...] = ()
    redis_url: str = "redis://127.0.0.1:6379/0"
    redis_cluster: bool = False
    redis_timeout: float = 1.0
    redis_user: str | None = None
    redis_password: Secret | None = None
    redis_secret: str | None = None
    redis_iam: str | None = None
    redis_ca: str | None = None
    redis_plain_beyond_loopback: bool = False
    keep_messages: int = 0
    keep_days: int = 0
    max_members: int = 1000
    large_chat: int = 100
    groups_a_day: int = 200
    max_large_chats: int = 200
    argon2: str = "m=19456,t=2,p=1"
    rate_limits: dict[str, int] = msgspec.field(default_factory=readers.RATE_LIMITS.copy)
    cors_origins: tuple[str, ...] = ()
    oidc_issuer: str | None = None
    oidc_audience: tuple[str, ...] = ()
    oidc_algorithms: tuple[str, ...] = ("RS256", "ES256")
    import_private: bool = False
    work_queue: str | None = None
    word_filter: str | None = None
    word_filter_fails: Literal["closed", "open"] = "closed"
    large_author: int = 10_000
    socket_url: str | None = None
    push_url: str | None = None
    push_timeout: float = 1.0
    lease_seconds: int = 660
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        environ: Variables by name; None for those of the process.
        Raises ConfigError naming the variable: for an invalid value, for two settings that contradict each
        other, and, outside of Lambda, for an unknown variable whose name begins with PARLEY_.
        """
        source = os.environ if environ is None else environ
        check_names(source, VARIABLES)
        values: dict[str, Any] = {}
        for variable, (field, read) in VARIABLES.items():
            try:
                if raw := source.get(variable, "").strip():
                    values[field] = read(raw)
            except ValueError as error:
                raise ConfigError(f"{variable} has an invalid value: {error}") from None
        settings = cls(**values)
        for problem in (
            *_open_problems(settings, source),
            *_store_problems(settings),
            *_identity_problems(settings),
        ):
            raise ConfigError(problem)
        return settings

    def __repr__(self) -> str:
        shown = msgspec.structs.asdict(self) | {"redis_url": masked(self.redis_url)}
        return f"Settings({', '.join(f'{field}={value!r}' for field, value in shown.items())})"


def masked(url: str) -> str:
    """Return a URL without its possible secrets: user, password and query."""
    return re.sub(r"//.*@", "//***@", url, flags=re.DOTALL).partition("?")[0]


def _open_problems(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return the problem of a server that trusts names and is open to others."""
    if settings.auth == "required" or settings.open_hosts:
        return []
    lets = f"PARLEY_AUTH=open on stage {settings.stage} lets anyone act as any user"
    or_so = "or, if you want that, list the host names of the server in PARLEY_OPEN_HOSTS"
    if settings.stage == "prod":
        return [f"{lets}: set PARLEY_AUTH=required, {or_so}"]
    # LocalStack sets AWS_ENDPOINT_URL in its functions, AWS does not.
    if environ.get("AWS_LAMBDA_FUNCTION_NAME") and not environ.get("AWS_ENDPOINT_URL"):
        return [f"{lets}, and this is AWS: deploy stage prod, {or_so}"]
    return []


def _store_problems(settings: Settings) -> list[str]:
    """Return the contradictions between settings of the store."""
    url = urlsplit(settings.redis_url)
    in_url = "@" in url.netloc or not {"username", "password"}.isdisjoint(parse_qs(url.query))
    tls, unix = url.scheme == "rediss", url.scheme == "unix"
    user, iam = settings.redis_user, settings.redis_iam
    ways = [name for name in STORE_LOGINS if getattr(settings, VARIABLES[name][0])]
    safe = tls or unix or _is_loopback(url.hostname or "localhost") or settings.redis_plain_beyond_loopback
    checks: list[tuple[object, str]] = [
        (len(ways) > 1, f"{' and '.join(ways)} are two ways to log in to the store: set one"),
        (user and not ways, f"PARLEY_REDIS_USER has no password: set one of {', '.join(STORE_LOGINS)}"),
        (iam and not user, "PARLEY_REDIS_IAM has no user: set PARLEY_REDIS_USER"),
        (in_url and (ways or user), "REDIS_URL and PARLEY_REDIS_ variables both have a login: remove one"),
        (iam and not tls, "PARLEY_REDIS_IAM needs TLS: begin REDIS_URL with rediss://"),
        (settings.redis_ca and not tls, "PARLEY_REDIS_CA is for TLS: begin REDIS_URL with rediss://"),
        (settings.redis_cluster and unix, "PARLEY_REDIS_CLUSTER=1 does not work with a REDIS_URL of unix://"),
        (
            (ways or in_url) and not safe,
            "REDIS_URL without TLS sends the store's password unencrypted: begin it with rediss://,"
            " or, if you want that, set PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK=1",
        ),
    ]
    return [problem for found, problem in checks if found]


def _identity_problems(settings: Settings) -> list[str]:
    """Return the problems that make signed identities unsafe."""
    if settings.oidc_issuer is None:
        return []
    url = urlsplit(settings.oidc_issuer)
    checks = [
        (
            not settings.oidc_audience,
            "PARLEY_OIDC_ISSUER needs PARLEY_OIDC_AUDIENCE: the client ids whose tokens are for this server",
        ),
        (
            url.scheme != "https" and not _is_loopback(url.hostname or ""),
            "PARLEY_OIDC_ISSUER must begin with https://: without TLS, others can replace its keys,"
            " and log in as any user",
        ),
    ]
    return [problem for found, problem in checks if found]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "PARLEY_STAGE": ("stage", readers.one_of("local", "localstack", "ministack", "prod")),
    "PARLEY_AUTH": ("auth", readers.one_of("open", "required")),
    "PARLEY_OPEN_HOSTS": ("open_hosts", readers.hosts),
    "REDIS_URL": ("redis_url", readers.redis_url),
    "PARLEY_REDIS_CLUSTER": ("redis_cluster", readers.flag),
    "PARLEY_REDIS_TIMEOUT": ("redis_timeout", readers.seconds),
    "PARLEY_REDIS_USER": ("redis_user", readers.name),
    "PARLEY_REDIS_PASSWORD": ("redis_password", Secret),
    "PARLEY_REDIS_SECRET": ("redis_secret", readers.name),
    "PARLEY_REDIS_IAM": ("redis_iam", readers.iam),
    "PARLEY_REDIS_CA": ("redis_ca", readers.file),
    "PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK": ("redis_plain_beyond_loopback", readers.flag),
    "PARLEY_KEEP_MESSAGES": ("keep_messages", readers.whole),
    "PARLEY_KEEP_DAYS": ("keep_days", readers.days),
    "PARLEY_MAX_MEMBERS": ("max_members", readers.members),
    "PARLEY_LARGE_CHAT": ("large_chat", readers.members),
    "PARLEY_GROUPS_A_DAY": ("groups_a_day", readers.whole),
    "PARLEY_MAX_LARGE_CHATS": ("max_large_chats", readers.whole),
    "PARLEY_LOG_LEVEL": ("log_level", readers.one_of("DEBUG", "INFO", "WARNING", "ERROR")),
    "PARLEY_ARGON2": ("argon2", readers.argon2),
    "PARLEY_RATE_LIMITS": ("rate_limits", readers.rate_limits),
    "PARLEY_CORS_ORIGINS": ("cors_origins", readers.origins),
    "PARLEY_OIDC_ISSUER": ("oidc_issuer", readers.https),
    "PARLEY_OIDC_AUDIENCE": ("oidc_audience", readers.words),
    "PARLEY_OIDC_ALGORITHMS": ("oidc_algorithms", readers.algorithms),
    "PARLEY_IMPORT_PRIVATE": ("import_private", readers.flag),
    "PARLEY_WORK_QUEUE": ("work_queue", readers.https),
    "PARLEY_WORD_FILTER": ("word_filter", readers.function_or_url),
    "PARLEY_WORD_FILTER_FAILS": ("word_filter_fails", readers.one_of("closed", "open")),
    "PARLEY_LARGE_AUTHOR": ("large_author", readers.positive),
    "PARLEY_SOCKET_URL": ("socket_url", readers.sockets),
    "PARLEY_PUSH_URL": ("push_url", readers.https),
    "PARLEY_PUSH_TIMEOUT": ("push_timeout", readers.seconds),
    "PARLEY_LEASE_SECONDS": ("lease_seconds", readers.lease),
}
