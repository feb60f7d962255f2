"""Lua scripts and the commands that run without one of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib import store
from chalicelib.store.client import Query
from chalicelib.store.scripts import CALL, CALL_ALWAYS, TAKES_NO_MEMORY, Script

ROOT = Path(store.__file__).parent
GROW = {"RPUSH", "SADD", "SET", "ZADD"}
"""Plain commands in use that a full store must refuse."""


def test_every_plain_command_is_known() -> None:
    """A plain command is one that takes no memory, or one that is known to take some."""
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("*.py")]
    used = {command for text in sources for command in re.findall(r'Query\(\s*"([A-Z]+)"', text)}

    assert used - TAKES_NO_MEMORY <= GROW
    assert not TAKES_NO_MEMORY & GROW


@pytest.mark.parametrize(("command", "script"), [("GET", CALL_ALWAYS), ("ZREM", CALL_ALWAYS), ("ZADD", CALL)])
def test_a_plain_command(command: str, script: Script) -> None:
    """A plain command goes through a script, its name first among the arguments."""
    query: Query[object] = Query(command, ("{c000}:a",), (1, b"x"))

    assert query.by_name == ("EVALSHA", script.sha, 1, "{c000}:a", command, 1, b"x")
    assert query.in_full == ("EVAL", script.source, 1, "{c000}:a", command, 1, b"x")


def test_parts_stand_after_the_first_line() -> None:
    """A script with parts is one text: its flags, the parts, itself."""
    source = Script("admit", "gcra").source

    assert source.startswith("#!lua flags=allow-oom\n-- A part of other scripts.")
    assert source.index("local function pass(") < source.index("-- Judges a caller")
    assert Script("admit", "gcra").sha != Script("admit").sha


@pytest.mark.parametrize("path", sorted((ROOT / "lua").glob("*.lua")), ids=lambda path: path.stem)
def test_every_script_says_what_it_is(path: Path) -> None:
    """A script begins with its flags and one sentence, then names its keys and its reply; a part says so."""
    first, second, *rest = path.read_text(encoding="utf-8").splitlines()
    if not first.startswith("#!"):
        assert first.startswith("-- A part of other scripts.")
        return
    assert re.fullmatch(r"#!lua( flags=(no-writes|allow-oom))?", first)
    assert re.fullmatch(r"-- [A-Z].*[.;].*|-- [A-Z][^.]*", second)
    assert any(line.startswith("-- KEYS[1") for line in rest)
    assert any(line.startswith("-- reply ") for line in rest)
