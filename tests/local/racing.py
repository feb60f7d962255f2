"""A gateway for a Chalice application that answers each call, slow or not, with the headers that it reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from chalice.app import Chalice, Request, Response

from chalicelib.config import Settings
from infra.local.http.calls import by_event
from infra.local.http.gateway import Gateway
from infra.local.pipeline import greenlets

SWITCH_SECONDS = 0.001  # long enough for another call to begin in between

app = Chalice(app_name="racing", configure_logs=False)


PATHS = ("/my/path", "/slow/{number}", "/inline/{number}")
"""A path that shows that the server runs, one whose calls run in threads, one on the event loop."""


def answer(request: Request, get_response: Callable[[Any], Any]) -> Response:
    """Middleware: return a header of the request, read at first and after other calls have begun."""
    seen = []
    for _ in range(3):
        seen.append(request.headers.get("x-caller"))
        _let_others_run()
    return Response(seen)


def gateway() -> Gateway:
    """Return the application of a worker."""
    app.register_middleware(answer, "http")
    settings = Settings(stage="local", auth="open")
    return Gateway(by_event(app), PATHS, settings, slow=[("GET", "/slow/{number}")])


def _let_others_run() -> None:
    if greenlets.current():
        greenlets.sleep(SWITCH_SECONDS)
    else:
        time.sleep(SWITCH_SECONDS)
