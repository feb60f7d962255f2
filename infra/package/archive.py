"""The zip: bytecode beside the sources, and nothing that depends on the time or place of the build."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from infra.interpreters import find_python
from infra.package.errors import PackageError, run

NO_BYTECODE = (
    "package: warning: this machine has no Python {0}, which runs the functions, so the package has no"
    " bytecode, and a cold start takes a second or two longer; `uv python install {0}` installs it"
)
LIMIT_BYTES = 15_000_000
EPOCH = (1980, 1, 1, 0, 0, 0)
UNPACKED_AT = "/var/task"  # where Lambda unpacks a package; tracebacks name it


def finish(package: Path, python: str) -> None:
    """Add bytecode to Chalice's zip, and rewrite the zip so that it depends on its contents alone.

    python: The version of Python that runs the package. If this machine does not have it, the package gets no
        bytecode, and a warning on standard error says so.
    Raises PackageError if a file cannot be compiled, or the zip is larger than LIMIT_BYTES.
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

    interpreter: The Python to compile with, of the version that runs the modules.

    Lambda's /var/task is read-only: without bytecode in the package, every cold start compiles the modules.
    The sources in a zip have no dates, so dated bytecode would always be refused; UNCHECKED_HASH is accepted
    without reading the source. Optimisation stays off, so that asserts stay. A new interpreter with a fixed
    hash seed makes marshal write sets and references in the same order.
    """
    command = [interpreter, "-S", "-P", "-m", "compileall", "-q", "-f", "-j", "1", "-o", "0"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", UNPACKED_AT, str(folder)]
    run("compiling the package", command, cwd=folder, environ={"PYTHONHASHSEED": "0"})


def write(folder: Path, package: Path) -> None:
    """Zip the files of a folder: sorted, undated, all with the same mode."""
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as files:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            entry.create_system = 3  # Unix; for other values the mode is not read
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            files.writestr(entry, file.read_bytes())


def check_size(package: Path, limit: int = LIMIT_BYTES) -> None:
    """Raise PackageError, naming the largest files, if a zip is larger than the limit."""
    size = package.stat().st_size
    if size <= limit:
        return
    largest = ", ".join(
        f"{entry.filename} ({megabytes(entry.compress_size)} MB)" for entry in entries(package)[:3]
    )
    raise PackageError(
        f"{package} has {megabytes(size)} MB, over the limit of {megabytes(limit)} MB,"
        f" which keeps cold starts short; largest: {largest}"
    )


def entries(package: Path) -> list[zipfile.ZipInfo]:
    """Return the entries of a zip, the largest first."""
    with zipfile.ZipFile(package) as files:
        return sorted(files.infolist(), key=lambda entry: (-entry.compress_size, entry.filename))


def megabytes(size: int) -> str:
    """Return a number of bytes as MB of 10^6 bytes, with two decimal places."""
    return f"{size / 1e6:.2f}"
