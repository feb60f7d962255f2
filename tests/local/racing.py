"""A gateway for a Chalice application whose slow and other routes return the headers that each call reads."""

from __future__ import annotations

import time

from chalice.app import Chalice

from chalicelib.config import Settings
from infra.local.http.calls import by_event
from infra.local.http.gateway import Gateway
from infra.local.pipeline import greenlets
from infra.local.pipeline.current_request import let_calls_overlap

SWITCH_SECONDS = 0.001  # long enough for another call to begin in between

app = Chalice(app_name="racing", configure_logs=False)


@app.route("/my/path")
def ready() -> list[str]:
    """Answer, as a sign that the server runs."""
    return []


@app.route("/slow/{number}")
def slow(number: str) -> list[str]:
    """Return the headers of the current request, at first and after others have begun."""
    return _callers()


@app.route("/inline/{number}")
def inline(number: str) -> list[str]:
    """Do the same on the event loop, which handles others meanwhile."""
    return _callers()


def gateway() -> Gateway:
    """Return the application of a worker."""
    let_calls_overlap(app)
    settings = Settings(stage="local", auth="open")
    return Gateway(by_event(app), app.routes, settings, slow=[("GET", "/slow/{number}")])


def _callers() -> list[str]:
    seen = []
    for _ in range(3):
        assert app.current_request is not None
        seen.append(app.current_request.headers["x-caller"])
        _let_others_run()
    return seen


def _let_others_run() -> None:
    if greenlets.current():
        greenlets.sleep(SWITCH_SECONDS)
    else:
        time.sleep(SWITCH_SECONDS)
