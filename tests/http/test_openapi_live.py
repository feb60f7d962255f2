"""The running server against its own OpenAPI document, and the page that shows it."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.http.client import Api


@pytest.fixture(scope="session")
def document(open_url: str) -> schemathesis.BaseSchema:
    """The document that the open server serves."""
    return schemathesis.openapi.from_url(f"{open_url}/openapi.json")


schema = schemathesis.pytest.from_fixture("document")


@schema.parametrize()
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_server_answers_as_documented(case: schemathesis.Case) -> None:
    """Generated calls, right and wrong ones, get a documented status, type and body, and never a 5xx.

    A generated name may be one that no chat can have, so a well-formed call may rightly be a 400.
    """
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


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
