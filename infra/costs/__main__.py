"""Reckon what a deployment costs: `python -m infra.costs --help`."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from infra.costs.examples import refreshed
from infra.costs.model import Usage
from infra.costs.report import document, text


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the costs of the usage that the command line describes."""
    given = vars(_parser().parse_args(arguments))
    as_json, file = given.pop("json"), given.pop("refresh")
    usage = Usage(**given)
    if file:
        _refresh(file)
    else:
        print(json.dumps(document(usage), indent=2) if as_json else text(usage))


def _refresh(file: Path) -> None:
    try:
        file.write_text(refreshed(file.read_text(encoding="utf-8"), printed), encoding="utf-8")
    except (OSError, ValueError) as error:
        sys.exit(f"costs: {file} cannot be refreshed: {error}")


def printed(arguments: Sequence[str]) -> str:
    """Return the tables that some arguments print."""
    given = vars(_parser().parse_args(arguments))
    return text(Usage(**{name: given[name] for name in (*OPTIONS, *CHOICES)}))


def _number(least: float) -> Callable[[str], float]:
    def read(raw: str) -> float:
        try:
            value = float(raw.replace("_", ""))
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            raise argparse.ArgumentTypeError(f"{raw} is not a number from {least:g} on")
        return value

    return read


def _whole(least: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        if not (raw.isascii() and raw.isdigit() and int(raw) >= least):
            raise argparse.ArgumentTypeError(f"{raw} is not a whole number from {least} on")
        return int(raw)

    return read


def _file(raw: str) -> Path:
    if not (file := Path(raw)).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {raw}")
    return file


OPTIONS: dict[str, tuple[Callable[[str], float], str, str]] = {
    "messages": (_number(0), "N", "messages sent in a month"),
    "members": (_whole(1), "N", "members of a chat, the sender too"),
    "devices": (_number(1), "N", "connected devices of a member"),
    "text_bytes": (_number(0), "BYTES", "size of a message's text, in the mean"),
    "kept": (_number(0), "N", "messages in the store"),
    "connections": (_number(0), "N", "sockets that are always open"),
    "lambda_ms": (_number(0), "MS", "billed milliseconds of a send, before its pushes"),
    "memory_mb": (_number(128), "MB", "memory of the function"),
    "log_bytes": (_number(0), "BYTES", "log lines of a send, Lambda's own too"),
    "shards": (_whole(1), "N", "shards of the durable store"),
    "replicas": (_whole(0), "N", "replicas of each shard of the durable store"),
    "node_hour": (_number(0), "DOLLARS", "price of an hour of a node of the durable store"),
}
CHOICES = {
    "via": (("socket", "http"), "how messages are sent"),
    "store": (("serverless", "durable"), "ElastiCache Serverless, or MemoryDB"),
    "egress": (("ipv6", "nat", "none"), "the functions' way out of the VPC"),
    "auth": (("iam", "password"), "how functions sign in to the store"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.costs", description="Reckon what Parley costs on AWS.", allow_abbrev=False
    )
    defaults = {field.name: field.default for field in fields(Usage)}
    for name, (read, unit, what) in OPTIONS.items():
        shown = f"{what} (default: {defaults[name]:,})"
        parser.add_argument(_flag(name), type=read, metavar=unit, default=defaults[name], help=shown)
    for name, (choices, what) in CHOICES.items():
        shown = f"{what} (default: {defaults[name]})"
        parser.add_argument(_flag(name), choices=choices, default=defaults[name], help=shown)
    parser.add_argument("--json", action="store_true", help="print JSON, with the prices and their sources")
    parser.add_argument(
        "--refresh",
        type=_file,
        metavar="FILE",
        help="write the examples in a document anew, and print nothing",
    )
    return parser


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


if __name__ == "__main__":
    main()
