"""What is asked of the account before a deployment; AWS is stubbed with answers that its own model allows."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from infra.deploy.account import check_log_role
from infra.deploy.errors import DeployError
from tests.deploy.cloud import OneClient

ROLE = "arn:aws:iam::111122223333:role/logs"
OFF = {"AccessLogs": "off", "SocketAccessLogs": "off", "AccessLogRole": "present"}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """A stubbed client of API Gateway; every answer queued must be asked for, and no other is."""
    client = boto3.client(
        "apigateway", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("log", ["AccessLogs", "SocketAccessLogs"])
def test_a_log_without_a_role_is_refused_before_anything_is_made(stub: Stubber, log: str) -> None:
    """The stage could not be made: the error names the parameter and the one that makes a role."""
    stub.add_response("get_account", {})
    with pytest.raises(DeployError, match=f"{log}=on needs a role") as raised:
        check_log_role(OneClient(stub.client), {**OFF, log: "on"}, {})
    assert "AccessLogRole=make" in str(raised.value)


def test_a_log_with_the_accounts_role_is_made(stub: Stubber) -> None:
    """An account that has a role takes a stack with access logs."""
    stub.add_response("get_account", {"cloudwatchRoleArn": ROLE})
    check_log_role(OneClient(stub.client), {**OFF, "AccessLogs": "on"}, {})


def test_a_role_is_made_where_there_is_none(stub: Stubber) -> None:
    """AccessLogRole=make is right in an account without a role."""
    stub.add_response("get_account", {})
    check_log_role(OneClient(stub.client), {**OFF, "AccessLogs": "on", "AccessLogRole": "make"}, {})


def test_no_role_is_made_over_another(stub: Stubber) -> None:
    """A role that somebody else set is not replaced: the error names it."""
    stub.add_response("get_account", {"cloudwatchRoleArn": ROLE})
    with pytest.raises(DeployError, match=ROLE):
        check_log_role(OneClient(stub.client), {**OFF, "AccessLogRole": "make"}, {})


@pytest.mark.parametrize(
    ("values", "held"),
    [({}, {}), (OFF, {}), ({**OFF, "AccessLogs": "on", "AccessLogRole": "make"}, {"AccessLogRole": "make"})],
)
def test_nothing_is_asked_without_need(stub: Stubber, values: dict[str, str], held: dict[str, str]) -> None:
    """Neither without access logs, nor of an emulator's template, nor where the stack has made the role."""
    check_log_role(OneClient(stub.client), values, held)
