"""The import time of the application in a package."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from infra.package.errors import PackageError, run

# -I and -S leave only the standard library and the package: no site-packages, variables or current folder.
ISOLATED = (sys.executable, "-I", "-S", "-B", "-c")
COLD_IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import app
print(time.perf_counter() - start)
"""


def import_seconds(package: Path, processes: int = 5) -> list[float]:
    """Import the application from a package's zip in new, isolated processes.

    package: A zip built for this machine, which can load its compiled modules.
    Returns the seconds of each process, without the start of the interpreter.
    Raises PackageError if the application needs more than the standard library and the package.
    """
    with tempfile.TemporaryDirectory(prefix="parley-import-") as folder:
        with zipfile.ZipFile(package) as files:
            files.extractall(folder)
        return [_once(folder) for _ in range(processes)]


def _once(folder: str) -> float:
    try:
        return float(
            run("importing app from the package", [*ISOLATED, COLD_IMPORT, folder], cwd=Path(folder))
        )
    except PackageError as error:
        raise PackageError(
            "the application in the package does not import with only the standard library"
            f" ({error}). Add what it imports to requirements.in"
        ) from None
