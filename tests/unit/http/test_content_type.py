"""The Content-Type of a request, held against Chalice's own verdict."""

from __future__ import annotations

import pytest
from chalice.app import _matches_content_type as chalices_verdict
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.http.content_type import ANY_MEDIA_TYPE, is_accepted
from chalicelib.http.responses import JSON

PARTS = [
    "application/json",
    "Application/JSON",
    "text/plain",
    "*/*",
    "",
    " ",
    "\t",
    ",",
    ";",
    "charset=utf-8",
    "x",
]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(max_size=30))
@pytest.mark.parametrize("taken", [JSON, ANY_MEDIA_TYPE])
def test_verdict_is_chalices(taken: str, content_type: str) -> None:
    """Any value gets the verdict that Chalice would give."""
    assert is_accepted(content_type, taken) == chalices_verdict(content_type, [taken])


def test_a_body_without_a_type_is_json() -> None:
    """A request without a Content-Type is taken for JSON."""
    assert is_accepted(None, JSON)
