"""The first page, for a person and for a program."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest

from tests.deployed.client import Api

JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("path", ["/", ""])
def test_a_browser_gets_a_page(anyone: Api, path: str) -> None:
    """The page loads nothing and runs nothing, and its links lead to parts of this server that are there."""
    page = anyone.call("GET", path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "<script" not in page.text
    links = [urljoin(str(page.url), link) for link in re.findall(r'<a href="([^"]+)"', page.text)]
    assert len(links) == 3
    for link in links:
        assert anyone.call("GET", link.removeprefix(anyone.url)).status_code == 200


@pytest.mark.parametrize("path", ["/", ""])
def test_a_program_gets_json(anyone: Api, path: str) -> None:
    """Who prefers JSON gets name, version and links that lead to the documentation."""
    answer = anyone.call("GET", path, headers=JSON)
    told = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert (told.keys(), told["name"]) == ({"name", "version", "docs", "openapi"}, "Parley")
    document = anyone.call("GET", urljoin(str(answer.url), told["openapi"]).removeprefix(anyone.url)).json()
    assert document["info"]["version"] == told["version"]
    page = anyone.call("GET", urljoin(str(answer.url), told["docs"]).removeprefix(anyone.url))
    assert page.headers["Content-Type"].startswith("text/html")


def test_caches_know_that_there_are_two(anyone: Api) -> None:
    """The answer says that it depends on Accept."""
    for headers in ({}, JSON):
        assert "Accept" in anyone.call("GET", "/", headers=headers).headers["Vary"].split(", ")
