"""Commands of the project, run as a user runs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from tests.servers.process import ROOT, environment

SECONDS = 300


def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `python -m ARGUMENTS` to its end, without Parley's and AWS's variables except the given ones."""
    return _finished([sys.executable, "-m", *arguments], env)


def make(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `make ARGUMENTS` to its end, as if no other make ran the tests, with the variables of `run`."""
    return _finished(["make", *arguments], env)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of a refused command; fails the test otherwise."""
    assert done.returncode not in (0, -9), done.stdout
    lines = [line for line in done.stderr.splitlines() if not line.startswith("package: warning")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def _finished(command: list[str], env: Mapping[str, str] | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
