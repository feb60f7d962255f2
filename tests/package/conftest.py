"""Checkouts to build packages from: the working tree's files, committed in a repository of their own."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.package import Package, build
from infra.package.source import SHIPPED

ROOT = Path(__file__).parents[2]


def git(repository: Path, *arguments: str) -> None:
    """Run git in a folder as a made-up user."""
    settings = [
        "user.name=test",
        "user.email=test@example.com",
        "commit.gpgsign=false",
        "core.hooksPath=/dev/null",
    ]
    options = [part for setting in settings for part in ("-c", setting)]
    # Run from a git hook, git's own variables would point at the outer repository.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(
        ["git", *options, *arguments], cwd=repository, env=environ, check=True, capture_output=True
    )


def copy(source: Path, folder: Path, *names: str) -> None:
    """Copy files and folders of one folder into another, without ignored ones."""
    for name in names:
        if (source / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "deployments", "deployed", ".*_cache")
            shutil.copytree(source / name, folder / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(source / name, folder / name)


def commit(folder: Path) -> Path:
    """Make a folder a repository with all its files in one commit, and return it."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "All")
    return folder


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean checkout of the shipped files; not to be changed."""
    folder = tmp_path_factory.mktemp("checkout")
    copy(ROOT, folder, *SHIPPED)
    return commit(folder)


@pytest.fixture(scope="session")
def prod(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package for AWS."""
    return _built_once("prod", checkout, tmp_path_factory)


@pytest.fixture(scope="session")
def localstack(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package for this machine."""
    return _built_once("localstack", checkout, tmp_path_factory)


def _built_once(stage: str, checkout: Path, factory: pytest.TempPathFactory) -> Package:
    """Return the package of a stage, which the first worker to need it builds for all of them."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = folder / f"{stage}.json"
    with (folder / f"{stage}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            package = build(stage, folder / stage, repository=checkout)
            made.write_text(json.dumps(dataclasses.asdict(package), default=str))
    found = json.loads(made.read_text())
    return Package(**{**found, "zip": Path(found["zip"]), "template": Path(found["template"])})
