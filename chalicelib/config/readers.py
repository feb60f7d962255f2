"""Read a setting from a variable's text; each reader raises ValueError with the rule for the value."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

IAM_SERVICES = ("elasticache", "elasticache-serverless", "memorydb")
RATE_LIMITS = {"read": 1200, "write": 600, "search": 120, "auth": 20, "frame": 1200, "signal": 256}
"""Maximum a minute: requests by class of route, frames of a connection, KiB of signals to a user; 0: none."""
SIGNING_ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""Algorithms that sign with a private key. With a shared key (HS256), everybody who checks can sign."""

MAX_MEMBERS = 10_000
"""Maximum number of members of a chat: a script that reads or changes all of them takes milliseconds."""
MAX_DAYS = 36_500
LEASES = range(2, 86_401)
"""Possible durations of a lease, in seconds."""
MAX_ARGON2_KIB, MAX_ARGON2_TIME, MAX_ARGON2_LANES = 1024 * 1024, 20, 16


def matching(pattern: str, rule: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if not re.fullmatch(pattern, raw):
            raise ValueError(f"it must be {rule}")
        return raw

    return read


def file(raw: str) -> str:
    if not os.path.isfile(raw):
        raise ValueError(f"there is no file {raw}")
    return raw


def one_of(*choices: str) -> Callable[[str], str]:
    return matching("|".join(choices), f"one of {', '.join(choices)}")


def flag(raw: str) -> bool:
    return one_of("0", "1", "false", "true")(raw.lower()) in ("1", "true")


def whole(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 15):
        raise ValueError("it must be a whole number from 0, of at most 15 digits")
    return int(raw)


def members(raw: str) -> int:
    number = whole(raw)
    if not 1 <= number <= MAX_MEMBERS:
        raise ValueError(f"it must be from 1 to {MAX_MEMBERS}")
    return number


def days(raw: str) -> int:
    number = whole(raw)
    if number > MAX_DAYS:
        raise ValueError(f"it must be from 0 to {MAX_DAYS} days")
    return number


def lease(raw: str) -> int:
    number = whole(raw)
    if number not in LEASES:
        raise ValueError(f"it must be from {LEASES[0]} to {LEASES[-1]} seconds")
    return number


def seconds(raw: str) -> float:
    try:
        seconds = float(raw)
    except ValueError:
        seconds = -1.0
    if not 0.01 <= seconds <= 10:
        raise ValueError("it must be a number of seconds from 0.01 to 10")
    return seconds


def redis_url(raw: str) -> str:
    if not raw.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("it must begin with redis://, rediss:// or unix://")
    try:
        _ = urlsplit(raw).port
    except ValueError:
        raise ValueError(
            "its port must be a number up to 65535, and `/`, `?` and `#` in a password must be"
            " percent-encoded"
        ) from None
    if any(option.startswith("ssl_") for option in parse_qs(urlsplit(raw).query, keep_blank_values=True)):
        raise ValueError(
            "it must not have an ssl_ option; set PARLEY_REDIS_CA to trust an authority of your own"
        )
    return raw


name = matching(r"[!-~]+", "ASCII letters, digits and signs, without a space")
iam = matching(
    f"(?:{'|'.join(IAM_SERVICES)}):[A-Za-z0-9-]+", " or ".join(f"{one}:<name>" for one in IAM_SERVICES)
)

https = matching(r"https?://[^\s?#@]+", "a URL that begins with https:// and has no query")
function_or_url = matching(
    r"https?://[^\s#@]+|(?:arn:[a-z0-9-]+:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9_$-]{1,128})?",
    "the name or ARN of a Lambda function, or a URL that begins with https:// or http://",
)
sockets = matching(r"wss?://[^\s?#@]+", "a URL that begins with wss:// or ws:// and has no query")


def words(raw: str) -> tuple[str, ...]:
    """Return the words between commas."""
    return tuple(word for word in map(str.strip, raw.split(",")) if word)


def origins(raw: str) -> tuple[str, ...]:
    """Return web origins: scheme, host and port each, or `*`."""
    read = tuple(word.rstrip("/").lower() for word in words(raw))
    for origin in read:
        if origin != "*" and not re.fullmatch(r"https?://[^/\s@?#*]+", origin):
            raise ValueError(f"{origin!r} is not an origin such as https://chat.example.com")
    return read


def hosts(raw: str) -> tuple[str, ...]:
    """Return host names and addresses, in lower case and without brackets."""
    read = tuple(word.lower() for word in words(raw))
    for host in read:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", host):
            raise ValueError(f"{host!r} is not the name of a host, such as chat.example.lan, without a port")
    return tuple(host.strip("[]") for host in read)


def algorithms(raw: str) -> tuple[str, ...]:
    """Return the signature algorithms that a signed identity may have."""
    chosen = words(raw)
    if not chosen or not set(chosen) <= set(SIGNING_ALGORITHMS):
        raise ValueError(f"it must name some of {', '.join(SIGNING_ALGORITHMS)}")
    return chosen


def rate_limits(raw: str) -> dict[str, int]:
    """Return requests a minute by class of route; the others keep their defaults."""
    limits = dict(RATE_LIMITS)
    for word in words(raw):
        kind, _, number = word.partition("=")
        if kind not in RATE_LIMITS or not re.fullmatch(r"\d{1,7}", number, re.ASCII):
            raise ValueError(f"{word!r} is not class=number a minute; classes: {', '.join(RATE_LIMITS)}")
        limits[kind] = int(number)
    return limits


def argon2(raw: str) -> str:
    """Return the cost of argon2id as a hash states it: memory in KiB, passes, lanes."""
    match = re.fullmatch(r"m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})", raw, re.ASCII)
    if not match:
        raise ValueError("it must look like m=19456,t=2,p=1: memory in KiB, passes, lanes")
    memory, passes, lanes = map(int, match.groups())
    bounds = 1 <= passes <= MAX_ARGON2_TIME and 1 <= lanes <= MAX_ARGON2_LANES
    if not (bounds and 8 * lanes <= memory <= MAX_ARGON2_KIB):
        raise ValueError("it must be 8 KiB a lane to 1 GiB of memory, 1-20 passes and 1-16 lanes")
    return raw


def positive(raw: str) -> int:
    """Return a whole number from 1."""
    if not (number := whole(raw)):
        raise ValueError("it must be 1 or more")
    return number
