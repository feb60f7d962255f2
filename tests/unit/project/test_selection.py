"""The tests that `make test` leaves out; the checks of a change leave out none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.selection import FURTHER_ENGINES
from tests.servers.commands import make

ROOT = Path(__file__).parents[3]


def pytest_command(target: str) -> str:
    """Return the command by which a target of the Makefile runs pytest."""
    shown = make("--dry-run", target).stdout
    return next(line for line in shown.splitlines() if "-m pytest" in line)


@pytest.mark.parametrize("target", ["test-all", "check"])
def test_a_change_is_checked_by_all_tests(target: str) -> None:
    """`make test-all` and `make check` deselect nothing, name no folder and ignore none."""
    assert not re.search(r" -[mk] '| --ignore| --deselect| tests/", pytest_command(target))


def test_short_tests_leave_out_only_the_long_ones() -> None:
    """`make test` deselects the marker `long`, and what needs an emulator, as plain pytest does."""
    left_out = re.findall(r" -m '([^']*)'", pytest_command("test"))
    assert left_out == ["not long and not localstack and not ministack"]


@pytest.mark.parametrize("emulator", ["localstack", "ministack"])
def test_folders_of_emulators_tests_are_the_makefiles(emulator: str) -> None:
    """`make test-localstack` and `make test-ministack` name each folder with tests of the emulator."""
    command = pytest_command(f"test-{emulator}")
    marked = {
        file.relative_to(ROOT).parts[1]
        for file in (ROOT / "tests").rglob("*.py")
        if f"mark.{emulator}" in file.read_text(encoding="utf-8") and file != Path(__file__)
    }
    assert f" -m {emulator} " in command
    assert set(re.findall(r" tests/(\w+)", command)) == marked
    assert marked


def test_ci_runs_the_whole_check() -> None:
    """GitHub runs .ci/run for a change, which runs `make check`."""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert "- run: .ci/run\n" in workflow
    assert re.search(r"^make check\b", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)


def test_every_further_engine_is_a_fixture() -> None:
    """The parameters that mean a further store have the names of its fixtures."""
    tree = ast.parse((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    fixtures = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}
    assert fixtures >= FURTHER_ENGINES
    assert FURTHER_ENGINES
