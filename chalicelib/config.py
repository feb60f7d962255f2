"""Settings: the only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from chalicelib.errors import ConfigError

STORE_LOGINS = ("PARLEY_REDIS_PASSWORD", "PARLEY_REDIS_SECRET", "PARLEY_REDIS_IAM")
IAM_SERVICES = ("elasticache", "elasticache-serverless", "memorydb")


class Secret(msgspec.Struct, frozen=True):
    """A text that no repr, log line or traceback shows; `value` is the text."""

    value: str

    def __repr__(self) -> str:
        return "Secret(***)"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may differ from one deployment to another.

    Every field is one environment variable, named and explained in docs/settings.md.
    """

    stage: Literal["local", "localstack", "prod"] = "prod"
    auth: Literal["open", "required"] = "required"
    open_beyond_loopback: bool = False
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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        environ: variables by name; the process's own when left out.
        Raises ConfigError, naming the variable, when a value is not one it can have, or two contradict.
        """
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for variable, (field, read) in VARIABLES.items():
            try:
                if raw := source.get(variable, "").strip():
                    values[field] = read(raw)
            except ValueError as error:
                raise ConfigError(f"{variable} is not usable: {error}") from None
        settings = cls(**values)
        for problem in (*_open_problems(settings, source), *_store_problems(settings)):
            raise ConfigError(problem)
        return settings

    def __repr__(self) -> str:
        shown = msgspec.structs.asdict(self) | {"redis_url": masked(self.redis_url)}
        return f"Settings({', '.join(f'{field}={value!r}' for field, value in shown.items())})"


def masked(url: str) -> str:
    """Return a URL without what it may hold in secret: user, password and query."""
    return re.sub(r"//.*@", "//***@", url, flags=re.DOTALL).partition("?")[0]


def _open_problems(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return why a server that trusts names may not serve here, and what to do."""
    if settings.auth == "required" or settings.open_beyond_loopback:
        return []
    lets = f"PARLEY_AUTH=open on stage {settings.stage} lets anyone speak as anyone"
    or_so = "or set PARLEY_OPEN_BEYOND_LOOPBACK=1 if that is what you want"
    if settings.stage == "prod":
        return [f"{lets}: set PARLEY_AUTH=required, {or_so}"]
    # LocalStack sets AWS_ENDPOINT_URL in its functions, AWS does not.
    if environ.get("AWS_LAMBDA_FUNCTION_NAME") and not environ.get("AWS_ENDPOINT_URL"):
        return [f"{lets}, and this is AWS: deploy stage prod, {or_so}"]
    return []


def _store_problems(settings: Settings) -> list[str]:
    """Return which settings of the store contradict each other, and what to do."""
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
        (in_url and (ways or user), "REDIS_URL and PARLEY_REDIS_ variables both hold a login: keep one"),
        (iam and not tls, "PARLEY_REDIS_IAM needs TLS: begin REDIS_URL with rediss://"),
        (settings.redis_ca and not tls, "PARLEY_REDIS_CA is for TLS: begin REDIS_URL with rediss://"),
        (settings.redis_cluster and unix, "PARLEY_REDIS_CLUSTER=1 is not for a REDIS_URL of unix://"),
        (
            (ways or in_url) and not safe,
            "REDIS_URL without TLS shows the store's password to the network: begin it with rediss://,"
            " or set PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK=1 if that is what you want",
        ),
    ]
    return [problem for found, problem in checks if found]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _matching(pattern: str, told: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if not re.fullmatch(pattern, raw):
            raise ValueError(f"it must be {told}")
        return raw

    return read


def _file(raw: str) -> str:
    if not os.path.isfile(raw):
        raise ValueError(f"there is no file {raw}")
    return raw


def _one_of(*choices: str) -> Callable[[str], str]:
    return _matching("|".join(choices), f"one of {', '.join(choices)}")


def _flag(raw: str) -> bool:
    return _one_of("0", "1", "false", "true")(raw.lower()) in ("1", "true")


def _whole(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 15):
        raise ValueError("it must be a whole number from 0, of 15 digits at the most")
    return int(raw)


def _seconds(raw: str) -> float:
    try:
        seconds = float(raw)
    except ValueError:
        seconds = -1.0
    if not 0.01 <= seconds <= 10:
        raise ValueError("it must be a number of seconds from 0.01 to 10")
    return seconds


def _redis_url(raw: str) -> str:
    if not raw.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("it must begin with redis://, rediss:// or unix://")
    try:
        _ = urlsplit(raw).port
    except ValueError:
        raise ValueError(
            "its port must be a number up to 65535, and `/`, `?` and `#` in a password percent-encoded"
        ) from None
    if any(option.startswith("ssl_") for option in parse_qs(urlsplit(raw).query, keep_blank_values=True)):
        raise ValueError("it may have no ssl_ option; PARLEY_REDIS_CA names an authority of yours")
    return raw


_name = _matching(r"[!-~]+", "ASCII letters, digits and signs, without a space")
_iam = _matching(
    f"(?:{'|'.join(IAM_SERVICES)}):[A-Za-z0-9-]+", " or ".join(f"{one}:<name>" for one in IAM_SERVICES)
)

VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "PARLEY_STAGE": ("stage", _one_of("local", "localstack", "prod")),
    "PARLEY_AUTH": ("auth", _one_of("open", "required")),
    "PARLEY_OPEN_BEYOND_LOOPBACK": ("open_beyond_loopback", _flag),
    "REDIS_URL": ("redis_url", _redis_url),
    "PARLEY_REDIS_CLUSTER": ("redis_cluster", _flag),
    "PARLEY_REDIS_TIMEOUT": ("redis_timeout", _seconds),
    "PARLEY_REDIS_USER": ("redis_user", _name),
    "PARLEY_REDIS_PASSWORD": ("redis_password", Secret),
    "PARLEY_REDIS_SECRET": ("redis_secret", _name),
    "PARLEY_REDIS_IAM": ("redis_iam", _iam),
    "PARLEY_REDIS_CA": ("redis_ca", _file),
    "PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK": ("redis_plain_beyond_loopback", _flag),
    "PARLEY_KEEP_MESSAGES": ("keep_messages", _whole),
    "PARLEY_LOG_LEVEL": ("log_level", _one_of("DEBUG", "INFO", "WARNING", "ERROR")),
}
