"""Decoding bytes to values, or a BadRequest that names the field."""

from __future__ import annotations

import tracemalloc
from typing import Annotated, Any, Literal

import msgspec
import pytest

from chalicelib.errors import BadRequest, FieldError
from chalicelib.http.decoding import converted, unquoted
from chalicelib.schemas import shapes
from chalicelib.schemas.decoding import decoded, from_json
from chalicelib.schemas.legacy.go_chat import GoChatFollow


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
def test_names_match_in_any_case_and_unknown_ones_are_ignored(values: Any, expected: Sample) -> None:
    """Names match in any case, the last of two alike counts, and unknown ones are ignored."""
    assert converted(values, Sample) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "a", "count": "3"}, Sample("a", 3)),
        ({"name": "3"}, Sample("3")),
        ({"name": "a", "flag": "true"}, Sample("a", 1, True)),
        ({"name": "a", "flag": "0"}, Sample("a", 1, False)),
        ({"name": "a", "count": "3.0"}, Sample("a", 3)),
        ({"name": "1e1"}, Sample("1e1")),
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
        ({"name": "a", "COUNT": 0}, "COUNT"),
    ],
)
def test_field_at_fault(values: Any, field: str) -> None:
    """A value of the wrong type or range, or a missing one, is a BadRequest that names its field."""
    with pytest.raises(BadRequest) as raised:
        converted(values, Sample)

    assert fields_of(raised.value) == [field]


@pytest.mark.parametrize("values", [None, [], "text", 5, True])
def test_json_other_than_an_object_is_refused(values: Any) -> None:
    """JSON other than an object is a BadRequest."""
    with pytest.raises(BadRequest, match="object"):
        converted(values, Sample)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "The body is empty: send JSON"),
        (b"{", "not JSON"),
        (b'{"name":"a"} x', "not JSON"),
        (b"{'name':'a'}", "not JSON"),
        (b'{"name":"\\ud800"}', "name: it has half of a surrogate pair"),
        (b'{"name":"\\ud83d\\ude00","tags":["\\udc00x"]}', r"tags\[0]: it has half of a surrogate pair"),
        (b'{"\\ud800":1}', "body: it has half of a surrogate pair"),
        (b'{"name":"\xff"}', "not UTF-8"),
        (b'{"name":\xff}', "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"name":"\\ud800"}\xff', "not JSON"),
        (b'{"name":5,"x":"\xff"}', "name: Expected `str`, got `int`"),
        (b'{"count":1,"x":\xff', "not JSON"),
        (b'{"x":' * 100_000, "nested too deeply"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"count":1}', "name: it is missing"),
        (b'{"name":5}', "name: Expected `str`, got `int`"),
        (b'{"name":"a","count":1.0,"x":1E999}', "^Number out of range$"),
    ],
)
def test_invalid_json_error_says_what_is_wrong(raw: bytes, said: str) -> None:
    """Bytes that are not the expected JSON are a BadRequest that says what is wrong."""
    with pytest.raises(BadRequest, match=said):
        from_json(raw, Sample)


@pytest.mark.parametrize("count", ["1e1", "1E0", "0x1", "", "1.5", "+1", "1_0", "\u0663"])
def test_a_whole_number_in_a_query(count: str) -> None:
    """A query's whole number has digits only; other spellings, as of floats, are refused."""
    with pytest.raises(BadRequest) as raised:
        converted({"name": "a", "COUNT": count}, Sample, strict=False)
    assert fields_of(raised.value) == ["COUNT"]


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """An object in another."""

    mode: Literal["fast", "slow"] | None = None


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A body that refuses what it does not know."""

    reply_to: int = 0
    modes: list[Literal["fast", "slow"]] = []
    inner: Inner | None = None
    inners: list[Inner] = []


@pytest.mark.parametrize(
    ("raw", "field", "said"),
    [
        (b'{"replyTo":1}', "replyTo", "did you mean `reply_to`?"),
        (b'{"REPLY_TO":1}', "REPLY_TO", "did you mean `reply_to`?"),
        (b'{"zzz":1}', "zzz", "the known ones are `reply_to`, `modes`, `inner` and `inners`"),
        (b'{"inner":{"mod":1}}', "inner.mod", "did you mean `mode`?"),
        (b'{"inners":[{},{"zzz":1}]}', "inners[1].zzz", "the known ones are `mode`"),
        (b'{"%s":1}' % (b"x" * 9999), "x" * 64, "the known ones are"),
        (b'{"a` - at `$.b":1}', "a` - at `$.b", "the known ones are `reply_to`"),
        (b'{"inner":{"a` - at `$.b":1}}', "inner.a` - at `$.b", "the known ones are `mode`"),
    ],
)
def test_an_unknown_field_is_named_with_the_nearest(raw: bytes, field: str, said: str) -> None:
    """An unknown field is refused at any depth, and the error suggests a known one."""
    with pytest.raises(BadRequest) as raised:
        from_json(raw, Strict)
    assert fields_of(raised.value) == [field]
    assert said in raised.value.detail


@pytest.mark.parametrize("step", ["b.", "[1]"])
def test_no_name_of_a_field_is_followed_as_a_path(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that looks like a path of 100,000 steps is handled as a name, without delay."""
    followed: list[Any] = []

    def counted(shape: Any, value: Any) -> Any:
        followed.append(shape)
        return struct(shape, value)

    struct = shapes._struct
    monkeypatch.setattr(shapes, "_struct", counted)
    with pytest.raises(BadRequest, match="the known ones are `reply_to`"):
        from_json(b'{"a` - at `$.%s":1}' % (step.encode() * 100_000), Strict)
    assert len(followed) < 10


