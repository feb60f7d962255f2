"""AWS_ENDPOINT_URL: its valid values, its server, and the way past proxies."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import endpoint
from tests.deploy.cloud import Cloud, somebody
from tests.deploy.endpoints import serving
from tests.servers.commands import refusal, run


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return a setter of this process's variables, which name no endpoint and no way past a proxy."""
    for name in ("AWS_ENDPOINT_URL", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    return monkeypatch


@pytest.mark.long
@pytest.mark.parametrize(
    "wrong",
    ["nonsense", "http://", "ftp://127.0.0.1", "http://local_stack:4566", "http://a:99999", "http://["],
)
@pytest.mark.parametrize("stage", ["localstack", "prod"])
def test_an_endpoint_that_is_no_url(tmp_path: Path, stage: str, wrong: str) -> None:
    """The line shows the value and an example."""
    said = refusal(
        run("infra.deploy", "--stage", stage, env={**somebody(tmp_path), "AWS_ENDPOINT_URL": wrong})
    )
    advice = "it must be a URL such as http://127.0.0.1:4566"
    assert said == f"deploy: AWS_ENDPOINT_URL is {wrong!r}; {advice}"


@pytest.mark.long
@pytest.mark.parametrize("status", [200, 404])
def test_something_else_answers(tmp_path: Path, status: int) -> None:
    """A server that is not LocalStack gets another error than no server."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<h1>hello</h1>")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class's name
            pass

    with serving(Page) as url:
        said = refusal(
            run("infra.deploy", "--stage", "localstack", env={**somebody(tmp_path), "AWS_ENDPOINT_URL": url})
        )
    advice = "is not LocalStack: start LocalStack with `make localstack`"
    assert said.startswith(f"deploy: the server at {url} {advice}")


def test_a_blank_endpoint_is_none(variables: pytest.MonkeyPatch) -> None:
    """On stage prod it is AWS, on stage localstack LocalStack's usual address."""
    for blank in ("", "  "):
        variables.setenv("AWS_ENDPOINT_URL", blank)
        endpoint.settle("prod")
        assert "AWS_ENDPOINT_URL" not in os.environ
        assert endpoint.configured() is None
    with serving(Cloud(there=False).handler) as url:
        variables.setattr(endpoint, "LOCALSTACK", url)
        variables.setenv("AWS_ENDPOINT_URL", "")
        endpoint.settle("localstack")
        assert os.environ["AWS_ENDPOINT_URL"] == endpoint.configured() == url


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ("", "", ("127.0.0.1,localhost,box:1", "127.0.0.1,localhost,box:1")),
        ("", "a.test, .b", ("127.0.0.1,localhost,box:1,a.test,.b", "127.0.0.1,localhost,box:1,a.test,.b")),
        ("a", "localhost,c", ("127.0.0.1,localhost,box:1,a", "127.0.0.1,localhost,box:1,c")),
        ("*", "", ("*", "*")),
    ],
)
def test_what_needs_no_proxy_is_put_in_front(
    variables: pytest.MonkeyPatch, lower: str, upper: str, expected: tuple[str, str]
) -> None:
    """The variables keep their values, the unset one gets the other's, and * stays alone."""
    variables.setenv("no_proxy", lower)
    variables.setenv("NO_PROXY", upper)
    endpoint.bypass_proxy("box:1")
    assert (os.environ["no_proxy"], os.environ["NO_PROXY"] or "*") == expected
