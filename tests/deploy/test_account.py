"""Checks of the account before a deployment; AWS is stubbed with answers that its own model allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from infra.deploy.account import check_log_role
from infra.deploy.errors import DeployError
from tests.deploy.cloud import Clients

ROLE = "arn:aws:iam::111122223333:role/paths/logs"
FOUND = {
    "Path": "/",
    "RoleName": "logs",
    "RoleId": "A" * 16,
    "Arn": ROLE,
    "CreateDate": datetime(2026, 11, 1, tzinfo=UTC),
}
OFF = {"AccessLogs": "off", "SocketAccessLogs": "off", "AccessLogRole": "present"}


class Account:
    """Stubbed clients of API Gateway and IAM; every queued answer must be requested, and no other."""

    def __init__(self) -> None:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self._clients = {name: boto3.client(name, "us-east-1", **keys) for name in ("apigateway", "iam")}
        self.stubs = {name: Stubber(client) for name, client in self._clients.items()}
        self.session = Clients(self._clients)

    def has(self, role: str | None, error: str = "") -> None:
        """Queue the answers of an account whose settings name a role; error: IAM's, asked for the role."""
        self.stubs["apigateway"].add_response("get_account", {"cloudwatchRoleArn": role} if role else {})
        if error:
            self.stubs["iam"].add_client_error("get_role", error, expected_params={"RoleName": "logs"})
        elif role:
            self.stubs["iam"].add_response("get_role", {"Role": FOUND}, {"RoleName": "logs"})


@pytest.fixture
def account() -> Iterator[Account]:
    """An account that may only be asked for what a test has queued."""
    account = Account()
    with account.stubs["apigateway"], account.stubs["iam"]:
        yield account
        for stub in account.stubs.values():
            stub.assert_no_pending_responses()


@pytest.mark.parametrize("log", ["AccessLogs", "SocketAccessLogs"])
def test_a_log_without_a_role_is_refused_before_anything_is_made(account: Account, log: str) -> None:
    """The stage could not be made: the error names the parameter and the one that makes a role."""
    account.has(None)
    with pytest.raises(DeployError, match=f"{log}=on needs a role") as raised:
        check_log_role(account.session, {**OFF, log: "on"}, {})
    assert "AccessLogRole=make" in str(raised.value)


def test_a_log_with_the_accounts_role_is_made(account: Account) -> None:
    """An account with a role takes a stack with access logs."""
    account.has(ROLE)
    check_log_role(account.session, {**OFF, "AccessLogs": "on"}, {})


def test_a_role_is_made_where_there_is_none(account: Account) -> None:
    """AccessLogRole=make is right in an account without a role."""
    account.has(None)
    check_log_role(account.session, {**OFF, "AccessLogs": "on", "AccessLogRole": "make"}, {})


def test_no_role_is_made_over_another(account: Account) -> None:
    """Another user's role is not replaced: the error names it."""
    account.has(ROLE)
    with pytest.raises(DeployError, match=ROLE):
        check_log_role(account.session, {**OFF, "AccessLogRole": "make"}, {})


def test_a_role_that_is_gone_is_none(account: Account) -> None:
    """A deleted role's ARN stays in the settings: a log would be lost, so a role has to be made."""
    account.has(ROLE, "NoSuchEntity")
    with pytest.raises(DeployError, match="AccessLogRole=make"):
        check_log_role(account.session, {**OFF, "AccessLogs": "on"}, {})
    account.has(ROLE, "NoSuchEntity")
    check_log_role(account.session, {**OFF, "AccessLogs": "on", "AccessLogRole": "make"}, {})


def test_a_role_that_may_not_be_looked_at_counts(account: Account) -> None:
    """A caller without IAM's iam:GetRole can deploy to an account with a role."""
    account.has(ROLE, "AccessDenied")
    check_log_role(account.session, {**OFF, "AccessLogs": "on"}, {})


@pytest.mark.parametrize(
    ("values", "held"),
    [({}, {}), (OFF, {}), ({**OFF, "AccessLogs": "on", "AccessLogRole": "make"}, {"AccessLogRole": "make"})],
)
def test_nothing_is_asked_without_need(
    account: Account, values: dict[str, str], held: dict[str, str]
) -> None:
    """Neither without access logs, nor of an emulator's template, nor where the stack has made the role."""
    check_log_role(account.session, values, held)
