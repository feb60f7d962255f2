"""From bytes to values, or a BadRequest that says which field."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from chalicelib.errors import BadRequest
from chalicelib.http.decoding import converted, unquoted
from chalicelib.schemas.decoding import decoded
from chalicelib.schemas.social import ClassicFollow


class Sample(msgspec.Struct):
    """A body of every kind of field."""

    name: str
    count: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    flag: bool | None = None
    tags: list[str] = []


def fields_of(error: BadRequest) -> list[str]:
    """Return the fields that an error names."""
    return [field.field for field in error.errors]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "a"}, Sample("a")),
        ({"NAME": "a", "Count": 3}, Sample("a", 3)),
        ({"name": "a", "unknown": [1, {}]}, Sample("a")),
        ({"name": "first", "Name": "last"}, Sample("last")),
        ({"name": "a", "flag": True, "tags": ["x"]}, Sample("a", 1, True, ["x"])),
        ({"name": "a", "flag": None}, Sample("a")),
    ],
)
def test_converted(values: Any, expected: Sample) -> None:
    """Names are matched in any case, the last of two alike counts, and unknown ones are ignored."""
    assert converted(values, Sample) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "a", "count": "3"}, Sample("a", 3)),
        ({"name": "3"}, Sample("3")),
        ({"name": "a", "flag": "true"}, Sample("a", 1, True)),
        ({"name": "a", "flag": "0"}, Sample("a", 1, False)),
    ],
)
def test_converted_from_a_query(values: Any, expected: Sample) -> None:
    """In a query numbers and flags are text."""
    assert converted(values, Sample, strict=False) == expected


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "a", "count": "3"}, "count"),
        ({"name": "a", "count": 0}, "count"),
        ({"name": "a", "count": 11}, "count"),
        ({"name": "a", "count": 1.5}, "count"),
        ({"name": "a", "count": True}, "count"),
        ({"name": "a", "count": 10**30}, "count"),
        ({"name": "a", "flag": "true"}, "flag"),
        ({"name": "a", "tags": "x"}, "tags"),
        ({"name": "a", "tags": [1]}, "tags[0]"),
    ],
)
def test_field_at_fault(values: Any, field: str) -> None:
    """A value of the wrong type or range, or a missing one, is a BadRequest that names its field."""
    with pytest.raises(BadRequest) as raised:
        converted(values, Sample)

    assert fields_of(raised.value) == [field]


@pytest.mark.parametrize("values", [None, [], "text", 5, True])
def test_not_an_object(values: Any) -> None:
    """What is not an object is a BadRequest."""
    with pytest.raises(BadRequest, match="object"):
        converted(values, Sample)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"name":"a"} x', "not JSON"),
        (b"{'name':'a'}", "not JSON"),
        (b'{"name":"\\ud800"}', "not JSON"),
        (b'{"name":"\xff"}', "not UTF-8"),
        (b'{"x":' * 100_000, "nested too deeply"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"count":1}', "name: it is missing"),
        (b'{"name":5}', "name: Expected `str`, got `int`"),
    ],
)
def test_bad_bytes(raw: bytes, said: str) -> None:
    """Bytes that are not the JSON wanted are a BadRequest that says what is wrong."""
    with pytest.raises(BadRequest, match=said.replace("[", r"\[")):
        decoded(lambda given: msgspec.json.decode(given, type=Sample), raw)


def test_our_own_errors_pass() -> None:
    """An error that the client's bytes cannot cause is not laid at their door."""

    def defective(raw: Any) -> Any:
        raise KeyError(raw)

    with pytest.raises(KeyError):
        decoded(defective, b"{}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("alice", "alice"),
        ("a%3Ab", "a:b"),
        ("a%3ab", "a:b"),
        ("a+b", "a+b"),
        ("%E2%82%AC", "\u20ac"),
        ("%2541", "%41"),
        ("100%", "100%"),
        ("\u20ac", "\u20ac"),
    ],
)
def test_unquoted(value: str, expected: str) -> None:
    """A percent-encoded value is decoded once."""
    assert unquoted(value, "chat") == expected


@pytest.mark.parametrize("value", ["%FF", "a%C3", "%ED%A0%80"])
def test_unquoted_is_utf_8(value: str) -> None:
    """Percent-encoding that is not UTF-8 is a BadRequest that names the field."""
    with pytest.raises(BadRequest) as raised:
        unquoted(value, "chat")

    assert fields_of(raised.value) == ["chat"]


def test_a_field_that_is_not_in_lower_case_is_found_too() -> None:
    """A name on the wire with capitals in it is matched in any case, and named as it is written."""
    for given in ("toFollowId", "TOFOLLOWID", "tofollowid"):
        assert converted({given: "bob"}, ClassicFollow).to_follow_id == "bob"
    with pytest.raises(BadRequest, match="toFollowId: it is missing"):
        converted({}, ClassicFollow)
