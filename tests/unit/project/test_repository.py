"""The files at the top of the repository."""

from __future__ import annotations

import ast
import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.servers.commands import make

ROOT = Path(__file__).parents[3]
SHARED = (
    "requirements.txt",
    "infra/local/requirements.txt",
    "infra/deploy/requirements.txt",
    "requirements-dev.txt",
)
# LocalStack, the functions it runs, and MiniStack have environments of their own.
LOCKS = (
    *SHARED,
    "infra/localstack/requirements.txt",
    "infra/localstack/functions.txt",
    "infra/ministack/requirements.txt",
)
STAGES = ("local", "localstack", "ministack", "prod")


def pins(lock: str) -> dict[str, str]:
    """Return the pinned entries of a lock file, with their hashes, by package name."""
    entries = re.split(r"\n(?=\w)", "\n" + re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(), flags=re.M))
    return {Requirement(entry.partition("\\")[0]).name: entry for entry in entries if entry.strip()}


def version(entry: str) -> str:
    """Return the version specifier of one entry of a lock file."""
    return str(Requirement(entry.partition("\\")[0]).specifier)


def asked_for(source: str) -> set[str]:
    """Return the packages that an .in file names."""
    lines = (ROOT / source).read_text().splitlines()
    return {Requirement(line.partition("#")[0]).name for line in lines if re.match(r"\w", line)}


def config() -> dict[str, Any]:
    """Return Chalice's configuration."""
    settings: dict[str, Any] = json.loads((ROOT / ".chalice" / "config.json").read_text())
    return settings


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_a_hash(lock: str) -> None:
    """A lock file names one version of each package, and the hashes of its files."""
    for name, entry in pins(lock).items():
        assert version(entry).startswith("=="), name
        assert "--hash=sha256:" in entry, name


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_place(lock: str) -> None:
    """A lock file holds no path or index of the machine it was made on."""
    assert not re.search(r"file:|https?:|index-url|find-links|^[^#\n]*/", (ROOT / lock).read_text(), re.M)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_as_new_as_its_source(lock: str) -> None:
    """Every package asked for is pinned."""
    assert asked_for(lock.replace(".txt", ".in")) <= pins(lock).keys()


def test_one_version_of_each_package() -> None:
    """The tested versions are those that ship and run locally."""
    dev = pins("requirements-dev.txt")
    for lock in SHARED:
        assert {name: version(entry) for name, entry in pins(lock).items()}.items() <= {
            name: version(entry) for name, entry in dev.items()
        }.items(), lock


def test_nothing_ships_that_only_development_needs() -> None:
    """The Lambda package has no test tool, no local server, and no package of AWS's runtime."""
    sources = ("requirements-dev.in", "infra/local/requirements.in", "infra/deploy/requirements.in")
    development = {name for source in sources for name in asked_for(source)}
    assert not (development | {"botocore", "pip", "setuptools"}) & pins("requirements.txt").keys()


@pytest.mark.parametrize("stage", STAGES)
def test_stage_is_closed_unless_it_is_local(stage: str) -> None:
    """Only the local stages trust a caller's name."""
    expected = {"PARLEY_STAGE": stage, "PARLEY_AUTH": "required" if stage == "prod" else "open"}
    assert config()["stages"][stage]["environment_variables"].items() >= expected.items()


def test_stages_share_what_chalice_gets_wrong_by_default() -> None:
    """A regional endpoint (an edge one refuses a GET with a body), and the policies written here."""
    settings = config()
    assert tuple(settings["stages"]) == STAGES
    for scope in (settings, *settings["stages"].values()):
        assert scope.get("api_gateway_endpoint_type", "REGIONAL") == "REGIONAL"
        assert scope.get("autogen_policy", False) is False
    assert {"api_gateway_endpoint_type", "autogen_policy"} <= settings.keys()


@pytest.mark.parametrize("stage", STAGES[1:])
def test_policy_allows_named_actions_only(stage: str) -> None:
    """No deployed stage has unrestricted permissions for a service."""
    policy = json.loads((ROOT / ".chalice" / f"policy-{stage}.json").read_text())
    allowed = [
        action for part in policy["Statement"] if part["Effect"] == "Allow" for action in part["Action"]
    ]
    assert "logs:PutLogEvents" in allowed
    assert not [action for action in allowed if "*" in action]


def test_app_is_wiring_only() -> None:
    """app.py is short and imports nothing except Chalice and our own packages."""
    source = (ROOT / "app.py").read_text()
    assert len(source.splitlines()) <= 80
    nodes = list(ast.walk(ast.parse(source)))
    imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules = {name.partition(".")[0] for name in imported}
    assert modules - sys.stdlib_module_names <= {"chalice", "chalicelib"}


def test_tests_stay_on_this_machine() -> None:
    """A test that connects elsewhere fails before a packet leaves."""
    with socket.socket() as outside, pytest.raises(pytest.fail.Exception, match=r"127\.0\.0\.1 only"):
        outside.connect(("192.0.2.1", 80))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["chat"], "Who are you? make chat USER=alice"),
        (["test-deployed"], "Which server? make test-deployed URL="),
        (["import-users"], "From where? make import-users URL="),
        (["import-users", "URL=https://x.example"], "MAPPING=mapping.json"),
    ],
)
def test_make_asks_for_what_is_missing_before_it_installs(
    tmp_path: Path, arguments: list[str], expected: str
) -> None:
    """A target without a required variable says so at once, before it makes an environment."""
    venv = tmp_path / "venv"
    done = make(*arguments, f"VENV={venv}", "PYTHON=/none")
    assert expected in done.stderr
    assert (done.returncode, done.stdout, venv.exists()) == (2, "", False)
