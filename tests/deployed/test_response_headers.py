"""The headers of every answer."""

from __future__ import annotations

import html
import re
import uuid

import pytest

from tests.deployed.client import Api
from tests.deployed.target import Target, check_no_route


@pytest.mark.parametrize("path", ["/ping", "/docs/none", "/api/pull?limit=-1"])
def test_the_callers_request_id_comes_back(anyone: Api, path: str) -> None:
    """An X-Request-Id that is 1-128 of letters, digits, dot, dash and underscore comes back."""
    for given in (f"caller-{uuid.uuid4()}", "x", "A_z.0-" * 21 + "12"):
        assert anyone.call("GET", path, headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


def test_the_callers_request_id_comes_back_from_no_route(anyone: Api, target: Target) -> None:
    """The id comes back when the edge itself refuses, too."""
    given = f"caller-{uuid.uuid4()}"
    response = anyone.raw("GET", "/nope", headers={"X-Request-Id": given})
    check_no_route(response, target)
    if target.differs("edge-has-its-own-request-id"):
        answered = response.headers[target.edge_id_header]
        assert str(uuid.UUID(answered)) == answered
    else:
        assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'a"b', "<script>"])
def test_an_unfit_request_id_is_replaced(anyone: Api, given: str) -> None:
    """Any other X-Request-Id is replaced by the gateway's, a UUID."""
    answered = anyone.call("GET", "/ping", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert str(uuid.UUID(answered)) == answered


def test_answers_are_not_kept_or_sniffed(anyone: Api) -> None:
    """Answers say no-store and nosniff."""
    headers = anyone.call("GET", "/ping").headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_home_page_shows_the_url_by_which_it_was_reached(anyone: Api) -> None:
    """The first page's commands call this server as the caller did, with whatever comes before the stage."""
    page = html.unescape(anyone.raw("GET", "/", headers={"Accept": "text/html"}).text)
    shown = set(re.findall(r"https?://[^\s']+(?=/(?:api|v1)/)", page))
    assert shown == {anyone.url}


@pytest.mark.parametrize("path", ["/ping", "/", "/docs", "/docs/docs.js", "/api/pull?limit=-1"])
def test_answers_keep_browsers_from_harm(anyone: Api, path: str) -> None:
    """A page runs and loads only what its policy names, and cannot be framed, embedded or referred from."""
    headers = anyone.call("GET", path).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "default-src 'self'"} & set(policy)
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert ("Strict-Transport-Security" in headers) == anyone.url.startswith("https:")


@pytest.mark.parametrize(
    ("prefer", "status"),
    [
        ("return=representation", 201),
        ('respond-async, Return = "representation"', 201),
        ("return=minimal", 204),
        ("xreturn=representation", 204),
    ],
)
def test_prefer_is_read_as_rfc_7240_says(api: Api, prefer: str, status: int) -> None:
    """The preference may be quoted and one of several; another word that ends alike is not it."""
    chat, alice, _ = api.new_pair()
    message = {"chat": chat, "sender": alice, "text": "hi"}
    answer = api.call("POST", "/api/send", speaker=alice, json=message, headers={"Prefer": prefer})
    assert answer.status_code == status
