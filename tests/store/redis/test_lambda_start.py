"""The imports of the application: on Lambda they prepare all that calls need, elsewhere nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.servers.engines import Engine
from tests.servers.faults import FreezingProxy
from tests.servers.gateway import PATIENCE
from tests.servers.ports import ReservedPort
from tests.servers.process import ROOT, environment

LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "parley-APIHandler",
    "_HANDLER": "app.app",
    "AWS_DEFAULT_REGION": "eu-north-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
FIRST_CALL = """
import json, sys, app
made = ["botocore.auth" in sys.modules, "boto3" in sys.modules]
from chalicelib import errors, services
if sys.argv[1] == "call":
    try:
        services.current().health()
        answer = "answered"
    except errors.StoreUnavailable as error:
        answer = "tried" if error.__cause__ else "refused"
    made.append(answer)
print(json.dumps(made))
"""


class Started(NamedTuple):
    """The connections and signers of a process after its imports; lines: its log."""

    signer: bool
    boto3: bool
    answer: str
    lines: list[Any]


def started(env: dict[str, str], *, call: bool = False) -> Started:
    """Import the application in a process, and make a call if asked."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL, "call" if call else ""],
        cwd=ROOT,
        env=environment({"PARLEY_PUSH_URL": "http://127.0.0.1:1/prod", **PATIENCE, **env}),
        capture_output=True,
        text=True,
        check=True,
    )
    signer, boto3, *answer = json.loads(done.stdout)
    return Started(signer, boto3, "".join(answer), [json.loads(line) for line in done.stderr.splitlines()])


@pytest.mark.parametrize(
    ("env", "connections", "signer"),
    [
        (LAMBDA, 1, True),
        ({}, 0, False),
        (LAMBDA | {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, 0, True),
        (LAMBDA | {"_HANDLER": "app.media"}, 0, False),
    ],
    ids=["function", "elsewhere", "snapshot", "function without a store"],
)
def test_what_an_import_makes(valkey: Engine, env: dict[str, str], connections: int, signer: bool) -> None:
    """A function connects to the store and loads its signer at its start; other processes do not."""
    with FreezingProxy(urlsplit(valkey.url).path, resets=False) as proxy:
        made = started(env | {"REDIS_URL": f"redis://127.0.0.1:{proxy.port}"})

        assert proxy.connections == connections
    assert (made.signer, made.boto3, made.lines) == (signer, False, [])


def test_first_call_uses_the_connection_of_the_start(valkey: Engine) -> None:
    """The first call of a function opens no further connection."""
    with FreezingProxy(urlsplit(valkey.url).path, resets=False) as proxy:
        made = started(LAMBDA | {"REDIS_URL": f"redis://127.0.0.1:{proxy.port}"}, call=True)

        assert proxy.connections == 1
    assert made.answer == "answered"


def test_a_start_without_a_store() -> None:
    """A function starts without its store and logs one line; its first call tries once more."""
    with ReservedPort() as port:
        made = started(LAMBDA | {"REDIS_URL": f"redis://127.0.0.1:{port}"}, call=True)

    assert [line["event"] for line in made.lines] == ["not_prepared"]
    assert "ConnectionError" in made.lines[0]["cause"]
    assert (made.signer, made.answer) == (True, "tried")
