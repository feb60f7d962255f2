"""The media type that a caller prefers."""

from __future__ import annotations

import pytest

from chalicelib.http import preferred

HTML, JSON = "text/html", "application/json"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", HTML),
        ("application/json, text/html", HTML),
        ("text/html;q=1, application/json;q=0.999", HTML),
        ("text/plain", HTML),
        ("application/json;q=zero, text/html", HTML),
        ("application/json", JSON),
        ("Application/JSON; charset=utf-8", JSON),
        ("application/json, text/plain, */*;q=0.5", JSON),
        ("application/*", JSON),
        ("text/html;q=0.4, application/json;q=0.5", JSON),
        ("text/html; q=0, */*", JSON),
        ("text/*;level=1;q=0.3,*/*;q=0.5", JSON),
        (",;q=,application/json", JSON),
    ],
)
def test_the_heavier_media_type_wins(accept: str | None, expected: str) -> None:
    """An Accept header is weighed as RFC 9110 says; nonsense does no harm, and HTML is the default."""
    assert preferred(accept, (HTML, JSON)) == expected
