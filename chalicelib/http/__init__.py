"""Answers HTTP requests: decodes them, authenticates the callers, runs the views, and encodes the results."""

from chalicelib.http.accept import preferred
from chalicelib.http.authentication import USER, CallerNamed
from chalicelib.http.call import Call
from chalicelib.http.content_type import ANY_MEDIA_TYPE
from chalicelib.http.decoding import converted
from chalicelib.http.lambda_events import carry
from chalicelib.http.responses import JSON, Response, no_content, reply, text
from chalicelib.http.routing import OPERATIONS, Operation, route
from chalicelib.http.who import Who

__all__ = [
    "ANY_MEDIA_TYPE",
    "JSON",
    "OPERATIONS",
    "USER",
    "Call",
    "CallerNamed",
    "Operation",
    "Response",
    "Who",
    "carry",
    "converted",
    "no_content",
    "preferred",
    "reply",
    "route",
    "text",
]
