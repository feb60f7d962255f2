"""The command line of the terminal chat."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

URL = "http://127.0.0.1:8080"


class Options(Struct, frozen=True):
    """The options of the command; without password and token the user is asked if the server requires one."""

    user: str
    url: str
    to: str | None = None
    room: str | None = None
    password: str | None = None
    token: str | None = None


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Options:
    """Read the arguments; exits with one line for a wrong one. Secrets are variables, which ps hides."""
    parser = argparse.ArgumentParser(
        prog="parley-chat",
        allow_abbrev=False,
        description="Chat on a Parley server.",
        epilog="Set PARLEY_PASSWORD or PARLEY_TOKEN, or the command asks for the password "
        "if the server requires one.",
    )
    parser.add_argument("--user", required=True, help="your name")
    parser.add_argument("--url", type=_url, default=URL, help="the server (%(default)s)")
    with_whom = parser.add_mutually_exclusive_group()
    with_whom.add_argument("--to", help="the user to write to")
    with_whom.add_argument("--room", help="a room to join; it is created if it does not exist")
    return Options(
        **vars(parser.parse_args(arguments)),
        password=environ.get("PARLEY_PASSWORD") or None,
        token=environ.get("PARLEY_TOKEN") or None,
    )


def _url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{raw!r} is not the URL of a server, such as {URL}")
    return raw.rstrip("/")
