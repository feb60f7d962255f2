"""How large the Lambda package is."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from bench.findings import Findings, Skipped, Table
from bench.options import Scale, progress
from infra import package

STAGES = {"prod": "arm64", "localstack": "x86_64"}


def measure(_scale: Scale) -> Findings:
    """Build the package of the last commit; raises Skipped when it cannot be built here."""
    rows = [_row(stage, kind) for stage, kind in STAGES.items()]
    note = (
        "What `make package` builds of the last commit; Chalice's own runtime is in it, boto3 is in Lambda's."
    )
    return Findings(
        [Table("Package", note, ("stage", "for", "zip MB", "unpacked MB", "files"), rows)], [], []
    )


def _row(stage: str, kind: str) -> tuple[str, ...]:
    progress(f"package: building for {stage}")
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        try:
            built = package.build(stage, Path(folder))
        except package.PackageError as error:
            raise Skipped(f"the package: {str(error).splitlines()[0]}.") from None
        with zipfile.ZipFile(built) as files:
            entries = files.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        return stage, kind, f"{built.stat().st_size / 1e6:.2f}", f"{unpacked / 1e6:.2f}", str(len(entries))
