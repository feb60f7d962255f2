"""The source of a package; runs git, and needs no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.package import PackageError, build
from infra.package.source import NAMED, export, require_checkout, warn_of_changes
from tests.package.conftest import commit, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one of each shipped file."""
    folder = tmp_path / "repository"
    for name in (
        "chalicelib/routes.py",
        ".chalice/config.json",
        "app.py",
        "requirements.txt",
        "infra/aws/store.yaml",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"committed\n")
    return commit(folder)


def test_only_a_checkout_can_be_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside git the build stops with one line that says what to do, and writes nothing."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(PackageError, match=r"not a git checkout.*clone the repository") as raised:
        build("prod", tmp_path / "out", repository=tmp_path)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_a_checkout_without_a_commit_is_refused(tmp_path: Path) -> None:
    """A repository without a commit has nothing to package."""
    git(tmp_path, "init", "--quiet")
    with pytest.raises(PackageError, match="not a git checkout with a commit"):
        require_checkout(tmp_path)


def test_a_folder_inside_another_checkout_is_refused(repository: Path) -> None:
    """A copy without its own .git does not use the repository around it."""
    with pytest.raises(PackageError, match="inside the git checkout"):
        require_checkout(repository / "chalicelib")


def test_a_commit_that_lacks_what_ships_is_refused(tmp_path: Path) -> None:
    """The error names git's reason."""
    (tmp_path / "app.py").write_text("")
    repository = commit(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(PackageError, match="chalicelib"):
        export(repository, out)


def test_the_last_commit_ships_and_the_working_tree_does_not(repository: Path, tmp_path: Path) -> None:
    """Changed, new and unshipped files are not exported."""
    (repository / "app.py").write_bytes(b"changed\n")
    (repository / "chalicelib/new.py").write_bytes(b"new\n")
    project = tmp_path / "project"
    project.mkdir()
    export(repository, project)
    assert (project / "app.py").read_bytes() == b"committed\n"
    assert sorted(path.name for path in project.iterdir()) == [
        ".chalice",
        "app.py",
        "chalicelib",
        "infra",
        "requirements.txt",
    ]
    assert not (project / "chalicelib/new.py").exists()


def test_line_ends_are_as_committed(repository: Path, tmp_path: Path) -> None:
    """A git that gives files Windows' line ends packages the same bytes."""
    git(repository, "config", "core.autocrlf", "true")
    project = tmp_path / "project"
    project.mkdir()
    export(repository, project)
    assert (project / "app.py").read_bytes() == b"committed\n"


def test_changes_that_do_not_ship_are_named(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed, a staged and a new file are each named in one warning."""
    (repository / "app.py").write_text("changed")
    (repository / "infra/aws/store.yaml").write_text("staged")
    git(repository, "add", "infra")
    (repository / "chalicelib/new.py").write_text("new")
    warn_of_changes(repository)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("package: warning: not committed:")
    for name in ("app.py", "infra/aws/store.yaml", "chalicelib/new.py"):
        assert name in line


def test_many_changes_are_counted(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The warning stays one line, however many files have changed."""
    for number in range(NAMED + 3):
        (repository / f"chalicelib/new{number}.py").write_text("new")
    warn_of_changes(repository)
    assert "and 3 more" in capsys.readouterr().err


@pytest.mark.parametrize("change", [None, "README.md"])
def test_nothing_is_said_when_what_ships_is_committed(
    repository: Path, capsys: pytest.CaptureFixture[str], change: str | None
) -> None:
    """A clean tree gives no warning, nor does a change of unshipped files."""
    if change:
        (repository / change).write_text("new")
    warn_of_changes(repository)
    assert capsys.readouterr().err == ""
