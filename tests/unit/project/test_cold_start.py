"""Imports of a cold start: no module that only some calls need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.process import environment

ROOT = Path(__file__).parents[3]
# Each takes 10 to 200 ms: a login needs argon2, a signed identity jwt and cryptography, the queue boto3, a
# cut preview regex.
# redis-py looks for cryptography, which imports its version and no more.
LATER = (
    "argon2",
    "_argon2_cffi_bindings",
    "_cffi_backend",
    "jwt",
    "cryptography.hazmat",
    "boto3",
    "botocore",
    "regex",
)
MODULES = "import json, sys; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize(
    "start",
    ["import app", "from chalicelib import services; services.current()"],
)
def test_what_few_calls_need_is_imported_by_them(start: str) -> None:
    """Neither the application nor its services import it, unless the settings ask for it."""
    done = subprocess.run(
        [sys.executable, "-c", f"{start}; {MODULES}"],
        cwd=ROOT,
        env=environment({"PARLEY_STAGE": "local", "PARLEY_AUTH": "open"}),
        capture_output=True,
        check=True,
    )
    loaded = json.loads(done.stdout)

    assert "chalicelib.services" in loaded
    assert [name for name in loaded if name.startswith(LATER)] == []
