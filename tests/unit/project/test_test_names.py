"""The names of the tests themselves."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
FEWEST_WORDS = 3
ARTICLES = ("a", "an", "the")


def names_in(module: Path) -> list[str]:
    """Return the names of a module's test functions, including those in classes."""
    return re.findall(r"^ *(?:async )?def (test_\w+)\(", module.read_text(encoding="utf-8"), re.M)


def words_of(name: str) -> list[str]:
    """Return the words of a test's name after `test_`, without articles."""
    return [word for word in name.split("_")[1:] if word not in ARTICLES]


def test_every_name_states_a_behaviour() -> None:
    """A test's name has at least three words, without articles: a topic alone states no behaviour."""
    modules = sorted(TESTS.rglob("test_*.py"))
    names = {(module, name) for module in modules for name in names_in(module)}
    short = [
        f"{module.relative_to(TESTS)}::{name}"
        for module, name in sorted(names)
        if len(words_of(name)) < FEWEST_WORDS
    ]

    assert len(names) > 2000
    assert short == []
