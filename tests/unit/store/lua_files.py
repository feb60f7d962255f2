"""The Lua files of the store, as texts to check."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import NamedTuple

from chalicelib import store
from chalicelib.store.redis.scripts import Script

ROOT = Path(store.__file__).parent
LUA = ROOT / "lua"
FILES = sorted(LUA.rglob("*.lua"))
NAMED = re.compile(
    r"local (\w+) = .*\b(KEYS|ARGV)\[(\d+)\].* -- \S.*|local (\w+) = .*\b(KEYS|ARGV)\[(\d+)\]\)?"
)
DESCRIBED = re.compile(r"-- (KEYS|ARGV)\[(\d+)(\.\.)?(\d+)?\]: \S.*")


class Head(NamedTuple):
    """The lines of a script before its code.

    named: The keys and arguments that have locals, by `KEYS` or `ARGV` and their index. indexes: of each kind
    those that are described. open: The kinds of which any number may follow.
    """

    named: dict[tuple[str, int], str]
    indexes: dict[str, list[int]]
    open: set[str]


def text_of(name: str) -> str:
    """Return the text of a file, by its path in store/lua without `.lua`."""
    return (LUA / f"{name}.lua").read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    """Return the name of a file as scripts have it."""
    return path.relative_to(LUA).with_suffix("").as_posix()


def scripts() -> list[Script]:
    """Return every script that the store's modules name."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.rglob("*.py")]
    imported = [importlib.import_module(f"{store.__name__}.{name}") for name in modules]
    return [value for module in imported for value in vars(module).values() if isinstance(value, Script)]


def code(source: str) -> str:
    """Return a Lua text without its comments and strings."""
    return re.sub(r"--.*|'[^'\n]*'", "", source)


def names(source: str) -> list[str]:
    """Return the functions and locals that a Lua text defines for the whole script."""
    found = re.findall(r"^local (?:function (\w+)|([\w, ]+?)(?: =|$))", code(source), re.MULTILINE)
    defined = [name for function, several in found for name in (function or several).split(", ")]
    return [name for name in defined if name != "_"]


def head_lines(source: str) -> list[str]:
    """Return the lines of a text's head: the flags, comments, and locals for keys and arguments."""
    lines = source.splitlines()
    count = next((index for index, line in enumerate(lines) if not _is_head(line)), len(lines))
    return lines[:count]


def head_of(source: str) -> Head:
    """Return the keys and arguments in the head of a script or part."""
    head = Head({}, {"KEYS": [], "ARGV": []}, set())
    for line in head_lines(source):
        if named := NAMED.fullmatch(line):
            name, kind, index = (part for part in named.groups() if part)
            head.named[kind, int(index)] = name
            head.indexes[kind].append(int(index))
        elif described := DESCRIBED.fullmatch(line):
            kind, first, several, last = described.groups()
            head.indexes[kind] += range(int(first), int(last or first) + 1)
            head.open.update({kind} if several and not last else ())
    return head


def _is_head(line: str) -> bool:
    return line.startswith(("#!", "--")) or bool(NAMED.fullmatch(line))
