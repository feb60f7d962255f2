"""Errors as problems (RFC 9457)."""

from __future__ import annotations

import inspect
import re
from http import HTTPStatus

import msgspec
import pytest

from chalicelib import errors
from chalicelib.errors import FieldError, ParleyError, bad_field

ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ParleyError) and kind is not ParleyError
]
EVERY_ERROR = pytest.mark.parametrize("kind", ERRORS)


def made(kind: type[ParleyError]) -> ParleyError:
    """Return an error of a kind."""
    takes_nothing = issubclass(kind, errors.StoreUnavailable)
    return kind() if takes_nothing else kind("What is wrong, and what to do.")  # type: ignore[call-arg]


def test_codes_are_unique() -> None:
    """No two errors share a code, except the tree's root and a defect."""
    codes = [kind.code for kind in ERRORS]

    assert len(codes) == len(set(codes))


@EVERY_ERROR
def test_error_says_what_it_is(kind: type[ParleyError]) -> None:
    """An error has a code, a title, a status of HTTP and a sentence of its own."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert kind.title[0].isupper()
    assert not kind.title.endswith(".")
    assert 400 <= HTTPStatus(kind.status) < 600
    assert (kind.__doc__ or "").endswith(".")
    assert "code" in vars(kind) or kind is errors.InternalError


@EVERY_ERROR
def test_error_body_is_a_problem(kind: type[ParleyError]) -> None:
    """An error's body is a problem, without an empty list of fields."""
    error = made(kind)

    assert msgspec.json.decode(error.problem()) == {
        "type": f"urn:parley:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "code": kind.code,
    }
    assert str(error) == error.detail


def test_problem_of_fields() -> None:
    """A problem of fields names each invalid field."""
    problem = msgspec.json.decode(bad_field("text", "it is missing").problem())

    assert problem["status"] == 400
    assert problem["detail"] == "text: it is missing"
    assert problem["errors"] == [{"field": "text", "detail": "it is missing"}]
    assert bad_field("text", "it is missing").errors == (FieldError("text", "it is missing"),)


@pytest.mark.parametrize("kind", [errors.StoreUnavailable, errors.StoreFull])
def test_temporary_error_says_when_to_retry(kind: type[errors.StoreUnavailable]) -> None:
    """A temporary error says when to retry."""
    assert int(kind().headers["Retry-After"]) >= 1


def test_headers_are_not_shared() -> None:
    """Errors do not share their headers."""
    made(errors.BadRequest).headers["X"] = "1"

    assert made(errors.BadRequest).headers == {}


def test_what_a_client_sent_is_not_sent_back_at_length() -> None:
    """An error with a long value keeps the value's beginning and end, so that it fits into a frame."""
    error = bad_field("f" * 100_000, f"Invalid value '{'x' * 100_000}', use another")
    problem = msgspec.json.decode(error.problem(), type=errors.Problem)

    assert len(error.problem()) < 10_000
    assert problem.errors == list(error.errors)
    assert problem.errors[0].detail.startswith("Invalid value 'xxx")
    assert problem.errors[0].detail.endswith("xxx', use another")
