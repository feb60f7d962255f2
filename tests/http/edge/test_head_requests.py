"""HEAD on every path that GET has."""

from __future__ import annotations

import re

import pytest

from app import app
from tests.deployed.client import Api

PATHS = sorted(path for path, methods in app.routes.items() if "GET" in methods)
VARIES = {"date", "x-request-id", "ratelimit-remaining", "ratelimit-reset"}


@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_headers_of_get(api: Api, path: str) -> None:
    """HEAD gets the answer of GET, also a refusal, with every header and without the body."""
    path = re.sub(r"{\w+}", "alice", path.replace("{chat}", "alice:bob").replace("{asset}", "docs.js"))
    got, head = (api.raw(method, path, headers={"X-Parley-User": "alice"}) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert got.status_code != 405
    for name in {*got.headers, *head.headers} - VARIES:
        assert head.headers.get(name) == got.headers.get(name), name


def test_head_of_a_path_without_get_is_a_405(api: Api) -> None:
    """A path that only takes POST has no HEAD."""
    assert api.raw("HEAD", "/v1/register").status_code == 405
