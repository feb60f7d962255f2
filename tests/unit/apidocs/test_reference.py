"""The documents name every code, setting and key, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import app
from chalicelib.config import VARIABLES, Settings
from chalicelib.store.key_rows import ROWS
from infra import key_table
from tests.unit.http.test_errors import ERRORS
from tests.unit.store.lua_files import FILES, head_of

DOCS = Path(__file__).parents[3] / "docs"
ANY_KEY = {"key", "page"}
"""Names in scripts for a key of any kind."""


def text_of(name: str) -> str:
    """Return a document."""
    return (DOCS / name).read_text(encoding="utf-8")


def rows_of(name: str) -> list[list[str]]:
    """Return the cells of every table row of a document."""
    lines = (line for line in text_of(name).splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_error_is_in_the_table() -> None:
    """The table of errors in docs/api.md has each code with its status, and no other."""
    described = {
        (row[1].strip("`"), int(row[0])) for row in rows_of("api.md") if re.fullmatch(r"\d{3}", row[0])
    }

    assert described == {(kind.code, kind.status) for kind in ERRORS}


@pytest.mark.parametrize("path", sorted(app.routes))
def test_every_route_is_described(path: str) -> None:
    """docs/api.md names the path of every route except the documentation's own."""
    assert path in text_of("api.md") or path.startswith(("/docs", "/openapi.json", "/asyncapi.json"))


def test_every_setting_is_in_the_table() -> None:
    """docs/settings.md has a row for each variable of the application, with its default, and for no other."""
    rows = {
        row[0].strip("`"): row
        for row in rows_of("settings.md")
        if re.match(r"`(PARLEY_|REDIS_)", row[0]) and not row[1].startswith("`--")
    }

    assert rows.keys() == VARIABLES.keys()
    for variable, (field, read) in VARIABLES.items():
        default = rows[variable][1].strip("`")
        value = getattr(Settings(), field)
        assert not value if default == "not set" else read(default) == value


def test_every_key_is_in_the_table() -> None:
    """docs/redis.md has the table that keys.py makes: a row for each kind of key, and no other."""
    described = [row[0].strip("`") for row in rows_of("redis.md") if row[0].startswith("`{")]

    assert described == [row.pattern for row in ROWS.values()]
    assert len(described) == len(set(described)) > 40
    assert key_table.written(text_of("redis.md")) == text_of("redis.md"), "run `make openapi`"


def test_every_key_that_expires_is_among_those_that_eviction_can_take() -> None:
    """docs/redis.md describes the loss of each key with a lifetime, and of no other."""
    lifetimes = {row[0].strip("`"): row[2] for row in rows_of("redis.md") if row[0].startswith("`{")}
    volatile = {key for key, lifetime in lifetimes.items() if lifetime != "none"}
    table = text_of("redis.md").partition("### What eviction can take")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    described = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}

    assert {key.rpartition("}:")[2] for key in volatile} == described


def test_every_script_is_in_the_table() -> None:
    """docs/redis.md has a row for each Lua script."""
    scripts = {path.stem for path in (DOCS.parent / "chalicelib/store/lua").rglob("*.lua")}
    described = {row[0].strip("`") for row in rows_of("redis.md") if len(row) == 3}

    assert scripts <= described


def test_the_table_of_scripts_names_their_keys() -> None:
    """Where the head of a script names each of its keys, its row in docs/redis.md has these names."""
    rows = {row[0].strip("`"): row[1] for row in rows_of("redis.md") if len(row) == 3}
    compared = 0
    for path in (path for path in FILES if path.parent.name != "parts"):
        head = head_of(path.read_text(encoding="utf-8"))
        named = [head.named.get(("KEYS", index), "") for index in head.indexes["KEYS"]]
        if all(named) and "KEYS" not in head.open and not ANY_KEY & set(named):
            assert rows[path.stem] == ", ".join(named), path.stem
            compared += 1
    assert compared > 60


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_named_files_and_tests_exist(document: str) -> None:
    """Each file, folder and test that the document names by its path in the repository exists."""
    root = DOCS.parent
    text = (root / document).read_text(encoding="utf-8")
    names = re.findall(r"`([\w./]+(?:\.py|\.md|\.json|\.lua|/)(?:::\w+)?)`", text)
    assert len(names) > 30
    for name in names:
        path, _, test = name.partition("::")
        assert (root / path).exists(), name
        assert not test or f"def {test}(" in (root / path).read_text(encoding="utf-8"), name
