"""Settings: the only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from chalicelib.errors import ConfigError

T = TypeVar("T")

STAGES = ("local", "localstack", "prod")


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
    keep_messages: int = 0
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        environ: variables by name; the process's own when left out.
        Raises ConfigError, naming the variable, when a value is not one it can have.
        """
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for variable, (field, read) in VARIABLES.items():
            if raw := source.get(variable, "").strip():
                values[field] = _read(variable, raw, read)
        settings = cls(**values)
        if settings.auth == "open" and settings.stage == "prod" and not settings.open_beyond_loopback:
            raise ConfigError(
                "PARLEY_AUTH=open on stage prod lets anyone speak as anyone: set PARLEY_AUTH=required,"
                " or PARLEY_OPEN_BEYOND_LOOPBACK=1 if that is what you want"
            )
        return settings


def _read(variable: str, raw: str, read: Callable[[str], T]) -> T:
    try:
        return read(raw)
    except ValueError as error:
        raise ConfigError(f"{variable} is not usable: {error}") from None


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return raw

    return read


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
    return raw


VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "PARLEY_STAGE": ("stage", _one_of(*STAGES)),
    "PARLEY_AUTH": ("auth", _one_of("open", "required")),
    "PARLEY_OPEN_BEYOND_LOOPBACK": ("open_beyond_loopback", _flag),
    "REDIS_URL": ("redis_url", _redis_url),
    "PARLEY_REDIS_CLUSTER": ("redis_cluster", _flag),
    "PARLEY_REDIS_TIMEOUT": ("redis_timeout", _seconds),
    "PARLEY_KEEP_MESSAGES": ("keep_messages", _whole),
    "PARLEY_LOG_LEVEL": ("log_level", _one_of("DEBUG", "INFO", "WARNING", "ERROR")),
}
