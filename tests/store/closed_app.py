"""The app in this process as a closed server, with two accounts and a session."""

from __future__ import annotations

import pytest

from chalicelib.services.auth import account_status
from chalicelib.services.values.tokens import digest_of
from tests.store.account_records import HOUR, clock, write_account, write_session
from tests.store.log_records import RawClient

CLOSED = {"PARLEY_AUTH": "required", "PARLEY_RATE_LIMITS": "read=1000,write=1000,search=1000,auth=1000"}
TOKEN = f"parley_{'A' * 43}.ann"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
BAD = f"Bearer parley_{'B' * 43}.{{}}"
"""A token of no session; a handle is to be put in."""


def close_app(raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the app closed, whose store has the accounts of ann and bob, and ann's session of TOKEN.

    What it learns of an account is kept for the whole test.
    """
    for name, value in CLOSED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(account_status, "KEPT_SECONDS", 3600.0)
    now = clock(raw)
    write_account(raw, "ann")
    write_account(raw, "bob")
    write_session(raw, "ann", digest_of(TOKEN), now, now, now + HOUR)
