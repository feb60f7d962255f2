"""Options of pytest for tests/deployed: which server to run against, instead of starting one.

pytest tests/deployed --url https://abc.execute-api.eu-west-1.amazonaws.com/prod --rpc-function parley-rpc
"""

from __future__ import annotations

import functools
import uuid
from urllib.parse import urlsplit

import httpx
import pytest

from tests.deployed.differences import KINDS

ANSWER_SECONDS = 30


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("parley", "the conformance suite, tests/deployed")
    group.addoption(
        "--url", help="base URL of the server to test, its stage included (default: start one here)"
    )
    group.addoption("--target", choices=KINDS, help="what serves that URL (default: guessed from it)")
    group.addoption(
        "--rpc-function", metavar="NAME", help="the rpc function behind that URL, to invoke by Lambda's API"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and that something answers; raises UsageError, one line, otherwise."""
    url = config.getoption("--url")
    if url is None:
        if config.getoption("--target") or config.getoption("--rpc-function"):
            raise pytest.UsageError("--target and --rpc-function say more of a --url; give that too")
        return
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise pytest.UsageError(f"--url {url!r} is not a URL such as http://127.0.0.1:8080")
    if not hasattr(config, "workerinput"):
        _knock(url.rstrip("/") + "/ping")


def _knock(url: str) -> None:
    try:
        status = httpx.get(url, timeout=ANSWER_SECONDS).status_code
    except httpx.HTTPError as error:
        raise pytest.UsageError(f"nothing answers at {url}: {error}; is the server up?") from None
    if status != 200:
        raise pytest.UsageError(
            f"{url} answers {status}, not 200: is this Parley, and the URL with its stage?"
        )


@functools.cache
def trusts_names(url: str) -> bool:
    """Return whether the server at a base URL believes names, as with PARLEY_AUTH=open.

    Raises UsageError for a server that answers neither as such a one does, nor as a closed one.
    """
    chat = ":".join((uuid.uuid4().hex, uuid.uuid4().hex))
    status = httpx.post(f"{url}/api/pull", json={"chat": chat}, timeout=ANSWER_SECONDS).status_code
    if status not in (200, 401):
        raise pytest.UsageError(f"{url} answers {status} to a pull, which is neither open nor closed")
    return status == 200
