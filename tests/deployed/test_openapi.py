"""The running server against its own OpenAPI document, and the page that shows it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from tests.deployed.client import Api
from tests.deployed.target import Target, check_no_route

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.json"
# A generated name may be one that no chat can have, so a well-formed call may rightly be a 400.
CHECKS_LEFT_OUT = ["positive_data_acceptance"]
# The handlers are the same everywhere, and away from here a call takes ten times as long: there, only what
# an edge may get wrong is tried, once, and a caller without a name, whom /v1 always answers 401, tries less.
ALL_PHASES = "examples,coverage,fuzzing,stateful"
FEWER_PHASES = "examples,fuzzing"


def test_the_description_is_this_checkouts(anyone: Api) -> None:
    """The server describes the routes and types that docs/openapi.json has."""
    assert anyone.call("GET", "/openapi.json").json() == json.loads(DESCRIPTION.read_bytes())


@pytest.mark.parametrize("user", [None, "alice"])
def test_the_server_answers_as_documented(target: Target, tmp_path: Path, user: str | None) -> None:
    """Generated calls, right and wrong, get a documented status, type and body, and never a 5xx."""
    left_out = [
        *CHECKS_LEFT_OUT,
        *(["unsupported_method"] if target.differs("unknown-method-is-404") else []),
    ]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{target.url}/openapi.json"]
    command += ["--url", target.url, "--no-color", "--exclude-checks", ",".join(left_out)]
    if target.kind == "gateway":
        command += ["--max-examples", "30"]
    else:
        command += ["--max-examples", "3", "--phases", FEWER_PHASES if user is None else ALL_PHASES]
    command += ["--header", f"X-Parley-User: {user}"] if user else []
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"Tested: [1-9]\d*", run.stdout), run.stdout


def test_the_page_needs_no_other_site(anyone: Api) -> None:
    """Whatever the documentation page loads is on this server, and its policy allows nothing else."""
    page = anyone.call("GET", "/docs")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    parts = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert len(parts) == 5
    for part in parts:
        url = urljoin(f"{anyone.url}/docs", part)
        assert url.startswith(anyone.url)
        assert anyone.call("GET", url.removeprefix(anyone.url)).status_code == 200


@pytest.mark.parametrize("path", ["/docs/%2e%2e%2fapp.py", "/docs/..%2f..%2fapp.py", "/docs/app.py"])
def test_the_page_has_no_other_parts(anyone: Api, path: str) -> None:
    """A name that is no part of the page, or climbs out of its folder, is a 404."""
    assert anyone.call("GET", path).status_code == 404


def test_a_path_cannot_climb(anyone: Api, target: Target) -> None:
    """A path with `..` in it, as written, is no route."""
    as_written = (urlsplit(anyone.url).path + "/docs/../app.py").encode()
    check_no_route(anyone.raw("GET", "/docs", extensions={"target": as_written}), target)
