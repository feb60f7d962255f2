"""The running server against its own OpenAPI document, and the page that shows it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.http.client import Api

# A generated name may be one that no chat can have, so a well-formed call may rightly be a 400.
CHECKS_LEFT_OUT = "positive_data_acceptance"


@pytest.mark.parametrize("user", [None, "alice"])
def test_the_server_answers_as_documented(open_url: str, tmp_path: Path, user: str | None) -> None:
    """Generated calls, right and wrong, get a documented status, type and body, and never a 5xx."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{open_url}/openapi.json"]
    command += ["--url", open_url, "--max-examples", "30", "--exclude-checks", CHECKS_LEFT_OUT, "--no-color"]
    command += ["--header", f"X-Parley-User: {user}"] if user else []
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"Tested: [1-9]\d*", run.stdout), run.stdout


def test_the_page_needs_no_other_site(api: Api) -> None:
    """Whatever the documentation page loads is on this server, and its policy allows nothing else."""
    page = api.call("GET", "/docs")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    parts = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert len(parts) == 5
    for part in parts:
        assert api.call("GET", urljoin("/docs", part)).status_code == 200
    assert api.call("GET", "/docs/../app.py").status_code == 404
    assert api.call("GET", "/docs/%2e%2e%2fapp.py").status_code == 404
