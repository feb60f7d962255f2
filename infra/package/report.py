"""Descriptions of a package for people."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path

from infra.package.archive import entries, megabytes
from infra.package.build import ROOT, Package, assemble
from infra.package.errors import PYTHON
from infra.package.imports import import_seconds
from infra.package.vendor import HERE, this_architecture

BIGGEST = 8


def report(package: Package) -> str:
    """Return a package's size, number of files, digest and largest files as lines."""
    listed = entries(package.zip)
    unpacked = sum(entry.file_size for entry in listed)
    lines = [
        f"{package.zip}: {megabytes(package.zip.stat().st_size)} MB zipped,"
        f" {megabytes(unpacked)} MB unpacked,"
        f" {len(listed)} files, Python {package.python}, {package.architecture}",
        f"sha256 {package.digest}",
        *(f"  {megabytes(entry.compress_size)} MB  {entry.filename}" for entry in listed[:BIGGEST]),
    ]
    return "\n".join(lines)


def import_report(stage: str, package: Package, repository: Path = ROOT) -> str:
    """Return a line with the application's import time on this machine.

    A package for another machine or Python cannot be loaded here; then the same commit is built for this one.
    Raises PackageError.
    """
    like_here = platform.system() == "Linux" and package.architecture == this_architecture()
    if stage in HERE or (like_here and package.python == PYTHON):
        return _described(import_seconds(package.zip), "")
    with tempfile.TemporaryDirectory(prefix="parley-import-") as folder:
        native = assemble(HERE[0], Path(folder), repository)
        return _described(import_seconds(native.zip), f", built for {native.architecture} to run here")


def _described(seconds: list[float], how: str) -> str:
    return f"app imports in {min(seconds) * 1e3:.0f} ms here (best of {len(seconds)}{how})"
