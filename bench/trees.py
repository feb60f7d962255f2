"""The source trees that are compared: this one, and a checkout of an earlier commit."""

from __future__ import annotations

import contextlib
import functools
import io
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.options import progress

ROOT = Path(__file__).resolve().parent.parent
BASELINE = "0066516"
"""The last commit whose server was Granian, with handlers that block their worker."""
NO_BASELINE = "none"
BEFORE, NOW = "before", "now"
REQUIREMENTS = "infra/local/requirements.txt"
NEEDED = "import infra.local.launch, infra.local.worker, app"
SOCKET_PORT = "--socket-port"


class TreeError(Exception):
    """An earlier commit cannot be checked out or run here."""


class Tree(NamedTuple):
    """A source tree, and the Python with what it needs.

    name: BEFORE or NOW. python: Path of the interpreter.
    """

    name: str
    root: Path
    python: str


HERE = Tree(NOW, ROOT, sys.executable)


@contextlib.contextmanager
def compared(revision: str) -> Iterator[list[Tree]]:
    """Yield the tree of an earlier commit, in a temporary folder, and this one.

    revision: Of the earlier commit; NO_BASELINE: this tree alone. Raises TreeError if the commit is
    unknown, or its requirements cannot be installed.
    """
    if revision == NO_BASELINE:
        yield [HERE]
        return
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        root = Path(folder, "tree")
        _check_out(revision, root)
        yield [Tree(BEFORE, root, _python(root, Path(folder, "venv"))), HERE]


@functools.cache
def has_socket_port(tree: Tree) -> bool:
    """Return whether a tree's server takes WebSockets on a port of their own."""
    command = [tree.python, "-m", "infra.local", "--help"]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    return SOCKET_PORT in done.stdout


def _check_out(revision: str, root: Path) -> None:
    progress(f"checking out {revision}")
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise TreeError(
            f"there is no commit {revision} here: {done.stderr.decode().strip()}. Fetch the whole history"
            " (git fetch --unshallow), or name another commit with --against."
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(root, filter="data")


def _python(root: Path, folder: Path) -> str:
    """Return the path of this Python if it has what a tree needs, else of a new virtual environment."""
    if not subprocess.run(
        [sys.executable, "-c", NEEDED], cwd=root, capture_output=True, check=False
    ).returncode:
        return sys.executable
    progress("installing the requirements of the earlier commit")
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    command = [python, "-m", "pip", "install", "-qq", "--require-hashes", "-r", str(root / REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TreeError(f"its requirements cannot be installed: {done.stderr.strip()}")
    return python
