"""The zip itself: bytecode beside the sources, and nothing that depends on when and where it was made."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from infra.interpreters import find_python
from infra.package.errors import PackageError, run

NO_BYTECODE = (
    "package: warning: there is no Python {0} here, which the functions run on, so the package has no"
    " bytecode, and a cold start takes a second or two longer; `uv python install {0}` installs one"
)
LIMIT_BYTES = 15_000_000
EPOCH = (1980, 1, 1, 0, 0, 0)
UNPACKED_AT = "/var/task"  # where Lambda unpacks a package, and so what its tracebacks name


def finish(package: Path, python: str) -> None:
    """Add bytecode to the zip that Chalice made, and rewrite it so that it depends on its contents alone.

    python: the version of Python that it runs on. Where this machine has none, there is no bytecode, and a
    warning on standard error says so.
    Raises PackageError when a file cannot be compiled, or the zip outgrows LIMIT_BYTES.
    """
    with tempfile.TemporaryDirectory(prefix="parley-package-") as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(package) as files:
            files.extractall(folder)
        if interpreter := find_python(python):
            compile_all(folder, interpreter)
        else:
            print(NO_BYTECODE.format(python), file=sys.stderr)
        write(folder, package)
    check_size(package)


def compile_all(folder: Path, interpreter: str) -> None:
    """Compile every module of a folder into its `__pycache__`, to the same bytes each time.

    interpreter: the Python to compile with, of the version that the modules run on.

    Lambda's /var/task is read-only: bytecode that is not in the package is made anew in every cold start.
    The sources in a zip have no dates, so bytecode dated after them would always be refused; UNCHECKED_HASH
    is taken without a look at the source. Optimisation stays off, so that asserts stay.
    A fresh interpreter with a fixed hash seed makes marshal write sets and references in the same order.
    """
    command = [interpreter, "-S", "-P", "-m", "compileall", "-q", "-f", "-j", "1", "-o", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", UNPACKED_AT, str(folder)]
    run("compiling the package", command, cwd=folder, environ={"PYTHONHASHSEED": "0"})


def write(folder: Path, package: Path) -> None:
    """Zip the files of a folder: sorted, undated, all with the same mode."""
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as files:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            entry.create_system = 3  # Unix: without it the mode is not read
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            files.writestr(entry, file.read_bytes())


def check_size(package: Path, limit: int = LIMIT_BYTES) -> None:
    """Raise PackageError, naming the largest files, when a zip has more bytes than the limit."""
    size = package.stat().st_size
    if size <= limit:
        return
    largest = ", ".join(
        f"{entry.filename} ({megabytes(entry.compress_size)} MB)" for entry in entries(package)[:3]
    )
    raise PackageError(
        f"{package} has {megabytes(size)} MB, and {megabytes(limit)} MB is the limit,"
        f" which keeps cold starts short; largest: {largest}"
    )


def entries(package: Path) -> list[zipfile.ZipInfo]:
    """Return what a zip holds, the largest first."""
    with zipfile.ZipFile(package) as files:
        return sorted(files.infolist(), key=lambda entry: (-entry.compress_size, entry.filename))


def megabytes(size: int) -> str:
    """Write a number of bytes as MB of 10^6 bytes, to two places."""
    return f"{size / 1e6:.2f}"
