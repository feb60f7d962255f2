"""The suite in tests/deployed: its list of differences, and its detection of the target."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.deployed.differences import DIFFERENCES, KINDS
from tests.deployed.target import Target, guessed_kind
from tests.unit.apidocs.test_reference import rows_of

SUITE = Path(__file__).parents[2] / "deployed"


def names_asked_for() -> list[str]:
    """Return the argument of every call of differs() in the suite."""
    nodes = [node for path in SUITE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    arguments = [call.args[0] for call in calls if getattr(call.func, "attr", "") == "differs"]
    assert all(isinstance(argument, ast.Constant) for argument in arguments)
    return [str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)]


def test_every_difference_is_tested_and_listed() -> None:
    """Each entry is used by a test, and no test asks for a missing one."""
    assert set(names_asked_for()) == DIFFERENCES.keys()


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_says_where_and_why(name: str) -> None:
    """An entry names existing targets, and never all of them; its two texts are sentences."""
    difference = DIFFERENCES[name]
    assert difference.targets
    assert set(difference.targets) < set(KINDS)
    assert difference.what.endswith(".")
    assert difference.why.endswith(".")
    assert [Target(kind, "").differs(name) for kind in KINDS] == [
        kind in difference.targets for kind in KINDS
    ]


def test_an_unknown_difference_is_an_error() -> None:
    """An unlisted name is a KeyError, whatever the target."""
    with pytest.raises(KeyError):
        Target("gateway", "").differs("no-such-name")


def described(document: str) -> set[tuple[str, ...]]:
    """Return the rows of differences in a document."""
    return {tuple(row) for row in rows_of(document) if re.fullmatch(r"`[a-z0-9-]+`", row[0])}


def test_every_difference_is_in_a_table() -> None:
    """docs/ministack.md has a row for each difference of MiniStack, docs/localstack.md for each of others."""
    rows = {
        name: (f"`{name}`", ", ".join(entry.targets), entry.what, entry.why)
        for name, entry in DIFFERENCES.items()
    }
    ministacks = {rows[name] for name, entry in DIFFERENCES.items() if "ministack" in entry.targets}
    others = {rows[name] for name, entry in DIFFERENCES.items() if {*entry.targets} - {"ministack"}}
    assert described("ministack.md") == ministacks
    assert described("localstack.md") == others


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:8080", "gateway"),
        ("https://chat.example/prod", "gateway"),
        ("http://127.0.0.1:4566/_aws/execute-api/abc123/localstack", "localstack"),
        ("http://127.0.0.1:4566/_aws/execute-api/abc123/ministack", "ministack"),
        ("http://abc123.execute-api.localhost.localstack.cloud:4566/localstack", "localstack"),
        ("https://abc123.execute-api.eu-west-1.amazonaws.com/prod", "aws"),
        ("https://abc123.execute-api.cn-north-1.amazonaws.com.cn/prod", "aws"),
        ("https://abc123.execute-api.eu-west-1.amazonaws.com.evil.example/prod", "gateway"),
    ],
)
def test_the_kind_is_guessed_from_the_url(url: str, kind: str) -> None:
    """The target is derived from the host and path of its URL."""
    assert guessed_kind(url) == kind
