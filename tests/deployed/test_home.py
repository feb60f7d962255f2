"""The first page, for people and for programs."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import httpx
import pytest

from tests.deployed.client import Api
from tests.deployed.target import Target

JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("path", ["/", ""])
def test_a_browser_gets_a_page(anyone: Api, target: Target, path: str) -> None:
    """The page loads nothing and runs nothing, and its links lead to parts of this server that are there."""
    page = anyone.call("GET", path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "<script" not in page.text
    links = [urljoin(str(page.url), link) for link in re.findall(r'<a href="([^"]+)"', page.text)]
    assert [link.rpartition("/")[2] for link in links] == ["docs", "openapi.json", "asyncapi.json", "health"]
    for link in links:
        check_leads(anyone, target, path, link)


@pytest.mark.parametrize("path", ["/", ""])
def test_a_program_gets_json(anyone: Api, target: Target, path: str) -> None:
    """A client that prefers JSON gets name, version and links to the documentation."""
    answer = anyone.call("GET", path, headers=JSON)
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert (body.keys(), body["name"]) == ({"name", "version", "docs", "openapi"}, "Parley")
    document = check_leads(anyone, target, path, urljoin(str(answer.url), body["openapi"]))
    page = check_leads(anyone, target, path, urljoin(str(answer.url), body["docs"]))
    assert document is None or document.json()["info"]["version"] == body["version"]
    assert page is None or page.headers["Content-Type"].startswith("text/html")


def check_leads(anyone: Api, target: Target, path: str, link: str) -> httpx.Response | None:
    """Check that a link of the first page leads to a part of this server, and return that."""
    if not path and target.differs("stage-alone-has-a-slash"):
        assert not link.startswith(anyone.url)
        return None
    found = anyone.call("GET", link.removeprefix(anyone.url))
    assert found.status_code == 200
    return found


def test_caches_know_that_there_are_two(anyone: Api) -> None:
    """The answer says that it depends on Accept."""
    for headers in ({}, JSON):
        assert "Accept" in anyone.call("GET", "/", headers=headers).headers["Vary"].split(", ")
