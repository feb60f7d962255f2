"""The description of a change set before it is applied; AWS is stubbed with answers of its own model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.deploy.changes import ChangeSet
from infra.deploy.errors import DeployError
from infra.deploy.stack import Stack
from tests.deploy.cloud import OneClient

IDENTITY = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/deploy-1/1"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """A stubbed client of CloudFormation; every queued answer must be requested."""
    client = boto3.client(
        "cloudformation", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def stack(stub: Stubber, said: list[str] | None = None) -> Stack:
    """Return a stack of the stubbed client."""
    return Stack(OneClient(stub.client), "parley-prod", "prod", (said if said is not None else []).append)


def described(status: str) -> dict[str, Any]:
    """Return CloudFormation's description of a stack in a state."""
    made = {"StackName": "parley-prod", "CreationTime": datetime.now(UTC), "StackStatus": status}
    return {"Stacks": [made]}


def change(name: str, kind: str, action: str, replacement: str | None = None) -> dict[str, Any]:
    """Return one change as CloudFormation lists it."""
    made = {"Action": action, "LogicalResourceId": name, "ResourceType": kind}
    return {
        "Type": "Resource",
        "ResourceChange": made | ({"Replacement": replacement} if replacement else {}),
    }


CHANGES = [
    change("Cache", "AWS::ElastiCache::ServerlessCache", "Modify", "True"),
    change("Cluster", "AWS::MemoryDB::Cluster", "Remove"),
    change("Maybe", "AWS::S3::Bucket", "Modify", "Conditional"),
    change("Kept", "AWS::S3::Bucket", "Modify", "False"),
    change("New", "AWS::S3::Bucket", "Add"),
    change("Code", "AWS::Lambda::Function", "Modify", "True"),
]


def test_what_would_lose_data_is_named(stub: Stubber) -> None:
    """A store or bucket that is removed, replaced or perhaps replaced counts; a function does not."""
    stub.add_response("describe_change_set", {"Changes": CHANGES}, {"ChangeSetName": IDENTITY})
    assert ChangeSet(stub.client, IDENTITY, fresh=False).losses() == ["Cache", "Cluster", "Maybe"]


def test_what_is_replaced_stands_out(stub: Stubber) -> None:
    """The line of a replaced resource ends with a word that says so."""
    stub.add_response("describe_change_set", {"Changes": CHANGES}, {"ChangeSetName": IDENTITY})
    lines = ChangeSet(stub.client, IDENTITY, fresh=False).lines()
    assert [line.split()[1] for line in lines if line.endswith("REPLACED")] == ["Cache", "Code"]


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        ("ROLLBACK_COMPLETE", "make undeploy STAGE=prod"),
        ("DELETE_FAILED", "make undeploy STAGE=prod"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name parley-prod"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name parley-prod"),
        ("UPDATE_IN_PROGRESS", "wait until that has ended"),
    ],
)
def test_error_of_a_stuck_stack_says_how_to_continue(stub: Stubber, status: str, way_out: str) -> None:
    """The error has the stack's state and what to do about it."""
    stub.add_response("describe_stacks", described(status), {"StackName": "parley-prod"})
    if not status.endswith("IN_PROGRESS"):
        stub.add_response("describe_stack_events", {"StackEvents": []}, {"StackName": "parley-prod"})
    with pytest.raises(DeployError, match=status) as raised:
        stack(stub).check()
    assert way_out in str(raised.value)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_whole_stack_takes_a_change(stub: Stubber, status: str) -> None:
    """So does one that an earlier update left as it was, and one that stands for a change not yet made."""
    stub.add_response("describe_stacks", described(status), {"StackName": "parley-prod"})
    stack(stub).check()


@pytest.mark.parametrize(
    ("status", "expected"),
    [("UPDATE_ROLLBACK_COMPLETE", "2026-11-30 12:00:00+00:00"), ("UPDATE_COMPLETE", "")],
)
def test_rolled_back_update_is_recognized_by_its_time(stub: Stubber, status: str, expected: str) -> None:
    """A failed update is recognized by its time, which differs from the next one's; a good one has none."""
    there = described(status)
    there["Stacks"][0]["LastUpdatedTime"] = datetime(2026, 11, 30, 12, tzinfo=UTC)
    stub.add_response("describe_stacks", there, {"StackName": "parley-prod"})
    assert stack(stub).taken_back() == expected


