"""An open server on a laptop answers only under loopback's own names."""

from __future__ import annotations

import pytest

from tests.deployed.client import Api


@pytest.mark.parametrize("host", [b"evil.example", "evil\u00e9.example".encode()])
def test_an_open_server_refuses_other_hosts(api: Api, host: bytes) -> None:
    """A name that is not loopback's is refused, so that no site's DNS can point a browser here."""
    response = api.call("GET", "/ping", headers={"Host": host})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
