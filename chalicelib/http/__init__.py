"""Converts HTTP requests to calls, and results to responses; only this package and routes use Chalice."""

from chalicelib.http.accept import preferred
from chalicelib.http.authentication import USER, CallerNamed
from chalicelib.http.call import Call
from chalicelib.http.decoding import converted
from chalicelib.http.middleware import answer
from chalicelib.http.responses import JSON, no_content, reply, text
from chalicelib.http.routing import ANY_MEDIA_TYPE, OPERATIONS, Operation, route
from chalicelib.http.who import Who

__all__ = [
    "ANY_MEDIA_TYPE",
    "JSON",
    "OPERATIONS",
    "USER",
    "Call",
    "CallerNamed",
    "Operation",
    "Who",
    "answer",
    "converted",
    "no_content",
    "preferred",
    "reply",
    "route",
    "text",
]
