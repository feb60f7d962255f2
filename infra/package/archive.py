"""The zip itself: bytecode beside the sources, and nothing that depends on when and where it was made."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from infra.package.errors import PackageError, run

LIMIT_BYTES = 15_000_000
EPOCH = (1980, 1, 1, 0, 0, 0)
UNPACKED_AT = "/var/task"  # where Lambda unpacks a package, and so what its tracebacks name


def finish(package: Path) -> None:
    """Add bytecode to the zip that Chalice made, and rewrite it so that it depends on its contents alone.

    Raises PackageError when a file cannot be compiled, or the zip outgrows LIMIT_BYTES.
    """
    with tempfile.TemporaryDirectory(prefix="parley-package-") as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(package) as files:
            files.extractall(folder)
        compile_all(folder)
        write(folder, package)
    check_size(package)


def compile_all(folder: Path) -> None:
    """Compile every module of a folder into its `__pycache__`, to the same bytes each time.

    Lambda's /var/task is read-only: bytecode that is not in the package is made anew in every cold start.
    The sources in a zip have no dates, so bytecode dated after them would always be refused; UNCHECKED_HASH
    is taken without a look at the source. Optimisation stays off, so that asserts stay.
    A fresh interpreter with a fixed hash seed makes marshal write sets and references in the same order.
    """
    command = [sys.executable, "-S", "-P", "-m", "compileall", "-q", "-f", "-j", "1", "-o", "0"]
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
