"""The promises of the package to its users."""

from __future__ import annotations

import ast
import inspect
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import Requirement

import parley_client
from parley_client import AsyncClient, Client
from parley_client.transport import VERSION

ROOT = Path(__file__).parents[2] / "clients" / "python"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imported(source: Path) -> set[str]:
    """Return the top packages that a module imports."""
    nodes = list(ast.walk(ast.parse(source.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"parley_client"}


def test_imports_are_dependencies() -> None:
    """The client needs its project's dependencies, the terminal chat one more, and nothing of the server."""
    needed = {Requirement(text).name for text in PROJECT["dependencies"]}
    chat = {Requirement(text).name for text in PROJECT["optional-dependencies"]["chat"]}
    for source in (ROOT / "parley_client").rglob("*.py"):
        assert imported(source) <= (needed | chat if source.parent.name == "chat" else needed), source


def test_requirements_of_the_chat() -> None:
    """`make chat` installs the project's dependencies."""
    lines = (ROOT / "requirements.in").read_text().splitlines()
    named = {line for line in lines if line and not line.startswith("#")}
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["chat"]]
    assert named == {Requirement(text).name for text in wanted}


def test_blocking_client_has_all_calls() -> None:
    """Each call of the client for asyncio exists in blocking form, with the same parameters."""
    for call, made in inspect.getmembers(AsyncClient, inspect.iscoroutinefunction):
        if not call.startswith("_") and call != "next_event":
            assert parameters(getattr(Client, call)) == parameters(made), call


def parameters(call: Callable[..., object]) -> list[tuple[str, object, object]]:
    """Return name, kind and default of a call's parameters."""
    return [(one.name, one.kind, one.default) for one in inspect.signature(call).parameters.values()]


def test_is_typed_and_complete() -> None:
    """Type checkers read the package, and all its exports exist."""
    assert (ROOT / "parley_client" / "py.typed").exists()
    assert all(hasattr(parley_client, name) for name in parley_client.__all__)
    assert PROJECT["version"] == VERSION
