"""The output of `make run` in a terminal."""

from __future__ import annotations

import logging
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chalicelib.logs import LineHandler
from infra.local.terminal_log import RED, SLOW_MILLISECONDS, YELLOW, TerminalFormatter, is_worth_a_line
from tests.client.terminal import Terminal
from tests.servers.engines import Engine, ValkeyEngine
from tests.servers.gateway import PATIENCE


@pytest.fixture
def store() -> Iterator[Engine]:
    """A store that a test may stop."""
    with ValkeyEngine(appendonly=True) as engine:
        yield engine


def started(folder: Path, store: Engine, **env: str) -> Terminal:
    """Start a server in a terminal."""
    arguments = ["--port", "0", "--data", str(folder), "--workers", "1"]
    return Terminal(*arguments, module="infra.local", **{**PATIENCE, **store.env, **env})


def ready(terminal: Terminal) -> tuple[str, str]:
    """Return the output before the banner, and the URL in the banner."""
    before, url = terminal.shows("Parley is ready on "), terminal.shows("\n")
    terminal.shows("Ctrl-C stops the server.")
    return before.strip(), url.strip()


@pytest.mark.long
def test_terminal_shows_errors_alone(tmp_path: Path, store: Engine) -> None:
    """The banner comes first, a request that succeeds leaves no line, an error leaves a short red one."""
    with started(tmp_path, store) as terminal:
        before, url = ready(terminal)
        assert before == ""
        assert httpx.get(f"{url}/api/pull?chat=a:b").status_code == 200
        assert httpx.get(f"{url}/nothing").status_code == 404
        store.kill()
        assert httpx.get(f"{url}/v1/sync", headers={"X-Parley-User": "a"}).status_code == 503
        between = terminal.shows("/v1/sync 503 store_unavailable")
        times = re.findall(r"/(?:api/pull|nothing)\b.* (\d+) ms", between)
        assert [ms for ms in times if int(ms) < SLOW_MILLISECONDS] == []
        assert RED in between
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ends() == 0


@pytest.mark.long
@pytest.mark.parametrize(("env", "coloured"), [({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_no_color_turns_colours_off(
    tmp_path: Path, store: Engine, env: dict[str, str], coloured: bool
) -> None:
    """A NO_COLOR that is not empty turns colours off."""
    with started(tmp_path, store, **env) as terminal:
        _, url = ready(terminal)
        store.kill()
        assert httpx.get(f"{url}/v1/sync", headers={"X-Parley-User": "a"}).status_code == 503
        assert (RED in terminal.shows("/v1/sync 503")) is coloured


@pytest.mark.long
def test_json_on_a_terminal(tmp_path: Path, store: Engine) -> None:
    """LOG=json has a JSON line for every request, in a terminal too."""
    with started(tmp_path, store, LOG="json") as terminal:
        _, url = ready(terminal)
        assert httpx.get(f"{url}/api/pull?chat=a:b").status_code == 200
        terminal.shows('"route":"/api/pull"')


def record(level: int, fields: dict[str, Any] | str) -> logging.LogRecord:
    """Return a record as the application logs it."""
    return logging.LogRecord("parley", level, "", 0, fields, None, None)


@pytest.mark.parametrize(
    ("level", "fields", "worth"),
    [
        (logging.INFO, {"event": "request", "ms": 999.9}, False),
        (logging.INFO, {"event": "request", "ms": 1000.0}, True),
        (logging.INFO, {"event": "sweep", "ms": 60.0}, False),
        (logging.WARNING, {"event": "pushes_failed"}, True),
        (logging.ERROR, "a text", True),
        (logging.INFO, "a text", False),
    ],
)
def test_what_is_worth_a_line(level: int, fields: dict[str, Any] | str, worth: bool) -> None:
    """Warnings, errors and calls of a second or more are shown; other lines are not."""
    handler = LineHandler()
    handler.is_shown = is_worth_a_line

    assert bool(handler.filter(record(level, fields))) is worth


def test_line_shows_request_outcome_and_id() -> None:
    """A line has the time, level, request, outcome and id; nothing in it moves the cursor."""
    fields = {"event": "request", "request_id": "r1", "method": "GET", "path": "/a\x1b[2J", "status": 500}
    failed = record(logging.ERROR, fields | {"ms": 12.3, "cause": "x"})
    line = TerminalFormatter(coloured=False).format(failed)
    assert re.fullmatch(r"\d\d:\d\d:\d\d error GET /a\ufffd\[2J 500 12 ms cause=x r1", line)
    request = {"event": "request", "method": "GET", "route": "/v1/sync", "status": 200, "ms": 1500.0}
    slow = TerminalFormatter(coloured=True).format(record(logging.INFO, request))
    assert slow.startswith(YELLOW)
    assert "slow GET /v1/sync 200 1500 ms" in slow


def test_line_of_what_is_no_request() -> None:
    """Other events have their name and fields; a text is shown as it is."""
    formatter = TerminalFormatter(coloured=False)
    line = formatter.format(record(logging.WARNING, {"event": "pushes_failed", "failed": 2}))
    assert line.endswith("warning pushes_failed failed=2")
    assert formatter.format(record(logging.ERROR, "a text")).endswith("error a text")
