"""The command line of the terminal chat."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

URL = "http://127.0.0.1:8080"


class Options(Struct, frozen=True):
    """Who chats, where, and with whom at first. password, token: None: asked for if the server wants one."""

    user: str
    url: str
    to: str | None = None
    room: str | None = None
    password: str | None = None
    token: str | None = None


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Options:
    """Read the arguments; exits with one line on a wrong one. Secrets come in variables, not in a listing."""
    parser = argparse.ArgumentParser(
        prog="parley-chat",
        allow_abbrev=False,
        description="Chat on a Parley server.",
        epilog="A password or token may be given in PARLEY_PASSWORD or PARLEY_TOKEN; else the password is "
        "asked for where the server wants one.",
    )
    parser.add_argument("--user", required=True, help="your name")
    parser.add_argument("--url", type=_url, default=URL, help="the server (%(default)s)")
    with_whom = parser.add_mutually_exclusive_group()
    with_whom.add_argument("--to", help="whom to write to")
    with_whom.add_argument("--room", help="a room to join; made if there is none")
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
