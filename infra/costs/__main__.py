"""Calculate the costs of a deployment: `python -m infra.costs --help`."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.costs.details import assumptions_text, connection_text, resources_text
from infra.costs.examples import refreshed
from infra.costs.report import document, text
from infra.costs.stack import parameters
from infra.costs.tables import number
from infra.costs.usage import CHOICES, NUMBERS, WHOLE_NUMBERS, Usage
from infra.costs.values import refusal


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the costs of the usage that the command line describes."""
    given = _parser().parse_args(arguments)
    if given.refresh:
        _refresh(given.refresh)
    elif given.json:
        print(json.dumps(document(_usage(given)), indent=2))
    else:
        print(SHOWN[given.show](_usage(given)))


def _refresh(file: Path) -> None:
    try:
        file.write_text(refreshed(file.read_text(encoding="utf-8"), printed), encoding="utf-8")
    except (OSError, ValueError) as error:
        sys.exit(f"costs: {file} cannot be updated: {error}")


def printed(arguments: Sequence[str]) -> str:
    """Return the tables that some arguments print."""
    given = _parser().parse_args(arguments)
    return SHOWN[given.show](_usage(given))


def _usage(given: argparse.Namespace) -> Usage:
    named = {name: getattr(given, name) for name in (*NUMBERS, *WHOLE_NUMBERS, *CHOICES)}
    return Usage(**named, parameters=tuple(given.parameters))


def _number(least: float) -> Callable[[str], float]:
    def read(raw: str) -> float:
        try:
            value = float(raw.replace("_", ""))
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            raise argparse.ArgumentTypeError(f"{raw} is not a number of at least {least:g}")
        return value

    return read


def _whole(least: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        if not (raw.isascii() and raw.isdigit() and int(raw) >= least):
            raise argparse.ArgumentTypeError(f"{raw} is not a whole number of at least {least}")
        return int(raw)

    return read


def _parameter(raw: str) -> tuple[str, str]:
    name, equals, value = raw.partition("=")
    if not equals or name not in parameters():
        raise argparse.ArgumentTypeError(f"{raw} is not NAME=VALUE of a parameter of the stack (docs/aws.md)")
    if problem := refusal(name, value):
        raise argparse.ArgumentTypeError(f"{raw}: {problem}")
    return name, value


def _file(raw: str) -> Path:
    if not (file := Path(raw)).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {raw}")
    return file


SHOWN: dict[str, Callable[[Usage], str]] = {
    "all": text,
    "connection": connection_text,
    "resources": resources_text,
    "assumptions": assumptions_text,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.costs", description="Calculate the costs of Parley on AWS.", allow_abbrev=False
    )
    defaults = Usage()
    readers = {name: (_number(least), unit, what) for name, (least, unit, what) in NUMBERS.items()}
    wholes = {name: (_whole(least), unit, what) for name, (least, unit, what) in WHOLE_NUMBERS.items()}
    for name, (read, unit, what) in {**readers, **wholes}.items():
        default = getattr(defaults, name)
        shown = f"{what} (default: {number(default)})"
        parser.add_argument(_flag(name), type=read, metavar=unit, default=default, help=shown)
    for name, (choices, what) in CHOICES.items():
        default = getattr(defaults, name)
        parser.add_argument(
            _flag(name), choices=choices, default=default, help=f"{what} (default: {default})"
        )
    parser.add_argument(
        "--parameter",
        type=_parameter,
        metavar="NAME=VALUE",
        action="append",
        dest="parameters",
        default=[],
        help="a stack parameter with another value than its default; may be repeated",
    )
    parser.add_argument("--show", choices=SHOWN, default="all", help="what to print (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON, with the prices and their sources")
    parser.add_argument(
        "--refresh",
        type=_file,
        metavar="FILE",
        help="update the examples in a document, and print nothing",
    )
    return parser


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


if __name__ == "__main__":
    main()
