"""Answers of the edge itself to requests that it refuses, and their lines in the log."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

from chalicelib.errors import ParleyError
from chalicelib.http.common_headers import common_headers
from chalicelib.http.cors import Cors
from chalicelib.http.request_ids import given_id, new_id
from chalicelib.http.responses import REQUEST_ID, defect
from chalicelib.logs import LOGGER
from infra.local.http.head import Head
from infra.local.http.writing import Answer
from infra.local.requests import Request
from infra.local.router import Router
from infra.local.sockets.handshake import is_upgrade

LOGGED_PATH_LENGTH = 200


class Refusals:
    """Makes problems of errors; one that is no ParleyError is a defect.

    router: Finds the routes of requests for the log. cors: The web pages that may read the answers.
    """

    def __init__(self, router: Router, cors: Cors) -> None:
        self._router = router
        self._cors = cors

    def answer(self, error: Exception, head: Head | None, seconds: float = 0.0) -> Answer:
        """Return an error as an answer, and log it if the request could be read.

        head: Of the request, if it could be read. seconds: Time since the request was there.
        """
        problem = error if isinstance(error, ParleyError) else defect()
        headers = {} if head is None else {name: values[-1] for name, values in head.request.headers.items()}
        request_id = given_id(headers) or new_id()
        if head is not None:
            self._log(error, problem, head.request, request_id, seconds)
        return Answer.problem(problem, {**common_headers(headers, self._cors), REQUEST_ID: request_id})

    def _log(
        self, error: Exception, problem: ParleyError, request: Request, request_id: str, seconds: float
    ) -> None:
        is_known = error is problem
        LOGGER.log(
            logging.INFO if is_known else logging.ERROR,
            {
                **self._what(request, request_id),
                "status": problem.status,
                "code": problem.code,
                "ms": round(seconds * 1000, 2),
            },
            exc_info=None if is_known else error,
        )

    def _what(self, request: Request, request_id: str) -> dict[str, Any]:
        if is_upgrade(request):
            return {"event": "socket_connect", "request_id": request_id}
        match = self._router.match(request.path)
        where = {"route": match.resource} if match else {"path": unquote(request.path)[:LOGGED_PATH_LENGTH]}
        return {"event": "request", "request_id": request_id, "method": request.method, **where}
