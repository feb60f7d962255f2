"""Functions of parts that a script does not need are left out of it."""

from __future__ import annotations

import re

import pytest

from chalicelib.store.redis.script_functions import needed
from chalicelib.store.redis.scripts import Script
from tests.unit.store.lua_files import code, scripts, text_of

ONE = "-- Adds.\nlocal STEP = 1\nlocal function one(n) return n + STEP end\n"
TWO = "local function two(n) -- to the end\n  return one(one(n))\nend\n"
THREE = "local function three(n) return n end -- not one\n"
FUNCTION = re.compile(r"^local function (\w+)", re.MULTILINE)


@pytest.mark.parametrize(
    ("rest", "kept"),
    [
        ("return two(ARGV[1])", [ONE, TWO]),
        ("return three(ARGV[1])", ["-- Adds.\nlocal STEP = 1\n", THREE]),
        ("return 1 -- two", ["-- Adds.\nlocal STEP = 1\n", ""]),
    ],
)
def test_functions_that_nothing_names_are_left_out(rest: str, kept: list[str]) -> None:
    """A function stays if the script names it, or a function that stays does; the rest of a part stays."""
    assert needed([ONE, TWO + THREE], rest) == kept


@pytest.mark.parametrize("script", scripts(), ids=lambda script: str(script.name))
def test_scripts_have_the_functions_that_they_name_and_no_others(script: Script) -> None:
    """A script has each function of its parts that its code names, and names each that it has."""
    words = re.findall(r"\w+", code(script.source))
    of_parts = {name for part in script.parts for name in FUNCTION.findall(text_of(f"parts/{part}"))}
    defined = set(FUNCTION.findall(script.source))

    assert of_parts.intersection(words) <= defined
    assert {name for name in defined & of_parts if words.count(name) < 2} <= {"now"}
