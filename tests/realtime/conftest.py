"""The app, or its services alone, in this process and on an empty store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib import services
from chalicelib.push_gateway import installed
from tests.realtime.in_process import PASSWORD, Door, Recorder
from tests.realtime.recorded_connections import Stage
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE
from tests.store.app_requests import call
from tests.store.log_records import settings_for

SETTINGS = {
    "PARLEY_STAGE": "local",
    "PARLEY_AUTH": "required",
    "PARLEY_SOCKET_URL": "ws://127.0.0.1:8080",
    "PARLEY_ARGON2": "m=8,t=1,p=1",
    "PARLEY_RATE_LIMITS": "read=0,write=0,search=0,auth=0,frame=0",
}


@pytest.fixture
def stage(valkey: Engine) -> Iterator[Stage]:
    """The services of an open server."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    stage = Stage(settings_for(valkey))
    yield stage
    stage.close()


@pytest.fixture
def variables() -> dict[str, str]:
    """Variables of the app that a module overrides."""
    return {}


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """The pusher of these tests, instead of API Gateway."""
    recorder = Recorder()
    installed.install(recorder)
    yield recorder
    installed.install(None)


@pytest.fixture
def door(
    valkey: Engine, recorder: Recorder, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    """A closed app on an empty store, with accounts of ann, bob and cyd."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    for name, value in {**SETTINGS, **PATIENCE, **valkey.env, **variables}.items():
        monkeypatch.setenv(name, value)
    services.current.cache_clear()
    tokens = {}
    for name in ("ann", "bob", "cyd"):
        made = call("POST", "/v1/register", body={"handle": name, "password": PASSWORD})
        tokens[name] = made.body["token"]
    yield Door(recorder, tokens)
    services.current.cache_clear()
