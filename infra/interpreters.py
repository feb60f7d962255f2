"""The Pythons of this machine, by version."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

UV = [sys.executable, "-m", "uv", "--quiet", "--no-config"]


def find_python(version: str, named: str = "") -> str | None:
    """Return the path of a Python of a version such as 3.13, None if none of them runs.

    named: the one to take, and no other; the running one comes first otherwise.
    """
    candidates = iter([named]) if named else _candidates(version)
    return next((candidate for candidate in candidates if _is(candidate, version)), None)


def _candidates(version: str) -> Iterator[str]:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield sys.executable
    command = [*UV, "python", "find", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    yield found.stdout.strip()
    # pyenv has its versions side by side, and a stub on PATH that fails for those not chosen.
    for versions in (Path(sys.base_prefix).parent, Path.home() / ".pyenv" / "versions"):
        yield from map(str, sorted(versions.glob(f"{version}*/bin/python{version}"), reverse=True))


def _is(candidate: str, version: str) -> bool:
    try:
        done = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.startswith(f"Python {version}.")
