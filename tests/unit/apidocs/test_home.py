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
def test_url_has_host_emulator_path_and_stage(host: str, path: str, api: str, url: str | None) -> None:
    """The URL has the caller's host, an emulator's path unless the host names the API, and the stage."""
    assert url_of("http", host, path, api) == (url or f"http://{host}{path}")
