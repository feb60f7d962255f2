"""Store classes return queries, and a query that is not run is a type error."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
STORE = ROOT / "chalicelib" / "store"
VALUES = {"NamedTuple", "IntEnum", "Exception"}
PLANTED = """
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Batch, Query

QUERY: Query[bool] = Query("DEL", ("{u000}:a",), read=bool)
BATCH: Batch[list[bool]] = Batch([QUERY], list)


def act(store: Store) -> bool:
    QUERY  # unused-awaitable
    BATCH  # unused-awaitable
    if QUERY:  # truthy-bool
        store.run(BATCH)
    store.run(QUERY) == QUERY  # comparison-overlap
    return store.run(QUERY)
"""


def class_methods() -> Iterator[tuple[str, ast.ClassDef, ast.FunctionDef]]:
    """Return the public methods of the store's classes except values, by module."""
    for path in [*sorted(STORE.glob("*/*.py")), STORE / "search.py"]:
        if path.parent.name == "redis":
            continue
        for one in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(one, ast.ClassDef) and not _is_value(one):
                yield from (
                    (str(path.relative_to(ROOT)), one, method)
                    for method in one.body
                    if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
                )


def _is_value(one: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2] in VALUES | {"Struct"} for base in one.bases)


def test_every_method_of_a_store_class_returns_a_query() -> None:
    """A public method returns a Query, a Batch or a UserBatch, and nothing else."""
    found = list(class_methods())
    others = [
        f"{path}: {one.name}.{method.name}"
        for path, one, method in found
        if not (method.returns and ast.unparse(method.returns).startswith(("Query[", "Batch[", "UserBatch[")))
    ]

    assert len({one.name for _, one, _ in found}) > 20
    assert len(found) > 100
    assert others == []


def test_no_store_class_runs_a_query() -> None:
    """Only the client uses Store, so that no store class can run a query."""
    importers = [
        str(path.relative_to(ROOT))
        for path in STORE.rglob("*.py")
        if path.parent.name != "redis" and "redis.client" in path.read_text(encoding="utf-8")
    ]

    assert importers == []


def test_a_query_that_nobody_runs_is_a_type_error(tmp_path: Path) -> None:
    """With the project's settings mypy reports a query that is a statement, a condition or compared."""
    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(planted)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    marked = {
        (number, line.partition("  # ")[2])
        for number, line in enumerate(PLANTED.splitlines(), 1)
        if "  # " in line
    }
    reported = re.findall(r":(\d+): error: .*\[([a-z-]+)\]$", done.stdout, re.MULTILINE)
    assert {(int(number), code) for number, code in reported} == marked, done.stdout + done.stderr
