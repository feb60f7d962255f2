"""Lua scripts and the commands that run without one of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import (
    CALL,
    CALL_READING,
    CALL_REMOVING,
    READING,
    REMOVING,
    REQUIRES,
    Script,
)
from tests.servers.serverless_limits import IN_SCRIPTS
from tests.unit.store.lua_files import FILES, ROOT, code, name_of, names, scripts, text_of

GROW = {"RPUSH", "SADD", "SET", "ZADD"}
"""Plain commands in use that a full store must refuse."""
READS = {
    "EXISTS",
    "GET",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HLEN",
    "HMGET",
    "LINDEX",
    "LLEN",
    "TIME",
    "TTL",
    "ZSCORE",
}
OPTIONS = {"CH", "EX", "GT", "KEEPTTL", "LIMIT", "LT", "NX", "WITHSCORES", "WITHVALUES", "XX"}
"""Capitalised words in the scripts that are not commands."""


def test_every_plain_command_is_known() -> None:
    """A plain command reads, removes, or is known to take memory."""
    sources = [path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")]
    used = {command for text in sources for command in re.findall(r'Query\(\s*"([A-Z]+)"', text)}

    assert used - READING - REMOVING <= GROW
    assert not (READING | REMOVING) & GROW
    assert not READING & REMOVING


def words(source: str) -> set[str]:
    """Return the capitalised words of a script: command names and options."""
    return set(re.findall(r"'([A-Z]+)'", source))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_script_runs_what_a_serverless_store_has(path: Path) -> None:
    """ElastiCache Serverless has every command of a script, and every plain one."""
    assert words(path.read_text(encoding="utf-8")) <= IN_SCRIPTS | OPTIONS
    assert READING | REMOVING | GROW <= IN_SCRIPTS


@pytest.mark.parametrize("command", ["KEYS", "OBJECT", "FCALL", "MEMORY", "WAIT", "BLPOP"])
def test_a_command_that_serverless_lacks_is_seen(command: str) -> None:
    """A script cannot use a command that a serverless store lacks, or one that waits."""
    source = f"return redis.call(x == 'set' and 'SCARD' or '{command}', KEYS[1])"

    assert words(source) - IN_SCRIPTS == {command}
    assert command not in OPTIONS


@pytest.mark.parametrize(
    ("command", "script"), [("GET", CALL_READING), ("ZREM", CALL_REMOVING), ("ZADD", CALL)]
)
def test_plain_command_runs_through_a_script(command: str, script: Script) -> None:
    """A plain command runs through a script, its name first among the arguments."""
    query: Query[object] = Query(command, ("{c000}:a",), (1, b"x"))

    assert query.by_name == ("EVALSHA", script.sha, 1, "{c000}:a", command, 1, b"x")
    assert query.in_full == ("EVAL", script.source, 1, "{c000}:a", command, 1, b"x")


def test_parts_stand_after_the_first_line() -> None:
    """A script with parts is one text: its flags, the parts that its header requires, itself."""
    source = Script("accounts/authenticate").source

    assert source.startswith("#!lua flags=allow-oom\n-- Asks for the time, once;")
    assert source.index("local function pass(") < source.index("-- Authenticates a caller")


def test_a_part_stands_once_and_after_what_it_requires_itself() -> None:
    """A part that several others require is included once, before them."""
    script = Script("realtime/mark_ready")

    assert len(script.parts) == len(set(script.parts))
    for index, part in enumerate(script.parts):
        assert set(Script(f"parts/{part}").parts) <= set(script.parts[:index])


def test_a_script_that_may_do_without_its_writes_makes_those_that_are_left_out() -> None:
    """Each store call of a script with a read-only variant is a read, or is left out of the variant."""
    left_out = set(re.findall(r"([A-Z]+) = true", text_of("parts/without_writes")))
    variants = [variant for script in scripts() if (variant := script.without_writes)]
    assert {variant.name for variant in variants} >= {
        "accounts/authenticate",
        "accounts/take_user_limit",
        "accounts/take_address_limit",
        "realtime/take_frame",
    }
    for variant in variants:
        assert variant.source.startswith("#!lua flags=no-writes\n")
        called = set(re.findall(r"redis\.call\('([A-Z]+)'", variant.source))
        assert called <= READS | left_out, variant.name


VARIANTS = {"callers_clock", "without_writes"}
"""Parts that no script requires: variants of scripts include them."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_parts_and_script_define_no_name_twice(path: Path) -> None:
    """No name has two meanings in a script and its parts."""
    script = Script(name_of(path))
    sources = [path.read_text(encoding="utf-8")]
    sources += [text_of(f"parts/{part}") for part in script.parts]
    defined = [name for source in sources for name in names(source)]

    assert len(defined) == len(set(defined)), {name for name in defined if defined.count(name) > 1}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_required_exists_and_is_used(path: Path) -> None:
    """A script or part requires only existing parts that it uses."""
    source = path.read_text(encoding="utf-8")
    used = set(re.findall(r"\w+", code(source)))
    for line in REQUIRES.findall(source):
        for part in line.split(", "):
            assert used & set(names(text_of(f"parts/{part}"))), part


def test_every_part_is_required() -> None:
    """A script requires every part, except those of the variants."""
    parts = {path.stem for path in FILES if path.parent.name == "parts"}

    assert parts - {part for script in scripts() for part in script.parts} == VARIANTS


def test_every_script_is_run() -> None:
    """Each script has a query."""
    named = {name_of(path) for path in FILES}

    assert {name for name in named if not name.startswith("parts/")} == {script.name for script in scripts()}
