"""The time in which a new process imports the application."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from bench.findings import Findings, Table
from bench.options import Scale, progress
from bench.trees import ROOT

WITH_BYTECODE = """
import time
start = time.perf_counter()
import app
print((time.perf_counter() - start) * 1e3)
"""
# As a package without bytecode: only the standard library's bytecode may come from a cache.
WITHOUT_BYTECODE = (
    """
import importlib._bootstrap_external as loader, sysconfig
from_source, library, packages = loader.cache_from_source, *map(sysconfig.get_path, ("stdlib", "purelib"))
def cache_from_source(path, *rest, **named):
    if path.startswith(library) and not path.startswith(packages):
        return from_source(path, *rest, **named)
    raise NotImplementedError
loader.cache_from_source = cache_from_source
"""
    + WITH_BYTECODE
)
CASES = {
    "`import app`, with bytecode, as a package ships it": WITH_BYTECODE,
    "`import app`, without bytecode": WITHOUT_BYTECODE,
}


def measure(scale: Scale) -> Findings:
    """Import the application in new processes."""
    for code in CASES.values():
        _milliseconds(code)
    rows = []
    for name, code in CASES.items():
        progress(f"import: {name}")
        times = [_milliseconds(code) for _ in range(scale.processes)]
        rows.append((name, f"{median(times):.0f}", f"{min(times):.0f}", f"{max(times):.0f}"))
    note = f"{scale.processes} new processes each; without the start of the interpreter."
    return Findings([Table("Import time", note, ("what", "median ms", "least", "most"), rows)], [], [])


def _milliseconds(code: str) -> float:
    environ = {**os.environ, "PARLEY_STAGE": "local"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return float(done.stdout)
