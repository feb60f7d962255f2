"""The size of the Lambda package, and the import time of the application in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.findings import Findings, Skipped, Table
from bench.options import Scale, progress
from infra import package
from infra.package.archive import entries, megabytes
from infra.package.imports import import_seconds

HERE = "localstack"
STAGES = ("prod", HERE)
NOTE = (
    "What `make package` builds of the last commit. It contains Chalice's runtime; Lambda has boto3. The"
    " import is of the package for this machine, best of {processes} new processes that see nothing else."
)


def measure(scale: Scale) -> Findings:
    """Build the package of the last commit; raises Skipped if it cannot be built here."""
    rows = [_row(stage, scale.processes) for stage in STAGES]
    columns = ("stage", "for", "zip MB", "unpacked MB", "files", "import ms")
    return Findings([Table("Package", NOTE.format(processes=scale.processes), columns, rows)], [], [])


def _row(stage: str, processes: int) -> tuple[str, ...]:
    progress(f"package: building for {stage}")
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        try:
            built = package.build(stage, Path(folder))
            seconds = import_seconds(built.zip, processes) if stage == HERE else []
        except package.PackageError as error:
            raise Skipped(f"the package: {str(error).splitlines()[0]}.") from None
        files = entries(built.zip)
        sizes = megabytes(built.zip.stat().st_size), megabytes(sum(entry.file_size for entry in files))
    return stage, built.architecture, *sizes, str(len(files)), f"{min(seconds) * 1e3:.0f}" if seconds else "-"
