"""The files that the package gets from the last commit."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from infra.package.errors import PackageError, run

FRAGMENTS = "infra/aws"
SHIPPED = ("app.py", "chalicelib", ".chalice", "requirements.txt", FRAGMENTS)
NAMED = 5


def export(repository: Path, project: Path) -> None:
    """Write the committed files of the package into a folder. Raises PackageError."""
    archive = project / "export.zip"
    # The files as committed, even where git would give them Windows line ends.
    command = ["git", "-c", "core.autocrlf=false", "-c", "core.eol=lf", "-C", str(repository), "archive"]
    command += ["--format=zip", "-o", str(archive), "HEAD", "--", *SHIPPED]
    run("git archive of the last commit", command, cwd=project)
    with zipfile.ZipFile(archive) as files:
        files.extractall(project)
    archive.unlink()


def require_checkout(repository: Path) -> None:
    """Raise PackageError unless a folder is the top of a git checkout with a commit."""
    try:
        top = run("git", ["git", "rev-parse", "--show-toplevel"], cwd=repository).rstrip("\n")
        run("git", ["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=repository)
    except PackageError as error:
        raise PackageError(
            f"{repository} is not a git checkout with a commit, which the package is built from:"
            f" clone the repository, and build there ({error})"
        ) from None
    if Path(top).resolve() != repository.resolve():
        raise PackageError(
            f"{repository} is a folder inside the git checkout {top}, not a checkout of its own"
        )


def warn_of_changes(repository: Path) -> None:
    """Warn on standard error about files of the package with uncommitted changes."""
    command = ["git", "status", "--porcelain", "--", *SHIPPED]
    changed = [line[3:] for line in run("git status", command, cwd=repository).splitlines()]
    if not changed:
        return
    rest = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
    print(
        f"package: warning: not committed: {', '.join(changed[:NAMED])}{rest}. The package has the last"
        " commit, without these changes.",
        file=sys.stderr,
    )