def test_parameters_not_given_keep_their_values(stub: Stubber) -> None:
    """An update sends the given values, and keeps the previous ones that stack and template share."""
    there = described("CREATE_COMPLETE")
    there["Stacks"][0]["Parameters"] = [
        {"ParameterKey": "Store", "ParameterValue": "durable"},
        {"ParameterKey": "Egress", "ParameterValue": "nat"},
        {"ParameterKey": "Gone", "ParameterValue": "x"},
    ]
    stub.add_response("describe_stacks", there)
    stub.add_client_error("create_change_set", "ValidationError", "no such template")
    sent: list[Any] = []
    stub.client.meta.events.register(
        "provide-client-params.cloudformation.CreateChangeSet", lambda params, **_: sent.append(params)
    )
    with pytest.raises(DeployError, match="no such template"):
        stack(stub).propose("https://x/template", {"Store": "serverless"}, ["Store", "Egress", "New"])
    (params,) = sent
    assert params["ChangeSetType"] == "UPDATE"
    assert params["Parameters"] == [
        {"ParameterKey": "Store", "ParameterValue": "serverless"},
        {"ParameterKey": "Egress", "UsePreviousValue": True},
    ]


def test_the_first_failure_of_a_change_is_the_reason_given(stub: Stubber) -> None:
    """The error has the first failure, not the cancellations that followed."""

    def event(number: int, name: str, status: str, reason: str = "") -> dict[str, Any]:
        return {
            "StackId": "s", "EventId": str(number), "StackName": "parley-prod",
            "LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": reason,
            "Timestamp": datetime.now(UTC),
        }  # fmt: skip

    stub.add_response("describe_stack_events", {"StackEvents": []})
    stub.add_response("execute_change_set", {}, {"ChangeSetName": IDENTITY})
    stub.add_response("describe_stacks", described("UPDATE_ROLLBACK_COMPLETE"))
    newest_first = [
        event(3, "Api", "CREATE_FAILED", "Resource creation cancelled"),
        event(2, "Cache", "CREATE_FAILED", "quota exceeded"),
        event(1, "Vpc", "CREATE_COMPLETE"),
    ]
    stub.add_response("describe_stack_events", {"StackEvents": newest_first})
    said: list[str] = []
    with pytest.raises(DeployError, match="the first failure: Cache: quota exceeded"):
        stack(stub, said).apply(ChangeSet(stub.client, IDENTITY, fresh=False))
    assert [line.split()[1] for line in said] == ["Vpc", "Cache", "Api"]


@pytest.mark.parametrize("before", [False, True])
def test_a_stack_is_protected_once(stub: Stubber, before: bool) -> None:
    """CloudFormation is asked to refuse a deletion, with a message, unless it does already."""
    there = described("CREATE_COMPLETE")
    there["Stacks"][0]["EnableTerminationProtection"] = before
    stub.add_response("describe_stacks", there)
    if not before:
        asked = {"StackName": "parley-prod", "EnableTerminationProtection": True}
        stub.add_response("update_termination_protection", {}, asked)
    said: list[str] = []
    stack(stub, said).protect()
    assert [line.split(";")[0] for line in said] == ["parley-prod is protected against deletion"][before:]


@pytest.mark.parametrize("protected", [False, True])
def test_a_deletion_ends_the_protection_first(stub: Stubber, protected: bool) -> None:
    """A protected stack is deleted like any other, and only `delete` ends its protection."""
    there = described("CREATE_COMPLETE")
    there["Stacks"][0]["EnableTerminationProtection"] = protected
    stub.add_response("describe_stacks", there)
    stub.add_response("describe_stack_events", {"StackEvents": []})
    if protected:
        asked = {"StackName": "parley-prod", "EnableTerminationProtection": False}
        stub.add_response("update_termination_protection", {}, asked)
    stub.add_response("delete_stack", {}, {"StackName": "parley-prod"})
    stub.add_client_error("describe_stacks", "ValidationError", "Stack parley-prod does not exist")
    stub.add_response("describe_stack_events", {"StackEvents": []})
    stack(stub).delete()
