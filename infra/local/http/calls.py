"""The two ways to call the application: straight, or by a Lambda event through Chalice."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.http import dispatch
from chalicelib.http.request import Request as DirectRequest
from infra.local.events import API_ID, LambdaContext, proxy_event, query_pairs
from infra.local.http.writing import Answer
from infra.local.options import CHALICE, DISPATCH
from infra.local.requests import Request
from infra.local.router import Match

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
"""Answers an API Gateway event and a context, as a Lambda function does."""


Call = Callable[[Request, Match, bytes], Answer]
"""Answers a request with its route and its body; raises BadRequest for a query that is not UTF-8."""


def straight(request: Request, match: Match, body: bytes) -> Answer:
    """Answer a request by the application's own dispatch."""
    response = dispatch.answer(
        DirectRequest(
            request.method,
            match.resource,
            request.path,
            match.parameters,
            {name: values[-1] for name, values in request.headers.items()},
            dict(query_pairs(request.query)),
            body,
            request.client,
            api_id=API_ID,
        )
    )
    return Answer(response.status, list(response.headers.items()), response.body)


def chosen(handler: Handler, environ: Mapping[str, str] = os.environ) -> Call:
    """Return the way that DISPATCH names, by default the straight one; handler: Of Lambda events."""
    return by_event(handler) if environ.get(DISPATCH) == CHALICE else straight


def by_event(handler: Handler) -> Call:
    """Return the function that calls a Lambda handler with an event and a context."""

    def call(request: Request, match: Match, body: bytes) -> Answer:
        event = proxy_event(request, match, body)
        return Answer.of(handler(event, LambdaContext(event["requestContext"]["requestId"])))

    return call
