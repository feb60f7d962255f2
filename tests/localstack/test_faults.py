"""Functions that die, hang or do not start: the caller gets an error, and the next call works."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.localstack.conftest import Configure
from tests.servers.localstack import LocalStackServer
from tests.servers.waiting import eventually

MESSAGE = {"chat": "alice:bob", "sender": "alice", "text": "hello"}


def check_problem(response: httpx.Response) -> None:
    """Check that an error of the gateway is a 5xx problem."""
    assert 500 <= response.status_code <= 599
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"] == f"urn:parley:problem:{problem['code']}"
    assert response.headers["X-Request-Id"]


def store(listener: socket.socket) -> dict[str, str]:
    """Return the settings of a function whose store is a listener, with a long time-out."""
    return {"REDIS_URL": f"redis://127.0.0.1:{listener.getsockname()[1]}", "PARLEY_REDIS_TIMEOUT": "10"}


def called(listener: socket.socket) -> socket.socket:
    """Answer as a store until a call runs a script, and return its waiting connection."""
    connection, _ = listener.accept()
    while b"EVALSHA" not in (asked := connection.recv(65536)):
        if asked:
            connection.sendall(b"+PONG\r\n" if b"PING" in asked else b"+OK\r\n")
        else:
            connection.close()
            connection, _ = listener.accept()
    return connection


def test_a_function_killed_in_a_call_is_a_problem_and_the_next_call_works(
    server: LocalStackServer, http: httpx.Client, configured: Configure, silent_store: socket.socket
) -> None:
    """The caller of a function that dies gets a 5xx problem; the next caller gets a new process."""
    with configured(**store(silent_store)), ThreadPoolExecutor(1) as other:
        answer = other.submit(http.post, "/api/send", json=MESSAGE)
        with called(silent_store):
            (process,) = server.function_processes()
            os.kill(process, signal.SIGKILL)
            check_problem(answer.result())
        assert http.get("/ping").status_code == 200
        assert server.function_processes() - {process}
    assert "Error: Runtime exited with error: signal: killed\n" in server.functions_log.read_text()


def test_a_call_that_takes_too_long_is_a_problem_and_the_next_call_works(
    server: LocalStackServer, http: httpx.Client, configured: Configure, silent_store: socket.socket
) -> None:
    """Lambda ends a call at its time-out; the caller gets a 5xx problem, the next one an answer."""
    with configured(timeout=1, **store(silent_store)):
        check_problem(http.post("/api/send", json=MESSAGE))
        assert http.get("/ping").status_code == 200
    assert " Task timed out after 1.00 seconds\n" in server.functions_log.read_text()


def test_a_call_under_way_outlives_an_update(
    http: httpx.Client, configured: Configure, silent_store: socket.socket
) -> None:
    """A new configuration takes over after the call that an old process is answering."""
    settings = store(silent_store) | {"PARLEY_REDIS_TIMEOUT": "3"}
    with configured(**settings), ThreadPoolExecutor(1) as other:
        answer = other.submit(http.post, "/api/send", json=MESSAGE)
        connection, _ = silent_store.accept()
        with connection, configured(PARLEY_LOG_LEVEL="WARNING"):
            assert answer.result().json()["code"] == "store_unavailable"


def test_function_that_fails_to_import_answers_5xx_until_fixed(
    http: httpx.Client, configured: Configure
) -> None:
    """An invalid setting makes each call a 5xx problem; calls work again once it is right."""
    with configured(PARLEY_AUTH="perhaps"):
        check_problem(http.get("/ping"))
        check_problem(http.get("/ping"))
    assert http.get("/ping").status_code == 200


def test_a_closed_stack_takes_nobodys_word(http: httpx.Client, configured: Configure) -> None:
    """With PARLEY_AUTH=required a send is a 401 problem, while /ping still answers."""
    with configured(PARLEY_AUTH="required"):
        refused = http.post("/api/send", json=MESSAGE)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
        assert http.get("/ping").status_code == 200


def test_callers_at_the_same_time_get_functions_of_their_own(
    server: LocalStackServer, http: httpx.Client
) -> None:
    """20 concurrent sends are all stored, each once."""
    chat = {"chat": "many:one", "sender": "many"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda number: http.post("/api/send", json={**chat, "text": str(number)}), range(20))
        )
    assert [answer.status_code for answer in answers] == [204] * 20
    page = http.post("/api/pull", json={"chat": "many:one", "limit": 50}).json()
    assert sorted(int(message["text"]) for message in page["messages"]) == list(range(20))


def logged_near(server: LocalStackServer, request_id: str) -> list[str]:
    """Return the lines of the log stream that has a request's line; empty while there is none."""
    group = f"/aws/lambda/{server.resource('APIHandler')}"
    pages = server.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    events = [event for page in pages for event in page["events"]]
    streams = {event["logStreamName"] for event in events if request_id in event["message"]}
    return [event["message"] for event in events if event["logStreamName"] in streams]


def test_lambdas_own_lines_are_in_the_logs(server: LocalStackServer, http: httpx.Client) -> None:
    """A call's line stands between START and END, in the file at once and in CloudWatch Logs soon."""
    given = http.get("/ping").headers["X-Request-Id"]
    assert eventually(lambda: bool(logged_near(server, given)))
    for lines in (logged_near(server, given), server.functions_log.read_text().splitlines()):
        found = next(number for number, line in enumerate(lines) if given in line)
        assert lines[found - 1].startswith("START RequestId: ")
        assert lines[found + 1].startswith("END RequestId: ")
        assert lines[found + 2].startswith("REPORT RequestId: ")
