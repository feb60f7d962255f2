"""The heads of the Lua scripts: required parts, keys and arguments, and reply."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.store.lua_files import FILES, ROOT, code, head_lines, head_of, name_of, scripts, text_of

SCRIPTS = [path for path in FILES if path.parent.name != "parts"]
INDEX = re.compile(r"\b(KEYS|ARGV)\[\d")
TYPED = re.compile(r"local \w+ = KEYS\[\d+\] -- (HASH|ZSET|STRING|LIST|of any type)\b.*")
PLAIN = re.compile(r"local (handle|connection|lineage) = ARGV\[\d+\]")
"""Arguments that need no description."""
ANY_NAME = {"key", "page", "quota"}
"""Keys of scripts that work on any key of a type."""


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_script_begins_with_one_sentence(path: Path) -> None:
    """A script begins with its flags and a sentence, a part with a sentence; a script names its reply."""
    first, second, *rest = path.read_text(encoding="utf-8").splitlines()
    if path in SCRIPTS:
        assert re.fullmatch(r"#!lua( flags=(no-writes|allow-oom))?", first)
        assert re.fullmatch(r"-- [A-Z].*[.;,].*|-- [A-Z][^.]*", second)
        assert sum(line.startswith("-- reply: ") for line in rest) == 1
    else:
        assert re.fullmatch(r"-- [A-Z][a-z]+s .*[.:,].*", first)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_head_has_indexes_of_keys_and_arguments(path: Path) -> None:
    """Below its head a script uses names; it reads a list of keys in a loop only."""
    source = path.read_text(encoding="utf-8")
    below = "\n".join(source.splitlines()[len(head_lines(source)) :])

    assert not INDEX.search(code(below))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_head_describes_each_key_and_argument_once(path: Path) -> None:
    """The keys and the arguments are numbered without a gap, each by one line, and each name is used."""
    source = path.read_text(encoding="utf-8")
    head = head_of(source)
    for indexes in head.indexes.values():
        assert indexes == [*range(1, len(indexes) + 1)] or path not in SCRIPTS
    for line in head_lines(source):
        assert "= KEYS[" not in line or TYPED.fullmatch(line), line
        assert not line.startswith("local") or " -- " in line or PLAIN.fullmatch(line), line
    if path in SCRIPTS:
        assert head.indexes["KEYS"]
        assert all(len(re.findall(rf"\b{name}\b", code(source))) > 1 for name in head.named.values())


def calls_in(path: Path) -> Iterator[tuple[str, list[str | None]]]:
    """Yield the script's name and the keys' functions of each query with a tuple of keys."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    files = {
        node.targets[0].id: node.value.args[0].value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "Script"
        and isinstance(node.value.args[0], ast.Constant)
    }
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        tuples = {
            node.targets[0].id: node.value
            for node in function.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for call in (
            node for node in ast.walk(function) if isinstance(node, ast.Call) and len(node.args) > 1
        ):
            script, given = call.args[:2]
            if isinstance(given, ast.Name):
                given = tuples.get(given.id, given)
            if not (isinstance(script, ast.Name) and script.id in files and isinstance(given, ast.Tuple)):
                continue
            if not any(isinstance(item, ast.Starred) for item in given.elts):
                yield str(files[script.id]), [_key_of(item) for item in given.elts]


def _key_of(item: ast.expr) -> str | None:
    """Return the function of keys.py that an expression calls."""
    is_key = isinstance(item, ast.Call) and ast.unparse(item.func).startswith("keys.")
    return ast.unparse(item.func).removeprefix("keys.") if is_key and isinstance(item, ast.Call) else None


def test_queries_give_scripts_the_keys_that_their_heads_name() -> None:
    """Where a query names its keys one by one, they are those of the script's head, in that order."""
    found = [call for path in sorted(ROOT.rglob("*.py")) for call in calls_in(path)]
    assert len(found) > 40
    for script, given in found:
        head = head_of(text_of(script))
        assert len(given) == len(head.indexes["KEYS"]), script
        named = [head.named.get(("KEYS", index), "") for index in head.indexes["KEYS"]]
        for name, key in zip(named, given, strict=True):
            assert key is None or name in {key, "", *ANY_NAME}, (script, named, given)


def test_every_script_has_a_head() -> None:
    """The checked scripts are those that the store runs."""
    assert {name_of(path) for path in SCRIPTS} == {script.name for script in scripts()}


def test_heads_refer_to_classes_that_exist() -> None:
    """The class of the store that a head names for a key has the schema of the key."""
    sources = "".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
    classes = set(re.findall(r"^class (\w+)", sources, re.MULTILINE))
    lua = "".join(path.read_text(encoding="utf-8") for path in FILES)
    referred = re.findall(r"\bsee ([A-Z][a-z]\w+)(?: and ([A-Z][a-z]\w+))?", lua)

    assert len(referred) > 200
    assert {name for pair in referred for name in pair if name} <= classes
