"""The URL that the first page shows."""

from __future__ import annotations

import pytest

from chalicelib.routes.home import url_of


@pytest.mark.parametrize(
    ("host", "path", "api", "url"),
    [
        ("127.0.0.1:8080", "", "", "http://127.0.0.1:8080"),
        (
            "abc.execute-api.eu-west-1.amazonaws.com",
            "/v1",
            "",
            "http://abc.execute-api.eu-west-1.amazonaws.com/v1",
        ),
        ("127.0.0.1:4566", "/localstack", "abc", "http://127.0.0.1:4566/_aws/execute-api/abc/localstack"),
        ("abc.execute-api.localhost.localstack.cloud:4566", "/localstack", "abc", None),
        ("$(id)", "/v1", "", "http://localhost/v1"),
    ],
)
def test_url(host: str, path: str, api: str, url: str | None) -> None:
    """It has the caller's host, an emulator's way to the API unless the host names it, and the stage."""
    assert url_of("http", host, path, api) == (url or f"http://{host}{path}")
