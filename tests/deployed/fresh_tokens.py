"""For schemathesis (SCHEMATHESIS_HOOKS): a new account's token for each call, which may end the account.

PARLEY_TEST_URL: the base URL of the server.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis

from chalicelib.routes.accounts import PASSWORD
from tests.deployed.client import Api
from tests.deployed.people import People


@schemathesis.auth(refresh_interval=None, cache_by_key=None)
class FreshToken:
    """Registers users with the password of the documentation's examples."""

    def get(self, case: Any, context: schemathesis.AuthContext) -> str:
        """Return the token of a new account."""
        api = Api(os.environ["PARLEY_TEST_URL"])
        people = People(lambda body: api.call("POST", "/v1/register", json=body))
        person = people.new(password=PASSWORD)
        api.close()
        return person.token

    def set(self, case: Any, data: str, context: schemathesis.AuthContext) -> None:
        """Put the token into a call."""
        case.headers["Authorization"] = f"Bearer {data}"
