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
OPTIONS = {"EX", "GT", "KEEPTTL", "LIMIT", "LT", "NX", "WITHSCORES", "WITHVALUES", "XX"}
"""Words in capitals in the scripts that are no commands."""


def test_every_plain_command_is_known() -> None:
    """A plain command is one that reads, one that removes, or one that is known to take memory."""
    sources = [path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")]
    used = {command for text in sources for command in re.findall(r'Query\(\s*"([A-Z]+)"', text)}

    assert used - READING - REMOVING <= GROW
    assert not (READING | REMOVING) & GROW
    assert not READING & REMOVING


def words(source: str) -> set[str]:
    """Return the words in capitals that a script gives commands: their names, and options."""
    return set(re.findall(r"'([A-Z]+)'", source))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_script_runs_what_a_serverless_store_has(path: Path) -> None:
    """Every command in a script is one that ElastiCache Serverless has, and so is every plain one."""
    assert words(path.read_text(encoding="utf-8")) <= IN_SCRIPTS | OPTIONS
    assert READING | REMOVING | GROW <= IN_SCRIPTS


@pytest.mark.parametrize("command", ["KEYS", "OBJECT", "FCALL", "MEMORY", "WAIT", "BLPOP"])
def test_a_command_that_serverless_lacks_is_seen(command: str) -> None:
    """A command that a serverless store does not have, or that waits, is none that a script may run."""
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

    assert source.startswith("#!lua flags=allow-oom\n-- Asks for the time;")
    assert source.index("local function pass(") < source.index("-- Authenticates a caller")


def test_a_part_stands_once_and_after_what_it_requires_itself() -> None:
    """Parts that are required by several ways are there once, before whatever requires them."""
    script = Script("realtime/mark_ready")

    assert len(script.parts) == len(set(script.parts))
    for place, part in enumerate(script.parts):
        assert set(Script(f"parts/{part}").parts) <= set(script.parts[:place])


def test_a_script_that_may_do_without_its_writes_makes_those_that_are_left_out() -> None:
    """What a script calls that has a variant without writes is a read, or is left out of the variant."""
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
"""Parts that no script requires: they are put into the variants of scripts."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_parts_and_script_define_no_name_twice(path: Path) -> None:
    """No name of a script, its parts included, means two things."""
    script = Script(name_of(path))
    sources = [path.read_text(encoding="utf-8")]
    sources += [text_of(f"parts/{part}") for part in script.parts]
    defined = [name for source in sources for name in names(source)]

    assert len(defined) == len(set(defined)), {name for name in defined if defined.count(name) > 1}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_required_exists_and_is_used(path: Path) -> None:
    """A script or part requires no part that does not exist, or of which it uses nothing."""
    source = path.read_text(encoding="utf-8")
    used = set(re.findall(r"\w+", code(source)))
    for line in REQUIRES.findall(source):
        for part in line.split(", "):
            assert used & set(names(text_of(f"parts/{part}"))), part


def test_every_part_is_required() -> None:
    """A part is there for a script; those of the variants alone are required by none."""
    parts = {path.stem for path in FILES if path.parent.name == "parts"}

    assert parts - {part for script in scripts() for part in script.parts} == VARIANTS


def test_every_script_is_run() -> None:
    """There is a query for each script."""
    named = {name_of(path) for path in FILES}

    assert {name for name in named if not name.startswith("parts/")} == {script.name for script in scripts()}