def test_a_deep_place_of_half_a_pair_takes_no_more_than_its_body() -> None:
    """The path to half a surrogate pair is built once, not at each level."""
    depth, name = 900, b"n" * 270
    body = b'{"%s":' % name * depth + b'"\\ud800"' + b"}" * depth
    tracemalloc.start()
    try:
        with pytest.raises(BadRequest, match="half of a surrogate pair"):
            from_json(body, Sample)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(body)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"modes":["fast","quick"]}', "modes[1]"),
        (b'{"modes":["fast","a` - at `$.b"]}', "modes[1]"),
        (b'{"modes":[1]}', "modes[0]"),
        (b'{"inner":{"mode":"quick"}}', "inner.mode"),
        (b'{"inner":{"mode":true}}', "inner.mode"),
    ],
)
def test_a_refused_enumeration_names_its_values(raw: bytes, field: str) -> None:
    """An unknown value of an enumeration is refused, with the known ones."""
    with pytest.raises(BadRequest) as raised:
        from_json(raw, Strict)
    assert raised.value.errors == (FieldError(field, "it must be `fast` or `slow`"),)


@pytest.mark.parametrize("number", ["10", "10.0", "10.000"])
def test_a_whole_number_in_json(number: str) -> None:
    """10.0 is a whole number, as in JSON Schema and in a query."""
    assert from_json(b'{"reply_to":%s}' % number.encode(), Strict) == Strict(10)


def test_a_large_whole_number_stays_exact() -> None:
    """A whole number with a decimal point is not converted by a float."""
    assert from_json(b'{"reply_to":9007199254740993.0}', Strict) == Strict(9007199254740993)


@pytest.mark.parametrize("number", ["1e1", "1E1", "1.0e1", "10.5", '"10"', "true"])
def test_no_whole_number_in_json(number: str) -> None:
    """A number with an exponent or a fraction is refused, and the error names its field."""
    with pytest.raises(BadRequest) as raised:
        from_json(b'{"reply_to":%s}' % number.encode(), Strict)
    assert fields_of(raised.value) == ["reply_to"]


def test_our_own_errors_pass() -> None:
    """An error that the client's bytes cannot cause is no BadRequest."""

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
def test_percent_encoding_is_decoded_once(value: str, expected: str) -> None:
    """A percent-encoded value is decoded once."""
    assert unquoted(value, "chat") == expected


@pytest.mark.parametrize("value", ["%FF", "a%C3", "%ED%A0%80"])
def test_unquoted_is_utf_8(value: str) -> None:
    """Percent-encoding that is not UTF-8 is a BadRequest that names the field."""
    with pytest.raises(BadRequest) as raised:
        unquoted(value, "chat")

    assert fields_of(raised.value) == ["chat"]


def test_a_field_that_is_not_in_lower_case_is_found_too() -> None:
    """A name with capitals is matched in any case, and errors spell it as documented."""
    for given in ("toFollowId", "TOFOLLOWID", "tofollowid"):
        assert converted({given: "bob"}, GoChatFollow).to_follow_id == "bob"
    with pytest.raises(BadRequest, match="toFollowId: it is missing"):
        converted({}, GoChatFollow)
