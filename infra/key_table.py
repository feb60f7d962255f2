"""Writes the table of keys into docs/redis.md: `python -m infra.key_table`; `make openapi` does it too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from chalicelib.store import keys
from chalicelib.store.key_rows import ROWS, Row

DOCUMENT = Path(__file__).parent.parent / "docs" / "redis.md"
HEAD = """\
| key | type | lifetime | word elsewhere | what it holds | fields, members, elements |
| --- | --- | --- | --- | --- | --- |
"""
TABLE = re.compile(re.escape(HEAD) + r"(\|.*\n)*")


def functions() -> dict[str, Callable[..., str]]:
    """Return the functions that make keys, by their names."""
    return {name: value for name, value in vars(keys).items() if callable(value) and value in ROWS}


def as_markdown() -> str:
    """Return the table of keys as docs/redis.md has it."""
    return HEAD + "".join(_line(name, ROWS[key]) for name, key in functions().items())


def written(document: str) -> str:
    """Return a document with the table in place of the one that it has."""
    return TABLE.sub(lambda _: as_markdown(), document, count=1)


def write() -> None:
    """Write the table into docs/redis.md."""
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


def _line(name: str, row: Row) -> str:
    word = name.replace("_", " ") if f":{name}" not in row.pattern else ""
    return f"| `{row.pattern}` | {row.type} | {row.lifetime} | {word} | {row.holds} | {row.fields} |\n"


if __name__ == "__main__":
    write()
    print(f"wrote the table of keys into {DOCUMENT}")
